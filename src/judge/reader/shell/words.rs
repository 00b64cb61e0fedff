//! Words: quotes, variables, substitutions and braces, to the fields that a command gets.

use tree_sitter::Node;

use super::decode;
use super::expand;
use super::walk::Walk;
use crate::judge::command::UNKNOWN;

/// A word becomes so many fields at most.
const FIELDS: usize = 256;
/// A field's length at most; more does not matter to any rule.
const FIELD_MAX: usize = 16 * 1024;
/// Children of a node that are looked at.
const CHILDREN: usize = 2000;
/// What stands for the unknown while text is parsed: the grammar takes a NUL for the end.
pub(super) const UNKNOWN_IN_TEXT: u8 = 1;

/// The fields of a word while it is put together.
#[derive(Default)]
pub(super) struct Fields {
    done: Vec<Vec<u8>>,
    current: Option<Vec<u8>>,
}

impl Fields {
    fn add(&mut self, text: &[u8]) {
        let current = self.current.get_or_insert_default();
        if current.len() + text.len() <= FIELD_MAX {
            current.extend(text.iter().map(|&byte| if byte == UNKNOWN_IN_TEXT { UNKNOWN } else { byte }));
        }
    }

    /// What came out of an expansion without quotes: it is split.
    fn add_split(&mut self, text: &[u8]) {
        let mut parts = text.split(|byte| matches!(byte, b' ' | b'\t' | b'\n')).peekable();
        let mut is_first = true;
        while let Some(part) = parts.next() {
            if !is_first {
                self.end();
            }
            is_first = false;
            if !part.is_empty() {
                self.add(part);
            }
            if parts.peek().is_none() {
                break;
            }
        }
    }

    fn end(&mut self) {
        if let Some(field) = self.current.take()
            && self.done.len() < FIELDS
        {
            self.done.push(field);
        }
    }

    fn finish(mut self) -> Vec<Vec<u8>> {
        self.end();
        self.done
    }
}

