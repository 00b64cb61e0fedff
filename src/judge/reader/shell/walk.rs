//! Statements, in their order: pipelines, lists, loops, functions, and the simple commands in them.

use std::rc::Rc;

use tree_sitter::Node;

use super::state::State;
use super::words::{named, unescaped};
use super::{fetched, output, parse};
use crate::judge::command::{Command, UNKNOWN, file_name};
use crate::judge::reader::Reader;

/// Variables that are kept in mind.
pub(super) const VARIABLES: usize = 512;
/// Values of a loop that are gone through.
const TURNS: usize = 8;
/// Programs that are remembered as where words come from.
const FROM: usize = 64;

/// What a statement's standard input is.
#[derive(Clone, Default)]
pub(super) struct Io {
    pub(super) input: Option<Rc<[u8]>>,
}

pub(super) struct Walk<'r, 'p, 's> {
    pub(super) reader: &'r mut Reader<'p>,
    pub(super) text: &'s [u8],
    pub(super) state: &'r mut State,
}

impl<'r, 'p, 's> Walk<'r, 'p, 's> {
    pub(super) fn new(reader: &'r mut Reader<'p>, text: &'s [u8], state: &'r mut State) -> Self {
        Self { reader, text, state }
    }

    pub(super) fn raw(&self, node: Node<'_>) -> &'s [u8] {
        self.between(node.start_byte(), node.end_byte())
    }

    pub(super) fn between(&self, from: usize, to: usize) -> &'s [u8] {
        self.text.get(from..to).unwrap_or_default()
    }

    /// Other text, read with the same state.
    pub(super) fn reread<T: Default>(
        &mut self,
        text: &[u8],
        read: impl FnOnce(&mut Walk<'_, '_, '_>, Node<'_>) -> T,
    ) -> T {
        let Some(tree) = parse(self.reader, text) else {
            self.reader.is_unclear(text);
            return T::default();
        };
        let state = &mut *self.state;
        self.reader.deeper(|reader| {
            let mut walk = Walk { reader, text, state };
            read(&mut walk, tree.root_node())
        })
    }

    /// Text that this very shell reads: eval, a sourced file, a function's body.
    pub(super) fn text_here(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        let state = &mut *self.state;
        self.reader.deeper(|reader| super::run(reader, text, state, None))
    }

