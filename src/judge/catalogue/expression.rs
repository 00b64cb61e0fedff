//! Regular expressions of rules: programs that build.rs has made (compile.rs), run as they lie in the binary. All
//! states that a text may have led to are followed at once, so that no text takes longer than its length times
//! the program's.

use std::borrow::Cow;
use std::cell::RefCell;

use super::grams::{Grams, Needs};

/// More of a text is not looked at: its end is, as well as its beginning.
const HEAD: usize = 16 * 1024;
const TAIL: usize = 4 * 1024;

#[derive(Debug)]
pub(super) struct Expression {
    #[cfg(test)]
    source: Cow<'static, str>,
    needs: Needs,
    program: Program,
}

impl Expression {
    pub(super) fn new(
        source: Cow<'static, str>,
        needs: Box<[Cow<'static, [u8]>]>,
        program: Cow<'static, [u8]>,
    ) -> Self {
        #[cfg(not(test))]
        drop(source);
        Self {
            #[cfg(test)]
            source,
            needs: Needs::new(needs),
            program: Program(program),
        }
    }

    /// Whether it can be that a text of these grams, or a part of it, matches.
    pub(super) fn may_find(&self, grams: &Grams) -> bool {
        self.needs.may_be_in(grams)
    }

    pub(super) fn finds(&self, text: &[u8]) -> bool {
        let head = text.get(..HEAD.min(text.len())).unwrap_or_default();
        let tail = text.get(text.len().saturating_sub(TAIL).max(head.len())..).unwrap_or_default();
        self.finds_in(head) || (!tail.is_empty() && self.finds_in(tail))
    }

    fn finds_in(&self, text: &[u8]) -> bool {
        self.needs.are_in(text) && SCRATCH.with_borrow_mut(|scratch| scratch.finds(&self.program, text))
    }
}

/// As compile.rs lays it out.
#[derive(Debug)]
struct Program(Cow<'static, [u8]>);

impl Program {
    /// The unit at an address. Beyond the end there are only those that fail.
    fn at(&self, address: usize) -> u16 {
        let bytes = self.0.get(address * 2..).and_then(|rest| rest.first_chunk());
        bytes.map_or(FAIL, |bytes| u16::from_le_bytes(*bytes))
    }

    fn is_anchored(&self) -> bool {
        self.at(0) != 0
    }

    fn can_begin_with(&self, byte: u8) -> bool {
        self.at(1 + usize::from(byte >> 4)) >> (byte & 15) & 1 != 0
    }

    fn can_be_empty(&self) -> bool {
        (1..=16).all(|at| self.at(at) == u16::MAX)
    }

    fn start(&self) -> u16 {
        self.at(17)
    }
}

// The instructions, as compile.rs has them.
const FAIL: u16 = 0;
const MATCH: u16 = 1;
const BYTES: u16 = 2;
const EITHER: u16 = 3;
const LOOK: u16 = 4;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Where a search stands.
#[derive(Default)]
struct Scratch {
    /// By address: the round in which it was last reached.
    reached: Vec<u32>,
    round: u32,
    /// Instructions that wait for a byte, and where the last byte has led.
    waiting: Vec<u16>,
    led_to: Vec<u16>,
    open: Vec<u16>,
}

impl Scratch {
    fn finds(&mut self, program: &Program, text: &[u8]) -> bool {
        let units = program.0.len() / 2;
        if self.reached.len() < units {
            self.reached.resize(units, 0);
        }
        self.led_to.clear();
        let anchored = program.is_anchored();
        let can_be_empty = program.can_be_empty();
        let mut at = 0;
        loop {
            let byte = text.get(at).copied();
            let begins = byte.map_or(can_be_empty, |byte| program.can_begin_with(byte));
            if self.led_to.is_empty() && !begins {
                // Nothing is under way: on to where something can begin.
                if anchored || byte.is_none() {
                    return false;
                }
                let rest = text.get(at + 1..).unwrap_or_default();
                match rest.iter().position(|byte| program.can_begin_with(*byte)) {
                    Some(next) => at += 1 + next,
                    None if can_be_empty => at = text.len(),
                    None => return false,
                }
                continue;
            }
            self.next_round();
            self.waiting.clear();
            self.open.append(&mut self.led_to);
            if begins && (at == 0 || !anchored) {
                self.open.push(program.start());
            }
            if self.follow(program, text, at) {
                return true;
            }
            let Some(byte) = byte else { return false };
            self.step(program, byte);
            at += 1;
            if anchored && self.led_to.is_empty() {
                return false;
            }
        }
    }

    fn next_round(&mut self) {
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.reached.fill(0);
            self.round = 1;
        }
    }

    /// From where it is open, all that can be reached without a byte; true: a match.
    fn follow(&mut self, program: &Program, text: &[u8], at: usize) -> bool {
        while let Some(address) = self.open.pop() {
            let here = usize::from(address);
            match self.reached.get_mut(here) {
                Some(round) if *round != self.round => *round = self.round,
                _ => continue,
            }
            match program.at(here) {
                MATCH => {
                    self.open.clear();
                    return true;
                }
                BYTES => self.waiting.push(address),
                EITHER => {
                    let count = usize::from(program.at(here + 1));
                    self.open.extend((here + 2..here + 2 + count).map(|at| program.at(at)));
                }
                LOOK if holds(program.at(here + 1), text, at) => self.open.push(program.at(here + 2)),
                _ => {}
            }
        }
        false
    }

    fn step(&mut self, program: &Program, byte: u8) {
        for &address in &self.waiting {
            let here = usize::from(address);
            let count = usize::from(program.at(here + 1));
            for pair in 0..count {
                let [first, last] = program.at(here + 2 + pair * 2).to_le_bytes();
                if first <= byte && byte <= last {
                    self.led_to.push(program.at(here + 3 + pair * 2));
                    break;
                }
            }
        }
    }
}

/// Whether a place in the text is what is looked for there.
fn holds(look: u16, text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| text.get(at)).copied();
    let after = text.get(at).copied();
    let is_word = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match look {
        0 => before.is_none(),
        1 => after.is_none(),
        2 => before.is_none_or(|byte| byte == b'\n'),
        3 => after.is_none_or(|byte| byte == b'\n'),
        4 => is_word(before) != is_word(after),
        5 => is_word(before) == is_word(after),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use regex_automata::meta::Regex;
    use regex_automata::util::syntax;

    use super::super::{Catalogue, CatalogueRule, compile};
    use super::*;

    fn expression(source: &str) -> Expression {
        let program = compile::program(source).expect("an expression");
        Expression::new(source.to_owned().into(), Box::default(), program.into())
    }

    #[test]
    fn of_a_long_text_both_ends_are_searched() {
        let expression = expression("needle$|^start");
        let long = [vec![b'a'; 100_000], b"needle".to_vec()].concat();
        assert!(expression.finds(&long));
        assert!(expression.finds(&[b"start".to_vec(), vec![b'a'; 100_000]].concat()));
        assert!(!expression.finds(&vec![b'a'; 100_000]));
    }

    /// The library that made the programs, asked for the same.
    fn reference(source: &str) -> Regex {
        let syntax = syntax::Config::new().unicode(false).utf8(false);
        let syntax = syntax.case_insensitive(true).dot_matches_new_line(true);
        Regex::builder().syntax(syntax).build(source).expect("an expression")
    }

    #[test]
    fn every_expression_of_the_catalogue_finds_what_the_library_finds() {
        let catalogue = Catalogue::built_in().expect("it loads");
        let examples: Vec<&[u8]> = catalogue
            .rules()
            .iter()
            .flat_map(|rule| rule.hit.iter().chain(&rule.miss).map(|text| text.as_bytes()))
            .collect();
        let (mut asked, mut found) = (0, 0);
        for (at, expression) in catalogue.rules().iter().flat_map(CatalogueRule::expressions).enumerate() {
            let source = &*expression.source;
            let reference = reference(source);
            // All texts for all expressions are too many for a debug build: each has its own part of them.
            for text in examples.iter().skip(at % 7).step_by(7) {
                let words = text.split(|byte| *byte == b' ').take(6);
                for text in words.chain([*text, b""]) {
                    let expected = reference.is_match(text);
                    assert_eq!(expression.finds(text), expected, "{source} in {}", text.escape_ascii());
                    asked += 1;
                    found += usize::from(expected);
                }
            }
        }
        assert!(asked > 100_000 && found > 1000, "{asked} {found}");
    }

    proptest::proptest! {
        #[test]
        fn small_expressions_find_what_the_library_finds(
            source in "(\\^)?([ab.]|\\[ab\\]|\\[\\^a\\]|\\\\b|\\\\B|\\\\s|\\(a\\|bb\\)|\\(ab\\)\\?|b\\{1,3\\}){1,5}[*+?]?(\\$)?",
            text in "[abAB \n]{0,12}",
        ) {
            let expected = reference(&source).is_match(text.as_bytes());
            proptest::prop_assert_eq!(expression(&source).finds(text.as_bytes()), expected);
        }
    }
}
