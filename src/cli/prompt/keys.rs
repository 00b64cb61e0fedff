//! What a terminal sends while a question is open: keys, and among them answers to what the workload asked the terminal
//! before. Only plain keys count; of the rest, whole sequences are taken and dropped, however they are cut up.

/// A key that the question knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A lower-case ASCII letter (an upper-case one counts as it), a digit, a sign or a space.
    Char(char),
    Interrupt,
    Escape,
    Backspace,
    Enter,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Ground,
    /// ESC: the key, or the start of a sequence.
    Escape,
    /// ESC was taken for the key; what would have made it a sequence still does, as a slow line may bring it late.
    Escaped,
    /// Of a control sequence: the parameters, as far as they can matter.
    Csi(Vec<u8>),
    /// After `ESC O`.
    Ss3,
    /// X10 mouse report: so many bytes are still to come.
    Mouse(u8),
    /// A string: to ST, or where it is one of the operating system's to BEL. True: an ESC was just seen.
    Text {
        osc: bool,
        escape: bool,
    },
    /// Pasted text; how much of its end has been seen.
    Paste(usize),
    /// Of a character beyond ASCII: so many bytes are still to come.
    Wide(u8),
}

const PASTE_END: &[u8] = b"\x1b[201~";
/// Parameters that are kept: no key that counts has longer ones.
const KEPT: usize = 16;

/// Takes input apart, over any number of reads.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    state: State,
}

impl Default for Keys {
    fn default() -> Self {
        Self { state: State::Ground }
    }
}

impl Keys {
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Key> {
        bytes.iter().filter_map(|&byte| self.byte(byte)).collect()
    }

    /// Nothing has come for a while: an ESC that is there was the key.
    pub(super) fn pause(&mut self) -> Option<Key> {
        if self.state != State::Escape {
            return None;
        }
        self.state = State::Escaped;
        Some(Key::Escape)
    }

    /// Whether an ESC waits to be told apart.
    pub(super) fn is_undecided(&self) -> bool {
        self.state == State::Escape
    }

    /// Whether more is sure to come.
    pub(super) fn is_pasting(&self) -> bool {
        matches!(self.state, State::Paste(_))
    }

    fn byte(&mut self, byte: u8) -> Option<Key> {
        let state = std::mem::replace(&mut self.state, State::Ground);
        let (next, key) = match state {
            State::Ground => ground(byte),
            State::Escaped if introduces(byte) => (escape(byte), None),
            State::Escaped => ground(byte),
            State::Escape => (escape(byte), None),
            State::Csi(params) => csi(params, byte),
            State::Ss3 => (after_broken(byte), cursor_key(byte)),
            State::Mouse(left) => (if left > 1 { State::Mouse(left - 1) } else { State::Ground }, None),
            State::Text { osc, escape: true } => match byte {
                b'\\' => (State::Ground, None),
                _ if introduces(byte) => (escape(byte), None),
                _ => (text(osc, byte), None),
            },
            State::Text { osc, escape: false } => (text(osc, byte), None),
            State::Paste(seen) => (paste(seen, byte), None),
            State::Wide(left) if (0x80..=0xbf).contains(&byte) => {
                (if left > 1 { State::Wide(left - 1) } else { State::Ground }, None)
            }
            State::Wide(_) => ground(byte),
        };
        self.state = next;
        key
    }
}

fn ground(byte: u8) -> (State, Option<Key>) {
    let key = match byte {
        0x1b => return (State::Escape, None),
        0x03 => Key::Interrupt,
        0x08 | 0x7f => Key::Backspace,
        b'\r' | b'\n' => Key::Enter,
        b' '..=b'~' => Key::Char(char::from(byte.to_ascii_lowercase())),
        0xc0..=0xdf => return (State::Wide(1), None),
        0xe0..=0xef => return (State::Wide(2), None),
        0xf0..=0xf7 => return (State::Wide(3), None),
        _ => return (State::Ground, None),
    };
    (State::Ground, Some(key))
}

/// Whether it makes a sequence of an ESC before it.
fn introduces(byte: u8) -> bool {
    matches!(byte, b'[' | b']' | b'O' | b'P' | b'X' | b'^' | b'_')
}

fn escape(byte: u8) -> State {
    match byte {
        0x1b => State::Escape,
        b'[' => State::Csi(Vec::new()),
        b'O' => State::Ss3,
        b']' => State::Text { osc: true, escape: false },
        b'P' | b'X' | b'^' | b'_' => State::Text { osc: false, escape: false },
        0xc0..=0xff => ground(byte).0,
        // A key with Alt.
        _ => State::Ground,
    }
}

/// After a byte that ends a sequence, or breaks it off.
fn after_broken(byte: u8) -> State {
    if byte == 0x1b { State::Escape } else { State::Ground }
}

fn csi(mut params: Vec<u8>, byte: u8) -> (State, Option<Key>) {
    match byte {
        0x40..=0x7e => match (params.as_slice(), byte) {
            (b"", b'M') => (State::Mouse(3), None),
            (b"200", b'~') => (State::Paste(0), None),
            (b"5", b'~') => (State::Ground, Some(Key::PageUp)),
            (b"6", b'~') => (State::Ground, Some(Key::PageDown)),
            (b"1" | b"7", b'~') => (State::Ground, Some(Key::Home)),
            (b"4" | b"8", b'~') => (State::Ground, Some(Key::End)),
            // The Linux console's function keys: one more byte.
            (b"", b'[') => (State::Mouse(1), None),
            (b"", _) => (State::Ground, cursor_key(byte)),
            _ => (State::Ground, None),
        },
        0x18 | 0x1a => (State::Ground, None),
        0x1b => (State::Escape, None),
        _ => {
            if params.len() < KEPT {
                params.push(byte);
            }
            (State::Csi(params), None)
        }
    }
}