    /// Something in a subshell: what it sets is gone after it.
    pub(super) fn apart<T>(&mut self, what: impl FnOnce(&mut Walk<'_, '_, '_>) -> T) -> T {
        let mut state = self.state.clone();
        what(&mut Walk { reader: self.reader, text: self.text, state: &mut state })
    }

    /// The statements in a node, one after the other; their output together, if all of it is known.
    pub(super) fn statements(&mut self, node: Node<'_>, io: &Io) -> Option<Vec<u8>> {
        let mut all = Some(Vec::new());
        for child in named(node) {
            let output = self.statement(child, io);
            all = match (all, output) {
                (Some(mut all), Some(output)) => {
                    all.extend(output);
                    Some(all)
                }
                _ => None,
            };
        }
        all
    }

    /// Commands that stand somewhere within a word or an expression.
    pub(super) fn commands_within(&mut self, node: Node<'_>) {
        if !self.reader.enter() {
            return self.reader.is_unclear(self.text);
        }
        match node.kind() {
            "command_substitution" => drop(self.substitution(node)),
            "process_substitution" => drop(self.process_substitution(node)),
            "expansion" => drop(self.expansion(node)),
            _ => named(node).into_iter().for_each(|child| self.commands_within(child)),
        }
        self.reader.leave();
    }

    pub(super) fn statement(&mut self, node: Node<'_>, io: &Io) -> Option<Vec<u8>> {
        if !self.reader.enter() {
            self.reader.is_unclear(self.text);
            return None;
        }
        let from = self.state.from.len();
        let output = self.statement_of_kind(node, io);
        // What its words were substituted from is about this statement alone.
        self.state.from.truncate(from);
        self.reader.leave();
        output
    }

    fn statement_of_kind(&mut self, node: Node<'_>, io: &Io) -> Option<Vec<u8>> {
        match node.kind() {
            "comment" => Some(Vec::new()),
            "command" => self.command(node, io),
            "pipeline" => self.pipeline(node, io),
            "redirected_statement" => self.redirected(node, io),
            "ERROR" => self.broken(node, io),
            "list" | "program" | "compound_statement" | "do_group" | "else_clause" | "elif_clause"
            | "if_statement" | "case_item" | "negated_command" => self.statements(node, io),
            "subshell" => self.apart(|walk| walk.statements(node, io)),
            "while_statement" => {
                // What is read into variables in its condition is not known.
                self.statements(node, io);
                None
            }
            "for_statement" => self.for_loop(node, io),
            "c_style_for_statement" => {
                if let Some(body) = node.child_by_field_name("body") {
                    self.statements(body, io);
                }
                None
            }
            "case_statement" => {
                named(node).into_iter().filter(|child| child.kind() == "case_item").for_each(|item| {
                    self.statements(item, io);
                });
                None
            }
            "function_definition" => self.function(node),
            "variable_assignment" => self.assignment(node),
            "variable_assignments" => self.statements(node, io),
            "declaration_command" => self.declaration(node),
            "unset_command" => self.builtin_words(node, b"unset"),
            "test_command" => {
                self.commands_within(node);
                Some(Vec::new())
            }
            _ => {
                self.commands_within(node);
                None
            }
        }
    }

    /// What the grammar does not take. Shells do take a command that is all braces: `{rm,-rf,/x}`.
    fn broken(&mut self, node: Node<'_>, io: &Io) -> Option<Vec<u8>> {
        let raw = self.raw(node);
        let end = raw.iter().position(u8::is_ascii_whitespace).unwrap_or(raw.len());
        let (first, rest) = raw.split_at(end);
        let words = super::expand::braces(first);
        if first.starts_with(b"{") && words.len() > 1 {
            return self.text_here(&[words.join(&b' ').as_slice(), rest].concat());
        }
        self.statements(node, io)
    }

    fn pipeline(&mut self, node: Node<'_>, io: &Io) -> Option<Vec<u8>> {
        let stages: Vec<Node<'_>> =
            named(node).into_iter().filter(|child| child.kind() != "comment").collect();
        let names: Vec<Vec<u8>> = stages.iter().map(|stage| self.first_name(*stage)).collect();
        let (from, to) = (self.state.from.clone(), self.state.to.clone());
        let mut input = io.input.clone();
        let mut upstream = from.clone();
        let mut last = None;
        for (at, stage) in stages.iter().enumerate() {
            let began = self.reader.reading.commands.len();
            self.state.from.clone_from(&upstream);
            self.state.to = names.get(at + 1..).unwrap_or_default().iter().chain(&to).cloned().collect();
            last = self.statement(*stage, &Io { input: input.clone() });
            input = last.clone().map(Rc::from);
            let seen = self.reader.reading.commands.get(began..).unwrap_or_default();
            upstream.extend(
                seen.iter()
                    .map(|command| command.name.clone())
                    .filter(|name| !matches!(name.as_slice(), b">" | b"<")),
            );
            upstream.truncate(64);
        }
        self.state.from = from;
        self.state.to = to;
        last
    }

    /// The program that a stage begins with, as it is written.
    fn first_name(&self, node: Node<'_>) -> Vec<u8> {
        let mut node = node;
        for _ in 0..8 {
            if node.kind() == "command" {
                let name = node.child_by_field_name("name");
                return name.map(|name| file_name(&unescaped(self.raw(name))).to_vec()).unwrap_or_default();
            }
            match node.named_child(0) {
                Some(child) => node = child,
                None => break,
            }
        }
        Vec::new()
    }

    /// A statement with redirections: where its input comes from, and which files it writes.
    fn redirected(&mut self, node: Node<'_>, io: &Io) -> Option<Vec<u8>> {
        let mut cursor = node.walk();
        let redirects: Vec<Node<'_>> = node.children_by_field_name("redirect", &mut cursor).collect();
        let mut inner = io.clone();
        let mut targets = Vec::new();
        let mut after = Vec::new();
        for redirect in redirects {
            self.redirect(redirect, &mut inner, &mut targets, &mut after);
        }
        // `cat <<EOF | sh`: the pipeline hangs on the here-document.
        let piped = after.iter().any(|node| node.kind() == "pipeline");
        let (from, to) = (self.state.from.clone(), self.state.to.clone());
        if piped {
            let names: Vec<Vec<u8>> =
                after.iter().flat_map(|node| named(*node)).map(|stage| self.first_name(stage)).collect();
            self.state.to.splice(0..0, names);
        }
        let began = self.reader.reading.commands.len();
        let output = match node.child_by_field_name("body") {
            Some(body) => self.statement(body, &inner),
            None => Some(Vec::new()),
        };
        self.state.to.clone_from(&to);
        let seen = self.reader.reading.commands.get(began..).unwrap_or_default();
        let is_fetched = seen.iter().any(|command| fetched::is_fetcher(&command.name));
        for (path, appends) in &targets {
            if is_fetched {
                self.is_fetched(path);
            }
            if let (Some(path), Some(output)) =
                (self.reader.place.absolute(self.state.cwd.as_deref(), path), &output)
            {
                self.state.write(path, output, *appends);
            }
        }
        let mut last = if targets.is_empty() { output } else { Some(Vec::new()) };
        for node in after {
            if node.kind() == "pipeline" {
                let seen = self.reader.reading.commands.get(began..).unwrap_or_default();
                let upstream: Vec<Vec<u8>> = seen.iter().map(|command| command.name.clone()).collect();
                self.state.from.extend(upstream);
                let input = last.clone().map(Rc::from);
                last = self.pipeline(node, &Io { input });
                self.state.from.clone_from(&from);
            } else {
                last = self.statement(node, io);
            }
        }
        last
    }

    fn redirect<'n>(
        &mut self,
        node: Node<'n>,
        io: &mut Io,
        targets: &mut Vec<(Vec<u8>, bool)>,
        after: &mut Vec<Node<'n>>,
    ) {
        match node.kind() {
            "file_redirect" => {
                let raw = self.raw(node);
                let sign: Vec<u8> =
                    raw.iter().copied().skip_while(|byte| byte.is_ascii_digit()).take(3).collect();
                let Some(destination) = node.child_by_field_name("destination") else { return };
                if destination.kind() == "process_substitution" {
                    let path = self.process_substitution(destination);
                    if sign.starts_with(b"<") {
                        io.input = self.state.file(&path).map(Rc::from);
                        self.state.from.push(b"<(".to_vec());
                    }
                    return;
                }
                let path = self.value(destination);
                // `2>&1`
                if sign.starts_with(b">&") && (path == b"-" || path.iter().all(u8::is_ascii_digit))
                    || sign.starts_with(b"<&")
                {
                    return;
                }
                let command = self.state.command();
                let is_read = sign.starts_with(b"<") && !sign.starts_with(b"<>");
                self.reader.give_out(command.pseudo(if is_read { "<" } else { ">" }, vec![path.clone()]));
                if is_read {
                    io.input = self.reader.script(&path, self.state).map(Rc::from);
                } else if !raw.starts_with(b"2") {
                    targets.push((path, sign.starts_with(b">>") || sign.starts_with(b"&>>")));
                }
            }
            "herestring_redirect" => {
                let text = named(node).into_iter().map(|word| self.value(word)).collect::<Vec<_>>().concat();
                io.input = Some(Rc::from([text.as_slice(), b"\n"].concat()));
            }
            "heredoc_redirect" => {
                let is_literal =
                    named(node).iter().find(|child| child.kind() == "heredoc_start").is_some_and(|start| {
                        self.raw(*start).iter().any(|byte| matches!(byte, b'\'' | b'"' | b'\\'))
                    });
                let mut body = Vec::new();
                for child in named(node) {
                    match child.kind() {
                        "heredoc_body" if is_literal => body = self.raw(child).to_vec(),
                        "heredoc_body" => body = self.heredoc(child),
                        "heredoc_start" | "heredoc_end" | "file_descriptor" => {}
                        "file_redirect" | "herestring_redirect" | "heredoc_redirect" => {
                            let mut own = Io::default();
                            self.redirect(child, &mut own, targets, after);
                        }
                        "word" | "string" | "raw_string" | "concatenation" => {}
                        _ => after.push(child),
                    }
                }
                io.input = Some(Rc::from(body));
            }
            _ => self.commands_within(node),
        }
    }

