//! `creel attach`: back to a sandbox that runs.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use super::context::{block_on, engine, paths, raw};
use super::follow::{Followed, exit_code};
use super::stream::{DetachKeys, Session, Wiring};
use crate::monitor::client;
use crate::monitor::state::StateDir;
use crate::names::SandboxName;
use crate::wire::{ClientRequest, MonitorEvent};

/// Join your terminal to a running sandbox's
///
/// What it prints from now on is shown; what it printed before is in creel logs. It goes on when you leave, by
/// the detach keys or otherwise, and creel attach exits as it does when it ends.
#[derive(Args, Debug)]
pub(crate) struct AttachArgs {
    /// Only look: what you type stays here
    #[arg(long)]
    no_stdin: bool,

    /// Keys that leave the sandbox running and give the terminal back
    #[arg(long, value_name = "KEYS", default_value_t)]
    detach_keys: DetachKeys,

    /// The sandbox
    name: SandboxName,
}

pub(crate) fn run(args: AttachArgs) -> Result<ExitCode> {
    let paths = paths()?;
    block_on(async {
        let name = &args.name;
        let mut connection = client::connect(name, &paths).await?;
        let spec = StateDir::of(&paths, name).spec()?;
        connection.send(&ClientRequest::Follow { foreground: false }).await?;
        let container = loop {
            match connection.recv().await? {
                Some(MonitorEvent::Started { container }) => break container,
                Some(MonitorEvent::Exited { exit_code: code, .. }) => {
                    return Ok(ExitCode::from(exit_code(code)));
                }
                Some(_) => {}
                None => bail!("sandbox {name} has just ended"),
            }
        };
        let engine = engine().await?;
        let wiring =
            Wiring { tty: spec.tty, stdin: spec.stdin && !args.no_stdin, detach_keys: args.detach_keys };
        let hijacked = raw(&engine).attach(&container, wiring.stdin, &wiring.detach_keys).await?;
        let session = Session::join_and_ask(hijacked, &wiring)?;
        if session.can_ask() {
            connection.send(&ClientRequest::Approver { terminal: true }).await?;
        }
        let followed = Followed {
            name,
            paths: &paths,
            engine: &engine,
            container: &container,
            foreground: false,
            repaint: spec.tty,
        };
        followed.run_to_its_end(connection, session).await.map(ExitCode::from)
    })
}
