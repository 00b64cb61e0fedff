//! Redirections: where a command's input comes from, and which files it writes.

use std::rc::Rc;

use tree_sitter::Node;

use super::fetched;
use super::walk::{Io, Walk};
use super::words::named;
use crate::judge::command::UNKNOWN;

impl Walk<'_, '_, '_> {
    /// A statement with redirections: where its input comes from, and which files it writes.
    pub(super) fn redirected(&mut self, node: Node<'_>, io: &Io) -> Option<Vec<u8>> {
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

    pub(super) fn redirect<'n>(
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
    pub(super) fn heredoc(&mut self, node: Node<'_>) -> Vec<u8> {
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
}
