//! From the spool to the log. A task of its own: records move while the run's loop waits for the engine. When the
//! log can't be written, nothing is acknowledged, the spool fills, and the gate makes actions wait.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

use super::clock::now_us;
use super::denials::Denials;
use super::gate_link::GateLink;
use crate::audit::log::{Appended, Log};
use crate::audit::record::{Boot, Entry, Event, Gap, Outcome, Src};
use crate::audit::spool::{self, ReadError, SpoolReader};
use crate::paths::Paths;
use crate::sandbox::spec::SandboxSpec;
use crate::wire::{Denied, MonitorFrame};

/// Looks at the spool are this far apart while records come, and grow apart while none do.
const BUSY: Duration = Duration::from_millis(10);
const IDLE: Duration = Duration::from_millis(100);
/// After an error of the log.
const RETRY: Duration = Duration::from_millis(250);
/// At most so many records become one write.
const BATCH: usize = 4096;
/// How long the end of a run waits for a log that can't be written.
const DRAIN_PATIENCE: Duration = Duration::from_secs(20);

/// The run's end of the recorder.
#[derive(Debug)]
pub(super) struct Recorder {
    orders: mpsc::Sender<Order>,
    execs: Arc<AtomicU64>,
    denials: Arc<Mutex<Denials>>,
    spool: File,
    /// An earlier monitor has recorded this run's start, or its end.
    pub(super) started: bool,
    pub(super) ended: bool,
}

enum Order {
    /// A record of the monitor's own, to be in the log when it is answered.
    Record(Box<Entry>, oneshot::Sender<Result<()>>),
    /// This gate writes the spool; answered with the offset that it may forget everything before.
    Gate(Boot, Option<GateLink>, oneshot::Sender<Result<u64>>),
    GateLeft,
    /// Move what is in the spool, to its end.
    Drain(oneshot::Sender<Result<()>>),
}

impl Recorder {
    /// Opens the log, and makes the spool of a fresh run.
    pub(super) fn start(paths: &Paths, spec: &SandboxSpec, spool: &Path, fresh: bool) -> Result<Self> {
        let log = Log::open(&paths.audit_of(&spec.name), &spec.name, spec.run, spec.policy.audit.durability)
            .context("nothing is started, as nothing could be recorded")?;
        let spool = if fresh {
            spool::create(spool, spool::DEFAULT_CAPACITY)
        } else {
            File::options().read(true).write(true).open(spool)
        }
        .context("the audit spool can't be made")?;
        let execs = Arc::new(AtomicU64::new(log.resumed().execs));
        let denials = Arc::default();
        let (started, ended) = (log.resumed().started, log.resumed().ended);
        let (orders, inbox) = mpsc::channel(64);
        let mover = Mover {
            log,
            spool: spool.try_clone()?,
            source: None,
            link: None,
            execs: Arc::clone(&execs),
            denials: Arc::clone(&denials),
        };
        tokio::spawn(mover.serve(inbox));
        Ok(Self { orders, execs, denials, spool, started, ended })
    }

    pub(super) fn capacity(&self) -> u64 {
        spool::DEFAULT_CAPACITY
    }

    pub(super) fn spool_file(&self) -> Result<File> {
        self.spool.try_clone().context("could not hand on the spool")
    }

    /// Execs recorded in this run.
    pub(super) fn execs(&self) -> u64 {
        self.execs.load(Ordering::Relaxed)
    }

    /// What was denied since this monitor began.
    pub(super) fn denied(&self) -> Vec<Denied> {
        self.denials.lock().unwrap_or_else(PoisonError::into_inner).told()
    }

    /// Puts a record of the monitor's own into the log, as safe as the policy asks for.
    pub(super) async fn record(&mut self, entry: Entry) -> Result<()> {
        self.started |= matches!(entry.event, Event::RunStart(_));
        self.order(|answer| Order::Record(Box::new(entry), answer)).await
    }

    /// A gate is there. Answers with the offset that its spool may forget everything before.
    pub(super) async fn gate_joined(&self, boot: Boot, link: GateLink) -> Result<u64> {
        self.order(|answer| Order::Gate(boot, Some(link), answer)).await
    }

    /// There was a gate, which may or may not come back: what it wrote is to be moved.
    pub(super) async fn resume(&self, boot: Boot) -> Result<u64> {
        self.order(|answer| Order::Gate(boot, None, answer)).await
    }

    pub(super) async fn gate_left(&self) {
        let _ = self.orders.send(Order::GateLeft).await;
    }

