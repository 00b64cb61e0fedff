//! `creel rm`: what is left of a sandbox that has ended. Its audit log stays.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::context::{adopt_orphans, engine};
use super::several::for_each;
use super::stop::stop;
use crate::monitor::client::ConnectError;
use crate::monitor::state::{Claim, StateDir};
use crate::names::SandboxName;
use crate::paths::Paths;
use crate::sandbox::teardown::teardown_run;
use crate::wire::Phase;

/// Remove sandboxes that have ended
///
/// Their names are free again; their audit logs stay.
#[derive(Args, Debug)]
pub(crate) struct RmArgs {
    /// Those that run too: they are killed first
    #[arg(short, long)]
    force: bool,

    /// The sandboxes
    #[arg(required = true, value_name = "NAME")]
    names: Vec<SandboxName>,
}

/// A monitor cleans up after it has told of the end.
const MONITOR_PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn run(args: RmArgs) -> Result<ExitCode> {
    for_each(&args.names, async |paths, name| remove(paths, name, args.force).await)
}

async fn remove(paths: &Paths, name: &SandboxName, force: bool) -> Result<()> {
    adopt_orphans(paths);
    let dir = StateDir::of(paths, name);
    if !dir.exists() {
        return Err(ConnectError::NoSuch(name.clone()).into());
    }
    if !dir.state().is_ok_and(|state| state.phase == Phase::Exited) {
        if !force {
            bail!(
                "sandbox {name} is running: stop it first (creel stop {name}), or remove it by force (creel rm -f {name})"
            );
        }
        match stop(paths, name, Duration::ZERO).await {
            // It went away by itself.
            Err(e) if matches!(e.downcast_ref(), Some(ConnectError::NoSuch(_))) => return Ok(()),
            stopped => stopped?,
        }
    }
    let Some(claim) = tokio::time::timeout(MONITOR_PATIENCE, free(dir))
        .await
        .with_context(|| format!("the monitor of {name} does not finish"))??
    else {
        return Ok(());
    };
    let spec = claim.dir.spec()?;
    teardown_run(&engine().await?, &spec.name, spec.run).await?;
    let _ = std::fs::remove_dir_all(paths.run_of(name));
    claim.remove().context("the sandbox's folder could not be removed")
}

/// Waits for the monitor to be done with the folder; `None` when it has removed it itself.
async fn free(dir: StateDir) -> Result<Option<Claim>> {
    loop {
        if !dir.exists() {
            return Ok(None);
        }
        match Claim::orphan(dir.clone()) {
            Ok(Some(claim)) => return Ok(Some(claim)),
            Ok(None) => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(e.into()),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
