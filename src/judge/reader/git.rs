//! git's own ways to run something else: aliases and settings given with `-c`.

use super::Reader;
use super::shell::State;
use crate::judge::command::Command;

/// Settings whose value git runs.
const RUN: [&[u8]; 12] = [
    b"core.sshcommand",
    b"core.pager",
    b"core.editor",
    b"sequence.editor",
    b"core.fsmonitor",
    b"core.askpass",
    b"credential.helper",
    b"diff.external",
    b"gpg.program",
    b"core.gitproxy",
    b"uploadpack.packobjectshook",
    b"core.alternaterefscommand",
];

pub(super) fn unwrap(reader: &mut Reader<'_>, command: &Command, state: &State) {
    if command.name != b"git" {
        return;
    }
    let mut rest = command.args.as_slice();
    let mut aliases: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    while let Some((arg, after)) = rest.split_first() {
        if arg == b"-c" || arg == b"--config-env" {
            if let Some(setting) = after.first() {
                setting_of(reader, setting, command, state, &mut aliases);
            }
            rest = after.get(1..).unwrap_or_default();
        } else if matches!(arg.as_slice(), b"-C" | b"--git-dir" | b"--work-tree" | b"--namespace") {
            rest = after.get(1..).unwrap_or_default();
        } else if arg.starts_with(b"-") {
            rest = after;
        } else {
            break;
        }
    }
    let Some((name, args)) = rest.split_first() else { return };
    for (alias, value) in aliases {
        if alias != *name {
            continue;
        }
        let mut text = match value.strip_prefix(b"!") {
            Some(text) => text.to_vec(),
            None => [b"git ".as_slice(), &value].concat(),
        };
        for arg in args {
            text.push(b' ');
            text.extend_from_slice(arg);
        }
        reader.text_apart(&text, command, state);
    }
}

fn setting_of(
    reader: &mut Reader<'_>,
    setting: &[u8],
    command: &Command,
    state: &State,
    aliases: &mut Vec<(Vec<u8>, Vec<u8>)>,
) {
    let Some(at) = setting.iter().position(|&byte| byte == b'=') else { return };
    let (key, value) = setting.split_at(at);
    let value = value.get(1..).unwrap_or_default();
    let key = key.to_ascii_lowercase();
    if let Some(alias) = key.strip_prefix(b"alias.") {
        aliases.push((alias.to_vec(), value.to_vec()));
    } else if RUN.contains(&key.as_slice()) {
        let text = value.strip_prefix(b"!").unwrap_or(value);
        reader.text_apart(text, command, state);
    }
}
