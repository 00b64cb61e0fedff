//! Regular expressions of rules, as programs that `expression.rs` runs: worked out by build.rs, which alone compiles
//! this file, so that none is compiled while a command waits.
//!
//! A program is units of 16 bits, little-endian. First: whether it is anchored at the start, the 256 bits of the
//! bytes that a match can begin with (all of them, where one can be empty), and the address of its first
//! instruction. Then instructions, by their addresses.

use regex_automata::nfa::thompson::{NFA, State, WhichCaptures};
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID;
use regex_automata::util::syntax;

pub(crate) const FAIL: u16 = 0;
pub(crate) const MATCH: u16 = 1;
/// Pairs of a range (its first byte, and its last shifted by 8) and where it leads, after their count.
pub(crate) const BYTES: u16 = 2;
/// Addresses, after their count.
pub(crate) const EITHER: u16 = 3;
/// A [`look`], and where it leads.
pub(crate) const LOOK: u16 = 4;
const HEAD: usize = 18;

/// The program of an expression.
pub(crate) fn program(expression: &str) -> Result<Vec<u8>, String> {
    let syntax =
        syntax::Config::new().unicode(false).utf8(false).case_insensitive(true).dot_matches_new_line(true);
    let config = NFA::config().utf8(false).which_captures(WhichCaptures::None).shrink(true);
    let nfa = NFA::compiler()
        .configure(config)
        .syntax(syntax)
        .build(expression)
        .map_err(|e| format!("{expression}: {e}"))?;
    let instructions: Vec<Vec<u16>> = nfa.states().iter().map(instruction).collect::<Result<_, _>>()?;
    // Where each state's instruction comes to stand.
    let mut at = HEAD;
    let addresses: Vec<usize> = instructions
        .iter()
        .map(|instruction| {
            let here = at;
            at += instruction.len();
            here
        })
        .collect();
    if at > usize::from(u16::MAX) {
        return Err(format!("{expression}: its program is too long"));
    }
    let address = |state: StateID| addresses[state.as_usize()] as u16;
    let start = nfa.start_anchored();
    let (first, may_be_empty) = first(&nfa, start);
    let mut units = vec![u16::from(nfa.is_always_start_anchored())];
    for part in 0..16 {
        let bit = |byte: usize| u16::from(may_be_empty || first[part * 16 + byte]) << byte;
        units.push((0..16).map(bit).sum());
    }
    units.push(address(start));
    for (state, instruction) in nfa.states().iter().zip(instructions) {
        units.extend(placed(state, instruction, &address));
    }
    Ok(units.into_iter().flat_map(u16::to_le_bytes).collect())
}

/// A state's instruction; addresses in it are the numbers of states yet, which [`placed`] puts in.
fn instruction(state: &State) -> Result<Vec<u16>, String> {
    Ok(match state {
        State::ByteRange { .. } => vec![BYTES, 1, 0, 0],
        State::Sparse(sparse) => {
            [vec![BYTES, sparse.transitions.len() as u16], vec![0; sparse.transitions.len() * 2]].concat()
        }
        State::Look { look: kind, .. } => vec![LOOK, look(*kind)?, 0],
        State::Union { alternates } => {
            [vec![EITHER, alternates.len() as u16], vec![0; alternates.len()]].concat()
        }
        State::BinaryUnion { .. } => vec![EITHER, 2, 0, 0],
        State::Capture { .. } => vec![EITHER, 1, 0],
        State::Fail => vec![FAIL],
        State::Match { .. } => vec![MATCH],
        State::Dense(_) => return Err("dense states are not made by this compiler".to_owned()),
    })
}

fn placed(state: &State, mut instruction: Vec<u16>, address: &impl Fn(StateID) -> u16) -> Vec<u16> {
    let range = |start: u8, end: u8| u16::from(start) | u16::from(end) << 8;
    let operands: Vec<u16> = match state {
        State::ByteRange { trans } => vec![range(trans.start, trans.end), address(trans.next)],
        State::Sparse(sparse) => {
            sparse.transitions.iter().flat_map(|t| [range(t.start, t.end), address(t.next)]).collect()
        }
        State::Look { next, .. } | State::Capture { next, .. } => vec![address(*next)],
        State::Union { alternates } => alternates.iter().map(|to| address(*to)).collect(),
        State::BinaryUnion { alt1, alt2 } => vec![address(*alt1), address(*alt2)],
        State::Fail | State::Match { .. } | State::Dense(_) => Vec::new(),
    };
    let from = instruction.len() - operands.len();
    instruction[from..].copy_from_slice(&operands);
    instruction
}

fn look(look: Look) -> Result<u16, String> {
    Ok(match look {
        Look::Start => 0,
        Look::End => 1,
        Look::StartLF => 2,
        Look::EndLF => 3,
        Look::WordAscii => 4,
        Look::WordAsciiNegate => 5,
        other => return Err(format!("{other:?} is not known to the catalogue's expressions")),
    })
}

/// The bytes that a match can begin with, and whether it can be empty.
fn first(nfa: &NFA, start: StateID) -> ([bool; 256], bool) {
    let (mut bytes, mut empty) = ([false; 256], false);
    let (mut seen, mut open) = (vec![false; nfa.states().len()], vec![start]);
    while let Some(at) = open.pop() {
        if std::mem::replace(&mut seen[at.as_usize()], true) {
            continue;
        }
        let mut add = |start: u8, end: u8| bytes[usize::from(start)..=usize::from(end)].fill(true);
        match nfa.state(at) {
            State::ByteRange { trans } => add(trans.start, trans.end),
            State::Sparse(sparse) => sparse.transitions.iter().for_each(|t| add(t.start, t.end)),
            State::Look { next, .. } | State::Capture { next, .. } => open.push(*next),
            State::Union { alternates } => open.extend(alternates.iter()),
            State::BinaryUnion { alt1, alt2 } => open.extend([*alt1, *alt2]),
            State::Match { .. } | State::Dense(_) => empty = true,
            State::Fail => {}
        }
    }
    (bytes, empty)
}
