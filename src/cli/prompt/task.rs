//! The question on the terminal: when it comes, what is typed at it, and when it goes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedMutexGuard, mpsc, oneshot};
use tokio::time::{interval, timeout};

use super::code::Code;
use super::dialog::{Dialog, Effect, Step};
use super::keys::{Key, Keys};
use super::questions::Questions;
use super::view::Shown;
use super::{Said, Tell};
use crate::approval::{Decision, render};
use crate::cli::stream::{Output, Route, Shared, Typed};

/// Nothing may be typed for so long before a question is shown.
const QUIET: Duration = Duration::from_millis(300);
/// Somebody who types on and on is interrupted after so long.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// An ESC after which nothing comes for so long is the key.
const ESCAPE: Duration = Duration::from_millis(60);
const TICK: Duration = Duration::from_secs(1);

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Go,
    Finish,
}

pub(super) struct Task {
    terminal: Shared,
    tells: mpsc::UnboundedReceiver<Tell>,
    said: mpsc::UnboundedSender<Said>,
    questions: Questions,
    /// Nobody can answer any more: the terminal has gone.
    is_deaf: bool,
    /// We are about to be stopped: nothing may be drawn.
    is_hidden: bool,
    finished: Option<oneshot::Sender<()>>,
}

/// The terminal while it is ours.
struct Open {
    output: OwnedMutexGuard<Output>,
    typed: mpsc::Receiver<Typed>,
    keys: Keys,
    is_covered: bool,
}

impl Task {
    pub(super) fn new(
        terminal: Shared,
        tells: mpsc::UnboundedReceiver<Tell>,
        said: mpsc::UnboundedSender<Said>,
    ) -> Self {
        Self {
            terminal,
            tells,
            said,
            questions: Questions::default(),
            is_deaf: false,
            is_hidden: false,
            finished: None,
        }
    }

    pub(super) async fn run(mut self) {
        let mut flow = Flow::Go;
        while flow == Flow::Go {
            if self.is_deaf {
                self.deny_all();
            }
            if !self.questions.is_empty() && !self.is_hidden {
                flow = self.take_terminal().await;
                continue;
            }
            let tell = self.tells.recv().await;
            flow = self.told_while_closed(tell).await;
        }
        if let Some(finished) = self.finished {
            let _ = finished.send(());
        }
    }

    async fn told_while_closed(&mut self, tell: Option<Tell>) -> Flow {
        match tell {
            None => return Flow::Finish,
            Some(Tell::Heard(event)) => self.questions.hear(event, Instant::now()),
            Some(Tell::MonitorGone) => drop(self.questions.take()),
            Some(Tell::Resized(size)) => {
                self.terminal.size = size;
                if let Some(model) = self.terminal.output.lock().await.model() {
                    model.resize(size);
                }
            }
            Some(Tell::Hide(hidden)) => {
                self.is_hidden = true;
                let _ = hidden.send(());
            }
            Some(Tell::Show) => self.is_hidden = false,
            Some(Tell::Finish(finished)) => {
                self.finished = Some(finished);
                return Flow::Finish;
            }
        }
        Flow::Go
    }

    /// From the first question to the last; then the terminal is the workload's again.
    async fn take_terminal(&mut self) -> Flow {
        // The output stands still as long as this is held.
        let output = Arc::clone(&self.terminal.output).lock_owned().await;
        let (to, typed) = mpsc::channel(64);
        // What is typed until the question is there is the workload's.
        self.terminal.route.send_replace(Route::Watched(to.clone()));
        self.is_deaf |= self.terminal.route.is_closed();
        let keys = Keys::default();
        let mut open = Open { output, typed, keys, is_covered: false };
        let mut flow = self.wait_for_quiet(&mut open).await;
        self.terminal.route.send_replace(Route::Prompt(to));
        while flow == Flow::Go && !self.is_deaf && !self.questions.is_empty() {
            flow = self.ask(&mut open).await;
            if flow == Flow::Go && !self.questions.is_empty() {
                flow = self.wait_for_quiet(&mut open).await;
            }
        }
        self.uncover(&mut open).await;
        self.terminal.route.send_replace(Route::Workload);
        flow
    }

    async fn wait_for_quiet(&mut self, open: &mut Open) -> Flow {
        let end = Instant::now() + MAX_WAIT;
        let mut since = Instant::now();
        while !self.questions.is_empty() && !self.is_deaf {
            let quiet = since.elapsed() >= QUIET && !open.keys.is_pasting();
            if quiet || Instant::now() >= end {
                break;
            }
            tokio::select! {
                typed = open.typed.recv() => {
                    self.keys_of(typed, open);
                    since = Instant::now();
                }
                tell = self.tells.recv() => {
                    if self.told_while_open(tell, open).await == Flow::Finish {
                        return Flow::Finish;
                    }
                }
                () = tokio::time::sleep(QUIET.saturating_sub(since.elapsed()).max(Duration::from_millis(10))) => {}
            }
        }
        open.keys.pause();
        Flow::Go
    }