    /// A here-document's text, with what is expanded in it.
    fn heredoc(&mut self, node: Node<'_>) -> Vec<u8> {
        let mut text = Vec::new();
        let mut at = node.start_byte();
        for child in named(node) {
            text.extend(super::words::in_quotes(self.between(at, child.start_byte())));
            match child.kind() {
                "heredoc_content" => text.extend(super::words::in_quotes(self.raw(child))),
                "command_substitution" => {
                    text.extend(self.substitution(child).unwrap_or_else(|| vec![UNKNOWN]));
                }
                _ => text.extend(self.expansion(child).concat()),
            }
            at = child.end_byte();
        }
        text.extend(super::words::in_quotes(self.between(at, node.end_byte())));
        text
    }

    /// `<(…)`: a path that stands for what it prints.
    pub(super) fn process_substitution(&mut self, node: Node<'_>) -> Vec<u8> {
        let path = format!("/dev/fd/substitution-{}", node.start_byte()).into_bytes();
        let began = self.reader.reading.commands.len();
        let writes = self.raw(node).starts_with(b">");
        let printed = self.apart(|walk| walk.statements(node, &Io::default()));
        if let Some(text) = printed.filter(|_| !writes) {
            self.state.write(path.clone(), &text, false);
        }
        if !writes {
            self.comes_from(began);
        }
        path
    }

