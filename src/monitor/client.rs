//! The command line's side of `monitor.sock`: starting a monitor, finding one, and talking to it.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::UnixStream;

use super::line::{LineReader, LineWriter, split};
use super::socket::SocketDir;
use super::state::{self, Claim, ClaimError, StateDir};
use super::{MONITOR_SOCKET, ROLE};
use crate::names::SandboxName;
use crate::paths::Paths;
use crate::sandbox::spec::SandboxSpec;
use crate::wire::{ClientRequest, MonitorEvent, Phase};

/// A conversation with one sandbox's monitor.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) events: LineReader<MonitorEvent>,
    pub(crate) requests: LineWriter<ClientRequest>,
}

impl Connection {
    fn over(stream: UnixStream) -> Self {
        let (events, requests) = split(stream);
        Self { events, requests }
    }

    pub(crate) async fn send(&mut self, request: &ClientRequest) -> Result<()> {
        self.requests.send(request).await
    }

    /// The next event; `None` when the monitor has closed, or died.
    pub(crate) async fn recv(&mut self) -> Result<Option<MonitorEvent>> {
        self.events.next().await
    }
}

/// Why there is nobody to talk to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("No such sandbox: {0}")]
    NoSuch(SandboxName),
    #[error("sandbox {0} is not running")]
    NotRunning(SandboxName),
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

/// Claims the sandbox's name and starts its monitor. Must be called within a tokio runtime.
pub(crate) fn launch(spec: &SandboxSpec, paths: &Paths) -> Result<Connection> {
    let claim = Claim::new_sandbox(paths, &spec.name).map_err(|e| match e {
        ClaimError::Taken(_) => anyhow::Error::new(e),
        ClaimError::Io { .. } => anyhow::Error::new(e).context("the sandbox was not started"),
    })?;
    let begun = claim.dir.write_spec(spec).and_then(|()| spawn(&claim, &spec.name));
    match begun {
        Ok(stream) => Ok(Connection::over(stream)),
        Err(e) => {
            // Nothing has been started yet: the name must not stay taken.
            let _ = claim.remove();
            Err(e)
        }
    }
}

/// Connects to the monitor of `name`; one that died is replaced first.
pub(crate) async fn connect(name: &SandboxName, paths: &Paths) -> Result<Connection, ConnectError> {
    // A monitor that is ending holds the lock for a moment after its socket has gone, and one that is
    // starting before it is there.
    for _ in 0..200 {
        let dir = StateDir::of(paths, name);
        if !dir.exists() {
            return Err(ConnectError::NoSuch(name.clone()));
        }
        if let Ok(stream) = dial(name, paths).await {
            return Ok(Connection::over(stream));
        }
        match Claim::orphan(dir) {
            Ok(Some(claim)) => {
                if claim.dir.state().is_ok_and(|state| state.phase == Phase::Exited) {
                    return Err(ConnectError::NotRunning(name.clone()));
                }
                return Ok(Connection::over(spawn(&claim, name)?));
            }
            Ok(None) => tokio::time::sleep(Duration::from_millis(25)).await,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(ConnectError::Other(e.into())),
        }
    }
    Err(ConnectError::Other(anyhow::anyhow!(
        "the monitor of {name} does not answer; its log is {}",
        paths.sandbox(name).join("monitor.log").display()
    )))
}

/// Gives every sandbox whose monitor died a new one, which goes on with it or cleans up after it. Any command
/// may call this; it costs one lock a sandbox.
pub(crate) fn adopt_orphans(paths: &Paths) -> Result<()> {
    for listed in state::list(paths)? {
        let Ok(Some(claim)) = Claim::orphan(listed.dir) else { continue };
        if claim.dir.spec().is_err() {
            // Its CLI died before it wrote what to start: there is nothing but the folder.
            let _ = claim.remove();
        } else if !claim.dir.state().is_ok_and(|state| state.cleaned) {
            spawn(&claim, &listed.name).map(drop)?;
        }
    }
    Ok(())
}

async fn dial(name: &SandboxName, paths: &Paths) -> io::Result<UnixStream> {
    let dir = SocketDir::open(&paths.run_of(name))?;
    UnixStream::connect(dir.path(MONITOR_SOCKET)).await
}

/// Starts the monitor process. Its standard descriptors carry what it needs: 0 the first client, 1 the claim's
/// lock, 2 its log. It leaves our session by itself.
fn spawn(claim: &Claim, name: &SandboxName) -> Result<UnixStream> {
    let (ours, theirs) = StdStream::pair().context("could not make a socket pair")?;
    ours.set_nonblocking(true)?;
    let lock = claim.lock_file().context("could not hand on the sandbox's lock")?;
    let log = claim.dir.open_monitor_log().context("could not open the monitor's log")?;
    // Through /proc, the monitor is this very binary even when the file has been replaced by an upgrade.
    Command::new("/proc/self/exe")
        .arg0("creel")
        .arg(ROLE)
        .arg(name.as_str())
        .current_dir("/")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::from(lock))
        .stderr(Stdio::from(log))
        .spawn()
        .context("could not start the monitor")?;
    Ok(UnixStream::from_std(ours)?)
}
