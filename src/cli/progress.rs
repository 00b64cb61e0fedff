//! What happens before the command runs, for the person who waits: a line that goes away on a terminal, and
//! nothing but a pull's two lines elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::failure::say;

/// Steps that are over sooner are not shown: a line that flickers tells nothing.
const WORTH_A_LINE: Duration = Duration::from_millis(500);

/// Cleared when dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    on_terminal: bool,
    pulling: bool,
    since: std::time::Instant,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let on_terminal = std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        Self { bar, on_terminal, pulling: false, since: std::time::Instant::now() }
    }

    pub(crate) fn step(&mut self, step: &str) {
        if self.on_terminal && self.since.elapsed() >= WORTH_A_LINE {
            self.show("{spinner} {msg}");
            self.bar.set_message(step.to_owned());
            self.bar.tick();
        }
    }

    pub(crate) fn pull(&mut self, image: &str, done: u64, total: u64) {
        if !self.pulling {
            self.pulling = true;
            if self.on_terminal {
                self.show("pulling {msg} {bar:30} {bytes}/{total_bytes} {eta}");
                self.bar.set_message(image.to_owned());
            } else {
                say(&format!("{image} is not here yet: pulling it"));
            }
        }
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    fn show(&self, template: &str) {
        if self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("##-"));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
