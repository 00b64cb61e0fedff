//! What a workload has made of the terminal: the modes that change how a question looks, or what keys send. All are put
//! aside while one is open, whether they are known to be set or not, and those that were set come back.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::units::{StringKind, Unit, marks, numbers};

/// Private modes that are on in a terminal that nobody has changed.
const ON: [u16; 2] = [7, 25];
/// Private modes that are kept, beside the mouse's: cursor keys, reverse video, origin, wrapping, cursor, margins, focus
/// reports, pasting.
const KEPT: [u16; 8] = [1, 5, 6, 7, 25, 69, 1004, 2004];
const MOUSE: [u16; 5] = [9, 1000, 1001, 1002, 1003];
const MOUSE_CODING: [u16; 4] = [1005, 1006, 1015, 1016];
/// So much of changed colours is put back, bytes.
const MAX_COLOURS: usize = 16 * 1024;

/// Rows of the scroll region, from 1.
pub(super) type Region = (u16, u16);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Modes {
    /// Of [`KEPT`], those that differ from a fresh terminal.
    changed: BTreeSet<u16>,
    mouse: Option<u16>,
    mouse_coding: Option<u16>,
    pub(super) insert: bool,
    newline: bool,
    keypad: bool,
    /// G0 to G3, and which of them is shown.
    charsets: [u8; 4],
    pub(super) shift: usize,
    /// `None`: the whole screen.
    pub(super) region: Option<Region>,
    modify_other_keys: Option<u16>,
    kitty: bool,
    latin_1: bool,
    /// Double-height or double-width lines.
    pub(super) tall_lines: bool,
    /// OSC sequences that changed colours.
    colours: Vec<Vec<u8>>,
}

impl Default for Modes {
    fn default() -> Self {
        Self {
            changed: BTreeSet::new(),
            mouse: None,
            mouse_coding: None,
            insert: false,
            newline: false,
            keypad: false,
            charsets: [b'B'; 4],
            shift: 0,
            region: None,
            modify_other_keys: None,
            kitty: false,
            latin_1: false,
            tall_lines: false,
            colours: Vec::new(),
        }
    }
}

impl Modes {
    /// Takes note of what was printed.
    pub(super) fn see(&mut self, unit: &Unit<'_>) {
        match *unit {
            Unit::Control(0x0e) => self.shift = 1,
            Unit::Control(0x0f) => self.shift = 0,
            Unit::Escape(b"", b'=') => self.keypad = true,
            Unit::Escape(b"", b'>') => self.keypad = false,
            Unit::Escape(b"", b'n') => self.shift = 2,
            Unit::Escape(b"", b'o') => self.shift = 3,
            Unit::Escape(b"", b'c') => *self = Self::default(),
            Unit::Escape([which @ b'('..=b'+'], charset) => {
                if let Some(slot) = self.charsets.get_mut(usize::from(which - b'(')) {
                    *slot = charset;
                }
            }
            Unit::Escape(b"#", b'3' | b'4' | b'6') => self.tall_lines = true,
            Unit::Escape(b"%", which) => self.latin_1 = which == b'@',
            Unit::Csi(params, last) => self.see_csi(params, last),
            Unit::Str(StringKind::Osc, content) => self.see_osc(content),
            _ => {}
        }
    }

