//! Shell text, read as a shell would read it: words are resolved as far as their values are known, and every simple
//! command comes out. Nothing is run; what a command would print is worked out where it is plain ([`output`]).

mod assign;
mod builtin;
pub(super) mod decode;
mod expand;
mod fetched;
mod output;
mod redirect;
mod simple;
mod state;
mod walk;
mod words;

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::OnceLock;
use std::time::Duration;

use nix::time::ClockId;
use tree_sitter::{ParseOptions, ParseState, Parser, Tree};

pub(super) use state::State;

use super::{Reader, TEXT_MAX};
use crate::judge::command::UNKNOWN;
use words::UNKNOWN_IN_TEXT;

/// Plain text of about 1 KiB takes a quarter of a millisecond to parse; what takes longer than this many of it was made
/// to. All texts of one reading share it.
const PATIENCE: u32 = 20;
/// No machine is taken to be faster, or slower, than this.
const SHORTEST: Duration = Duration::from_millis(4);
const LONGEST: Duration = Duration::from_millis(500);

/// How long the parser may work, by this machine's own speed: a slow one answers as any other.
pub(super) fn patience() -> Duration {
    static MEASURED: OnceLock<Duration> = OnceLock::new();
    *MEASURED.get_or_init(|| {
        let text = "if [ -f \"$x\" ]; then echo \"hello $y\" | grep -q a && cp a b; fi\n".repeat(16);
        let parse_once = || {
            let began = busy_for();
            let mut parser = Parser::new();
            let _ = parser.set_language(&tree_sitter_bash::LANGUAGE.into());
            let _ = parser.parse(&text, None);
            busy_for().saturating_sub(began)
        };
        // The first time all of it is new to the machine.
        parse_once();
        (parse_once() * PATIENCE).clamp(SHORTEST, LONGEST)
    })
}

/// Reads the text; what it would print, if that is known.
pub(super) fn run(
    reader: &mut Reader<'_>,
    text: &[u8],
    state: &mut State,
    input: Option<Rc<[u8]>>,
) -> Option<Vec<u8>> {
    let text = &*joined_lines(text);
    let text: &[u8] =
        &text.iter().map(|&byte| if byte == UNKNOWN { UNKNOWN_IN_TEXT } else { byte }).collect::<Vec<u8>>();
    let Some(tree) = (text.len() <= TEXT_MAX).then(|| parse(reader, text)).flatten() else {
        reader.is_unclear(text);
        return None;
    };
    if tree.root_node().has_error() {
        reader.is_unclear(text);
    }
    let mut walk = walk::Walk::new(reader, text, state);
    walk.statements(tree.root_node(), &walk::Io { input })
}

/// A backslash at a line's end is nothing to a shell, in the middle of a word too. (Within single quotes it is
/// something, but not to the rules.)
fn joined_lines(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.windows(2).any(|two| two == b"\\\n") {
        return Cow::Borrowed(text);
    }
    let mut joined = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.peek()) {
            (b'\\', Some(b'\n')) => drop(bytes.next()),
            (b'\\', Some(_)) => joined.extend([byte, bytes.next().unwrap_or_default()]),
            _ => joined.push(byte),
        }
    }
    Cow::Owned(joined)
}

thread_local! {
    /// Kept, as a parser holds on to what it has allocated. `None`: the grammar does not fit the library, a defect.
    static PARSER: RefCell<Option<Parser>> = RefCell::new({
        let mut parser = Parser::new();
        parser.set_language(&tree_sitter_bash::LANGUAGE.into()).ok().map(|()| parser)
    });
}

/// Each of these is a here-document to the grammar, within the one before: a few thousand take it seconds.
const HERE: [u8; 32] = [b'<'; 32];

fn parse(reader: &mut Reader<'_>, text: &[u8]) -> Option<Tree> {
    if memchr::memmem::find(text, &HERE).is_some() {
        return None;
    }
    PARSER.with_borrow_mut(|parser| {
        let parser = parser.as_mut()?;
        let began = busy_for();
        let mut is_over = |_: &ParseState| {
            if busy_for().saturating_sub(began) < reader.patience {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        let options = ParseOptions::new().progress_callback(&mut is_over);
        let tree =
            parser.parse_with_options(&mut |at, _| text.get(at..).unwrap_or_default(), None, Some(options));
        if tree.is_none() {
            parser.reset();
        }
        reader.patience = reader.patience.saturating_sub(busy_for().saturating_sub(began));
        tree
    })
}

/// How long this thread has been at work: a busy machine changes no answer.
fn busy_for() -> Duration {
    ClockId::CLOCK_THREAD_CPUTIME_ID.now().map_or(Duration::ZERO, Duration::from)
}

#[cfg(test)]
mod tests;
