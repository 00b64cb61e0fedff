//! The monitor as a process: what it inherits from the command line that starts it, and how it begins.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdStream;
use std::process::ExitCode;

use anyhow::{Context, Result};
use tokio::net::UnixStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::clients::{self, Clients, admit};
use super::clock::now_us;
use super::gate_link::GateListener;
use super::happening::{ClientId, Happening};
use super::recorder::Recorder;
use super::run::Run;
use super::state::{Claim, RunState, StateDir};
use super::usage::Usage;
use crate::approval::queue::Queue;
use crate::audit::record::Cause;
use crate::names::SandboxName;
use crate::paths::Paths;
use crate::sandbox::engine::{Address, Engine};
use crate::sandbox::spec::SandboxSpec;
use crate::wire::MonitorEvent;

/// Happenings that wait to be acted on.
const QUEUE: usize = 1024;

/// `creel __monitor NAME`. Its messages go to the sandbox's `monitor.log`, which is its stderr.
pub(crate) fn main(name: Option<&str>) -> ExitCode {
    // Out of the terminal's session: Ctrl-C and a closing window are the command line's to handle.
    let _ = nix::unistd::setsid();
    match begin(name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("creel: {e:#}");
            ExitCode::from(125)
        }
    }
}

fn begin(name: Option<&str>) -> Result<()> {
    let name: SandboxName = name.context("a monitor needs the name of its sandbox")?.parse()?;
    let (client, lock) = inherited().context("a monitor is started by creel itself")?;
    let paths = Paths::from_env(|key| std::env::var_os(key))?;
    let claim = Claim::inherited(StateDir::of(&paths, &name), lock);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(monitor(claim, client, paths))
}

/// Standard input is the first client, standard output the lock (see `client::spawn`). Both move out of the way of
/// whatever would read or print.
fn inherited() -> Result<(StdStream, File)> {
    let client = StdStream::from(take(std::io::stdin().as_fd())?);
    client.set_nonblocking(true)?;
    let lock = File::from(take(std::io::stdout().as_fd())?);
    let null = File::options().read(true).write(true).open("/dev/null")?;
    nix::unistd::dup2_stdin(&null)?;
    nix::unistd::dup2_stdout(&null)?;
    Ok((client, lock))
}

fn take(fd: std::os::fd::BorrowedFd<'_>) -> std::io::Result<OwnedFd> {
    fd.try_clone_to_owned()
}

async fn monitor(claim: Claim, client: StdStream, paths: Paths) -> Result<()> {
    let (sender, happenings) = mpsc::channel(QUEUE);
    let fresh = claim.dir.state().is_err();
    let mut first = admit(ClientId(0), UnixStream::from_std(client)?, &sender);
    first.follows = true;
    // Whoever finds a sandbox without a monitor starts one, and need not stay.
    first.starter = fresh;
    let mut clients = Clients::default();
    clients.add(first);
    match prepare(&claim, &paths, fresh, &sender).await {
        Ok(Prepared { spec, state, engine, recorder }) => {
            let queue = Queue::new(state.decisions.clone());
            let run = Run {
                spec,
                paths,
                claim,
                state,
                engine,
                recorder,
                clients,
                happenings,
                sender,
                gate: None,
                cgroup: None,
                usage: Usage::default(),
                gate_ready: false,
                start_asked: false,
                main_served: false,
                all_dead: false,
                trouble: None,
                unserved: BTreeMap::new(),
                queue,
                hook_turns: Run::hook_turns(),
                approvers_may_come: !fresh,
            };
            run.run_to_its_end(fresh).await
        }
        Err(e) => {
            clients.tell_followers(&MonitorEvent::Failed { message: format!("{e:#}"), exit_code: 125 });
            clients.finish().await;
            if fresh {
                // Nothing exists yet but the folder.
                let _ = claim.remove();
            }
            Err(e)
        }
    }
}

/// What a run needs before anything is made.
struct Prepared {
    spec: SandboxSpec,
    state: RunState,
    engine: Engine,
    recorder: Recorder,
}

async fn prepare(
    claim: &Claim,
    paths: &Paths,
    fresh: bool,
    sender: &mpsc::Sender<Happening>,
) -> Result<Prepared> {
    let spec = claim.dir.spec()?;
    let state = if fresh { RunState::new(now_us(), spec.detached) } else { claim.dir.state()? };
    let run_dir = paths.run_of(&spec.name);
    clients::listen(&run_dir, sender.clone())?;
    let gates = GateListener::bind(&run_dir.join("gate"))?;
    tokio::spawn(serve_gates(gates, sender.clone()));
    let recorder = Recorder::start(paths, &spec, &claim.dir.spool(), fresh)?;
    let engine = Engine::connect(&Address::from_env(|key| std::env::var_os(key))?).await?;
    tokio::spawn(end_on_signal(sender.clone()));
    Ok(Prepared { spec, state, engine, recorder })
}

async fn serve_gates(gates: GateListener, sender: mpsc::Sender<Happening>) {
    if let Err(e) = gates.serve(sender).await {
        eprintln!("creel: the gate's control socket broke: {e:#}");
    }
}

/// The machine goes down, or somebody wants the sandbox gone in good order.
async fn end_on_signal(sender: mpsc::Sender<Happening>) {
    let signals =
        || -> std::io::Result<_> { Ok((signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)) };
    let Ok((mut term, mut int)) = signals() else { return };
    loop {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        if sender.send(Happening::End(Cause::Stopped)).await.is_err() {
            return;
        }
    }
}
