//! `creel run`: from what was typed to a sandbox, and to its end.

mod args;
pub(crate) mod env;
pub(crate) mod invoker;
mod layer;
mod mounts;
mod name;
mod refused;

use std::collections::BTreeMap;
use std::io::{Write, stdout};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

pub(crate) use args::RunArgs;

use super::context::{adopt_orphans, block_on, engine, paths, raw};
use super::failure::{CREEL_FAILED, Failure, say};
use super::follow::{Followed, exit_code};
use super::progress::Progress;
use super::stream::choice::Terminals;
use super::stream::{Session, Wiring, terminal_size};
use crate::monitor::client::{self, Connection};
use crate::monitor::state::ClaimError;
use crate::names::{RunId, SandboxName};
use crate::paths::Paths;
use crate::policy::env::from_host;
use crate::policy::model::ImageChoice;
use crate::sandbox::engine::Engine;
use crate::sandbox::spec::SandboxSpec;
use crate::wire::{ClientRequest, MonitorEvent};

/// Made-up names that turn out to be taken, before we give up.
const NAME_TRIES: usize = 8;

pub(crate) fn run(args: RunArgs) -> Result<ExitCode> {
    check(&args)?;
    let paths = paths()?;
    let wiring = args.streams.wiring(args.detach, Terminals::ours())?;
    let spec = spec(&args, &wiring)?;
    if args.dry_run {
        return super::dry_run::print(&spec, &paths, args.json);
    }
    block_on(async {
        adopt_orphans(&paths);
        let engine = engine().await?;
        let (connection, spec) = launch(spec, args.name.is_some(), &paths)?;
        let run = Starting { spec: &spec, paths: &paths, engine: &engine, wiring: &wiring, json: args.json };
        run.run_to_its_end(connection).await.map(ExitCode::from)
    })
}

/// What needs no policy to be refused.
fn check(args: &RunArgs) -> Result<()> {
    if let Some(sentence) = &args.refused.sentence {
        bail!("{sentence}");
    }
    if let Some(sentence) = args.inside.network.as_deref().and_then(refused::network) {
        bail!("{sentence}");
    }
    if !args.inside.publish.is_empty() {
        bail!("{}", refused::PUBLISH);
    }
    if args.json && !args.detach && !args.dry_run {
        bail!("--json goes with --detach or --dry-run: in the foreground, the output is the command's own");
    }
    Ok(())
}

/// All that is decided before anything is done.
fn spec(args: &RunArgs, wiring: &Wiring) -> Result<SandboxSpec> {
    let cwd =
        std::env::current_dir().context("the current folder can't be told; change into one that exists")?;
    let invoker = invoker::invoker()?;
    let host = env::host_env();
    let resolved = layer::resolve(args, &host)?;
    if let Some(notice) = &resolved.notice {
        say(notice);
    }
    let policy = resolved.policy;
    if args.command.is_empty()
        && args.inside.entrypoint.is_none()
        && policy.sandbox.image == ImageChoice::Host
    {
        bail!("there is no command to run: creel run -- COMMAND");
    }
    let mut env = from_host(&policy.sandbox.env_from_host, host.clone().into_iter());
    env.extend(policy.sandbox.env.clone());
    for file in &args.inside.env_file {
        env.extend(env::read_file(file, &host)?);
    }
    for option in &args.inside.env {
        env.extend(env::option(option, &host)?);
    }
    let run = RunId::new();
    Ok(SandboxSpec {
        name: match &args.name {
            Some(name) => name.clone(),
            None => name::made_up(run).context("no name could be made up; give one with --name")?,
        },
        run,
        policy,
        policy_hash: resolved.hash,
        policy_sources: resolved.sources,
        invoker,
        command: args.command.clone(),
        entrypoint: args.inside.entrypoint.clone(),
        workdir: workdir(args.inside.workdir.as_deref())?,
        env,
        labels: labels(&args.inside.label)?,
        tmpfs: args.inside.tmpfs.iter().map(|text| mounts::tmpfs(text)).collect::<Result<_, _>>()?,
        binds: args.inside.volume.iter().map(|text| mounts::bind(text, &cwd)).collect::<Result<_, _>>()?,
        pull: args.inside.pull.into(),
        tty: wiring.tty,
        stdin: wiring.stdin,
        detached: args.detach,
        remove: args.rm || !args.detach,
        size: terminal_size().filter(|_| wiring.tty).map(|size| (size.rows, size.columns)),
    })
}

fn workdir(dir: Option<&Path>) -> Result<Option<std::path::PathBuf>> {
    match dir {
        Some(dir) if !dir.is_absolute() => {
            bail!("-w {}: give the folder's absolute path in the sandbox", dir.display())
        }
        dir => Ok(dir.map(Path::to_owned)),
    }
}

