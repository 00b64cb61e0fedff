//! One question's dialogue: which key leads where. No I/O.

use super::code::{Code, LETTERS};
use super::keys::Key;
use crate::approval::Decision;

/// How much text there is, and how much of it fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) rows: usize,
    pub(super) height: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Choose,
    /// The code is being typed.
    Confirm {
        decision: Decision,
        typed: Option<char>,
    },
    /// Everything is shown.
    Everything,
}

/// What a key led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Nothing,
    Redraw,
    Answer(Decision),
}

#[derive(Clone, Debug)]
pub(super) struct Dialog {
    pub(super) step: Step,
    /// `None`: there are no random numbers, so nothing can be allowed.
    pub(super) code: Option<Code>,
    pub(super) scroll: usize,
    /// What to say about the last key.
    pub(super) note: &'static str,
    /// All of the question has been on the screen.
    was_read: bool,
}

impl Dialog {
    pub(super) fn new(code: Option<Code>) -> Self {
        Self { step: Step::Choose, code, scroll: 0, note: "", was_read: false }
    }

    /// Takes note of what is on the screen now.
    pub(super) fn shown(&mut self, page: Page) {
        let last = page.rows.saturating_sub(page.height);
        self.scroll = self.scroll.min(last);
        self.was_read |= page.height > 0 && self.scroll == last;
    }

    /// `new_code` is asked for where the shown one has been used up.
    pub(super) fn key(&mut self, key: Key, page: Page, new_code: impl FnOnce() -> Option<Code>) -> Effect {
        let before = (self.step, self.scroll, std::mem::take(&mut self.note));
        match key {
            Key::Interrupt | Key::Char('n') => return Effect::Answer(Decision::Deny),
            // In what looks like a pager, `q` leaves the pager.
            Key::Char('q') if self.step == Step::Everything => self.back(),
            // Beside a letter of the code it is soon hit, and there is no way back.
            Key::Char('q') if self.step != Step::Choose => self.note = "Esc first, then q",
            Key::Char('q') => return Effect::Answer(Decision::DenyAndStop),
            Key::Escape | Key::Backspace => self.back(),
            Key::Char('e') if self.step == Step::Everything => self.back(),
            Key::Char('e') => {
                self.step = Step::Everything;
                self.scroll = 0;
            }
            Key::Char('o') => self.choose(Decision::Once),
            Key::Char('s') => self.choose(Decision::Session),
            Key::Char('r') => self.choose(Decision::Rule),
            Key::Char('a') => self.choose(Decision::Always),
            Key::Char(c) if is_code_letter(c) => {
                if let Some(decision) = self.typed(c, new_code) {
                    return Effect::Answer(decision);
                }
            }
            Key::Char('y') => self.note = "y is not enough: choose, then type the code",
            Key::Up | Key::Char('k') => self.scroll = self.scroll.saturating_sub(1),
            Key::Down | Key::Char('j') => self.scroll += 1,
            Key::PageUp => self.scroll = self.scroll.saturating_sub(page.height.max(1)),
            Key::PageDown | Key::Char(' ') => self.scroll += page.height.max(1),
            Key::Home => self.scroll = 0,
            Key::End => self.scroll = page.rows,
            Key::Enter | Key::Char(_) => {}
        }
        self.scroll = self.scroll.min(page.rows.saturating_sub(page.height));
        if before == (self.step, self.scroll, self.note) { Effect::Nothing } else { Effect::Redraw }
    }

    fn back(&mut self) {
        if self.step == Step::Everything {
            self.scroll = 0;
        }
        self.step = Step::Choose;
    }

    fn choose(&mut self, decision: Decision) {
        if self.code.is_none() {
            self.note = "there are no random numbers: it can only be denied";
        } else if self.was_read {
            self.step = Step::Confirm { decision, typed: None };
        } else {
            self.note = "read it to its end first: space";
        }
    }

    fn typed(&mut self, c: char, new_code: impl FnOnce() -> Option<Code>) -> Option<Decision> {
        let (Step::Confirm { decision, typed }, Some(code)) = (self.step, self.code) else {
            self.note = "first choose what to allow";
            return None;
        };
        let Some(first) = typed else {
            self.step = Step::Confirm { decision, typed: Some(c) };
            return None;
        };
        if (first, c) == (code.first, code.second) {
            return Some(decision);
        }
        self.note = "not the code; this is a new one";
        self.code = new_code();
        self.step = Step::Confirm { decision, typed: None };
        None
    }
}

