//! Layers laid over each other: what is in force, key by key, and which text said it.

use std::collections::BTreeMap;

use super::diagnostic::{Diagnostic, visible};
use super::keys::{self, KEYS, KeyRow, RULE_KEYS, State};
use super::kind::Kind;
use super::node::{Key, Node, Value};
use super::source::{Source, SourceName};

/// A value that is in force.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) node: Node,
    /// Which of the sources said it.
    source: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Settings {
    sources: Vec<Source>,
    /// By dotted key; variables are keys of their own (`sandbox.env.EDITOR`).
    values: BTreeMap<String, Setting>,
    /// In the order in which they are tried.
    rules: Vec<Setting>,
}

/// The prefix of variables among the values.
pub(super) const ENV: &str = "sandbox.env.";

impl Settings {
    /// Lays a text over what there is. What is wrong with it is returned; the rest counts.
    pub(super) fn lay(&mut self, source: Source, root: &Node) -> Vec<Diagnostic> {
        let number = self.sources.len();
        let mut layer =
            Layer { source: &source, number, values: Vec::new(), rules: Vec::new(), faults: Vec::new() };
        layer.section("", root);
        let Layer { values, rules, mut faults, .. } = layer;
        faults.sort_by_key(|fault| fault.at);
        self.values.extend(values);
        // The outer layer's rules are tried first; one of the same name takes the place of an inner one.
        let name = |rule: &Setting| rule.node.get("id").and_then(Node::text).map(str::to_owned);
        let fresh: Vec<_> = rules.iter().map(name).collect();
        self.rules.retain(|rule| !fresh.contains(&name(rule)));
        self.rules.splice(0..0, rules);
        self.sources.push(source);
        faults
    }

    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.values.get(key).map(|setting| &setting.node)
    }

    pub(super) fn rules(&self) -> impl Iterator<Item = &Node> {
        self.rules.iter().map(|setting| &setting.node)
    }

    /// The variables that are set.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.entries(ENV)
    }

    /// The entries of a table whose keys are names: those that begin with `prefix`, which ends with a dot.
    pub(super) fn entries(&self, prefix: &str) -> impl Iterator<Item = (&str, &Node)> {
        let names = self.values.range(prefix.to_owned()..);
        names.map_while(move |(key, setting)| Some((key.strip_prefix(prefix)?, &setting.node)))
    }

    /// Which text said it.
    pub(super) fn source_of(&self, key: &str) -> Option<&Source> {
        self.values.get(key).and_then(|setting| self.sources.get(setting.source))
    }

    /// Where it was said, for a person: `creel.toml:4`, `preset codex`, `--memory`.
    pub(super) fn origin(&self, key: &str) -> String {
        self.values.get(key).map_or_else(String::new, |setting| self.place(setting))
    }

    pub(super) fn rule_origins(&self) -> impl Iterator<Item = (&Node, String)> {
        self.rules.iter().map(|rule| (&rule.node, self.place(rule)))
    }

    fn place(&self, setting: &Setting) -> String {
        let Some(source) = self.sources.get(setting.source) else { return String::new() };
        match source.name {
            SourceName::File { .. } => {
                let before = source.text.get(..setting.node.span.start).unwrap_or_default();
                format!("{}:{}", source.name, before.matches('\n').count() + 1)
            }
            _ => source.name.to_string(),
        }
    }

    /// The texts that count, the innermost first.
    pub(super) fn sources(&self) -> &[Source] {
        &self.sources
    }
}

/// One text on its way in.
struct Layer<'a> {
    source: &'a Source,
    number: usize,
    values: Vec<(String, Setting)>,
    rules: Vec<Setting>,
    faults: Vec<Diagnostic>,
}

