//! Exec supervision: every program that the workload starts is seen twice. At the notification, where what can't be
//! or may not be is answered at once; and at the exec stop, before its first instruction, where what really runs is
//! judged and recorded ([`tracer`]). What is read at the notification is never believed: threads rewrite it.
//!
//! Two threads: the tracer makes every ptrace call, and waits for nothing but its inbox and its listeners; the
//! [`reaper`] waits for every child and tracee, and passes on what becomes of them.

mod alarm;
mod copies;
mod environ;
mod file_identity;
mod held;
mod image;
mod inbox;
mod kill;
mod memory;
mod notified;
mod pipes;
mod procfs;
mod question;
mod reaper;
mod recorder;
mod resolve;
mod script;
mod stopped;
mod teller;
mod tracer;

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use anyhow::{Context, Result};

use crate::audit::record::By;
use crate::audit::spool::SpoolWriter;
use crate::wire::{GateConfig, GateFrame};
use inbox::{Inbox, Message};

/// What the supervisor is told.
pub(super) enum Order {
    /// A listener, taken from the announced process `pid`: it and all its descendants are supervised.
    Serve { id: u64, pid: i32, process: OwnedFd, listener: OwnedFd },
    /// Kill every process but ours; `AllDead` is said when none is left.
    KillAll,
    /// The log holds everything before this offset of the spool.
    Consumed { offset: u64 },
    /// What becomes of a process that waits for it.
    Answer { id: u64, allow: bool, by: By },
    /// There is a new monitor.
    AskAgain,
}

/// The way to the supervisor.
#[derive(Clone)]
pub(super) struct Orders(Arc<Inbox>);

impl Orders {
    pub(super) fn send(&self, order: Order) {
        self.0.put(Message::Order(order));
    }
}

/// The spool's logical end, as others may read it.
#[derive(Clone, Debug, Default)]
pub(super) struct Written(Arc<AtomicU64>);

impl Written {
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self, end: u64) {
        self.0.store(end, Ordering::Release);
    }
}

/// Starts the threads. What they have to say comes out of `say`.
pub(super) fn start(
    config: &GateConfig,
    spool: SpoolWriter,
    say: mpsc::Sender<GateFrame>,
) -> Result<(Orders, Written)> {
    let inbox = Arc::new(Inbox::new().context("no event descriptor")?);
    let written = Written::default();
    let tracer = tracer::Tracer::new(config, spool, Arc::clone(&inbox), written.clone(), say)?;
    let threads = std::thread::Builder::new;
    threads().name("tracer".into()).spawn(move || tracer.run()).context("no thread for the tracer")?;
    let to = Arc::clone(&inbox);
    threads().name("reaper".into()).spawn(move || reaper::run(&to)).context("no thread for the reaper")?;
    Ok((Orders(inbox), written))
}
