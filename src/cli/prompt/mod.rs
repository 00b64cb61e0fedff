//! A question in the terminal that runs the workload. That terminal carries the workload's output and the person's
//! typing too, so while a question is open the output stands still, what the terminal itself sends is dropped, and a
//! yes takes a code that only who sees the question can know.

mod code;
mod dialog;
mod keys;
mod layout;
mod model;
mod modes;
mod questions;
mod task;
mod units;
mod view;

pub(crate) use model::Model;

use tokio::sync::{mpsc, oneshot};

use super::stream::Shared;
use crate::approval::Decision;
use crate::sys::tty::Size;
use crate::wire::MonitorEvent;

/// What the task is told.
#[derive(Debug)]
enum Tell {
    Heard(MonitorEvent),
    MonitorGone,
    Resized(Size),
    /// Give the terminal back for now, and say so.
    Hide(oneshot::Sender<()>),
    Show,
    /// Give it back for good, and say so.
    Finish(oneshot::Sender<()>),
}

/// What comes of it.
#[derive(Debug)]
pub(crate) enum Said {
    Answer {
        number: u32,
        decision: Decision,
    },
    /// The workload should paint its screen anew.
    Repaint,
}

/// Puts questions to the person at the terminal.
#[derive(Debug)]
pub(crate) struct Prompt {
    tells: mpsc::UnboundedSender<Tell>,
    said: mpsc::UnboundedReceiver<Said>,
    /// What the monitor could not do with an answer, to be said when the terminal is free.
    complaints: Vec<String>,
}

impl Prompt {
    /// Within a tokio runtime.
    pub(crate) fn start(terminal: Shared) -> Self {
        let (tells, told) = mpsc::unbounded_channel();
        let (say, said) = mpsc::unbounded_channel();
        tokio::spawn(task::Task::new(terminal, told, say).run());
        Self { tells, said, complaints: Vec::new() }
    }

    /// What came of questions. Cancel safe.
    pub(crate) async fn next(&mut self) -> Said {
        match self.said.recv().await {
            Some(said) => said,
            None => std::future::pending().await,
        }
    }

    pub(crate) fn hear(&self, event: MonitorEvent) {
        self.tell(Tell::Heard(event));
    }

    /// An answer did not do all that it should.
    pub(crate) fn failed(&mut self, message: String) {
        self.complaints.push(message);
    }

    /// What was open is so no more, or is told again by the next monitor.
    pub(crate) fn monitor_gone(&self) {
        self.tell(Tell::MonitorGone);
    }

    pub(crate) fn resized(&self, size: Size) {
        self.tell(Tell::Resized(size));
    }

    /// Puts the screen back until [`Prompt::show`].
    pub(crate) async fn hide(&self) {
        let (tell, told) = oneshot::channel();
        self.tell(Tell::Hide(tell));
        task::patiently(told).await;
    }

    pub(crate) fn show(&self) {
        self.tell(Tell::Show);
    }

    /// Puts the screen back, and asks nothing any more. Returns what is to be said about answers.
    pub(crate) async fn finish(self) -> Vec<String> {
        let (tell, told) = oneshot::channel();
        self.tell(Tell::Finish(tell));
        task::patiently(told).await;
        self.complaints
    }

    /// A task that has ended needs to know nothing.
    fn tell(&self, tell: Tell) {
        let _ = self.tells.send(tell);
    }
}
