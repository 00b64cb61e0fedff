//! `creel stop`: SIGTERM, and SIGKILL when that is not heeded.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;

use super::several::for_each;
use crate::monitor::client::{self, ConnectError};
use crate::names::SandboxName;
use crate::paths::Paths;
use crate::wire::{ClientRequest, MonitorEvent};

/// Stop running sandboxes
///
/// The command gets SIGTERM, and SIGKILL when it is still there after the time-out. Whatever else runs in the
/// sandbox ends with it.
#[derive(Args, Debug)]
pub(crate) struct StopArgs {
    /// Seconds between SIGTERM and SIGKILL
    #[arg(
        short = 't',
        long = "time",
        visible_alias = "timeout",
        value_name = "SECONDS",
        default_value_t = 10
    )]
    seconds: u32,

    /// The sandboxes
    #[arg(required = true, value_name = "NAME")]
    names: Vec<SandboxName>,
}

pub(crate) fn run(args: StopArgs) -> Result<ExitCode> {
    let timeout = Duration::from_secs(args.seconds.into());
    for_each(&args.names, async |paths, name| stop(paths, name, timeout).await)
}

/// Returns when the run is over and recorded. One that is over already is no error.
pub(crate) async fn stop(paths: &Paths, name: &SandboxName, timeout: Duration) -> Result<()> {
    let mut connection = match client::connect(name, paths).await {
        Err(ConnectError::NotRunning(_)) => return Ok(()),
        connected => connected?,
    };
    let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
    connection.send(&ClientRequest::Stop { timeout_ms }).await?;
    loop {
        match connection.recv().await? {
            Some(MonitorEvent::Exited { .. } | MonitorEvent::Removed) => return Ok(()),
            Some(MonitorEvent::Failed { message, .. }) => bail!("{message}"),
            Some(_) => {}
            // It ended while we asked, or its monitor died: the next look tells.
            None => return Box::pin(stop(paths, name, timeout)).await,
        }
    }
}
