//! Variables: what sets them, and whose values a shell runs.

use tree_sitter::Node;

use super::walk::{VARIABLES, Walk};
use super::words::named;
use crate::judge::command::Command;

impl Walk<'_, '_, '_> {
    pub(super) fn assignment(&mut self, node: Node<'_>) -> Option<Vec<u8>> {
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
    pub(super) fn runs_by_itself(&mut self, name: &[u8], values: &[Vec<u8>]) {
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
    pub(super) fn declaration(&mut self, node: Node<'_>) -> Option<Vec<u8>> {
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