fn cursor_key(byte: u8) -> Option<Key> {
    match byte {
        b'A' => Some(Key::Up),
        b'B' => Some(Key::Down),
        b'H' => Some(Key::Home),
        b'F' => Some(Key::End),
        _ => None,
    }
}

fn text(osc: bool, byte: u8) -> State {
    match byte {
        0x18 | 0x1a => State::Ground,
        0x07 if osc => State::Ground,
        byte => State::Text { osc, escape: byte == 0x1b },
    }
}

fn paste(seen: usize, byte: u8) -> State {
    if PASTE_END.get(seen) == Some(&byte) {
        if seen + 1 == PASTE_END.len() { State::Ground } else { State::Paste(seen + 1) }
    } else {
        // Only its first byte can begin the end anew.
        State::Paste(usize::from(byte == 0x1b))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        Keys::default().feed(bytes)
    }

    #[test]
    fn keys_are_keys() {
        assert_eq!(
            keys(b"nQ \x03\x7f\r"),
            [Key::Char('n'), Key::Char('q'), Key::Char(' '), Key::Interrupt, Key::Backspace, Key::Enter]
        );
        assert_eq!(keys(b"\x1b[A\x1bOB\x1b[5~\x1b[6~"), [Key::Up, Key::Down, Key::PageUp, Key::PageDown]);
    }

    const REPLIES: [&[u8]; 22] = [
        b"\x1b[24;80R",
        b"\x1b[?1;2c",
        b"\x1b[>41;354;0c",
        b"\x1b[=1;2c",
        b"\x1b[0n",
        b"\x1b[?2004;1$y",
        b"\x1b[8;24;80t",
        b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\",
        b"\x1b]11;rgb:0000/0000/0000\x07",
        b"\x1b]4;1;rgb:aaaa/bbbb/cccc\x1b\\",
        b"\x1bP1$r0m\x1b\\",
        b"\x1bP>|xterm(370)n\x1b\\",
        b"\x1bP!|00000000\x1b\\",
        b"\x1b_Gi=1;OK\x1b\\",
        b"\x1b[I\x1b[O",
        b"\x1b[<0;10;10M\x1b[<0;10;10m",
        b"\x1b[M nn",
        b"\x1b[200~nqo\x1b[201 on\x1b[201~",
        b"\x1b[110;1:1u",
        b"\x1b[27;5;110~",
        b"\x1b[?62;22c\x1b[1;5n",
        b"\x1b]52;c;bm5u\x07",
    ];

    #[test]
    fn replies_are_no_keys() {
        for reply in REPLIES {
            assert_eq!(keys(reply), [], "{:?}", reply.escape_ascii().to_string());
            assert_eq!(
                keys(&[reply, b"n"].concat()),
                [Key::Char('n')],
                "{:?}",
                reply.escape_ascii().to_string()
            );
        }
        assert_eq!(keys("é漢🦀\x1bn".as_bytes()), []);
    }

    #[test]
    fn escape_alone_is_a_key_and_a_late_reply_is_none() {
        let mut keys = Keys::default();
        assert_eq!(keys.feed(b"\x1b"), []);
        assert!(keys.is_undecided());
        assert_eq!(keys.pause(), Some(Key::Escape));
        assert_eq!(keys.pause(), None);
        assert_eq!(keys.feed(b"[0n"), []);
        keys.feed(b"\x1b");
        keys.pause();
        assert_eq!(keys.feed(b"n"), [Key::Char('n')]);
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_keys(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\x1b[]OP_\\~0?;n".to_vec())], 0..120),
            cuts in prop::collection::vec(0_usize..120, 0..8),
        ) {
            let mut at: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            at.sort_unstable();
            let (mut split, mut got, mut from) = (Keys::default(), Vec::new(), 0);
            for cut in at.into_iter().chain([bytes.len()]) {
                got.extend(split.feed(&bytes[from..cut]));
                from = cut;
            }
            prop_assert_eq!(got, keys(&bytes));
        }

        #[test]
        fn replies_in_any_order_and_split_are_no_keys(
            which in prop::collection::vec(prop::sample::select(REPLIES.to_vec()), 0..12),
            size in 1_usize..9,
        ) {
            let bytes = which.concat();
            let mut keys = Keys::default();
            let got: Vec<Key> = bytes.chunks(size).flat_map(|chunk| {
                let mut some = keys.feed(chunk);
                // A line so slow that every pause is taken for one: no letter comes of it.
                some.extend(keys.pause());
                some
            }).filter(|key| *key != Key::Escape).collect();
            prop_assert_eq!(got, []);
        }

        #[test]
        fn pasted_text_is_no_key(text in "[^\\x1b]{0,60}") {
            prop_assert_eq!(keys(format!("\x1b[200~{text}\x1b[201~").as_bytes()), []);
        }
    }
}