fn is_code_letter(c: char) -> bool {
    u8::try_from(c).is_ok_and(|byte| LETTERS.contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAGE: Page = Page { rows: 3, height: 10 };
    const CODE: Code = Code { first: 'w', second: 'x' };
    const OTHER: Code = Code { first: 'b', second: 'c' };

    fn typed(dialog: &mut Dialog, keys: &str, page: Page) -> Effect {
        let mut effect = Effect::Nothing;
        for c in keys.chars() {
            let key = if c == '\x1b' { Key::Escape } else { Key::Char(c) };
            effect = dialog.key(key, page, || Some(OTHER));
            if matches!(effect, Effect::Answer(_)) {
                return effect;
            }
            dialog.shown(page);
        }
        effect
    }

    fn shown(page: Page) -> Dialog {
        let mut dialog = Dialog::new(Some(CODE));
        dialog.shown(page);
        dialog
    }

    #[test]
    fn a_yes_is_a_kind_and_the_code() {
        use Decision::{Always, Deny, DenyAndStop, Once, Rule, Session};
        for (keys, decision) in [
            ("owx", Once),
            ("swx", Session),
            ("rwx", Rule),
            ("awx", Always),
            ("n", Deny),
            ("q", DenyAndStop),
            ("on", Deny),
            ("eeowx", Once),
            ("eqn", Deny),
            ("oqn", Deny),
            ("o\x1bq", DenyAndStop),
            ("oswx", Session),
            ("o\x1bswx", Session),
        ] {
            assert_eq!(typed(&mut shown(PAGE), keys, PAGE), Effect::Answer(decision), "{keys:?}");
        }
        assert_eq!(shown(PAGE).key(Key::Interrupt, PAGE, || None), Effect::Answer(Deny));
        for keys in ["y", "yy", "yes", "wx", "oxw", "ow", "o", "ewx"] {
            let effect = typed(&mut shown(PAGE), keys, PAGE);
            assert!(!matches!(effect, Effect::Answer(_)), "{keys:?}");
        }
    }

    #[test]
    fn a_wrong_code_makes_a_new_one() {
        let mut dialog = shown(PAGE);
        typed(&mut dialog, "owb", PAGE);
        assert_eq!(dialog.code, Some(OTHER));
        assert!(dialog.note.contains("new one"));
        assert_eq!(typed(&mut dialog, "wx", PAGE), Effect::Redraw);
        assert_eq!(typed(&mut dialog, "bc", PAGE), Effect::Answer(Decision::Once));
    }

    #[test]
    fn a_long_question_is_read_first() {
        let page = Page { rows: 10, height: 4 };
        let mut dialog = shown(page);
        typed(&mut dialog, "owx", page);
        assert_eq!(dialog.step, Step::Choose);
        assert_eq!(typed(&mut dialog, "  owx", page), Effect::Answer(Decision::Once));
        let mut nothing_fits = shown(Page { rows: 10, height: 0 });
        typed(&mut nothing_fits, "  owx", Page { rows: 10, height: 0 });
        assert_eq!(nothing_fits.step, Step::Choose);
    }

    proptest! {
        /// Whatever is typed, a yes is always the last three keys: its kind, and the code on the screen; keys that only
        /// scroll may be between.
        #[test]
        fn nothing_else_allows(keys in "[a-z \\x1b]{0,40}") {
            let mut dialog = shown(PAGE);
            let mut code = CODE;
            let mut letters = Vec::new();
            for c in keys.chars() {
                let key = if c == '\x1b' { Key::Escape } else { Key::Char(c) };
                if is_code_letter(c) { letters.push(c) } else if "osra\x1b".contains(c) { letters.clear() }
                match dialog.key(key, PAGE, || Some(OTHER)) {
                    Effect::Answer(decision) if decision.allows() => {
                        prop_assert_eq!(letters.get(letters.len().saturating_sub(2)..), Some(&[code.first, code.second][..]));
                        break;
                    }
                    Effect::Answer(_) => break,
                    _ => {}
                }
                code = dialog.code.unwrap_or(code);
                dialog.shown(PAGE);
            }
        }
    }
}
