//! The gate: PID 1 of the process and network namespaces that it shares with the workload. Nothing of the workload
//! runs a program without it. When it ends, for whatever reason, the kernel ends the workload.
//!
//! [`identity`] is who it runs as, [`link`] how it talks with the monitor, [`adopt`] how it takes a process under
//! supervision, [`exec`] the supervision itself.

mod adopt;
mod exec;
mod identity;
mod link;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::audit::record::Boot;
use crate::audit::spool::SpoolWriter;
use crate::sys::signals;
use crate::wire::{GateConfig, GateFrame, MonitorFrame};
use exec::{Order, Orders};
use link::Link;

/// The word that makes creel a gate.
pub(crate) const ROLE: &str = "__gate";

/// How long a monitor may take to answer a gate's first words.
const FIRST_PATIENCE: Duration = Duration::from_secs(30);
/// How long everything may take to die, when the monitor has been away for too long.
const KILL_PATIENCE: Duration = Duration::from_secs(5);

/// Runs until the workload has ended; what it says goes to the container's own log.
pub(crate) fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    // A thread that panics must not leave the others going on without it.
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        std::process::abort();
    }));
    match serve(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("creel: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve(args: impl Iterator<Item = OsString>) -> Result<()> {
    identity::assume(args)?;
    signals::block_child_signal().context("could not block SIGCHLD")?;
    let boot = Boot::new().context("no random numbers for this gate's id")?;
    let link = Link::connect(FIRST_PATIENCE)?;
    link.send(&GateFrame::Hello { boot: boot.to_string(), version: version(), written: 0 })?;
    let (config, consumed, spool) = match link.receive()? {
        Some((MonitorFrame::Welcome { config, consumed }, Some(spool))) => (config, consumed, spool),
        _ => bail!("the monitor did not welcome this gate"),
    };
    let spool = SpoolWriter::new(spool.into(), config.spool_capacity, 0, consumed)
        .context("the audit spool is none")?;
    let (say, said) = mpsc::channel();
    let (orders, written) = exec::start(&config, spool, say.clone())?;
    link.send(&GateFrame::Ready)?;
    let speaker = link::Speaker::start(said, link.clone())?;
    let gate = Gate { config, orders, say, speaker, boot, written };
    gate.follow(link)
}

fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// What the gate is while a workload lives.
struct Gate {
    config: GateConfig,
    orders: Orders,
    say: mpsc::Sender<GateFrame>,
    speaker: link::Speaker,
    boot: Boot,
    written: exec::Written,
}

impl Gate {
    /// Does what the monitor says, and what the next one says when this one is gone.
    fn follow(self, mut link: Link) -> Result<()> {
        loop {
            match link.receive() {
                Ok(Some((frame, _))) => {
                    self.obey(frame);
                    continue;
                }
                Ok(None) => {}
                Err(e) => eprintln!("creel: {e:#}"),
            }
            self.speaker.lost(&link);
            link = match self.find_monitor() {
                Ok(link) => link,
                Err(e) => return self.give_up(&e),
            };
        }
    }

    fn obey(&self, frame: MonitorFrame) {
        match frame {
            MonitorFrame::Announce { id, pid } => {
                let (orders, say) = (self.orders.clone(), self.say.clone());
                // Its listener may take a moment to be there: others need not wait for it.
                let begun =
                    std::thread::Builder::new().name("adopt".into()).spawn(move || match adopt::listener_of(
                        pid,
                    ) {
                        Ok(adopt::Adopted { process, listener }) => {
                            orders.send(Order::Serve { id, pid, process, listener });
                        }
                        Err(e) => drop(say.send(GateFrame::ShimFailed { id, message: format!("{e:#}") })),
                    });
                if let Err(e) = begun {
                    let _ = self
                        .say
                        .send(GateFrame::ShimFailed { id, message: format!("no thread for it: {e}") });
                }
            }
            MonitorFrame::Consumed { offset } => self.orders.send(Order::Consumed { offset }),
            MonitorFrame::KillAll => self.orders.send(Order::KillAll),
            // The policy of a run does not change; the offset is news.
            MonitorFrame::Welcome { consumed, .. } => {
                self.orders.send(Order::Consumed { offset: consumed });
                self.orders.send(Order::AskAgain);
            }
            MonitorFrame::Answer { id, allow, by } => self.orders.send(Order::Answer { id, allow, by }),
        }
    }

    /// The next monitor, within `recovery.grace`.
    fn find_monitor(&self) -> Result<Link> {
        let deadline = Instant::now() + self.config.grace;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let link = Link::connect(left)?;
            let hello = GateFrame::Hello {
                boot: self.boot.to_string(),
                version: version(),
                written: self.written.get(),
            };
            let greeted = link.send(&hello).and_then(|()| link.receive());
            match greeted {
                Ok(Some((frame @ MonitorFrame::Welcome { .. }, _))) => {
                    self.obey(frame);
                    self.speaker.found(link.clone());
                    return Ok(link);
                }
                // One that died at once, or refused us: there may be another.
                Ok(_) | Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    /// Nobody records any more: the workload ends, and with it the gate.
    fn give_up(self, error: &anyhow::Error) -> Result<()> {
        eprintln!(
            "creel: no monitor for {}: {error:#}; the workload is stopped",
            humantime::format_duration(self.config.grace)
        );
        self.orders.send(Order::KillAll);
        std::thread::sleep(KILL_PATIENCE);
        // Whatever is left goes with PID 1.
        bail!("ended without a monitor")
    }
}
