//! The workload's screen as it would be without the question: every byte of output goes through here, and the screen
//! can be drawn again from it.
//!
//! Where the terminal has a second screen and the workload is on the first, that is not needed: the question takes the
//! second, and the terminal keeps the first, whatever is on it and wherever it began.

use std::num::NonZeroU16;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::{Bytes, BytesMut};

use super::modes::Modes;
use super::units::{self, ESC, StringEnd, StringKind, Unit, count, is_fancy, marks, numbers};
use crate::cli::stream::unreported;
use crate::sys::tty::Size;

/// So much of a sequence is held back until its end comes. Beyond that it is passed on: an image.
const HELD: usize = 4096;

/// VT100 line drawing, from `_` on.
const LINES: [char; 32] = [
    ' ', '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺', '⎻', '─', '⎼', '⎽',
    '├', '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
];

/// How the question got on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cover {
    /// On the terminal's second screen.
    Second,
    /// Over what was there.
    Over,
}

#[derive(Clone, Debug)]
struct Saved {
    row: u16,
    column: u16,
    attributes: String,
    place_known: bool,
}

/// What uncovering takes.
#[derive(Debug)]
pub(super) struct Uncovered {
    pub(super) bytes: Vec<u8>,
    /// The screen has what the model has not: the workload should paint it anew.
    pub(super) repaint: bool,
}

pub(crate) struct Model {
    vt: vt100::Parser,
    modes: Modes,
    /// The beginning of a unit.
    tail: BytesMut,
    /// In the middle of a string that is passed on as it comes.
    open_string: Option<StringKind>,
    /// The rest of that string was cut off by the question.
    drops_string: bool,
    /// Whether there is a second screen for us.
    has_second: bool,
    covered: Option<Cover>,
    was_resized: bool,
    /// The cursor that was saved last, on the first screen: the terminal keeps one, and the switch of screens takes it.
    saved: Option<Saved>,
    /// Rows of the first screen are those of the model; it begins wherever the person's cursor was.
    places_known: bool,
    /// The model shows all that the screen does.
    is_exact: bool,
}

impl Model {
    /// `has_second`: the terminal can switch to a second screen and back.
    pub(crate) fn new(size: Size, has_second: bool) -> Self {
        Self {
            vt: parser(size),
            modes: Modes::default(),
            tail: BytesMut::new(),
            open_string: None,
            drops_string: false,
            has_second,
            covered: None,
            was_resized: false,
            saved: None,
            places_known: false,
            is_exact: true,
        }
    }

    /// Takes output, and gives back what can be written: all but the beginning of a sequence whose end has not come.
    pub(crate) fn feed(&mut self, output: Bytes) -> Bytes {
        let buffer = if self.tail.is_empty() {
            output
        } else {
            self.tail.extend_from_slice(&output);
            self.tail.split().freeze()
        };
        let (from, mut at) = match self.open_string {
            None => (0, 0),
            Some(kind) => self.string_goes_on(kind, &buffer),
        };
        while self.open_string.is_none() {
            let Some((unit, length)) = buffer.get(at..).and_then(units::first) else { break };
            self.apply(&unit, buffer.get(at..at + length).unwrap_or_default());
            at += length;
        }
        let rest = buffer.get(at..).unwrap_or_default();
        if rest.len() > HELD && self.open_string.is_none() {
            self.open_string = match rest.get(1) {
                Some(b']') => Some(StringKind::Osc),
                Some(b'P') => Some(StringKind::Dcs),
                Some(b'X' | b'^' | b'_') => Some(StringKind::Other),
                // A control sequence of that length is nonsense, and what a terminal makes of it too.
                _ => None,
            };
            self.is_exact = false;
            at = buffer.len() - usize::from(rest.last() == Some(&ESC));
        }
        self.tail.extend_from_slice(buffer.get(at..).unwrap_or_default());
        buffer.slice(from.min(at)..at)
    }