    /// One question, until it is answered or not open any more.
    async fn ask(&mut self, open: &mut Open) -> Flow {
        let Some((number, _)) = self.questions.first() else { return Flow::Go };
        let mut dialog = Dialog::new(Code::random());
        let mut tick = interval(TICK);
        tick.reset();
        let mut before = b"\x07".to_vec();
        loop {
            if !self.is_hidden && !self.draw(number, &mut dialog, open, std::mem::take(&mut before)).await {
                self.is_deaf = true;
                return Flow::Go;
            }
            let keys = tokio::select! {
                typed = open.typed.recv() => self.keys_of(typed, open),
                () = tokio::time::sleep(ESCAPE), if open.keys.is_undecided() => open.keys.pause().into_iter().collect(),
                _ = tick.tick() => Vec::new(),
                tell = self.tells.recv() => {
                    if self.told_while_open(tell, open).await == Flow::Finish {
                        return Flow::Finish;
                    }
                    Vec::new()
                }
            };
            if self.is_deaf || self.questions.get(number).is_none() {
                return Flow::Go;
            }
            for key in keys {
                if let Some(decision) = self.key(number, &mut dialog, key) {
                    let _ = self.said.send(Said::Answer { number, decision });
                    self.questions.remove(number);
                    return Flow::Go;
                }
            }
        }
    }

    fn key(&self, number: u32, dialog: &mut Dialog, key: Key) -> Option<Decision> {
        let page = self.with_shown(number, dialog, |shown| shown.page())?;
        let effect = dialog.key(key, page, Code::random);
        let page = self.with_shown(number, dialog, |shown| shown.page())?;
        dialog.shown(page);
        match effect {
            Effect::Answer(decision) => Some(decision),
            Effect::Redraw | Effect::Nothing => None,
        }
    }

    fn with_shown<T>(&self, number: u32, dialog: &Dialog, then: impl FnOnce(&Shown<'_>) -> T) -> Option<T> {
        let asked = self.questions.get(number)?;
        let fields = match dialog.step {
            Step::Everything => render::full(&asked.question),
            Step::Choose | Step::Confirm { .. } => render::brief(&asked.question),
        };
        Some(then(&Shown {
            fields: &fields,
            dialog,
            open: self.questions.len(),
            waiting: asked.waiting,
            seconds: asked.seconds(Instant::now()),
            size: self.terminal.size,
        }))
    }

    /// Draws it, the first time after `before`. False when that can't be done any more.
    async fn draw(&self, number: u32, dialog: &mut Dialog, open: &mut Open, before: Vec<u8>) -> bool {
        let is_first = !before.is_empty();
        let mut out = Vec::new();
        if !open.is_covered {
            open.is_covered = true;
            out.extend(open.output.model().map(|model| model.cover()).unwrap_or_default());
        }
        out.extend(before);
        out.extend(self.with_shown(number, dialog, |shown| shown.draw().into_bytes()).unwrap_or_default());
        let shown = open.output.show(out).await;
        if let Some(page) = self.with_shown(number, dialog, |shown| shown.page()) {
            dialog.shown(page);
        }
        // Nobody can have meant it for what was not there.
        while is_first && let Ok(typed) = open.typed.try_recv() {
            if let Typed::Held(bytes) | Typed::Forwarded(bytes) = typed {
                open.keys.feed(&bytes);
            }
        }
        shown
    }

    async fn uncover(&self, open: &mut Open) {
        if !std::mem::take(&mut open.is_covered) {
            return;
        }
        let Some(uncovered) = open.output.model().map(|model| model.uncover()) else { return };
        open.output.show(uncovered.bytes).await;
        if uncovered.repaint {
            let _ = self.said.send(Said::Repaint);
        }
    }

    /// The keys in what was typed at us.
    fn keys_of(&mut self, typed: Option<Typed>, open: &mut Open) -> Vec<Key> {
        match typed {
            Some(Typed::Held(bytes)) => open.keys.feed(&bytes),
            // It was for the workload; only where we are in a sequence counts.
            Some(Typed::Forwarded(bytes)) => {
                open.keys.feed(&bytes);
                Vec::new()
            }
            Some(Typed::Ended) | None => {
                self.is_deaf = true;
                Vec::new()
            }
        }
    }

    async fn told_while_open(&mut self, tell: Option<Tell>, open: &mut Open) -> Flow {
        match tell {
            Some(Tell::Resized(size)) => {
                self.terminal.size = size;
                if let Some(model) = open.output.model() {
                    model.resize(size);
                }
            }
            Some(Tell::Hide(hidden)) => {
                self.uncover(open).await;
                self.is_hidden = true;
                let _ = hidden.send(());
            }
            Some(Tell::Show) => self.is_hidden = false,
            None => return Flow::Finish,
            Some(Tell::Finish(finished)) => {
                self.finished = Some(finished);
                return Flow::Finish;
            }
            Some(Tell::Heard(event)) => self.questions.hear(event, Instant::now()),
            Some(Tell::MonitorGone) => drop(self.questions.take()),
        }
        Flow::Go
    }

    fn deny_all(&mut self) {
        for number in self.questions.take() {
            let _ = self.said.send(Said::Answer { number, decision: Decision::Deny });
        }
    }
}

/// Waits for an answer from the task, but not for ever: the terminal may be stuck.
pub(super) async fn patiently(told: oneshot::Receiver<()>) {
    let _ = timeout(Duration::from_secs(2), told).await;
}