    /// Moves everything that the gate wrote. Nothing may write any more.
    pub(super) async fn drain(&self) -> Result<()> {
        self.order(Order::Drain).await
    }

    async fn order<T>(&self, order: impl FnOnce(oneshot::Sender<Result<T>>) -> Order) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let gone = || anyhow!("the recorder has ended");
        self.orders.send(order(answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

/// The task's side: it alone has the log.
struct Mover {
    log: Log,
    spool: File,
    source: Option<Source>,
    link: Option<GateLink>,
    execs: Arc<AtomicU64>,
    denials: Arc<Mutex<Denials>>,
}

/// A gate's spool, and how far it has been read.
struct Source {
    boot: Boot,
    reader: SpoolReader,
}

impl Mover {
    async fn serve(mut self, mut inbox: mpsc::Receiver<Order>) {
        let mut pause = BUSY;
        loop {
            match timeout(pause, inbox.recv()).await {
                Ok(Some(order)) => self.obey(order).await,
                Ok(None) => return,
                Err(_) => {
                    pause = match self.move_records().await {
                        Ok(0) => (pause * 2).min(IDLE),
                        Ok(_) => BUSY,
                        Err(e) => {
                            eprintln!("creel: {e:#}");
                            RETRY
                        }
                    }
                }
            }
        }
    }

    async fn obey(&mut self, order: Order) {
        match order {
            Order::Record(entry, answer) => {
                let _ = answer.send(self.record(&entry).await);
            }
            Order::Gate(boot, link, answer) => {
                let _ = answer.send(self.join(boot, link));
            }
            Order::GateLeft => self.link = None,
            Order::Drain(answer) => {
                let _ = answer.send(self.drain().await);
            }
        }
    }

    /// What the gate wrote before this comes before it.
    async fn record(&mut self, entry: &Entry) -> Result<()> {
        self.move_records().await?;
        self.log.append_own(entry);
        Ok(self.log.flush()?)
    }

    /// Finds the place in a gate's spool that the log has come to.
    fn join(&mut self, boot: Boot, link: Option<GateLink>) -> Result<u64> {
        self.link = link;
        let logged = self.log.last_src(boot);
        if self.source.as_ref().is_none_or(|source| source.boot != boot) {
            let spool = self.spool.try_clone()?;
            // The record that begins there is in the log already; the log knows it by its place.
            let reader = SpoolReader::new(spool, spool::DEFAULT_CAPACITY, logged.unwrap_or(0))?;
            self.source = Some(Source { boot, reader });
        }
        Ok(logged.unwrap_or(0))
    }

    async fn drain(&mut self) -> Result<()> {
        let deadline = Instant::now() + DRAIN_PATIENCE;
        loop {
            match self.move_records().await {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(e) if Instant::now() > deadline => return Err(e),
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
    }

    /// Moves what is there, up to a batch; says how many records that were.
    async fn move_records(&mut self) -> Result<usize> {
        // What an earlier call could not write comes first.
        self.log.flush()?;
        let Some(Source { boot, reader }) = &mut self.source else { return Ok(0) };
        let (boot, mut moved, mut execs) = (*boot, 0, 0);
        while moved < BATCH && !self.log.is_full() {
            let (offset, entry) = match reader.next() {
                Ok(Some((offset, _, entry))) => (offset, entry),
                Ok(None) => break,
                Err(ReadError::Malformed { offset }) => (offset, malformed()),
                Err(e @ ReadError::Io(_)) => return Err(e.into()),
            };
            if let Appended::New(_) = self.log.append(Src { boot, offset }, &entry) {
                execs += u64::from(matches!(entry.event, Event::Exec(_)));
                if entry.outcome == Outcome::Deny {
                    self.denials.lock().unwrap_or_else(PoisonError::into_inner).count(&entry);
                }
            }
            moved += 1;
        }
        // Counted when chained: a flush that fails is made again.
        self.execs.fetch_add(execs, Ordering::Relaxed);
        self.log.flush()?;
        if moved > 0
            && let (Some(link), Some(offset)) = (&self.link, self.log.last_src(boot))
        {
            // A gate that does not hear this hears it in the next `Welcome`.
            let _ = link.send(&MonitorFrame::Consumed { offset }, None).await;
        }
        Ok(moved)
    }
}

fn malformed() -> Entry {
    let event = Event::Gap(Gap { count: Some(1), reason: "the gate wrote a record that is none".to_owned() });
    Entry { ts_us: now_us(), outcome: Outcome::Observed, rule: None, by: None, event }
}