    /// What the commands since `began` print is in the words of the command that is being read.
    pub(super) fn comes_from(&mut self, began: usize) {
        let seen = self.reader.reading.commands.get(began..).unwrap_or_default();
        let names: Vec<Vec<u8>> = seen.iter().take(FROM).map(|command| command.name.clone()).collect();
        if self.state.from.len() < FROM {
            self.state.from.extend(names);
        }
    }

    fn for_loop(&mut self, node: Node<'_>, io: &Io) -> Option<Vec<u8>> {
        let name =
            node.child_by_field_name("variable").map(|name| self.raw(name).to_vec()).unwrap_or_default();
        let mut cursor = node.walk();
        let words: Vec<Node<'_>> = node.children_by_field_name("value", &mut cursor).collect();
        let values: Vec<Vec<u8>> = words.into_iter().flat_map(|word| self.fields(word)).collect();
        let values = if values.is_empty() { self.state.parameters.clone() } else { values };
        let body = node.child_by_field_name("body")?;
        let mut all = Some(Vec::new());
        for value in values.into_iter().take(TURNS) {
            self.state.set(&name, value);
            let output = self.statements(body, io);
            all = all.zip(output).map(|(all, output)| [all, output].concat());
        }
        all
    }

    fn function(&mut self, node: Node<'_>) -> Option<Vec<u8>> {
        let name = self.raw(node.child_by_field_name("name")?).to_vec();
        let body = node.child_by_field_name("body")?;
        let text: Rc<[u8]> = Rc::from(self.raw(body));
        // `:(){ :|:& };:`
        let calls_itself = text.split(|byte| !is_name_byte(*byte)).filter(|word| *word == name).count()
            + usize::from(name == b":") * text.windows(2).filter(|two| *two == b":|").count();
        if calls_itself > 0 && text.contains(&b'|') && text.contains(&b'&') {
            let command = self.state.command();
            self.reader.give_out(command.pseudo("fork-bomb", vec![name.clone()]));
        }
        if self.state.functions.len() < 64 {
            self.state.functions.insert(name, text);
        }
        // What it does with parameters that are not known yet; a call is read again with its own.
        self.apart(|walk| {
            walk.state.parameters = vec![vec![UNKNOWN]];
            walk.statement(body, &Io::default());
        });
        Some(Vec::new())
    }

    fn assignment(&mut self, node: Node<'_>) -> Option<Vec<u8>> {
        let name = node.child_by_field_name("name")?;
        let name_text = self.raw(name).split(|&byte| byte == b'[').next().unwrap_or_default().to_vec();
        // `a[$(…)]=1`
        self.commands_within(name);
        let appends = self.between(name.end_byte(), name.end_byte() + 2) == b"+=";
        let from = self.state.from.len();
        let values: Vec<Vec<u8>> = match node.child_by_field_name("value") {
            Some(value) if value.kind() == "array" => {
                named(value).into_iter().flat_map(|word| self.fields(word)).collect()
            }
            Some(value) => vec![self.value(value)],
            None => vec![Vec::new()],
        };
        self.runs_by_itself(&name_text, &values);
        let origin = self.state.from.get(from..).unwrap_or_default().to_vec();
        if !origin.is_empty() && self.state.origins.len() < VARIABLES {
            self.state.origins.insert(name_text.clone(), origin);
        }
        let is_array = node.child_by_field_name("value").is_some_and(|value| value.kind() == "array");
        if self.state.variables.len() >= VARIABLES && !self.state.variables.contains_key(&name_text) {
            return Some(Vec::new());
        }
        let known = self.state.variables.entry(name_text).or_default();
        match (appends, is_array, known.last_mut()) {
            (true, false, Some(last)) => last.extend(values.concat()),
            (true, true, _) => known.extend(values),
            _ => *known = values,
        }
        Some(Vec::new())
    }

