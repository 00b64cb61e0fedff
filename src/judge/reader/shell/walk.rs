//! Statements, in their order: pipelines, lists, loops, functions, and the simple commands in them.

use std::rc::Rc;

use tree_sitter::Node;

use super::parse;
use super::state::State;
use super::words::{named, unescaped};
use crate::judge::command::{UNKNOWN, file_name};
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

    pub(super) fn pipeline(&mut self, node: Node<'_>, io: &Io) -> Option<Vec<u8>> {
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
    pub(super) fn first_name(&self, node: Node<'_>) -> Vec<u8> {
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
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