fn labels(options: &[String]) -> Result<BTreeMap<String, String>> {
    options
        .iter()
        .map(|option| {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            if key.is_empty() {
                bail!("-l {option}: a label has a name before its “=”");
            }
            if key == "creel" || key.starts_with("creel.") {
                bail!("-l {option}: labels that begin with “creel.” are how creel finds its own containers");
            }
            Ok((key.to_owned(), value.to_owned()))
        })
        .collect()
}

/// Claims the name and starts the monitor; a made-up name that is taken is replaced by another.
fn launch(mut spec: SandboxSpec, named: bool, paths: &Paths) -> Result<(Connection, SandboxSpec)> {
    let mut tries = 0;
    loop {
        match client::launch(&spec, paths) {
            Ok(connection) => return Ok((connection, spec)),
            Err(e) if !named && tries < NAME_TRIES && is_taken(&e) => {
                tries += 1;
                spec.run = RunId::new();
                spec.name =
                    name::made_up(spec.run).context("no name could be made up; give one with --name")?;
            }
            Err(e) => return Err(e),
        }
    }
}

fn is_taken(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ClaimError::Taken(_)))
}

/// A sandbox whose monitor has been started.
struct Starting<'a> {
    spec: &'a SandboxSpec,
    paths: &'a Paths,
    engine: &'a Engine,
    wiring: &'a Wiring,
    json: bool,
}

impl Starting<'_> {
    async fn run_to_its_end(self, mut connection: Connection) -> Result<u8> {
        let container = match self.created(&mut connection).await? {
            Ok(container) => container,
            Err(code) => return Ok(code),
        };
        if self.spec.detached {
            connection.send(&ClientRequest::Start { foreground: false }).await?;
            return self.detached(connection, &container).await;
        }
        let hijacked =
            raw(self.engine).attach(&container, self.wiring.stdin, &self.wiring.detach_keys).await?;
        let session = Session::join_and_ask(hijacked, self.wiring)?;
        if session.can_ask() {
            // Before the start: what the first command asks would find nobody.
            connection.send(&ClientRequest::Approver { terminal: true }).await?;
        }
        connection.send(&ClientRequest::Start { foreground: true }).await?;
        let followed = Followed {
            name: &self.spec.name,
            paths: self.paths,
            engine: self.engine,
            container: &container,
            foreground: true,
            repaint: false,
        };
        followed.run_to_its_end(connection, session).await
    }

    /// Waits for the workload's container; or for the code to exit with, where it does not come.
    async fn created(&self, connection: &mut Connection) -> Result<Result<String, u8>> {
        let mut progress = Progress::new();
        loop {
            match connection.recv().await? {
                Some(MonitorEvent::Progress { step }) => progress.step(&step),
                Some(MonitorEvent::Pulling { image, done, total }) => progress.pull(&image, done, total),
                Some(MonitorEvent::Created { container }) => return Ok(Ok(container)),
                Some(MonitorEvent::Exited { exit_code: code, message: None, .. }) => {
                    return Ok(Err(exit_code(code)));
                }
                Some(
                    MonitorEvent::Exited { exit_code: code, message: Some(message), .. }
                    | MonitorEvent::Failed { message, exit_code: code },
                ) => return Err(Failure { code: exit_code(code), message }.into()),
                Some(_) => {}
                None => return Err(self.monitor_died()),
            }
        }
    }

    async fn detached(&self, mut connection: Connection, container: &str) -> Result<u8> {
        let spec = self.spec;
        loop {
            match connection.recv().await? {
                Some(MonitorEvent::Started { .. }) => break,
                // So short a command may be over before it was seen to run: that is no failure to start it.
                Some(MonitorEvent::Exited { message: None, .. }) => break,
                Some(
                    MonitorEvent::Exited { exit_code: code, message: Some(message), .. }
                    | MonitorEvent::Failed { message, exit_code: code },
                ) => return Err(Failure { code: exit_code(code), message }.into()),
                Some(_) => {}
                None => return Err(self.monitor_died()),
            }
        }
        let mut out = stdout();
        if self.json {
            let line = serde_json::json!({ "name": spec.name, "run": spec.run, "container": container });
            writeln!(out, "{line}")?;
        } else {
            writeln!(out, "{}", spec.name)?;
        }
        Ok(0)
    }

    fn monitor_died(&self) -> anyhow::Error {
        let name: &SandboxName = &self.spec.name;
        let log = self.paths.sandbox(name).join("monitor.log");
        let message = match crate::monitor::state::StateDir::of(self.paths, name).monitor_log_tail() {
            Some(line) => format!("the monitor of {name} died at the start: {line}"),
            None => format!("the monitor of {name} died at the start; its log is {}", log.display()),
        };
        Failure { code: CREEL_FAILED, message }.into()
    }
}
