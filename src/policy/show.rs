//! The policy in force, as a file that says where each line comes from. Read again, it is the same policy.

use std::fmt::Write;

use super::keys::KEYS;
use super::kind::Kind;
use super::node::{Node, Value};
use super::settings::Settings;

impl Settings {
    /// As TOML, each line with its origin as a comment.
    pub(crate) fn shown(&self) -> String {
        let mut text = "version = 1\n".to_owned();
        let mut section = "";
        for row in KEYS {
            let Some((in_section, key)) = row.name.split_once('.') else { continue };
            let lines = match row.kind {
                Kind::Variables | Kind::Verdicts(_) => self.entry_lines(row.name, key),
                Kind::Rules | Kind::Whatever => continue,
                _ => match self.get(row.name) {
                    Some(node) => vec![(format!("{key} = {}", literal(node)), self.origin(row.name))],
                    None => continue,
                },
            };
            if in_section != section && !lines.is_empty() {
                section = in_section;
                push(&mut text, &format!("\n[{section}]\n"));
            }
            for (line, origin) in lines {
                push(&mut text, &format!("{line:<48} # {origin}\n"));
            }
        }
        for (rule, origin) in self.rule_origins() {
            push(&mut text, &format!("\n[[commands.rule]]{:32} # {origin}\n", ""));
            if let Value::Table(entries) = &rule.value {
                for (key, node) in entries {
                    push(&mut text, &format!("{} = {}\n", key.name, literal(node)));
                }
            }
        }
        text
    }

    fn entry_lines(&self, row: &str, key: &str) -> Vec<(String, String)> {
        let prefix = format!("{row}.");
        let line = |(name, node): (&str, &Node)| {
            (format!("{key}.{} = {}", quoted(name), literal(node)), self.origin(&format!("{prefix}{name}")))
        };
        self.entries(&prefix).map(line).collect()
    }
}

fn push(text: &mut String, more: &str) {
    // Writing to a string can't fail.
    let _ = text.write_str(more);
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A value as TOML.
fn literal(node: &Node) -> String {
    match &node.value {
        Value::Text(text) | Value::Time(text) => quoted(text),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => toml::Value::Float(*number).to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::List(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Table(entries) => {
            let entries =
                entries.iter().map(|(key, node)| format!("{} = {}", quoted(&key.name), literal(node)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}