    fn see_csi(&mut self, params: &[u8], last: u8) {
        let numbers = numbers(params);
        let first = || numbers.iter().filter_map(|number| number.first().copied());
        match (marks(params), last) {
            ((Some(b'?'), None), b'h' | b'l') => first().for_each(|mode| self.private(mode, last == b'h')),
            ((None, None), b'h' | b'l') => first().for_each(|mode| match mode {
                4 => self.insert = last == b'h',
                20 => self.newline = last == b'h',
                _ => {}
            }),
            ((None, None), b'r') => {
                let mut ends = first().chain([0, 0]);
                let (top, bottom) = (ends.next().unwrap_or(0).max(1), ends.next().unwrap_or(0));
                match bottom {
                    0 if top == 1 => self.region = None,
                    0 => self.region = Some((top, u16::MAX)),
                    bottom if top < bottom => self.region = Some((top, bottom)),
                    _ => {}
                }
            }
            ((None, Some(b'!')), b'p') => self.soft_reset(),
            ((Some(b'>'), None), b'm') => {
                let mut numbers = first();
                if numbers.next() == Some(4) {
                    self.modify_other_keys = numbers.next().filter(|&level| level > 0);
                }
            }
            ((Some(b'>' | b'='), None), b'u') => self.kitty = true,
            _ => {}
        }
    }

    fn private(&mut self, mode: u16, on: bool) {
        if KEPT.contains(&mode) {
            self.changed.remove(&mode);
            if on != ON.contains(&mode) {
                self.changed.insert(mode);
            }
        }
        for (modes, set) in [(&MOUSE[..], &mut self.mouse), (&MOUSE_CODING[..], &mut self.mouse_coding)] {
            if modes.contains(&mode) && (on || *set == Some(mode)) {
                *set = on.then_some(mode);
            }
        }
    }

    fn soft_reset(&mut self) {
        self.changed.retain(|mode| ![1, 6, 7, 25].contains(mode));
        (self.insert, self.keypad, self.region) = (false, false, None);
        (self.charsets, self.shift) = ([b'B'; 4], 0);
    }

    fn see_osc(&mut self, content: &[u8]) {
        let number = content.split(|&byte| byte == b';').next().unwrap_or_default();
        let is_colour = matches!(number, b"4" | b"5" | b"10" | b"11" | b"12" | b"17" | b"19");
        let is_reset = matches!(number, b"104" | b"105" | b"110" | b"111" | b"112" | b"117" | b"119");
        let room = MAX_COLOURS.saturating_sub(self.colours.iter().map(Vec::len).sum());
        if (is_colour || is_reset) && !content.contains(&b'?') && content.len() <= room {
            self.colours.push(content.to_vec());
        }
    }

    pub(super) fn is_on(&self, mode: u16) -> bool {
        self.changed.contains(&mode) != ON.contains(&mode)
    }

    /// Whether letters are line drawing now.
    pub(super) fn draws_lines(&self) -> bool {
        self.charsets.get(self.shift) == Some(&b'0')
    }

    /// Makes the terminal plain. Pasted text is marked as such, so that it is not taken for keys.
    pub(super) fn put_aside(&self) -> String {
        let mut out = "\x1b[?2026l\x1b[?9l\x1b[?1000l\x1b[?1001l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1015l\
                       \x1b[?1016l\x1b[?1004l\x1b[?2004h\x1b[?1l\x1b>\x1b[2l\x1b[4l\x1b[12h\x1b[20l\x1b[?5l\x1b[?6l\
                       \x1b[?69l\x1b[r\x1b[?7l\x1b[?25l\x1b(B\x1b)B\x0f"
            .to_owned();
        if self.latin_1 {
            out.push_str("\x1b%G");
        }
        if self.modify_other_keys.is_some() {
            out.push_str("\x1b[>4;0m");
        }
        if self.kitty {
            out.push_str("\x1b[>0u");
        }
        if !self.colours.is_empty() {
            out.push_str("\x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\\x1b]112\x1b\\");
        }
        out.push_str("\x1b[m");
        out
    }

    /// What has to come back before the screen does: it may move the cursor.
    pub(super) fn region_back(&self) -> String {
        match self.region {
            Some((top, u16::MAX)) => format!("\x1b[{top}r"),
            Some((top, bottom)) => format!("\x1b[{top};{bottom}r"),
            None => "\x1b[r".to_owned(),
        }
    }

