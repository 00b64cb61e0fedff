//! Reads what is about to run: from an argv or from shell text to the simple commands in it, every wrapper taken
//! off. Rules see what comes out; nothing here decides.
//!
//! All input is the workload's. Every step counts against one budget, so that no input is read for long.

mod effects;
mod find;
mod git;
mod interpreter;
mod make;
mod requests;
mod scripts;
mod shell;
mod wrappers;

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use super::command::{Command, UNKNOWN, wild};
use super::place::Place;
use shell::State;

/// Steps that one reading may take: nodes of shell text, commands, unwrappings.
const STEPS: u32 = 6000;
/// Commands that come out at most.
const COMMANDS: usize = 1000;
/// How deep texts may lie in one another.
const DEPTH: u32 = 12;
/// How deep statements and words may lie in one another within a text: the stack is finite.
const NESTING: u32 = 48;
/// The longest text that is read, bytes.
pub(crate) const TEXT_MAX: usize = 64 * 1024;

/// What came out.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) commands: Vec<Command>,
    /// Some shell text could not be parsed, or there was too much of it: what was not seen may be anything.
    pub(crate) unclear: Option<Vec<u8>>,
}

/// A script's content, by its path: the sensor reads it, the judge does no I/O.
pub(crate) type Scripts<'a> = &'a dyn Fn(&[u8]) -> Option<Vec<u8>>;

pub(crate) struct Reader<'a> {
    place: &'a Place,
    scripts: Scripts<'a>,
    steps: u32,
    depth: u32,
    nesting: u32,
    /// What parsing may still take.
    patience: Duration,
    reading: Reading,
}

/// Reads an argv as it is about to run in `cwd`.
pub(crate) fn read_argv(
    place: &Place,
    argv: &[Vec<u8>],
    cwd: Option<&[u8]>,
    scripts: Scripts<'_>,
) -> Reading {
    let mut reader = Reader::new(place, scripts);
    let state = State::new(place, cwd);
    if let Some(command) = state.command().with_words(argv) {
        reader.simple(command, &state);
    }
    reader.reading
}

/// Reads shell text as a shell would that is about to run it in `cwd`.
pub(crate) fn read_text(place: &Place, text: &[u8], cwd: Option<&[u8]>, scripts: Scripts<'_>) -> Reading {
    let mut reader = Reader::new(place, scripts);
    let mut state = State::new(place, cwd);
    reader.text(text, &mut state, None);
    reader.reading
}

impl<'a> Reader<'a> {
    fn new(place: &'a Place, scripts: Scripts<'a>) -> Self {
        let reading = Reading::default();
        Self { place, scripts, steps: 0, depth: 0, nesting: 0, patience: shell::patience(), reading }
    }

    /// Counts a step; false when there were enough.
    fn step(&mut self) -> bool {
        self.steps += 1;
        self.steps <= STEPS && self.reading.commands.len() < COMMANDS
    }

    /// Does something one level deeper, if that is not too deep.
    fn deeper<T: Default>(&mut self, what: impl FnOnce(&mut Self) -> T) -> T {
        if self.depth >= DEPTH || !self.step() {
            return T::default();
        }
        self.depth += 1;
        let done = what(self);
        self.depth -= 1;
        done
    }

    /// Goes one deeper within the same text; false: no deeper, or enough steps were made. [`Reader::leave`] follows.
    fn enter(&mut self) -> bool {
        let may = self.nesting < NESTING && self.step();
        self.nesting += u32::from(may);
        may
    }

    fn leave(&mut self) {
        self.nesting -= 1;
    }

    fn give_out(&mut self, command: Command) {
        if self.step() {
            self.reading.commands.push(command);
        }
    }

    /// A command whose words are known: itself, what it does to files, and what it runs.
    fn simple(&mut self, command: Command, state: &State) {
        if !self.step() {
            return;
        }
        for effect in effects::of(&command).into_iter().chain(requests::of(&command)) {
            self.give_out(effect);
        }
        self.deeper(|reader| {
            wrappers::unwrap(reader, &command, state);
            shells(reader, &command, state);
            find::unwrap(reader, &command, state);
            git::unwrap(reader, &command, state);
            make::unwrap(reader, &command, state);
            scripts::unwrap(reader, &command, state);
        });
        let guesses = guesses(&command);
        if !guesses.is_empty() {
            let few = Command { args: both_ends(&command.args), ..command.clone() };
            for name in guesses {
                self.give_out(Command { name: name.to_vec(), ..few.clone() });
            }
        }
        if let Some(bare) = without_unknown(&command) {
            self.deeper(|reader| reader.simple(bare, state));
        }
        self.give_out(command);
    }

    /// The words of a command in the place of another.
    fn words(&mut self, around: &Command, words: &[Vec<u8>], state: &State) {
        if let Some(inner) = around.with_words(words) {
            self.deeper(|reader| reader.simple(inner, state));
        }
    }

    /// Text that a shell of its own reads: what it sets is gone after it.
    fn text_apart(&mut self, text: &[u8], around: &Command, state: &State) {
        let mut state = state.child(around);
        self.text(text, &mut state, around.input.clone());
    }

    fn text(&mut self, text: &[u8], state: &mut State, input: Option<Rc<[u8]>>) -> Option<Vec<u8>> {
        self.deeper(|reader| shell::run(reader, text, state, input))
    }