    /// What was held back, at the end of all output.
    pub(crate) fn finish(&mut self) -> Bytes {
        self.tail.split().freeze()
    }

    /// From where to where in `buffer` the string is passed on.
    fn string_goes_on(&mut self, kind: StringKind, buffer: &[u8]) -> (usize, usize) {
        let end = match units::string_end(kind, buffer) {
            StringEnd::At { whole, .. } => {
                self.open_string = None;
                whole
            }
            StringEnd::Open => buffer.len() - usize::from(buffer.last() == Some(&ESC)),
        };
        let from = if self.drops_string { end } else { 0 };
        self.drops_string &= self.open_string.is_some();
        (from, end)
    }

    fn apply(&mut self, unit: &Unit<'_>, raw: &[u8]) {
        self.modes.see(unit);
        match *unit {
            Unit::Text(text) => self.text(text),
            Unit::Escape(b"", b'D') => self.process(b"\n"),
            Unit::Escape(b"", b'E') => self.process(b"\r\n"),
            Unit::Escape(b"", b'7') => self.save_cursor(),
            Unit::Escape(b"", b'c') => {
                self.process(raw);
                (self.is_exact, self.places_known, self.saved) = (true, true, None);
            }
            Unit::Escape(b"#", _) => self.is_exact = false,
            Unit::Csi(params, last) => self.csi(params, last, raw),
            // Never shown, but for pictures and links.
            Unit::Str(kind, content) => {
                self.is_exact &= kind == StringKind::Osc && !content.starts_with(b"8;")
            }
            Unit::Broken => {}
            Unit::Control(_) | Unit::Escape(..) => self.process(raw),
        }
    }

    fn csi(&mut self, params: &[u8], last: u8, raw: &[u8]) {
        match (marks(params), last) {
            ((Some(b'?'), None), b'h' | b'l') => {
                for mode in numbers(params).iter().filter_map(|number| number.first()) {
                    self.private_mode(*mode, last == b'h');
                }
            }
            ((None, None), b's') => self.save_cursor(),
            ((None, None), b'u') => self.process(b"\x1b8"),
            ((None, None), b'a') => self.process(format!("\x1b[{}C", count(params)).as_bytes()),
            ((None, None), b'e') => self.process(format!("\x1b[{}B", count(params)).as_bytes()),
            ((None, None), b'b') => {
                let (rows, columns) = self.vt.screen().size();
                let repeats = bounded(count(params), rows.get(), columns.get());
                self.process(format!("\x1b[{repeats}b").as_bytes());
            }
            ((None, None), b'I') => {
                let tabs = usize::from(count(params).min(self.vt.screen().size().1.get()));
                self.process(&b"\t".repeat(tabs));
            }
            ((None, None), b'Z') => {
                let column = self.vt.screen().cursor_position().1;
                // Tabs are eight apart; from the next one back.
                let to = column.div_ceil(8).saturating_sub(count(params)).saturating_mul(8).saturating_add(1);
                self.process(format!("\x1b[{to}G").as_bytes());
            }
            ((None, None), b'm') => {
                self.is_exact &= !is_fancy(params);
                self.process(raw);
            }
            ((None, Some(b'!')), b'p') => {
                self.process(b"\x1b[?6l\x1b[?25h\x1b[?1l\x1b>\x1b[m");
                self.region_without_moving();
            }
            (marks, _) => {
                let moves_to_place = matches!(last, b'H' | b'f' | b'r') && marks == (None, None);
                self.places_known |= moves_to_place && !self.vt.screen().alternate_screen();
                self.process(raw);
                if last == b'r' && moves_to_place {
                    // The model's own idea is the region's first row.
                    self.process(b"\x1b[H");
                }
            }
        }
    }

