//! The thread that makes every ptrace call: its loop, and what it keeps.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::Mode;

use super::alarm::{Alarm, Rang};
use super::copies::Copies;
use super::held::Asks;
use super::inbox::{Inbox, Message};
use super::pipes::Fed;
use super::recorder::Recorder;
use super::stopped::let_go;
use super::teller::{Denial, Teller};
use super::{Order, Written, kill, procfs};
use crate::audit::record::Entry;
use crate::audit::spool::SpoolWriter;
use crate::judge::Judge;
use crate::sys::wait::Change;
use crate::sys::{ptrace, seccomp};
use crate::wire::{GateConfig, GateFrame};

/// How long an exec that was let go may take before it is looked after: one that failed makes no stop. A slow one
/// that succeeds loses nothing by it.
const EXEC_PATIENCE: Duration = Duration::from_millis(20);
/// Between looks at what waits for the log.
const RECORD_PAUSE: Duration = Duration::from_millis(500);
/// Between looks whether everything is dead.
const KILL_PAUSE: Duration = Duration::from_millis(5);

/// A filter's listener, and whose it was.
pub(super) struct Source {
    pub(super) id: u64,
    pub(super) listener: Arc<OwnedFd>,
    /// The workload's root; nothing in it can change its own.
    pub(super) root: OwnedFd,
}

/// A thread that is traced and has not stopped yet.
pub(super) struct Task {
    /// Tells a later exec of the same thread apart.
    expected: u64,
}

/// What is done when a record is safe.
pub(super) enum Then {
    LetGo {
        pid: i32,
    },
    /// `line` is told to process `pid` first.
    Refuse {
        denial: Denial,
        pid: i32,
        line: String,
    },
    Nothing,
}

pub(super) struct Tracer {
    inbox: Arc<Inbox>,
    say: mpsc::Sender<GateFrame>,
    pub(super) judge: Judge,
    pub(super) record_commands: bool,
    tell_workload: bool,
    pub(super) start_env: BTreeMap<String, String>,
    pub(super) recorder: Recorder<Then>,
    teller: Teller,
    sources: Vec<Arc<Source>>,
    alarm: Alarm,
    pub(super) tasks: HashMap<i32, Task>,
    /// Execs that may fail silently, in the order of their deadlines.
    expectations: VecDeque<(Instant, i32, u64)>,
    counter: u64,
    /// Processes whose calls by foreign tables are recorded already.
    pub(super) foreign: HashSet<(u32, u64)>,
    pub(super) asks: Asks,
    pub(super) fed: Fed,
    pub(super) copies: Copies,
    killing: bool,
}

impl Tracer {
    pub(super) fn new(
        config: &GateConfig,
        spool: SpoolWriter,
        inbox: Arc<Inbox>,
        written: Written,
        say: mpsc::Sender<GateFrame>,
    ) -> Result<Self> {
        Ok(Self {
            inbox,
            say,
            judge: Judge::new(&config.commands, config.place.clone())?,
            record_commands: config.record_commands,
            tell_workload: config.tell_workload,
            start_env: config.env.clone(),
            recorder: Recorder::new(spool, config.durability, written),
            teller: Teller::start()?,
            sources: Vec::new(),
            alarm: Alarm::new().context("no timer")?,
            tasks: HashMap::new(),
            expectations: VecDeque::new(),
            counter: 0,
            foreign: HashSet::new(),
            asks: Asks::default(),
            fed: Fed::default(),
            copies: Copies::default(),
            killing: false,
        })
    }

    /// For ever: the gate ends with its container.
    pub(super) fn run(mut self) {
        loop {
            self.set_alarm();
            let (rings, sources) = self.wait();
            let Rang { alarm, ended } = if rings { self.alarm.take() } else { Rang::default() };
            // Stops first: a task that stands still is further on than one that asks.
            for message in self.inbox.take() {
                match message {
                    Message::Order(order) => self.obey(order),
                    Message::Change(Change::Ended { tid }) => self.ended(tid),
                    Message::Change(Change::Stopped { tid, signal, event }) => {
                        self.stopped(tid, signal, event)
                    }
                }
            }
            for (source, events) in sources {
                if events.contains(PollFlags::POLLIN) {
                    self.notified(&source);
                } else if events.intersects(PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL) {
                    // The last task under that filter has ended.
                    self.forget_source(source.id);
                }
            }
            for id in ended {
                self.tell_monitor(GateFrame::Exited { id });
            }
            if alarm {
                self.look_after_late_execs();
                for then in self.recorder.expired() {
                    self.give_up(then);
                }
            }
            if self.killing {
                self.go_on_killing();
            }
        }
    }

    /// Waits until there is something to do. Says whether the alarm rings, and which listeners have something.
    fn wait(&self) -> (bool, Vec<(Arc<Source>, PollFlags)>) {
        let listeners = self.sources.iter().map(|source| source.listener.as_fd());
        let mut polled: Vec<PollFd<'_>> = [self.inbox.as_fd(), self.alarm.as_fd()]
            .into_iter()
            .chain(listeners)
            .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
            .collect();
        if poll(&mut polled, PollTimeout::NONE).is_err() {
            return (false, Vec::new());
        }
        let rings = polled.get(1).is_some_and(|alarm| alarm.any().unwrap_or(true));
        let events = polled.iter().skip(2).map(|fd| fd.revents().unwrap_or(PollFlags::POLLERR));
        let sources = self.sources.iter().zip(events).filter(|(_, events)| !events.is_empty());
        (rings, sources.map(|(source, events)| (Arc::clone(source), events)).collect())
    }