impl Walk<'_, '_, '_> {
    /// The fields of a word.
    pub(super) fn fields(&mut self, node: Node<'_>) -> Vec<Vec<u8>> {
        let raw = self.raw(node);
        if has_braces(raw) {
            let alternatives = expand::braces(raw);
            if alternatives.len() > 1 {
                return self.fields_of_text(&alternatives);
            }
        }
        let mut fields = Fields::default();
        self.part(node, &mut fields);
        fields.finish()
    }

    /// A word as one value, as in an assignment.
    pub(super) fn value(&mut self, node: Node<'_>) -> Vec<u8> {
        let mut fields = Fields::default();
        self.part(node, &mut fields);
        fields.finish().join(&b' ')
    }

    /// Raw words, read anew.
    fn fields_of_text(&mut self, words: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let text = [b": ".as_slice(), &words.join(&b' ')].concat();
        self.reread(&text, |walk, root| {
            let command = root.named_child(0).filter(|node| node.kind() == "command");
            let mut all = Vec::new();
            if let Some(command) = command {
                let mut cursor = command.walk();
                let arguments: Vec<Node<'_>> =
                    command.children_by_field_name("argument", &mut cursor).collect();
                for argument in arguments {
                    let mut fields = Fields::default();
                    walk.part(argument, &mut fields);
                    all.extend(fields.finish());
                }
            }
            all
        })
    }

    fn part(&mut self, node: Node<'_>, fields: &mut Fields) {
        if !self.reader.enter() {
            self.reader.is_unclear(self.text);
            return fields.add(&[UNKNOWN]);
        }
        self.part_of_kind(node, fields);
        self.reader.leave();
    }

    fn part_of_kind(&mut self, node: Node<'_>, fields: &mut Fields) {
        match node.kind() {
            "word"
            | "number"
            | "test_operator"
            | "regex"
            | "extglob_pattern"
            | "variable_name"
            | "brace_expression"
            | "special_variable_name"
            | "command_name"
                if node.named_child_count() == 0 =>
            {
                let plain = self.unquoted(node);
                fields.add(&plain);
            }
            "raw_string" => {
                let raw = self.raw(node);
                let text = raw.strip_prefix(b"'").unwrap_or(raw);
                let text = text.strip_suffix(b"'").unwrap_or(text).to_vec();
                fields.add(&text);
            }
            "ansi_c_string" => {
                let raw = self.raw(node);
                let text = raw.strip_prefix(b"$'").unwrap_or(raw);
                let text = decode::escapes(text.strip_suffix(b"'").unwrap_or(text));
                fields.add(&text);
            }
            "string" => self.quoted(node, fields),
            "translated_string" => self.children(node, fields),
            "concatenation" | "command_name" => self.concatenation(node, fields),
            "simple_expansion" | "expansion" => {
                let values = self.expansion(node);
                self.put(values, false, fields);
            }
            "command_substitution" => {
                let output = self.substitution(node);
                match output {
                    Some(text) => fields.add_split(&text),
                    None => fields.add(&[UNKNOWN]),
                }
            }
            "process_substitution" => {
                let path = self.process_substitution(node);
                fields.add(&path);
            }
            "arithmetic_expansion" => fields.add(b"0"),
            "array" => {
                for child in named(node) {
                    let inner = self.fields(child);
                    for field in inner {
                        fields.end();
                        fields.add(&field);
                    }
                }
            }
            _ if node.named_child_count() > 0 => self.children(node, fields),
            _ => {
                let plain = self.unquoted(node);
                fields.add(&plain);
            }
        }
    }

    fn children(&mut self, node: Node<'_>, fields: &mut Fields) {
        for child in named(node) {
            self.part(child, fields);
        }
    }

    /// Parts that stand together; what lies between them belongs to the word too.
    fn concatenation(&mut self, node: Node<'_>, fields: &mut Fields) {
        if let Some(parts) = expand::plain_parts(self.raw(node)) {
            return self.put_parts(parts, fields);
        }
        let mut at = node.start_byte();
        let mut cursor = node.walk();
        let parts: Vec<Node<'_>> = node.children(&mut cursor).collect();
        for part in parts {
            let gap = unescaped(self.between(at, part.start_byte()));
            if !gap.is_empty() {
                fields.add(&gap);
            }
            self.part(part, fields);
            at = part.end_byte();
        }
    }

    fn put_parts(&mut self, parts: Vec<expand::Part<'_>>, fields: &mut Fields) {
        for part in parts {
            match part {
                expand::Part::Text(text) => fields.add(&unescaped(text)),
                expand::Part::Expansion(raw) => {
                    self.comes_from_variable(raw);
                    let values = expand::expansion_of(self.state, raw);
                    self.put(values, false, fields);
                }
            }
        }
    }

    /// The fields of a word without quotes.
    pub(super) fn plain_fields(&mut self, raw: &[u8]) -> Option<Vec<Vec<u8>>> {
        let parts = expand::plain_parts(raw)?;
        let mut fields = Fields::default();
        self.put_parts(parts, &mut fields);
        Some(fields.finish())
    }

    /// Double quotes: nothing is split, and the text between the parts counts as it stands.
    fn quoted(&mut self, node: Node<'_>, fields: &mut Fields) {
        fields.add(b"");
        let mut at = node.start_byte() + 1;
        for child in named(node) {
            let gap = in_quotes(self.between(at, child.start_byte()));
            fields.add(&gap);
            match child.kind() {
                "string_content" => {
                    let text = in_quotes(self.raw(child));
                    fields.add(&text);
                }
                "command_substitution" => {
                    let output = self.substitution(child);
                    fields.add(&output.unwrap_or_else(|| vec![UNKNOWN]));
                }
                "simple_expansion" | "expansion" => {
                    let values = self.expansion(child);
                    self.put(values, true, fields);
                }
                _ => self.part(child, fields),
            }
            at = child.end_byte();
        }
        let end = node.end_byte().saturating_sub(1).max(at);
        let gap = in_quotes(self.between(at, end));
        fields.add(&gap);
    }

    /// Puts what an expansion gave where it stands. `$@` and arrays give several fields.
    fn put(&mut self, values: Vec<Vec<u8>>, in_quotes: bool, fields: &mut Fields) {
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                fields.end();
            }
            if in_quotes { fields.add(value) } else { fields.add_split(value) }
        }
    }

    fn unquoted(&self, node: Node<'_>) -> Vec<u8> {
        unescaped(self.raw(node))
    }

    /// A substitution's output, without the newlines at its end.
    pub(super) fn substitution(&mut self, node: Node<'_>) -> Option<Vec<u8>> {
        let began = self.reader.reading.commands.len();
        let output = self.substituted(node);
        if output.as_ref().is_none_or(|text| text.contains(&UNKNOWN)) {
            self.comes_from(began);
        }
        output
    }

    fn substituted(&mut self, node: Node<'_>) -> Option<Vec<u8>> {
        let raw = self.raw(node);
        // `$(< file)`, and old backquotes, whose text has its own escapes.
        if let Some(inner) = raw.strip_prefix(b"`").and_then(|rest| rest.strip_suffix(b"`")) {
            let text = unescaped_backquote(inner);
            return self.text_here(&text).map(trimmed);
        }
        let inner = raw.strip_prefix(b"$(").and_then(|rest| rest.strip_suffix(b")")).unwrap_or_default();
        if let Some(file) = inner.trim_ascii_start().strip_prefix(b"<")
            && !file.starts_with(b"<")
            && !file.starts_with(b"(")
        {
            let text = [b"cat ", file].concat();
            return self.text_here(&text).map(trimmed);
        }
        self.apart(|walk| walk.statements(node, &super::walk::Io::default())).map(trimmed)
    }
}

fn trimmed(mut text: Vec<u8>) -> Vec<u8> {
    while text.last() == Some(&b'\n') {
        text.pop();
    }
    text
}

pub(super) fn named(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).take(CHILDREN).collect()
}

fn has_braces(raw: &[u8]) -> bool {
    raw.contains(&b'{') && (raw.contains(&b',') || raw.windows(2).any(|two| two == b".."))
}

/// Outside of quotes, `\` stands before what is meant as it stands; `\` and a newline are nothing.
pub(super) fn unescaped(raw: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => plain.extend(bytes.next().filter(|next| **next != b'\n')),
            byte => plain.push(byte),
        }
    }
    plain
}

/// In double quotes `\` is special before few bytes only.
pub(super) fn in_quotes(raw: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(b'\n') => {}
                Some(next @ (b'$' | b'`' | b'"' | b'\\')) => plain.push(*next),
                Some(next) => plain.extend([b'\\', *next]),
                None => plain.push(b'\\'),
            },
            byte => plain.push(byte),
        }
    }
    plain
}

fn unescaped_backquote(raw: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(next @ (b'$' | b'`' | b'\\')) => plain.push(*next),
                Some(next) => plain.extend([b'\\', *next]),
                None => plain.push(b'\\'),
            },
            byte => plain.push(byte),
        }
    }
    plain
}
