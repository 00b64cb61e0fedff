//! Detach keys: the sequence that leaves a sandbox running and gives the terminal back. Spelled as docker does.

use std::fmt;
use std::str::FromStr;

/// A sequence of keys; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DetachKeys {
    text: String,
    bytes: Vec<u8>,
}

/// Why a text is no key sequence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "“{key}” is no detach key: write single characters, or ctrl- and one of a-z @ [ \\ ] ^ _, with commas between, such as \"ctrl-p,ctrl-q\""
)]
pub(crate) struct BadKeys {
    key: String,
}

impl Default for DetachKeys {
    fn default() -> Self {
        Self { text: "ctrl-p,ctrl-q".to_owned(), bytes: vec![0x10, 0x11] }
    }
}

impl FromStr for DetachKeys {
    type Err = BadKeys;

    fn from_str(text: &str) -> Result<Self, BadKeys> {
        let bytes = text.split(',').map(key).collect::<Result<Vec<u8>, BadKeys>>()?;
        Ok(Self { text: text.to_owned(), bytes })
    }
}

impl fmt::Display for DetachKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn key(text: &str) -> Result<u8, BadKeys> {
    let bad = || BadKeys { key: text.escape_default().to_string() };
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !byte.is_ascii_control() => Ok(*byte),
        [b'c', b't', b'r', b'l', b'-', key] => match key {
            b'a'..=b'z' => Ok(key - b'a' + 1),
            b'@' | b'['..=b'_' => Ok(key - b'@'),
            _ => Err(bad()),
        },
        _ => Err(bad()),
    }
}

/// Watches what is typed. The start of a sequence is held back until it is known whether the rest follows, as
/// docker does.
#[derive(Debug)]
pub(crate) struct DetachWatch {
    keys: Vec<u8>,
    matched: usize,
}

/// What became of some typed bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// These go to the workload.
    Pass(Vec<u8>),
    /// The sequence is complete; these came before it. What came after it is for nobody.
    Detach(Vec<u8>),
}

impl DetachWatch {
    pub(crate) fn new(keys: &DetachKeys) -> Self {
        Self { keys: keys.bytes.clone(), matched: 0 }
    }

    pub(crate) fn feed(&mut self, typed: &[u8]) -> Typed {
        let mut pass = Vec::with_capacity(typed.len() + self.matched);
        for &byte in typed {
            // What was held and does not continue may still hold the start of another try.
            while self.matched > 0 && self.keys.get(self.matched) != Some(&byte) {
                let held = self.keys.get(..self.matched).unwrap_or_default();
                let keep = longest_border(held);
                pass.extend_from_slice(held.get(..self.matched - keep).unwrap_or_default());
                self.matched = keep;
            }
            if self.keys.get(self.matched) == Some(&byte) {
                self.matched += 1;
                if self.matched == self.keys.len() {
                    self.matched = 0;
                    return Typed::Detach(pass);
                }
            } else {
                pass.push(byte);
            }
        }
        Typed::Pass(pass)
    }

    /// Input has ended: what was held back was no sequence.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        let held = self.keys.get(..self.matched).unwrap_or_default().to_vec();
        self.matched = 0;
        held
    }
}

/// Length of the longest proper prefix of `text` that is also its suffix. Sequences are a few keys long.
fn longest_border(text: &[u8]) -> usize {
    (1..text.len()).rev().find(|&n| text.ends_with(text.get(..n).unwrap_or_default())).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dockers_spellings() {
        for (text, bytes) in [
            ("ctrl-p,ctrl-q", &[0x10, 0x11][..]),
            ("a", b"a"),
            ("ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", &[0, 27, 28, 29, 30, 31]),
            ("~,.", b"~."),
        ] {
            assert_eq!(text.parse::<DetachKeys>().expect(text).bytes, bytes, "{text}");
        }
        for bad in ["", ",", "ctrl-", "ctrl-P", "ctrl-1", "alt-x", "aa", "a,", "é", "\u{1b}"] {
            assert!(bad.parse::<DetachKeys>().is_err(), "{bad:?}");
        }
        assert_eq!(DetachKeys::default(), "ctrl-p,ctrl-q".parse().expect("the default"));
    }

    #[test]
    fn a_paste_around_the_sequence_is_cut_at_it() {
        let mut watch = DetachWatch::new(&DetachKeys::default());
        assert_eq!(watch.feed(b"ls\n\x10\x11pwd\n"), Typed::Detach(b"ls\n".to_vec()));
    }

    #[test]
    fn a_first_key_typed_twice_still_counts() {
        let mut watch = DetachWatch::new(&DetachKeys::default());
        assert_eq!(watch.feed(b"\x10\x10\x11"), Typed::Detach(b"\x10".to_vec()));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in ".*") {
            let _ = text.parse::<DetachKeys>();
        }

        /// However the bytes are split, the same go through, and the sequence is found where a search finds it.
        #[test]
        fn splitting_changes_nothing(
            keys in prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..5),
            typed in prop::collection::vec(prop::sample::select(b"abcd".to_vec()), 0..60),
            cuts in prop::collection::vec(0usize..60, 0..8),
        ) {
            let keys: DetachKeys = keys.join(",").parse().expect("keys");
            let at = typed.windows(keys.bytes.len()).position(|part| part == keys.bytes);
            let mut watch = DetachWatch::new(&keys);
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|&cut| cut <= typed.len()).collect();
            cuts.extend([0, typed.len()]);
            cuts.sort_unstable();
            let mut passed = Vec::new();
            let mut detached = false;
            for part in cuts.windows(2) {
                match watch.feed(&typed[part[0]..part[1]]) {
                    Typed::Pass(bytes) => passed.extend(bytes),
                    Typed::Detach(bytes) => {
                        passed.extend(bytes);
                        detached = true;
                        break;
                    }
                }
            }
            if !detached {
                passed.extend(watch.finish());
            }
            prop_assert_eq!(detached, at.is_some());
            prop_assert_eq!(passed, &typed[..at.unwrap_or(typed.len())]);
        }
    }
}
