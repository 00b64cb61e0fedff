//! What plain commands print: enough to see through text that is put together or decoded before it runs.

use super::decode;
use crate::judge::command::{Command, UNKNOWN};
use crate::judge::reader::find;

/// A text that is worked out is no longer than this.
const MOST: usize = 64 * 1024;

/// The command's output; `None`: it is not known.
pub(super) fn of(command: &Command, read: &dyn Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let args = &command.args;
    let output = match command.name.as_slice() {
        b"echo" => Some(echo(args)),
        b"printf" => printf(args),
        b"true" | b":" | b"cd" | b"set" | b"export" | b"chmod" | b"mkdir" | b"sleep" | b"touch"
        | b"unset" | b"shopt" => Some(Vec::new()),
        b"pwd" => command.cwd.as_deref().map(<[u8]>::to_vec),
        b"which" | b"type" => args.last().map(|name| [b"/usr/bin/".as_slice(), name].concat()),
        b"command" if args.first().is_some_and(|arg| arg == b"-v" || arg == b"-V") => {
            args.last().map(|name| [b"/usr/bin/".as_slice(), name].concat())
        }
        b"find" | b"gfind" | b"fd" => Some(find::found(command).join(&b'\n')),
        b"ls" if !args.iter().any(|arg| !arg.starts_with(b"-")) => Some(vec![UNKNOWN]),
        b"base64" | b"gbase64" => decoder(args, command, read, decode::base64),
        b"base32" | b"gbase32" => decoder(args, command, read, decode::base32),
        b"openssl"
            if args.iter().any(|arg| arg.starts_with(b"base64") || arg == b"-base64" || arg == b"-a") =>
        {
            decoder(args, command, read, decode::base64)
        }
        b"xxd" | b"hex" => decoder(args, command, read, decode::hex),
        b"cat" | b"tac" | b"head" | b"tail" | b"tee" | b"fold" | b"sort" | b"uniq" | b"nl" | b"less"
        | b"more" | b"envsubst" => input(args, command, read),
        b"rev" => input(args, command, read).map(|text| {
            let lines: Vec<Vec<u8>> =
                text.split(|&byte| byte == b'\n').map(|line| line.iter().rev().copied().collect()).collect();
            lines.join(&b'\n')
        }),
        b"tr" => tr(args, command.input.as_deref()?),
        b"rot13" => command.input.as_deref().map(decode::rot13),
        b"sed" | b"gsed" => sed(args, &input(args.get(1..).unwrap_or_default(), command, read)?),
        b"cut" => cut(args, command.input.as_deref()?),
        b"basename" => args.first().map(|path| crate::judge::command::file_name(path).to_vec()),
        b"dirname" => args.first().map(|path| {
            let slash = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
            path.get(..slash.max(1)).unwrap_or(b".").to_vec()
        }),
        b"realpath" | b"readlink" => args.iter().find(|arg| !arg.starts_with(b"-")).cloned(),
        b"id" | b"whoami" => Some(b"dev".to_vec()),
        b"seq" => Some(b"1".to_vec()),
        _ => None,
    };
    output.filter(|text| text.len() <= MOST)
}

fn echo(args: &[Vec<u8>]) -> Vec<u8> {
    let is_option = |arg: &&Vec<u8>| matches!(arg.as_slice(), [b'-', letters @ ..] if !letters.is_empty() && letters.iter().all(|l| matches!(l, b'n' | b'e' | b'E')));
    let options = args.iter().take_while(is_option).count();
    let (options, words) = args.split_at(options);
    let text = words.join(&b' ');
    let mut text = if options.iter().any(|arg| arg.contains(&b'e')) { decode::escapes(&text) } else { text };
    if !options.iter().any(|arg| arg.contains(&b'n')) {
        text.push(b'\n');
    }
    text
}

