//! Globs over bytes, as rules write them: `*`, `?`, `[a-z]`, `{one,two}`, and `\` before what is meant as it stands.

use globset::{Candidate, GlobBuilder, GlobMatcher};

/// Longest glob that is taken. No real one comes near, and compiling stays cheap.
const LONGEST: usize = 512;

/// A compiled glob.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    /// Nothing in it is special, as in most rules.
    Literal(Vec<u8>),
    Glob(Box<GlobMatcher>),
}

/// What `*` may run over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Star {
    /// Everything.
    Anything,
    /// All but `/`; `**` crosses it.
    OneFolder,
}

/// Why a text is no glob.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadGlob {
    #[error("an empty glob matches nothing")]
    Empty,
    #[error("it is longer than {LONGEST} bytes")]
    TooLong,
    #[error("{0}")]
    Syntax(String),
}

impl Pattern {
    pub(crate) fn new(text: &str, star: Star) -> Result<Self, BadGlob> {
        if text.is_empty() {
            return Err(BadGlob::Empty);
        }
        if text.len() > LONGEST {
            return Err(BadGlob::TooLong);
        }
        if !text.contains(['*', '?', '[', ']', '{', '}', '\\']) {
            return Ok(Self::Literal(text.as_bytes().to_vec()));
        }
        let glob = GlobBuilder::new(text)
            .literal_separator(star == Star::OneFolder)
            .backslash_escape(true)
            .build()
            .map_err(|e| BadGlob::Syntax(e.kind().to_string()))?;
        Ok(Self::Glob(Box::new(glob.compile_matcher())))
    }

    pub(crate) fn matches(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Literal(literal) => literal == bytes,
            Self::Glob(glob) => glob.is_match_candidate(&Candidate::from_bytes(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(glob: &str, star: Star, bytes: &[u8]) -> bool {
        Pattern::new(glob, star).expect("good").matches(bytes)
    }

    #[test]
    fn bytes_that_are_no_text_match_too() {
        assert!(matches("a*z", Star::Anything, b"a\xff\x00\n/z"));
        assert!(matches("a?z", Star::Anything, b"a\xffz"));
        assert!(!matches("abc", Star::Anything, b"abc\xff"));
        assert!(matches("*", Star::Anything, b""));
    }

    #[test]
    fn a_star_in_a_path_stays_in_its_folder() {
        assert!(matches("/usr/*/git", Star::OneFolder, b"/usr/bin/git"));
        assert!(!matches("/usr/*/git", Star::OneFolder, b"/usr/lib/x/git"));
        assert!(matches("/usr/**/git", Star::OneFolder, b"/usr/lib/x/git"));
        assert!(matches("--path=*", Star::Anything, b"--path=/a/b"));
        assert!(matches("{a,b}[0-9]", Star::Anything, b"b7"));
        assert!(matches(r"\*", Star::Anything, b"*"));
        assert!(!matches(r"\*", Star::Anything, b"x"));
    }

    #[test]
    fn what_is_no_glob_says_why() {
        for bad in ["", "[a", "{a", "a}", "[z-a]", "\\", &"a".repeat(600), &"{".repeat(300)] {
            assert!(Pattern::new(bad, Star::Anything).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_glob_and_no_bytes_panic(glob in "[-a-c*?{},\\[\\]!/\\\\]{0,40}", bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            for star in [Star::Anything, Star::OneFolder] {
                if let Ok(pattern) = Pattern::new(&glob, star) {
                    let _ = pattern.matches(&bytes);
                }
            }
        }

        #[test]
        fn a_text_without_anything_special_matches_itself_alone(text in "[a-z/.=-]{1,20}", other in "[a-z/.=-]{1,20}") {
            prop_assert!(matches(&text, Star::OneFolder, text.as_bytes()));
            prop_assert_eq!(matches(&text, Star::Anything, other.as_bytes()), text == other);
        }
    }
}
