//! What a workload prints, taken apart into text, controls and escape sequences. A terminal's own parser decides what
//! is shown; this one follows it closely enough to stop between two sequences, and to know which modes were set.

/// One piece of output that a terminal takes as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit<'a> {
    /// Printable text; UTF-8 only as far as the workload wrote it so.
    Text(&'a [u8]),
    /// One C0 control.
    Control(u8),
    /// `ESC`, intermediates, final.
    Escape(&'a [u8], u8),
    /// A control sequence: parameters and intermediates, and the final byte.
    Csi(&'a [u8], u8),
    /// A string sequence: what introduces it (`]`, `P`, `X`, `^`, `_`), and its content.
    Str(StringKind, &'a [u8]),
    /// Cancelled, or cut off by the next one.
    Broken,
}

/// The second byte of a string sequence's introducer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StringKind {
    Osc,
    Dcs,
    Other,
}

impl StringKind {
    fn of(byte: u8) -> Option<Self> {
        match byte {
            b']' => Some(Self::Osc),
            b'P' => Some(Self::Dcs),
            b'X' | b'^' | b'_' => Some(Self::Other),
            _ => None,
        }
    }
}

pub(super) const ESC: u8 = 0x1b;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;
const BEL: u8 = 0x07;

/// Where a string sequence ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StringEnd {
    /// Content and terminator are so long.
    At { content: usize, whole: usize },
    /// Not in what is there.
    Open,
}

/// The first unit and its length; `None`: it is not complete.
pub(super) fn first(buffer: &[u8]) -> Option<(Unit<'_>, usize)> {
    match *buffer.first()? {
        ESC => escape(buffer),
        byte if byte < 0x20 || byte == 0x7f => Some((Unit::Control(byte), 1)),
        _ => {
            let run = buffer.iter().position(|&byte| byte < 0x20 || byte == 0x7f);
            let (text, _) = buffer.split_at_checked(run.unwrap_or(buffer.len()))?;
            // At the end of what was read, a character may be in two.
            let whole = if run.is_some() { text } else { without_partial(text) };
            (!whole.is_empty()).then_some((Unit::Text(whole), whole.len()))
        }
    }
}

fn escape(buffer: &[u8]) -> Option<(Unit<'_>, usize)> {
    let second = *buffer.get(1)?;
    if let Some(kind) = StringKind::of(second) {
        let content = buffer.get(2..)?;
        return match string_end(kind, content) {
            StringEnd::At { content: length, whole } => {
                Some((Unit::Str(kind, content.get(..length)?), 2 + whole))
            }
            StringEnd::Open => None,
        };
    }
    let is_csi = second == b'[';
    let start = if is_csi { 2 } else { 1 };
    for (at, &byte) in buffer.iter().enumerate().skip(start) {
        match byte {
            CAN | SUB => return Some((Unit::Broken, at + 1)),
            ESC => return Some((Unit::Broken, at)),
            0x40..=0x7e if is_csi => return Some((Unit::Csi(buffer.get(start..at)?, byte), at + 1)),
            0x30..=0x7e if !is_csi => return Some((Unit::Escape(buffer.get(start..at)?, byte), at + 1)),
            // Controls are done on the way; others are ignored.
            _ => {}
        }
    }
    None
}

/// Looks for the end of a string's content, which may have begun before `content`.
pub(super) fn string_end(kind: StringKind, content: &[u8]) -> StringEnd {
    for (at, &byte) in content.iter().enumerate() {
        match byte {
            CAN | SUB => return StringEnd::At { content: at, whole: at + 1 },
            BEL if kind == StringKind::Osc => return StringEnd::At { content: at, whole: at + 1 },
            ESC => {
                return match content.get(at + 1) {
                    Some(b'\\') => StringEnd::At { content: at, whole: at + 2 },
                    // The next sequence cuts it off.
                    Some(_) => StringEnd::At { content: at, whole: at },
                    None => StringEnd::Open,
                };
            }
            _ => {}
        }
    }
    StringEnd::Open
}

/// Without the beginning of a character whose rest has not come.
fn without_partial(text: &[u8]) -> &[u8] {
    for back in 1..=text.len().min(3) {
        let at = text.len() - back;
        let wanted = match text.get(at) {
            Some(0xc0..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            Some(0xf0..=0xf7) => 4,
            Some(0x80..=0xbf) => continue,
            _ => return text,
        };
        return if wanted > back { text.get(..at).unwrap_or_default() } else { text };
    }
    text
}

/// The numbers of a control sequence, each with its sub-parameters; what is left out is 0. Prefix and intermediates
/// are not among them.
pub(super) fn numbers(params: &[u8]) -> Vec<Vec<u16>> {
    let digits = params.iter().copied().filter(|byte| matches!(byte, b'0'..=b'9' | b';' | b':'));
    let digits: Vec<u8> = digits.collect();
    let number = |text: &[u8]| {
        text.iter().fold(0_u16, |sum, digit| sum.saturating_mul(10).saturating_add(u16::from(digit - b'0')))
    };
    digits
        .split(|&byte| byte == b';')
        .map(|part| part.split(|&byte| byte == b':').map(number).collect())
        .collect()
}

/// The private marker of a control sequence, and its first intermediate.
pub(super) fn marks(params: &[u8]) -> (Option<u8>, Option<u8>) {
    let prefix = params.first().copied().filter(|byte| (b'<'..=b'?').contains(byte));
    (prefix, params.iter().copied().find(|byte| (0x20..=0x2f).contains(byte)))
}

/// The one parameter that says how often.
pub(super) fn count(params: &[u8]) -> u16 {
    numbers(params).first().and_then(|number| number.first().copied()).unwrap_or(1).max(1)
}

/// Whether attributes are set that the model has not: blinking, hidden, struck out, other kinds of underlining.
pub(super) fn is_fancy(params: &[u8]) -> bool {
    let numbers = numbers(params);
    let mut numbers = numbers.iter();
    while let Some(number) = numbers.next() {
        match number.as_slice() {
            [5 | 6 | 8 | 9 | 21 | 53 | 58, ..] => return true,
            [4, kind] if *kind > 1 => return true,
            // Its parameters are colours.
            [38 | 48] => {
                let skip = if numbers.next().is_some_and(|kind| kind.first() == Some(&2)) { 3 } else { 1 };
                numbers.by_ref().take(skip).for_each(drop);
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(mut buffer: &[u8]) -> (Vec<Unit<'_>>, &[u8]) {
        let mut units = Vec::new();
        while let Some((unit, length)) = first(buffer) {
            units.push(unit);
            buffer = &buffer[length..];
        }
        (units, buffer)
    }

    #[test]
    fn output_comes_apart() {
        use Unit::{Broken, Control, Csi, Escape, Str, Text};
        let text = b"a\xc3\xa9\n\x1b[?25h\x1b(0x\x1b]0;t\x07\x1bPq\x1b\\\x1b[3\x18\x1b]8\x1b[m\xe2\x82";
        let (units, rest) = all(text);
        assert_eq!(
            units,
            [
                Text("aé".as_bytes()),
                Control(b'\n'),
                Csi(b"?25", b'h'),
                Escape(b"(", b'0'),
                Text(b"x"),
                Str(StringKind::Osc, b"0;t"),
                Str(StringKind::Dcs, b"q"),
                Broken,
                Str(StringKind::Osc, b"8"),
                Csi(b"", b'm'),
            ]
        );
        assert_eq!(rest, b"\xe2\x82");
        for open in [&b"\x1b"[..], b"\x1b[3", b"\x1b]0;t\x1b", b"\x1bP", b"\x1b(", b"\xf0\x9f\xa6"] {
            assert_eq!(first(open), None, "{open:?}");
        }
    }

    #[test]
    fn numbers_are_read_as_terminals_do() {
        assert_eq!(numbers(b"?1;2004"), [vec![1], vec![2004]]);
        assert_eq!(numbers(b""), [vec![0]]);
        assert_eq!(numbers(b"4:3;;99999999"), [vec![4, 3], vec![0], vec![65535]]);
        assert_eq!(marks(b"?1$"), (Some(b'?'), Some(b'$')));
    }

    proptest! {
        #[test]
        fn every_unit_has_a_length(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut rest = bytes.as_slice();
            while let Some((_, length)) = first(rest) {
                prop_assert!(length > 0 && length <= rest.len());
                rest = &rest[length..];
            }
        }
    }
}