    fn private_mode(&mut self, mode: u16, on: bool) {
        let was_second = self.vt.screen().alternate_screen();
        match (mode, on) {
            (1047, false) => self.process(b"\x1b[2J\x1b[?47l"),
            (1047, true) => self.process(b"\x1b[?47h"),
            (1048, true) => self.save_cursor(),
            (1048, false) => self.process(b"\x1b8"),
            (69, true) => self.is_exact = false,
            (1049, true) if was_second => {}
            (1049, false) if !was_second => self.process(b"\x1b8"),
            _ => self.process(format!("\x1b[?{mode}{}", if on { 'h' } else { 'l' }).as_bytes()),
        }
        if !was_second && self.vt.screen().alternate_screen() {
            self.is_exact = true;
        }
    }

    fn region_without_moving(&mut self) {
        let (row, column) = self.vt.screen().cursor_position();
        self.process(format!("\x1b[r\x1b[{};{}H", row + 1, column + 1).as_bytes());
    }

    fn save_cursor(&mut self) {
        if !self.vt.screen().alternate_screen() {
            let (row, column) = self.vt.screen().cursor_position();
            let attributes = self.vt.screen().attributes_formatted();
            self.saved = Some(Saved { row, column, attributes, place_known: self.places_known });
        }
        self.process(b"\x1b7");
    }

    fn text(&mut self, text: &[u8]) {
        let (wraps, draws) = (self.modes.is_on(7), self.modes.draws_lines());
        if wraps && !draws && !self.modes.insert {
            return self.process(text);
        }
        for c in String::from_utf8_lossy(text).chars() {
            let line = u32::from(c).checked_sub(0x5f).and_then(|at| LINES.get(usize::try_from(at).ok()?));
            let c = line.copied().filter(|_| draws).unwrap_or(c);
            let mut one = String::new();
            let (_, columns) = self.vt.screen().size();
            if !wraps && self.vt.screen().cursor_position().1 >= columns.get() {
                one.push_str(&format!("\x1b[{columns}G"));
            }
            if self.modes.insert {
                one.push_str(&format!("\x1b[{}@", super::layout::columns(c.encode_utf8(&mut [0; 4])).max(1)));
            }
            one.push(c);
            self.process(one.as_bytes());
        }
    }

    /// The bytes are the workload's, and so large a parser may have a flaw: it must not take the session with it.
    fn process(&mut self, bytes: &[u8]) {
        let vt = &mut self.vt;
        if unreported(|| catch_unwind(AssertUnwindSafe(|| vt.process(bytes)))).is_err() {
            let (rows, columns) = (self.vt.screen().size().0.get(), self.vt.screen().size().1.get());
            self.vt = parser(Size { rows, columns });
            (self.is_exact, self.places_known, self.saved) = (false, false, None);
        }
    }

    pub(super) fn resize(&mut self, size: Size) {
        let (Some(rows), Some(columns)) = (NonZeroU16::new(size.rows), NonZeroU16::new(size.columns)) else {
            return;
        };
        let vt = &mut self.vt;
        if unreported(|| catch_unwind(AssertUnwindSafe(|| vt.set_size(rows, columns)))).is_err() {
            self.vt = parser(size);
            self.is_exact = false;
        }
        self.modes.region = None;
        (self.saved, self.places_known, self.was_resized) = (None, false, true);
    }

    /// Makes the terminal ours: nothing that the workload has set, or begun, is in force.
    pub(super) fn cover(&mut self) -> Vec<u8> {
        let is_second = self.vt.screen().alternate_screen();
        let cover = if is_second || !self.has_second { Cover::Over } else { Cover::Second };
        self.covered = Some(cover);
        self.was_resized = false;
        self.drops_string = self.open_string.is_some();
        // Whatever sequence it was in the middle of is cancelled, or at an end; so is printing, and being a VT52.
        let mut out = b"\x18\x1b\\\x1b[4i\x1b<".to_vec();
        if cover == Cover::Second {
            out.extend(b"\x1b[?1049h");
        }
        out.extend(self.modes.put_aside().into_bytes());
        if self.modes.tall_lines {
            let rows = self.vt.screen().size().0.get();
            out.extend((1..=rows).flat_map(|row| format!("\x1b[{row};1H\x1b#5").into_bytes()));
        }
        out
    }

