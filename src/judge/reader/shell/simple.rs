//! Simple commands: their words, what is set for them alone, and what their files are.

use tree_sitter::Node;

use super::fetched;
use super::output;
use super::walk::{Io, Walk};
use crate::judge::command::{Command, file_name};

impl Walk<'_, '_, '_> {
    /// A simple command: its words, what is set for it alone, its redirections.
    pub(super) fn command(&mut self, node: Node<'_>, io: &Io) -> Option<Vec<u8>> {
        let mut io = io.clone();
        let (mut sets, mut values, mut words) = (Vec::new(), Vec::new(), Vec::new());
        let (mut targets, mut after) = (Vec::new(), Vec::new());
        let from = self.state.from.clone();
        let mut cursor = node.walk();
        let children: Vec<Node<'_>> = node.children(&mut cursor).collect();
        let mut skip = 0;
        for (at, child) in children.iter().enumerate() {
            let child = *child;
            // `rm$IFS-rf` is one word to a shell, and several to the grammar.
            let together = children.get(at..).unwrap_or_default().windows(2).take_while(|two| {
                matches!(two, [one, next] if one.end_byte() == next.start_byte() && next.kind() == "word")
            }).count();
            if at < skip {
                continue;
            }
            if together > 0
                && let Some(last) = children.get(at + together)
                && let Some(fields) = self.plain_fields(self.between(child.start_byte(), last.end_byte()))
            {
                words.extend(fields);
                skip = at + together + 1;
                continue;
            }
            match child.kind() {
                "variable_assignment" => {
                    let name = child.child_by_field_name("name").map(|name| self.raw(name).to_vec());
                    sets.extend(name);
                    let value = child.child_by_field_name("value").map(|value| self.value(value));
                    self.runs_by_itself(sets.last().map_or(&b""[..], Vec::as_slice), value.as_slice());
                    values.push(value.unwrap_or_default());
                }
                "file_redirect" | "herestring_redirect" | "heredoc_redirect" => {
                    self.redirect(child, &mut io, &mut targets, &mut after);
                }
                "subshell" => drop(self.statement(child, &Io::default())),
                // `$` alone, and operators that stand as words.
                _ if !child.is_named() => words.push(self.raw(child).to_vec()),
                _ => words.extend(self.fields(child)),
            }
        }
        let is_fetched =
            words.iter().chain(&self.state.from).any(|word| fetched::is_fetcher(file_name(word)));
        let output = self.words_run(words, sets, &io);
        self.state.from = from;
        let wrote = !targets.is_empty();
        for (path, appends) in targets {
            if is_fetched {
                self.is_fetched(&path);
            }
            if let (Some(path), Some(output)) =
                (self.reader.place.absolute(self.state.cwd.as_deref(), &path), &output)
            {
                self.state.write(path, output, appends);
            }
        }
        // What goes into a file does not go on; a statement around this one writes it where it is its redirection.
        if wrote { Some(Vec::new()) } else { output }
    }

    /// Runs words as this shell would: aliases, functions, its own commands, and programs.
    pub(super) fn words_run(&mut self, words: Vec<Vec<u8>>, sets: Vec<Vec<u8>>, io: &Io) -> Option<Vec<u8>> {
        if !self.reader.step() {
            return None;
        }
        let (name, args) = words.split_first()?;
        if let Some(alias) = self.state.aliases.get(name).cloned()
            && alias.split(|byte| *byte == b' ').next() != Some(name.as_slice())
        {
            let text = [alias.as_slice(), b" ", &quoted(args)].concat();
            return self.text_here(&text);
        }
        if let Some(body) = self.state.functions.get(name).cloned() {
            return self.function_called(&body, args);
        }
        let command = Command {
            name: file_name(name).to_vec(),
            args: args.to_vec(),
            env: sets,
            input: io.input.clone(),
            ..self.state.command()
        };
        if matches!(name.as_slice(), b"source" | b"." | b"exec") {
            self.runs_fetched(name, &command);
        }
        if let Some(output) = self.builtin(name, args, &command, io) {
            return output;
        }
        self.runs_fetched(name, &command);
        self.script_called(name, args, &command);
        self.tee(&command);
        self.fetches(&command);
        self.copied(&command);
        let state = &*self.state;
        let reader = &*self.reader;
        let read = |path: &[u8]| reader.script(path, state);
        let printed = output::of(&command, &read);
        self.reader.simple(command, self.state);
        printed
    }

    /// `./x` and `/tmp/x`, where this text has written that file.
    pub(super) fn script_called(&mut self, name: &[u8], args: &[Vec<u8>], command: &Command) {
        if !name.contains(&b'/') {
            return;
        }
        let Some(path) = self.reader.place.absolute(self.state.cwd.as_deref(), name) else { return };
        let Some(text) = self.state.file(&path) else { return };
        let interpreter = text.strip_prefix(b"#!").and_then(|rest| rest.split(|&byte| byte == b'\n').next());
        let words: Vec<&[u8]> = interpreter.unwrap_or(b"/bin/sh").split(|&byte| byte == b' ').collect();
        let shell = words.iter().rfind(|word| !word.is_empty()).copied().unwrap_or(b"sh");
        let mut run = vec![shell.to_vec(), name.to_vec()];
        run.extend(args.iter().cloned());
        self.reader.words(command, &run, self.state);
    }

    /// What tee writes is known where its input is.
    pub(super) fn tee(&mut self, command: &Command) {
        if command.name != b"tee" {
            return;
        }
        let Some(input) = command.input.clone() else { return };
        for path in command.args.iter().filter(|arg| !arg.starts_with(b"-")) {
            if let Some(path) = self.reader.place.absolute(self.state.cwd.as_deref(), path) {
                self.state.write(path, &input, command.args.iter().any(|arg| arg == b"-a"));
            }
        }
    }

    pub(super) fn function_called(&mut self, body: &[u8], args: &[Vec<u8>]) -> Option<Vec<u8>> {
        let before = std::mem::replace(&mut self.state.parameters, args.to_vec());
        let output = self.text_here(body);
        self.state.parameters = before;
        output
    }

    /// `mv a b` and `cp a b`, where the text itself has written `a`.
    pub(super) fn copied(&mut self, command: &Command) {
        if !matches!(command.name.as_slice(), b"mv" | b"cp" | b"install" | b"ln") {
            return;
        }
        let paths: Vec<&Vec<u8>> = command.args.iter().filter(|arg| !arg.starts_with(b"-")).collect();
        let [from, to] = paths.as_slice() else { return };
        let cwd = self.state.cwd.as_deref();
        let place = self.reader.place;
        let (Some(from), Some(to)) = (place.absolute(cwd, from), place.absolute(cwd, to)) else { return };
        if let Some(text) = self.state.file(&from) {
            self.state.write(to.clone(), &text, false);
        }
        if self.state.is_fetched(&from) {
            self.state.set_fetched(to);
        }
    }
}

/// Words as text that reads back as them.
fn quoted(words: &[Vec<u8>]) -> Vec<u8> {
    let mut text = Vec::new();
    for word in words {
        text.push(b'\'');
        for &byte in word {
            if byte == b'\'' { text.extend_from_slice(b"'\\''") } else { text.push(byte) }
        }
        text.extend_from_slice(b"' ");
    }
    text
}