impl Layer<'_> {
    fn section(&mut self, prefix: &str, table: &Node) {
        let Value::Table(entries) = &table.value else { return };
        for (key, node) in entries {
            let name = if prefix.is_empty() { key.name.clone() } else { format!("{prefix}.{}", key.name) };
            if let Some(row) = keys::row(&name) {
                self.value(row, node);
            } else if !keys::is_section(&name) {
                self.unknown(key, &name, KEYS, "a policy");
            } else if matches!(node.value, Value::Table(_)) {
                self.section(&name, node);
            } else {
                let message = format!("{} is a table: write [{0}], and its keys below", visible(&name));
                self.fault(node, message);
            }
        }
    }

    fn value(&mut self, row: &KeyRow, node: &Node) {
        if !self.is_built(row, row.name, node) {
            return;
        }
        let faults = row.kind.faults(row.name, node);
        if !faults.is_empty() {
            for fault in faults {
                self.fault(fault.node, fault.message);
            }
            return;
        }
        match (row.kind, &node.value) {
            (Kind::Variables, Value::Table(entries)) => {
                for (name, value) in entries {
                    self.values.push((format!("{ENV}{}", name.name), self.setting(value)));
                }
            }
            (Kind::Verdicts(_), Value::Table(entries)) => {
                for (name, value) in entries {
                    self.values.push((format!("{}.{}", row.name, name.name), self.setting(value)));
                }
            }
            (Kind::Rules, Value::List(rules)) => self.rules(rules),
            (Kind::Whatever, _) => {}
            _ => self.values.push((row.name.to_owned(), self.setting(node))),
        }
    }

    fn setting(&self, node: &Node) -> Setting {
        Setting { node: node.clone(), source: self.number }
    }

    /// Whether creel can keep what the value asks for; a value that asks for what is the case anyway, it can.
    fn is_built(&mut self, row: &KeyRow, name: &str, node: &Node) -> bool {
        let (part, instead) = match row.state {
            State::Built => return true,
            State::Later(only, _) if !only.is_empty() && same_value(only, node) => return true,
            State::Later("", part) => (part, "leave it out until then".to_owned()),
            State::Later(only, part) => (part, format!("leave it out until then; only {only} is taken")),
            State::Partly(words, _) if node.text().is_none_or(|text| !words.contains(&text)) => return true,
            State::Partly(_, part) => (part, "use another value until then".to_owned()),
        };
        let message = format!("{name} needs {part}, which is not built yet in this version of creel");
        let fault = Diagnostic::new(self.source, node.span.clone(), message).help(instead);
        self.faults.push(fault);
        false
    }

    fn rules(&mut self, rules: &[Node]) {
        let mut names: Vec<&str> = Vec::new();
        for rule in rules {
            let before = self.faults.len();
            self.rule(rule);
            if let Some((node, name)) = rule.get("id").and_then(|node| Some((node, node.text()?))) {
                if names.contains(&name) {
                    self.fault(node, format!("there are two rules named “{}”", visible(name)));
                }
                names.push(name);
            }
            if self.faults.len() == before {
                let setting = self.setting(rule);
                self.rules.push(setting);
            }
        }
    }

    fn rule(&mut self, rule: &Node) {
        let Value::Table(entries) = &rule.value else { return };
        for (key, node) in entries {
            let Some(row) = RULE_KEYS.iter().find(|row| row.name == key.name) else {
                self.unknown(key, &key.name, RULE_KEYS, "a rule");
                continue;
            };
            if self.is_built(row, &format!("the rule's {}", row.name), node) {
                for fault in row.kind.faults(row.name, node) {
                    self.fault(fault.node, fault.message);
                }
            }
        }
        for needed in ["id", "program", "verdict"] {
            if rule.get(needed).is_none() {
                let fault =
                    Diagnostic::new(self.source, rule.span.clone(), format!("this rule has no {needed}"));
                self.faults.push(fault.help("a rule has an id, a program and a verdict"));
            }
        }
    }

    fn unknown(&mut self, key: &Key, name: &str, rows: &'static [KeyRow], of: &str) {
        let message = format!("{of} has no key {}", visible(name));
        let fault = Diagnostic::new(self.source, key.span.clone(), message);
        let sections = rows.iter().filter_map(|row| row.name.split_once('.')).map(|(section, _)| section);
        let fault = match keys::nearest(name, rows.iter().map(|row| row.name).chain(sections)) {
            Some(near) => fault.help(format!("the nearest that it has is {near}")),
            None => fault.help("`creel policy schema` lists all keys"),
        };
        self.faults.push(fault);
    }

    fn fault(&mut self, node: &Node, message: String) {
        self.faults.push(Diagnostic::new(self.source, node.span.clone(), message));
    }
}

/// Whether a value is the one that a row takes.
fn same_value(only: &str, node: &Node) -> bool {
    let source = Source { name: SourceName::BuiltIn, text: format!("only = {only}") };
    let only = Node::parse(&source).ok();
    only.as_ref().and_then(|root| root.get("only")).is_some_and(|only| only.value == node.value)
}
