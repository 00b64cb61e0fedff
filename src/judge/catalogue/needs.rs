//! What a text must contain for a regular expression to match it: looked for first, it spares nearly every search.
//! Worked out by build.rs, which alone compiles this file.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind};

/// Shorter texts are everywhere, and more of them are no faster than the expression.
const SHORTEST: usize = 2;
const MOST: usize = 64;

/// One of these is in every text that matches, in lower case. Empty: nothing can be said.
pub(crate) fn of(expression: &str) -> Result<Vec<String>, String> {
    let hir = ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .dot_matches_new_line(true)
        .build()
        .parse(expression)
        .map_err(|e| e.to_string())?;
    Ok(Parts::of(&hir).needs().unwrap_or_default())
}

/// What is known of a piece: the whole of its text, or what it needs.
enum Parts {
    /// It is one of these texts.
    Exact(Vec<Vec<u8>>),
    Needs(Option<Vec<Vec<u8>>>),
}

impl Parts {
    fn of(hir: &Hir) -> Self {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::Exact(vec![Vec::new()]),
            HirKind::Literal(literal) => Self::Exact(vec![literal.0.to_ascii_lowercase()]),
            HirKind::Capture(capture) => Self::of(&capture.sub),
            HirKind::Repetition(repetition) if repetition.min > 0 => {
                Self::Needs(Self::of(&repetition.sub).texts())
            }
            HirKind::Class(_) | HirKind::Repetition(_) => Self::Needs(None),
            HirKind::Concat(pieces) => Self::concat(pieces),
            HirKind::Alternation(pieces) => Self::alternation(pieces),
        }
    }

    /// Texts that stand beside each other make longer ones; of all that is needed the most telling is kept.
    fn concat(pieces: &[Hir]) -> Self {
        let mut exact: Vec<Vec<u8>> = vec![Vec::new()];
        let mut best: Option<Vec<Vec<u8>>> = None;
        let mut whole = true;
        for piece in pieces {
            match Self::of(piece) {
                Self::Exact(texts) if exact.len() * texts.len() <= MOST => {
                    exact = exact
                        .iter()
                        .flat_map(|before| texts.iter().map(move |text| [before.as_slice(), text].concat()))
                        .collect();
                }
                other => {
                    whole = false;
                    best = better(best, Some(std::mem::replace(&mut exact, vec![Vec::new()])));
                    best = better(best, other.texts());
                }
            }
        }
        if whole { Self::Exact(exact) } else { Self::Needs(better(best, Some(exact))) }
    }

    fn alternation(pieces: &[Hir]) -> Self {
        let parts: Vec<Self> = pieces.iter().map(Self::of).collect();
        let all_exact = parts.iter().all(|part| matches!(part, Self::Exact(_)));
        let texts: Option<Vec<Vec<Vec<u8>>>> = parts.into_iter().map(Self::texts).collect();
        match texts.map(|texts| texts.concat()) {
            Some(texts) if all_exact && texts.len() <= MOST => Self::Exact(texts),
            texts => Self::Needs(texts.filter(|texts| texts.len() <= MOST * 2)),
        }
    }

    fn texts(self) -> Option<Vec<Vec<u8>>> {
        match self {
            Self::Exact(texts) => Some(texts),
            Self::Needs(needs) => needs,
        }
    }

    fn needs(self) -> Option<Vec<String>> {
        let texts = self.texts().filter(|texts| is_telling(texts))?;
        texts.into_iter().map(|text| String::from_utf8(text).ok()).collect()
    }
}

fn is_telling(texts: &[Vec<u8>]) -> bool {
    !texts.is_empty() && texts.iter().all(|text| text.len() >= SHORTEST)
}

/// The one whose shortest text is longer.
fn better(a: Option<Vec<Vec<u8>>>, b: Option<Vec<Vec<u8>>>) -> Option<Vec<Vec<u8>>> {
    let shortest = |texts: &Option<Vec<Vec<u8>>>| {
        texts.as_ref().filter(|texts| is_telling(texts)).and_then(|texts| texts.iter().map(Vec::len).min())
    };
    if shortest(&b) > shortest(&a) { b } else { a }
}
