//! find and xargs: they run commands over files, and delete.

use super::Reader;
use super::shell::State;
use crate::judge::command::{Command, UNKNOWN};

pub(super) fn unwrap(reader: &mut Reader<'_>, command: &Command, state: &State) {
    match command.name.as_slice() {
        b"find" | b"gfind" => find(reader, command, state),
        b"xargs" | b"gxargs" => xargs(reader, command, state),
        _ => {}
    }
}

/// Where find starts, and whether it takes everything there.
fn starts(command: &Command) -> (Vec<Vec<u8>>, bool) {
    let is_expression = |arg: &&Vec<u8>| {
        arg.starts_with(b"-") && arg.len() > 2 || matches!(arg.as_slice(), b"(" | b"!" | b"\\(")
    };
    let mut starts: Vec<Vec<u8>> = Vec::new();
    for arg in &command.args {
        if matches!(arg.as_slice(), b"-H" | b"-L" | b"-P") {
            continue;
        }
        if is_expression(&arg) {
            break;
        }
        starts.push(arg.clone());
    }
    if starts.is_empty() {
        starts.push(b".".to_vec());
    }
    const NARROW: [&[u8]; 27] = [
        b"-inum",
        b"-nouser",
        b"-nogroup",
        b"-used",
        b"-samefile",
        b"-links",
        b"-name",
        b"-iname",
        b"-path",
        b"-ipath",
        b"-wholename",
        b"-regex",
        b"-iregex",
        b"-newer",
        b"-mtime",
        b"-mmin",
        b"-atime",
        b"-amin",
        b"-ctime",
        b"-cmin",
        b"-size",
        b"-empty",
        b"-user",
        b"-group",
        b"-perm",
        b"-xtype",
        b"-lname",
    ];
    // What only leaves things out takes all the rest.
    let narrowed = command.args.iter().enumerate().any(|(at, arg)| {
        let before = at.checked_sub(1).and_then(|at| command.args.get(at));
        let negated = before.is_some_and(|word| matches!(word.as_slice(), b"!" | b"-not" | b"\\!"));
        NARROW.contains(&arg.as_slice()) && !negated
    });
    (starts, !narrowed)
}

/// The files that it finds: the folder itself stands for all that is in it.
pub(super) fn found(command: &Command) -> Vec<Vec<u8>> {
    let (starts, everything) = starts(command);
    if everything {
        return starts;
    }
    starts.into_iter().map(|start| [start.as_slice(), b"/", &[UNKNOWN]].concat()).collect()
}

fn find(reader: &mut Reader<'_>, command: &Command, state: &State) {
    let found = found(command);
    for (at, arg) in command.args.iter().enumerate() {
        match arg.as_slice() {
            b"-delete" => {
                let mut words = vec![b"rm".to_vec(), b"-rf".to_vec()];
                words.extend(found.iter().cloned());
                reader.words(command, &words, state);
            }
            b"-exec" | b"-execdir" | b"-ok" | b"-okdir" => {
                let rest = command.args.get(at + 1..).unwrap_or_default();
                let end = rest.iter().position(|word| matches!(word.as_slice(), b";" | b"+" | b"\\;"));
                let inner = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
                for file in found.iter().take(4) {
                    reader.words(command, &put_in(inner, b"{}", file), state);
                }
            }
            b"-fprint" | b"-fls" | b"-fprintf" | b"-fprint0" => {
                if let Some(path) = command.args.get(at + 1) {
                    reader.give_out(command.pseudo(">", vec![path.clone()]));
                }
            }
            _ => {}
        }
    }
}

fn xargs(reader: &mut Reader<'_>, command: &Command, state: &State) {
    const VALUES: [&[u8]; 18] = [
        b"-n",
        b"-P",
        b"-L",
        b"-d",
        b"-a",
        b"-s",
        b"-E",
        b"--max-args",
        b"--max-procs",
        b"--max-lines",
        b"--delimiter",
        b"--arg-file",
        b"--max-chars",
        b"-R",
        b"-S",
        b"-J",
        b"-e",
        b"--process-slot-var",
    ];
    let mut replace: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some(arg) = command.args.get(at) {
        match arg.as_slice() {
            b"-I" | b"--replace" => {
                replace = command.args.get(at + 1).cloned();
                at += 2;
            }
            [b'-', b'I', name @ ..] => {
                replace = Some(name.to_vec());
                at += 1;
            }
            b"-i" => {
                replace = Some(b"{}".to_vec());
                at += 1;
            }
            b"--" => {
                at += 1;
                break;
            }
            word if VALUES.contains(&word) => at += 2,
            [b'-', _, ..] => at += 1,
            _ => break,
        }
    }
    let inner = command.args.get(at..).unwrap_or_default();
    let items = items(reader, command, state);
    match replace {
        Some(mark) => {
            for item in items.iter().take(8) {
                reader.words(command, &put_in(inner, &mark, item), state);
            }
        }
        None => {
            let words: Vec<Vec<u8>> = inner.iter().cloned().chain(items).collect();
            reader.words(command, &words, state);
        }
    }
}

/// What comes in, as xargs splits it.
fn items(reader: &Reader<'_>, command: &Command, state: &State) -> Vec<Vec<u8>> {
    let file = command.args.iter().position(|arg| arg == b"-a" || arg == b"--arg-file");
    let file = file.and_then(|at| command.args.get(at + 1)).and_then(|path| reader.script(path, state));
    // With -0 a NUL ends an item; alone it stands for what is not known.
    let is_found =
        command.input.as_deref().is_some_and(|input| input.windows(2).any(|two| two == [b'/', UNKNOWN]));
    let ends_with_nul = !is_found && command.args.iter().any(|arg| arg == b"-0" || arg == b"--null");
    match file.as_deref().or(command.input.as_deref()) {
        Some(input) => input
            .split(|byte| {
                byte.is_ascii_whitespace() || (ends_with_nul && input.len() > 1 && *byte == UNKNOWN)
            })
            .filter(|item| !item.is_empty())
            .map(|item| item.iter().copied().filter(|byte| !matches!(byte, b'"' | b'\'')).collect())
            .take(64)
            .collect(),
        None => vec![vec![UNKNOWN]],
    }
}

fn put_in(words: &[Vec<u8>], mark: &[u8], file: &[u8]) -> Vec<Vec<u8>> {
    words.iter().map(|word| replaced(word, mark, file)).collect()
}

pub(super) fn replaced(word: &[u8], mark: &[u8], with: &[u8]) -> Vec<u8> {
    let mut result = Vec::new();
    let mut rest = word;
    while !rest.is_empty() {
        match rest.strip_prefix(mark) {
            Some(after) if !mark.is_empty() => {
                result.extend_from_slice(with);
                rest = after;
            }
            _ => {
                result.extend(rest.first());
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    result
}
