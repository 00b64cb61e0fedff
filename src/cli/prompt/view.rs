//! The question as it is drawn: every row of the screen, from its first column, whatever was there.

use std::fmt::Write as _;

use super::dialog::{Dialog, Page, Step};
use super::layout::{Row, clip, columns, flow, label, rows, wrap};
use crate::approval::Decision;
use crate::approval::render::Field;
use crate::sys::tty::Size;

/// Narrower than this, keys have short names.
const WIDE: usize = 72;

/// What a screen is made of.
pub(super) struct Shown<'a> {
    pub(super) fields: &'a [Field],
    pub(super) dialog: &'a Dialog,
    /// Questions that are open, this one included.
    pub(super) open: usize,
    /// Processes that wait for this answer.
    pub(super) waiting: usize,
    pub(super) seconds: u64,
    pub(super) size: Size,
}

impl Shown<'_> {
    /// How the body comes out at this size.
    pub(super) fn page(&self) -> Page {
        Page { rows: self.body().len(), height: self.height() }
    }

    /// The whole screen. The terminal's modes are known: see [`super::modes`].
    pub(super) fn draw(&self) -> String {
        let (columns, height) = (self.columns(), self.height());
        let mut lines = vec![self.title()];
        let body = self.body();
        let shown = body.iter().skip(self.dialog.scroll).take(height);
        lines.extend(shown.map(|row| line(row, columns)));
        lines.resize(height + 1, String::new());
        lines.extend(self.foot().iter().map(|text| clip(text, columns)));
        let mut out = String::new();
        for (at, line) in lines.iter().take(usize::from(self.size.rows)).enumerate() {
            // Writing to a string can't fail.
            let _ = write!(out, "\x1b[{};1H\x1b[m{line}\x1b[m\x1b[K", at + 1);
        }
        // What a smaller window left below.
        if lines.len() < usize::from(self.size.rows) {
            let _ = write!(out, "\x1b[{};1H\x1b[J", lines.len() + 1);
        }
        out
    }

    /// The last column stays free: in it, terminals differ.
    fn columns(&self) -> usize {
        usize::from(self.size.columns).saturating_sub(1).max(1)
    }

    /// Beside the title and the status.
    fn height(&self) -> usize {
        usize::from(self.size.rows).saturating_sub(2 + self.below().len())
    }

    fn body(&self) -> Vec<Row> {
        rows(self.fields, self.columns())
    }

    fn title(&self) -> String {
        let count = format!("1 of {} ", self.open);
        let text = if self.columns() < WIDE {
            " creel: may this run?"
        } else {
            " creel: a command waits for your answer"
        };
        let space = self.columns().saturating_sub(columns(text) + count.len()).max(1);
        let text = clip(&format!("{text}{}{count}", " ".repeat(space)), self.columns());
        format!("\x1b[1;7m{text}")
    }

    fn foot(&self) -> Vec<String> {
        [vec![self.status()], self.below()].concat()
    }

    /// What is to be said about the last key, and the keys.
    fn below(&self) -> Vec<String> {
        let note = Some(self.dialog.note).filter(|note| !note.is_empty());
        let note = note.map(|note| wrap(note, self.columns())).unwrap_or_default();
        let keys = self.keys().into_iter().flat_map(|keys| flow(&keys, self.columns()));
        note.into_iter().chain(keys).collect()
    }

    fn status(&self) -> String {
        let rest = self.body().len().saturating_sub(self.dialog.scroll + self.height());
        let waiting = if self.waiting == 1 { "1 waits".to_owned() } else { format!("{} wait", self.waiting) };
        let more = match (rest, self.dialog.scroll) {
            (0, 0) => String::new(),
            (0, _) => ", the end (arrows)".to_owned(),
            (rest, _) => format!(", {rest} more lines: space"),
        };
        format!("{waiting}, {} s left{more}", self.seconds)
    }

    fn keys(&self) -> Vec<Vec<String>> {
        let is_wide = self.columns() >= WIDE;
        let name = |wide: &str, narrow: &str| if is_wide { wide.to_owned() } else { narrow.to_owned() };
        let code =
            self.dialog.code.map_or("none".to_owned(), |code| format!("{}{}", code.first, code.second));
        match self.dialog.step {
            Step::Choose => vec![
                vec![
                    name("Yes:", "Yes"),
                    "o once".to_owned(),
                    name("s this command, this session", "s command"),
                    name("r this rule, this session", "r rule"),
                    "a always".to_owned(),
                    name(&format!("and then the code: {code}"), &format!("then code: {code}")),
                ],
                vec![
                    name("No: ", "No"),
                    "n deny".to_owned(),
                    name("q deny and stop the sandbox", "q stop all"),
                    name("e show everything", "e more"),
                ],
            ],
            Step::Confirm { decision, typed } => vec![vec![
                name(kind(decision).0, kind(decision).1),
                format!("type the code: {code}"),
                format!("typed: {}_", typed.map(String::from).unwrap_or_default()),
                name("Esc back", "Esc"),
                "n deny".to_owned(),
            ]],
            Step::Everything => {
                vec![vec!["Esc back".to_owned(), name("space, arrows: scroll", "space"), "n deny".to_owned()]]
            }
        }
    }
}