    /// Variables whose value a shell runs.
    fn runs_by_itself(&mut self, name: &[u8], values: &[Vec<u8>]) {
        let value = values.concat();
        match name {
            b"PROMPT_COMMAND" => drop(self.text_here(&value)),
            _ if is_run_by_others(name) => drop(self.apart(|walk| walk.text_here(&value))),
            b"PS0" | b"PS1" | b"PS2" | b"PS4"
                if value.windows(2).any(|two| two == b"$(") || value.contains(&b'`') =>
            {
                let text = [b": \"".as_slice(), &value, b"\""].concat();
                self.text_here(&text);
            }
            _ => {}
        }
    }

    /// export, declare, local, readonly, typeset.
    fn declaration(&mut self, node: Node<'_>) -> Option<Vec<u8>> {
        let keyword = node.child(0).map(|word| self.raw(word).to_vec()).unwrap_or_default();
        let mut words = Vec::new();
        for child in named(node) {
            if child.kind() == "variable_assignment" {
                self.assignment(child);
                words.push(self.raw(child).to_vec());
            } else {
                words.extend(self.fields(child));
            }
        }
        let command = Command { name: keyword, args: words, ..self.state.command() };
        self.reader.give_out(command);
        Some(Vec::new())
    }

    fn builtin_words(&mut self, node: Node<'_>, name: &[u8]) -> Option<Vec<u8>> {
        let words = named(node).into_iter().flat_map(|word| self.fields(word)).collect();
        let command = Command { name: name.to_vec(), args: words, ..self.state.command() };
        self.reader.give_out(command);
        Some(Vec::new())
    }