    /// Where something has to be looked at again though nothing comes.
    fn set_alarm(&mut self) {
        if self.killing {
            self.alarm.set(KILL_PAUSE);
        } else if !self.expectations.is_empty() {
            self.alarm.set(EXEC_PATIENCE);
        } else if self.recorder.is_waiting() {
            self.alarm.set(RECORD_PAUSE);
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Serve { id, pid, process, listener } => self.serve(id, pid, process, listener),
            Order::KillAll => self.killing = true,
            Order::Consumed { offset } => {
                for then in self.recorder.consumed(offset) {
                    self.act(then);
                }
            }
            Order::Answer { id, allow, by } => self.answered(id, allow, by),
            Order::AskAgain => self.ask_again(),
        }
    }

    fn ended(&mut self, tid: i32) {
        self.tasks.remove(&tid);
        if !self.asks.is_empty() {
            self.held_ended(tid);
        }
    }

    fn serve(&mut self, id: u64, pid: i32, process: OwnedFd, listener: OwnedFd) {
        let root = open(
            format!("/proc/{pid}/root").as_str(),
            OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
            Mode::empty(),
        );
        let root = match root {
            Ok(root) => root,
            Err(e) => {
                let message = format!("its root can't be opened: {e}");
                return self.tell_monitor(GateFrame::ShimFailed { id, message });
            }
        };
        // A matter of speed alone: kernels before 6.6 don't know it.
        let _ = seccomp::wake_in_place(&listener);
        self.sources.push(Arc::new(Source { id, listener: Arc::new(listener), root }));
        if let Err(e) = self.alarm.watch(id, process) {
            self.trouble(format!("the end of a process can't be watched for: {e}"));
        }
        self.tell_monitor(GateFrame::Serving { id });
    }

    pub(super) fn forget_source(&mut self, id: u64) {
        self.sources.retain(|source| source.id != id);
    }

    /// A traced task stands still.
    fn stopped(&mut self, tid: i32, signal: i32, event: i32) {
        if event == libc::PTRACE_EVENT_EXEC {
            return self.executed(tid);
        }
        // Its exec failed, or never began: it is back in its own code. It goes on untraced, with the signal that it
        // was about to get; a job-control stop stays one.
        self.tasks.remove(&tid);
        let signal = if event == 0 { signal } else { 0 };
        match ptrace::detach(tid, signal) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(e) => self.trouble(format!("a process could not be let go: {e}")),
        }
    }

    /// An exec of this thread is under way.
    pub(super) fn expect(&mut self, tid: i32) {
        self.counter += 1;
        self.tasks.insert(tid, Task { expected: self.counter });
        self.expectations.push_back((Instant::now() + EXEC_PATIENCE, tid, self.counter));
    }

    /// Makes the thread stop, to be let go: at once, or at its exec if that comes first.
    pub(super) fn interrupt(&mut self, tid: i32) {
        match ptrace::interrupt(tid) {
            Ok(()) => {}
            Err(_) => drop(self.tasks.remove(&tid)),
        }
    }

    fn look_after_late_execs(&mut self) {
        let now = Instant::now();
        while let Some((_, tid, expected)) = self.expectations.pop_front_if(|(deadline, ..)| *deadline <= now)
        {
            if self.tasks.get(&tid).is_some_and(|task| task.expected == expected) {
                self.interrupt(tid);
            }
        }
    }

    /// Writes the record; `then` follows when it is safe.
    pub(super) fn record(&mut self, entry: Entry, then: Then) {
        if let Some(then) = self.recorder.record(entry, then) {
            self.act(then);
        }
    }

    fn act(&mut self, then: Then) {
        match then {
            Then::LetGo { pid } => let_go(pid),
            Then::Refuse { denial, pid, line } => self.tell(pid, line, Some(denial)),
            Then::Nothing => {}
        }
    }

    /// Its record could not be written for too long: it does not happen.
    fn give_up(&mut self, then: Then) {
        const LINE: &str = "creel: denied: the audit log can't be written\n";
        match then {
            Then::LetGo { pid } => {
                kill::process(pid);
                self.tell(pid, LINE.to_owned(), None);
            }
            Then::Refuse { denial, pid, line } => self.tell(pid, line, Some(denial)),
            Then::Nothing => {}
        }
    }

    /// Writes a line to the process's stderr, where the policy wants that, and answers the denial.
    pub(super) fn tell(&self, pid: i32, line: String, denial: Option<Denial>) {
        if self.tell_workload {
            self.teller.tell(pid, line, denial);
        } else {
            denial.iter().for_each(Denial::answer);
        }
    }

    fn go_on_killing(&mut self) {
        kill::all_others();
        match procfs::others_alive() {
            Ok(true) => {}
            Ok(false) => {
                self.killing = false;
                self.tell_monitor(GateFrame::AllDead);
            }
            Err(e) => {
                self.killing = false;
                self.trouble(format!("the processes can't be listed: {e}"));
            }
        }
    }

    pub(super) fn trouble(&self, message: String) {
        self.tell_monitor(GateFrame::Trouble { message });
    }

    pub(super) fn tell_monitor(&self, frame: GateFrame) {
        // The receiver lives as long as the gate.
        let _ = self.say.send(frame);
    }
}