fn kind(decision: Decision) -> (&'static str, &'static str) {
    match decision {
        Decision::Once => ("To allow it once,", "Allow once:"),
        Decision::Session => ("To allow this exact command until the sandbox ends,", "Allow this command:"),
        Decision::Rule => {
            ("To allow all that this rule is about until the sandbox ends,", "Allow this rule:")
        }
        Decision::Always => ("To allow this command always, in every sandbox,", "Allow always:"),
        Decision::Deny | Decision::DenyAndStop => ("", ""),
    }
}

fn line(row: &Row, columns: usize) -> String {
    let label = clip(&label(row.label), columns);
    let text = clip(&row.text, columns.saturating_sub(label.len()));
    let style = if matches!(row.label, "command" | "danger") { "\x1b[1m" } else { "" };
    format!("\x1b[2m{label}\x1b[m{style}{text}")
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use proptest::prelude::*;

    use super::super::code::Code;
    use super::*;

    fn fields(text: &str) -> Vec<Field> {
        ["command", "danger", "in"].map(|label| Field { label, text: text.to_owned() }).to_vec()
    }

    fn screen(out: &str, size: Size) -> String {
        let rows = NonZeroU16::new(size.rows).expect("rows");
        let mut parser = vt100::Parser::new(rows, NonZeroU16::new(size.columns).expect("columns"), 0);
        parser.process(b"\x1b[41mold text that must go away\x1b[H");
        parser.process(out.as_bytes());
        parser.screen().contents()
    }

    fn shown<'a>(fields: &'a [Field], dialog: &'a Dialog, rows: u16, columns: u16) -> Shown<'a> {
        Shown { fields, dialog, open: 3, waiting: 2, seconds: 99, size: Size { rows, columns } }
    }

    #[test]
    fn all_that_matters_is_there_in_every_usual_size() {
        let fields = fields("rm -rf /");
        for (rows, columns) in [(24, 80), (10, 40), (50, 200)] {
            let dialog = Dialog::new(Some(Code { first: 'w', second: 'x' }));
            let shown = shown(&fields, &dialog, rows, columns);
            let text = screen(&shown.draw(), shown.size);
            for part in [
                "creel: ",
                "1 of 3",
                "command   rm -rf /",
                "danger    rm",
                "2 wait, 99 s left",
                "o once",
                "code: wx",
                "n deny",
            ] {
                assert!(text.contains(part), "{part} at {columns}x{rows}:\n{text}");
            }
            assert!(!text.contains("old"), "{text}");
        }
    }

    #[test]
    fn the_code_is_there_while_it_is_typed() {
        let fields = fields("rm -rf /");
        let mut dialog = Dialog::new(Some(Code { first: 'w', second: 'x' }));
        dialog.step = Step::Confirm { decision: Decision::Rule, typed: Some('w') };
        dialog.note = "not the code; this is a new one";
        for (rows, columns) in [(24, 80), (10, 40)] {
            let shown = shown(&fields, &dialog, rows, columns);
            let text = screen(&shown.draw(), shown.size);
            for part in ["this rule", "code: wx", "typed: w_", "a new one", "command   rm"] {
                assert!(text.contains(part), "{part} at {columns}x{rows}:\n{text}");
            }
        }
    }

    #[test]
    fn what_is_longer_than_the_screen_scrolls() {
        let fields = fields(&"0123456789 ".repeat(30));
        let mut dialog = Dialog::new(None);
        let first = shown(&fields, &dialog, 10, 40);
        let page = first.page();
        assert!(page.rows > page.height && page.height >= 3, "{page:?}");
        assert!(screen(&first.draw(), first.size).contains("more lines: space"));
        dialog.scroll = page.rows - page.height;
        let last = shown(&fields, &dialog, 10, 40);
        let text = screen(&last.draw(), last.size);
        assert!(text.contains("the end"), "{text}");
    }

    proptest! {
        #[test]
        fn no_size_is_too_small(rows in 1_u16..30, columns in 1_u16..90, scroll in 0_usize..40, text in "\\PC{0,200}") {
            let fields = fields(&text);
            let mut dialog = Dialog::new(Some(Code { first: 'w', second: 'x' }));
            dialog.scroll = scroll;
            let shown = shown(&fields, &dialog, rows, columns);
            let out = shown.draw();
            prop_assert!(!out.contains(['\n', '\r', '\x07']));
            prop_assert!(out.matches("\x1b[K").count() <= usize::from(rows));
        }
    }
}
