//! `creel exec`: a further command in a sandbox, supervised as the first one is.

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bollard::exec::{ResizeExecOptions, StartExecOptions};
use bollard::query_parameters::EventsOptionsBuilder;
use clap::Args;
use futures_util::StreamExt;

use super::context::{block_on, engine, paths, raw};
use super::failure::{CREEL_FAILED, Failure};
use super::follow::exit_code;
use super::run::env;
use super::stream::choice::{StreamArgs, Terminals};
use super::stream::{Event, Session, Wiring, terminal_size};
use crate::monitor::client::{self, Connection};
use crate::names::SandboxName;
use crate::sandbox::engine::Engine;
use crate::sys::tty::Size;
use crate::wire::{ClientRequest, ExecRequest, MonitorEvent};

/// Run a further command in a running sandbox
///
/// It is supervised and recorded as the first one is, under the same policy and the same limits.
#[derive(Args, Debug)]
pub(crate) struct ExecArgs {
    #[command(flatten)]
    streams: StreamArgs,

    /// Let it run without waiting for it
    #[arg(short, long)]
    detach: bool,

    /// Set a variable, or hand on the host's
    #[arg(short, long, value_name = "KEY[=VALUE]")]
    env: Vec<String>,

    /// Read variables from a file
    #[arg(long, value_name = "FILE")]
    env_file: Vec<std::path::PathBuf>,

    /// Run as this user: a name of the image's, or numbers
    #[arg(short, long, value_name = "USER[:GROUP]")]
    user: Option<String>,

    /// Start in this folder of the sandbox
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,

    /// The sandbox
    name: SandboxName,

    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// The engine knows an exec's end a moment after its streams do.
const CODE_PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn run(args: ExecArgs) -> Result<ExitCode> {
    let wiring = args.streams.wiring(args.detach, Terminals::ours())?;
    let host = env::host_env();
    let mut variables = Vec::new();
    for file in &args.env_file {
        variables.extend(env::read_file(file, &host)?);
    }
    for option in &args.env {
        variables.extend(env::option(option, &host)?);
    }
    let request = ExecRequest {
        command: args.command,
        tty: wiring.tty,
        stdin: wiring.stdin,
        env: variables.into_iter().map(|(name, value)| format!("{name}={value}")).collect(),
        user: args.user,
        workdir: args.workdir,
        detach_keys: Some(wiring.detach_keys.to_string()),
    };
    let paths = paths()?;
    block_on(async {
        let mut connection = client::connect(&args.name, &paths).await?;
        let engine = engine().await?;
        connection.send(&ClientRequest::Exec(request)).await?;
        let exec = made(&mut connection).await?;
        if args.detach {
            let options = StartExecOptions { detach: true, tty: wiring.tty, output_capacity: None };
            engine
                .docker()
                .start_exec(&exec, Some(options))
                .await
                .context("the engine could not start it")?;
            return Ok(ExitCode::SUCCESS);
        }
        let code = foreground(&engine, &exec, &wiring, connection).await?;
        Ok(ExitCode::from(code))
    })
}

/// Waits for the exec's id.
async fn made(connection: &mut Connection) -> Result<String> {
    loop {
        match connection.recv().await? {
            Some(MonitorEvent::ExecCreated { exec }) => return Ok(exec),
            Some(MonitorEvent::Failed { message, exit_code: code }) => {
                return Err(Failure { code: exit_code(code), message }.into());
            }
            Some(_) => {}
            None => bail!("the sandbox ended before the command could be started"),
        }
    }
}

async fn foreground(engine: &Engine, exec: &str, wiring: &Wiring, mut connection: Connection) -> Result<u8> {
    let mut ends = std::pin::pin!(ends_of(engine, exec));
    let size = terminal_size();
    let hijacked = raw(engine).start_exec(exec, wiring.tty, size).await?;
    let mut session = Session::join(hijacked, wiring)?;
    if let Some(size) = session.size() {
        resize(engine, exec, size).await;
    }
    let mut refused = None;
    let mut heard_all = false;
    loop {
        tokio::select! {
            event = session.next() => match event {
                Event::OutputEnded => break,
                Event::OutputFailed(e) => return Err(e.context("the output could not be passed on")),
                Event::Detached => return Ok(0),
                // As under `docker exec`, the command goes on: it is the sandbox's, not ours.
                Event::Forward(signal) | Event::Leave(signal) => return Ok(exit_code(128 + signal as i32)),
                Event::Resized(size) => resize(engine, exec, size).await,
                Event::Suspend => session.suspend(),
            },
            // A process that the command left behind may hold its streams open.
            Some(()) = ends.next() => session.workload_ended(),
            heard = connection.recv(), if !heard_all => match heard.ok().flatten() {
                Some(MonitorEvent::Failed { message, .. }) => refused = Some(message),
                Some(_) => {}
                None => heard_all = true,
            },
        }
    }
    drop(session);
    match refused {
        Some(message) => Err(Failure { code: CREEL_FAILED, message }.into()),
        None => code_of(engine, exec).await,
    }
}

/// The end of that exec, as the engine's events tell it.
fn ends_of(engine: &Engine, exec: &str) -> impl futures_util::Stream<Item = ()> {
    // The events are only asked for when this is first polled, which may be after a short command's end.
    let since = jiff::Timestamp::now().as_second() - 1;
    let filters = HashMap::from([("event".to_owned(), vec!["exec_die".to_owned()])]);
    let options = EventsOptionsBuilder::new().since(&since.to_string()).filters(&filters).build();
    engine.docker().events(Some(options)).filter_map(move |event| {
        let id = event.ok().and_then(|event| event.actor?.attributes?.remove("execID"));
        std::future::ready(id.filter(|id| id == exec).map(drop))
    })
}

async fn resize(engine: &Engine, exec: &str, size: Size) {
    // It may have ended, or not begun; the next change tries again.
    let _ =
        engine.docker().resize_exec(exec, ResizeExecOptions { height: size.rows, width: size.columns }).await;
}

/// What it exited with.
async fn code_of(engine: &Engine, exec: &str) -> Result<u8> {
    let asked = async {
        loop {
            let seen = engine.docker().inspect_exec(exec).await?;
            if let (Some(false), Some(code)) = (seen.running, seen.exit_code) {
                return Ok(i32::try_from(code).map_or(CREEL_FAILED, exit_code));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let code: Result<_, bollard::errors::Error> = tokio::time::timeout(CODE_PATIENCE, asked)
        .await
        .context("the engine does not say how the command ended")?;
    code.context("the engine does not say how the command ended")
}
