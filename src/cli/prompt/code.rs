//! The code that a yes takes: two letters that nobody can know before the question is seen.

/// No letter that is a key of the question, none that looks like another or like a digit, and no `y`, which people type
/// without looking.
pub(super) const LETTERS: &[u8; 13] = b"bcdfghmptvwxz";

/// Two letters, not the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) first: char,
    pub(super) second: char,
}

impl Code {
    /// From the operating system's random numbers. `None`: it has none, and nothing can be allowed.
    pub(super) fn random() -> Option<Self> {
        loop {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).ok()?;
            let mut letters = bytes.iter().filter_map(|&byte| letter(byte));
            let first = letters.next();
            if let (Some(first), Some(second)) = (first, letters.find(|next| Some(*next) != first)) {
                return Some(Self { first, second });
            }
        }
    }
}

/// Each letter for as many bytes as every other; the bytes that are left over for none.
fn letter(byte: u8) -> Option<char> {
    let fair = u8::MAX / 13 * 13;
    let at = usize::from(byte % 13);
    (byte < fair).then(|| LETTERS.get(at).copied().map(char::from)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_fair() {
        let mut counts = std::collections::BTreeMap::new();
        for letter in (0..=255).filter_map(letter) {
            *counts.entry(letter).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), LETTERS.len());
        assert!(counts.values().all(|count| *count == 19), "{counts:?}");
    }

    #[test]
    fn codes_differ() {
        let codes: std::collections::BTreeSet<_> =
            (0..200).filter_map(|_| Code::random()).map(|code| (code.first, code.second)).collect();
        assert!(codes.len() > 50);
        assert!(codes.iter().all(|(first, second)| first != second));
    }
}