    fn is_unclear(&mut self, text: &[u8]) {
        self.reading.unclear.get_or_insert_with(|| text.to_vec());
    }

    /// A script by its path: written by this very text, or read by the sensor.
    fn script(&self, path: &[u8], state: &State) -> Option<Vec<u8>> {
        let path = self.place.absolute(state.cwd.as_deref(), path)?;
        state.file(&path).or_else(|| (self.scripts)(&path))
    }
}

/// Of very many words those at both ends.
fn both_ends(words: &[Vec<u8>]) -> Vec<Vec<u8>> {
    const END: usize = 64;
    let (head, rest) = words.split_at(words.len().min(END));
    head.iter().chain(rest.iter().skip(rest.len().saturating_sub(END))).cloned().collect()
}

/// Where the program is not known, its arguments may tell what it would be bad for it to be.
fn guesses(command: &Command) -> Vec<&'static [u8]> {
    const UNKNOWN_IS: [&[u8]; 5] = [b"rm", b"dd", b"chmod", b"mkfs.ext4", b"shred"];
    const GLOB_IS: [&[u8]; 16] = [
        b"rm",
        b"dd",
        b"chmod",
        b"chown",
        b"cat",
        b"mv",
        b"shred",
        b"sh",
        b"bash",
        b"curl",
        b"wget",
        b"nc",
        b"git",
        b"sudo",
        b"kill",
        b"truncate",
    ];
    let name = command.name.as_slice();
    if name == [UNKNOWN] && !command.args.is_empty() {
        UNKNOWN_IS.to_vec()
    } else if let Some(bare) = name.strip_prefix(b"zf_") {
        // zsh's own, of its module zsh/files.
        GLOB_IS.into_iter().filter(|known| *known == bare).collect()
    } else if name.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[')) {
        let pattern: Vec<u8> = one_for_each_class(name);
        GLOB_IS.into_iter().filter(|known| wild(&pattern, known)).collect()
    } else {
        Vec::new()
    }
}

/// `[a-z]` as `?`.
fn one_for_each_class(pattern: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut bytes = pattern.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte == b'[' {
            bytes.by_ref().find(|byte| *byte == b']');
            plain.push(b'?');
        } else {
            plain.push(byte);
        }
    }
    plain
}

/// `r${nothing}m`: what is not known within a program's name may be nothing, in all its words.
fn without_unknown(command: &Command) -> Option<Command> {
    if command.name.len() < 2 || !command.name.contains(&UNKNOWN) {
        return None;
    }
    let bare = |word: &[u8]| word.iter().copied().filter(|byte| *byte != UNKNOWN).collect::<Vec<u8>>();
    let args = command.args.iter().map(|arg| bare(arg)).collect();
    Some(Command { name: bare(&command.name), args, ..command.clone() })
}

/// Shells: text after `-c`, a script's file, or what comes in.
fn shells(reader: &mut Reader<'_>, command: &Command, state: &State) {
    if !is_shell(&command.name) {
        return;
    }
    let mut args = command.args.iter().peekable();
    let mut has_text = false;
    while let Some(arg) = args.peek() {
        match arg.as_slice() {
            b"--" => {
                args.next();
                break;
            }
            b"-c" | b"--command" => has_text = true,
            // Only its grammar is looked at.
            b"-n" => return,
            b"-o" | b"+o" | b"-O" | b"+O" | b"--rcfile" | b"--init-file" => drop(args.next()),
            [b'-', b'-', ..] => {}
            [b'-' | b'+', letters @ ..] if !letters.is_empty() => {
                has_text |= letters.contains(&b'c');
                if letters.contains(&b's') {
                    break;
                }
            }
            _ => break,
        }
        args.next();
    }
    let rest: Vec<Vec<u8>> = args.cloned().collect();
    match rest.split_first() {
        Some((text, parameters)) if has_text => {
            let mut inner = state.child(command);
            inner.zero = parameters.first().cloned();
            inner.parameters = parameters.get(1..).unwrap_or_default().to_vec();
            reader.text(text, &mut inner, command.input.clone());
        }
        Some((path, parameters)) if !path.starts_with(b"-") => {
            if let Some(text) = reader.script(path, state) {
                let mut inner = state.child(command);
                inner.parameters = parameters.to_vec();
                reader.text(&text, &mut inner, command.input.clone());
            }
        }
        _ => {
            if let Some(text) = command.input.clone() {
                let mut inner = state.child(command);
                let given = rest.iter().skip_while(|word| word.starts_with(b"-"));
                inner.parameters = given.cloned().collect();
                reader.text(&text, &mut inner, None);
            }
        }
    }
}

pub(super) fn is_shell(name: &[u8]) -> bool {
    matches!(
        name.strip_prefix(b"-").unwrap_or(name),
        b"sh"
            | b"bash"
            | b"dash"
            | b"zsh"
            | b"ksh"
            | b"mksh"
            | b"ksh93"
            | b"ash"
            | b"hush"
            | b"fish"
            | b"rbash"
            | b"yash"
            | b"posh"
            | b"oksh"
            | b"loksh"
            | b"bash5"
            | b"rzsh"
    )
}

/// Variables, by name; each has one value or several.
type Variables = HashMap<Vec<u8>, Vec<Vec<u8>>>;

#[cfg(test)]
mod tests;
