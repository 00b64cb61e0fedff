//! What a text must contain for an expression to match it (needs.rs), looked for before the expression is: nearly
//! every expression is about something that a command does not say.

use std::borrow::Cow;

/// Which pairs of neighbouring bytes, in lower case, a text has: by their hashes.
#[derive(Clone, Debug)]
pub(super) struct Grams([u64; WORDS]);

const WORDS: usize = 16;

impl Grams {
    /// Of several texts as one, with a space between them.
    pub(super) fn of<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut grams = Self([0; WORDS]);
        let mut last = b' ';
        for text in texts {
            for &byte in text.iter().chain(b" ") {
                let byte = byte.to_ascii_lowercase();
                grams.add(hash(last, byte));
                last = byte;
            }
        }
        grams
    }

    fn add(&mut self, hash: u16) {
        if let Some(word) = self.0.get_mut(usize::from(hash >> 6)) {
            *word |= 1 << (hash & 63);
        }
    }

    fn has(&self, hash: u16) -> bool {
        self.0.get(usize::from(hash >> 6)).is_some_and(|word| word >> (hash & 63) & 1 != 0)
    }
}

fn hash(one: u8, other: u8) -> u16 {
    (u16::from(one).wrapping_mul(37) ^ u16::from(other).wrapping_mul(5)) & (64 * WORDS as u16 - 1)
}

/// One of these, in lower case, is in every text that matches; none: nothing is known.
#[derive(Debug)]
pub(super) struct Needs(Box<[Cow<'static, [u8]>]>);

impl Needs {
    pub(super) fn new(needs: Box<[Cow<'static, [u8]>]>) -> Self {
        Self(needs)
    }

    /// False: none is in any part of the text that the grams are of.
    pub(super) fn may_be_in(&self, grams: &Grams) -> bool {
        let has_all = |need: &[u8]| {
            need.windows(2).all(|two| matches!(two, [one, other] if grams.has(hash(*one, *other))))
        };
        self.0.is_empty() || self.0.iter().any(|need| has_all(need))
    }

    pub(super) fn are_in(&self, text: &[u8]) -> bool {
        self.0.is_empty() || self.0.iter().any(|need| contains(text, need))
    }
}

/// Whether `need`, which is in lower case, is in the text in any case.
fn contains(text: &[u8], need: &[u8]) -> bool {
    let Some(&first) = need.first() else { return true };
    let is_here =
        |at: usize| text.get(at..at + need.len()).is_some_and(|here| here.eq_ignore_ascii_case(need));
    memchr::memchr2_iter(first, first.to_ascii_uppercase(), text).any(is_here)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_there_may_be_there(
            words in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..5), from in 0_usize..60, length in 2_usize..8,
        ) {
            let grams = Grams::of(words.iter().map(Vec::as_slice));
            let joined = words.join(&b' ').to_ascii_lowercase();
            if let Some(part) = joined.get(from..from + length) {
                prop_assert!(Needs::new(Box::new([part.to_vec().into()])).may_be_in(&grams));
            }
        }
    }
}