    /// A simple command: its words, what is set for it alone, its redirections.
    fn command(&mut self, node: Node<'_>, io: &Io) -> Option<Vec<u8>> {
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
    fn script_called(&mut self, name: &[u8], args: &[Vec<u8>], command: &Command) {
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
    fn tee(&mut self, command: &Command) {
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

    fn function_called(&mut self, body: &[u8], args: &[Vec<u8>]) -> Option<Vec<u8>> {
        let before = std::mem::replace(&mut self.state.parameters, args.to_vec());
        let output = self.text_here(body);
        self.state.parameters = before;
        output
    }

    /// The shell's own commands that change what follows. `None`: it is none of these.
    #[expect(
        clippy::option_option,
        reason = "the outer one says whether it was ours, the inner whether its output is known"
    )]
    fn builtin(
        &mut self,
        name: &[u8],
        args: &[Vec<u8>],
        command: &Command,
        io: &Io,
    ) -> Option<Option<Vec<u8>>> {
        match name {
            b"cd" | b"pushd" => {
                self.reader.give_out(command.clone());
                let target = args.iter().find(|arg| !matches!(arg.as_slice(), b"-P" | b"-L" | b"--" | b"-e"));
                let target = target.map_or(&b"~"[..], Vec::as_slice);
                self.state.cwd = self
                    .reader
                    .place
                    .absolute(self.state.cwd.as_deref(), target)
                    .filter(|path| !path.contains(&UNKNOWN))
                    .map(Rc::from);
                if target.first() == Some(&UNKNOWN) || target == b"-" {
                    self.state.cwd = None;
                }
                Some(Some(Vec::new()))
            }
            b"eval" => {
                let args = args.strip_prefix(&[b"--".to_vec()]).unwrap_or(args);
                let text = args.join(&b' ');
                self.reader.give_out(command.clone());
                Some(if text == [UNKNOWN] { None } else { self.text_here(&text) })
            }
            b"source" | b"." => {
                self.reader.give_out(command.clone());
                let from_input = |path: &Vec<u8>| {
                    matches!(path.as_slice(), b"/dev/stdin" | b"/dev/fd/0" | b"/proc/self/fd/0" | b"-")
                };
                let text = match args.first() {
                    Some(path) if from_input(path) => io.input.as_deref().map(<[u8]>::to_vec),
                    path => path.and_then(|path| self.reader.script(path, self.state)),
                };
                Some(text.and_then(|text| self.text_here(&text)))
            }
            b"command" | b"builtin" | b"exec" | b"nohup" | b"time" | b"noglob" | b"nocorrect" | b"coproc"
            | b"!"
                if !args.first().is_some_and(|arg| arg == b"-v" || arg == b"-V") =>
            {
                self.reader.give_out(command.clone());
                let skip = match args {
                    [option, ..] if option == b"-a" => 2,
                    args => args.iter().take_while(|arg| arg.starts_with(b"-")).count(),
                };
                let mut rest = args.get(skip..).unwrap_or_default().to_vec();
                // The grammar knows no `coproc NAME { …; }`.
                if name == b"coproc"
                    && let Some(at) = rest.iter().take(2).position(|word| word == b"{")
                {
                    rest.drain(..=at);
                }
                Some(self.words_run(rest, command.env.clone(), io))
            }
            b"alias" => {
                self.reader.give_out(command.clone());
                for arg in args {
                    if let Some(at) = arg.iter().position(|&byte| byte == b'=')
                        && self.state.aliases.len() < 64
                    {
                        let (name, value) = arg.split_at(at);
                        self.state.aliases.insert(name.to_vec(), value.get(1..).unwrap_or_default().to_vec());
                    }
                }
                Some(Some(Vec::new()))
            }
            b"trap" => {
                self.reader.give_out(command.clone());
                if let Some(text) = args.iter().find(|arg| !arg.starts_with(b"-")) {
                    self.apart(|walk| walk.text_here(text));
                }
                Some(Some(Vec::new()))
            }
            b"set" => {
                self.reader.give_out(command.clone());
                if let Some(at) = args.iter().position(|arg| arg == b"--") {
                    self.state.parameters = args.get(at + 1..).unwrap_or_default().to_vec();
                }
                Some(Some(Vec::new()))
            }
            b"shift" => {
                if !self.state.parameters.is_empty() {
                    self.state.parameters.remove(0);
                }
                Some(Some(Vec::new()))
            }
            b"read" | b"readarray" | b"mapfile" => {
                self.reader.give_out(command.clone());
                let line = io
                    .input
                    .as_deref()
                    .map(|input| input.split(|&byte| byte == b'\n').next().unwrap_or_default().to_vec());
                let names: Vec<Vec<u8>> = args.iter().filter(|arg| !arg.starts_with(b"-")).cloned().collect();
                if name != b"read"
                    && let (Some(array), Some(input)) = (names.first(), &io.input)
                {
                    let lines = input.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
                    let lines: Vec<Vec<u8>> = lines.take(64).map(<[u8]>::to_vec).collect();
                    self.state.variables.insert(array.clone(), lines);
                    return Some(Some(Vec::new()));
                }
                let mut words = line
                    .as_deref()
                    .unwrap_or(&[UNKNOWN])
                    .splitn(names.len().max(1), |byte| byte.is_ascii_whitespace())
                    .map(<[u8]>::to_vec)
                    .collect::<Vec<_>>()
                    .into_iter();
                for name in names {
                    self.state.set(&name, words.next().unwrap_or_default());
                }
                Some(Some(Vec::new()))
            }
            b"printf" if args.first().is_some_and(|arg| arg == b"-v") => {
                let rest = Command { args: args.get(2..).unwrap_or_default().to_vec(), ..command.clone() };
                let text = output::of(&rest, &|_| None).unwrap_or_else(|| vec![UNKNOWN]);
                if let Some(name) = args.get(1) {
                    self.state.set(name, text);
                }
                Some(Some(Vec::new()))
            }
            _ => None,
        }
    }

    /// `mv a b` and `cp a b`, where the text itself has written `a`.
    fn copied(&mut self, command: &Command) {
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

/// Variables whose value another program hands to a shell.
fn is_run_by_others(name: &[u8]) -> bool {
    name.ends_with(b"PAGER")
        || name.ends_with(b"EDITOR")
        || name.ends_with(b"ASKPASS")
        || name.starts_with(b"BASH_FUNC_")
        || matches!(
            name,
            b"VISUAL"
                | b"GIT_SSH_COMMAND"
                | b"GIT_SSH"
                | b"GIT_EXTERNAL_DIFF"
                | b"GIT_PROXY_COMMAND"
                | b"LESSOPEN"
                | b"LESSCLOSE"
                | b"BROWSER"
                | b"RSYNC_RSH"
                | b"CVS_RSH"
                | b"MANPAGER"
                | b"BASH_ENV"
                | b"ENV"
        )
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
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