    /// The modes as they were; the origin mode only where it was set, as it moves the cursor.
    pub(super) fn bring_back(&self) -> Vec<u8> {
        let mut out = String::new();
        if self.kitty {
            out.push_str("\x1b[<u");
        }
        if let Some(level) = self.modify_other_keys {
            let _ = write!(out, "\x1b[>4;{level}m");
        }
        for mode in KEPT.into_iter().filter(|&mode| mode != 6) {
            let _ = write!(out, "\x1b[?{mode}{}", if self.is_on(mode) { 'h' } else { 'l' });
        }
        for mode in [self.mouse, self.mouse_coding].into_iter().flatten() {
            let _ = write!(out, "\x1b[?{mode}h");
        }
        out.push_str(if self.keypad { "\x1b=" } else { "\x1b>" });
        out.push_str(if self.insert { "\x1b[4h" } else { "\x1b[4l" });
        out.push_str(if self.newline { "\x1b[20h" } else { "" });
        let mut out = out.into_bytes();
        for (which, charset) in (b'('..=b'+').zip(self.charsets) {
            // The last two are never changed here.
            if which < b'*' {
                out.extend([0x1b, which, charset]);
            }
        }
        out.extend(match self.shift {
            0 => &b"\x0f"[..],
            1 => b"\x0e",
            2 => b"\x1bn",
            _ => b"\x1bo",
        });
        if self.latin_1 {
            out.extend(b"\x1b%@");
        }
        for colour in &self.colours {
            out.extend([b"\x1b]", colour.as_slice(), b"\x1b\\"].concat());
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::units;
    use super::*;

    fn seen(mut output: &[u8]) -> Modes {
        let mut modes = Modes::default();
        while let Some((unit, length)) = units::first(output) {
            modes.see(&unit);
            output = &output[length..];
        }
        modes
    }

    #[test]
    fn what_was_set_comes_back() {
        let output = b"\x1b[?1;1004;2004h\x1b[?25l\x1b=\x1b[?1000h\x1b[?1002h\x1b[?1006h\x1b[3;9r\x1b(0\x0e\x1b[4h\x1b[>4;2m\
                       \x1b[>1u\x1b]4;1;#fff\x07\x1b]11;?\x07";
        let modes = seen(output);
        let back = String::from_utf8(modes.bring_back()).expect("text");
        for part in [
            "\x1b[?1h",
            "\x1b[?1004h",
            "\x1b[?2004h",
            "\x1b[?25l",
            "\x1b=",
            "\x1b[?1002h",
            "\x1b[?1006h",
            "\x1b(0",
            "\x0e",
            "\x1b[4h",
            "\x1b[>4;2m",
            "\x1b[<u",
            "\x1b]4;1;#fff",
            "\x1b[?7h",
        ] {
            assert!(back.contains(part), "{part:?} in {back:?}");
        }
        assert!(!back.contains("1000h") && !back.contains("]11"), "{back:?}");
        assert_eq!(modes.region_back(), "\x1b[3;9r");
        let put_back = seen(
            &[modes.put_aside().as_bytes(), modes.region_back().as_bytes(), &modes.bring_back()].concat(),
        );
        assert_eq!(Modes { kitty: true, colours: modes.colours.clone(), ..put_back }, modes);
    }

    #[test]
    fn a_reset_forgets() {
        assert_eq!(seen(b"\x1b[?1004h\x1b[2;5r\x1bc"), Modes::default());
        let soft = seen(b"\x1b[?1;1004h\x1b[?25l\x1b[2;5r\x1b(0\x1b[!p");
        assert_eq!(
            (soft.is_on(25), soft.is_on(1004), soft.region, soft.draws_lines()),
            (true, true, None, false)
        );
    }

    #[test]
    fn colours_have_a_limit() {
        let many = b"\x1b]4;1;#ffffff\x07".repeat(10_000);
        let modes = seen(&many);
        assert!(modes.bring_back().len() < 2 * MAX_COLOURS);
    }
}