    /// Gives the terminal back as it was.
    pub(super) fn uncover(&mut self) -> Uncovered {
        let mut out = b"\x1b[m".to_vec();
        let repaint = match self.covered.take() {
            None => return Uncovered { bytes: Vec::new(), repaint: false },
            Some(Cover::Second) => {
                out.extend(self.modes.region_back().into_bytes());
                out.extend(self.modes.bring_back());
                // This brings back the cursor, its attributes, character sets and origin too.
                out.extend(b"\x1b[?1049l");
                out.extend(self.saved_back());
                false
            }
            Some(Cover::Over) => {
                let screen = self.vt.screen();
                out.extend(b"\x1b[?7h");
                out.extend(screen.contents_formatted().into_bytes());
                out.extend(self.modes.region_back().into_bytes());
                if self.modes.is_on(6) {
                    out.extend(b"\x1b[?6h");
                }
                out.extend(self.cursor_back());
                out.extend(self.modes.bring_back());
                screen.alternate_screen() && !self.is_exact && !self.was_resized
            }
        };
        Uncovered { bytes: out, repaint }
    }

    /// Saves the workload's saved cursor again, and goes back to where the cursor is.
    fn saved_back(&self) -> Vec<u8> {
        let (row, column) = self.vt.screen().cursor_position();
        let Some(saved) = self.saved.as_ref().filter(|_| !self.was_resized) else { return Vec::new() };
        if saved.place_known && self.places_known {
            let place = format!("\x1b[{};{}H{}\x1b7", saved.row + 1, saved.column + 1, saved.attributes);
            return [place.into_bytes(), self.cursor_back()].concat();
        }
        // Ways between rows need both from the same count, and no edge of a region between them.
        let is_near = saved.place_known == self.places_known && self.modes.region.is_none();
        if !is_near || column >= self.vt.screen().size().1.get() {
            return Vec::new();
        }
        let there = relative(row, saved.row, saved.column);
        let back = relative(saved.row, row, column);
        let attributes = self.vt.screen().attributes_formatted();
        format!("{there}{}\x1b7{back}{attributes}", saved.attributes).into_bytes()
    }

    fn cursor_back(&self) -> Vec<u8> {
        let screen = self.vt.screen();
        let (row, column) = screen.cursor_position();
        let mut out = match self.modes.region.filter(|_| self.modes.is_on(6)) {
            Some((top, _)) => format!("\x1b[{};{}H", (row + 2).saturating_sub(top).max(1), column + 1),
            // It may draw the character before the cursor again, and counts on plain attributes.
            None => format!("\x1b[m{}", screen.cursor_state_formatted()),
        };
        out.push_str(&screen.attributes_formatted());
        out.into_bytes()
    }
}

fn parser(size: Size) -> vt100::Parser {
    let rows = NonZeroU16::new(size.rows).unwrap_or(vt100::Parser::DEFAULT_ROWS);
    let columns = NonZeroU16::new(size.columns).unwrap_or(vt100::Parser::DEFAULT_COLS);
    vt100::Parser::new(rows, columns, 0)
}

/// Fewer repetitions that come to the same: beyond a screenful, only the last row's length matters. A few bytes could
/// keep us busy for long otherwise.
fn bounded(repeats: u16, rows: u16, columns: u16) -> u16 {
    let full = rows.saturating_add(1).saturating_mul(columns);
    if repeats <= full { repeats } else { full + (repeats - full) % columns.max(1) }
}

/// From one row to a place in another.
fn relative(from: u16, row: u16, column: u16) -> String {
    let rows = match row.abs_diff(from) {
        0 => String::new(),
        distance => format!("\x1b[{distance}{}", if row < from { 'A' } else { 'B' }),
    };
    format!("{rows}\x1b[{}G", column + 1)
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