fn printf(args: &[Vec<u8>]) -> Option<Vec<u8>> {
    let args = match args {
        [first, rest @ ..] if first == b"--" => rest,
        [first, ..] if first == b"-v" => return Some(Vec::new()),
        args => args,
    };
    let (format, values) = args.split_first()?;
    let mut text = Vec::new();
    let mut values = values.iter().peekable();
    for _ in 0..64 {
        let had = values.len();
        let mut rest = format.as_slice();
        while let Some((&byte, after)) = rest.split_first() {
            if byte != b'%' {
                let end = rest.iter().position(|&byte| byte == b'%').unwrap_or(rest.len());
                text.extend(decode::escapes(rest.get(..end).unwrap_or_default()));
                rest = rest.get(end..).unwrap_or_default();
                continue;
            }
            let kind = after.iter().position(|byte| byte.is_ascii_alphabetic() || *byte == b'%')?;
            match after.get(kind)? {
                b'%' => text.push(b'%'),
                b's' | b'q' | b'd' | b'i' => {
                    let value = values.next().map_or(&b""[..], Vec::as_slice);
                    let precision = after.get(..kind).unwrap_or_default().split(|byte| *byte == b'.').nth(1);
                    let most = precision.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
                    text.extend(value.iter().take(most.unwrap_or(usize::MAX)));
                }
                b'b' => text.extend(decode::escapes(values.next().map_or(&b""[..], Vec::as_slice))),
                b'c' => text.extend(values.next().and_then(|value| value.first())),
                _ => return None,
            }
            rest = after.get(kind + 1..).unwrap_or_default();
        }
        if values.peek().is_none() || values.len() == had {
            return Some(text);
        }
    }
    None
}

/// The files named, or what comes in.
fn input(args: &[Vec<u8>], command: &Command, read: &dyn Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let files: Vec<&Vec<u8>> =
        args.iter().filter(|arg| !arg.starts_with(b"-") && !arg.iter().all(u8::is_ascii_digit)).collect();
    if files.is_empty() || command.name == b"tee" {
        return command.input.as_deref().map(<[u8]>::to_vec);
    }
    files.into_iter().map(|path| read(path)).collect::<Option<Vec<_>>>().map(|texts| texts.concat())
}

fn decoder(
    args: &[Vec<u8>],
    command: &Command,
    read: &dyn Fn(&[u8]) -> Option<Vec<u8>>,
    decode: fn(&[u8]) -> Option<Vec<u8>>,
) -> Option<Vec<u8>> {
    let is_reverse = |arg: &Vec<u8>| {
        arg == b"--decode"
            || arg == b"-D"
            || arg == b"-decode"
            || matches!(arg.as_slice(), [b'-', letters @ ..] if !letters.starts_with(b"-") && letters.iter().any(|l| matches!(l, b'd' | b'r' | b'D')))
    };
    if !args.iter().any(is_reverse) {
        return None;
    }
    let files: Vec<Vec<u8>> = args
        .iter()
        .filter(|arg| !arg.starts_with(b"-") && !matches!(arg.as_slice(), b"enc" | b"base64"))
        .cloned()
        .collect();
    decode(&input(&files, command, read)?)
}

fn tr(args: &[Vec<u8>], text: &[u8]) -> Option<Vec<u8>> {
    match args {
        [option, set] if option == b"-d" => {
            let set = decode::ranges(&decode::escapes(set));
            Some(text.iter().copied().filter(|byte| !set.contains(byte)).collect())
        }
        [from, to] if !from.starts_with(b"-") => {
            let named = |set: &[u8]| match set {
                b"[:upper:]" => b"A-Z".to_vec(),
                b"[:lower:]" => b"a-z".to_vec(),
                set => decode::escapes(set),
            };
            Some(decode::translated(text, &named(from), &named(to)))
        }
        _ => None,
    }
}

/// `s/a/b/g` with plain texts.
fn sed(args: &[Vec<u8>], text: &[u8]) -> Option<Vec<u8>> {
    let script = args.iter().find(|arg| !arg.starts_with(b"-"))?;
    let (&separator, rest) = script.strip_prefix(b"s")?.split_first()?;
    let mut parts = rest.split(|byte| *byte == separator);
    let (from, to) = (parts.next()?, parts.next()?);
    if from.is_empty() || from.iter().any(|byte| b"^$*[\\".contains(byte)) {
        return None;
    }
    Some(find::replaced(text, from, to))
}

fn cut(args: &[Vec<u8>], text: &[u8]) -> Option<Vec<u8>> {
    let value = |option: &[u8]| {
        let at = args.iter().position(|arg| arg.starts_with(option))?;
        let attached = args.get(at)?.get(2..)?;
        if attached.is_empty() { args.get(at + 1).cloned() } else { Some(attached.to_vec()) }
    };
    let range = value(b"-c").or_else(|| value(b"-b"))?;
    let range = std::str::from_utf8(&range).ok()?;
    let (from, to) = range.split_once('-').unwrap_or((range, range));
    let from = from.parse::<usize>().unwrap_or(1).max(1);
    let to = to.parse::<usize>().unwrap_or(usize::MAX);
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    line.get(from - 1..to.min(line.len())).map(<[u8]>::to_vec)
}
