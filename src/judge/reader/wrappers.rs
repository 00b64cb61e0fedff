//! Wrappers: programs that run another one (`wrappers.toml`).

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::Reader;
use super::shell::State;
use crate::judge::command::{Command, wild};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    wrapper: Vec<Wrapper>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapper {
    program: Vec<String>,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    skip: usize,
    #[serde(default)]
    sets: bool,
    #[serde(default)]
    text: Vec<String>,
    #[serde(default)]
    joined: bool,
    #[serde(default)]
    each: bool,
    #[serde(default)]
    stdin: bool,
    #[serde(default)]
    none: bool,
    #[serde(default)]
    sub: Vec<String>,
    after: Option<String>,
}

struct Wrappers {
    all: Vec<Wrapper>,
    by_name: HashMap<String, Vec<usize>>,
    /// Those with a star in their names.
    globs: Vec<(String, usize)>,
}

static WRAPPERS: LazyLock<Wrappers> = LazyLock::new(|| {
    // A broken file is a defect that a test finds; here it would mean that nothing is unwrapped.
    let all =
        toml::from_str::<File>(include_str!("wrappers.toml")).map(|file| file.wrapper).unwrap_or_default();
    let (mut by_name, mut globs) = (HashMap::<String, Vec<usize>>::new(), Vec::new());
    for (at, wrapper) in all.iter().enumerate() {
        for name in &wrapper.program {
            if name.contains('*') {
                globs.push((name.clone(), at));
            } else {
                by_name.entry(name.clone()).or_default().push(at);
            }
        }
    }
    Wrappers { all, by_name, globs }
});

/// Reads what the command wraps, if it does.
pub(super) fn unwrap(reader: &mut Reader<'_>, command: &Command, state: &State) {
    let wrappers = &*WRAPPERS;
    let named = std::str::from_utf8(&command.name).ok().and_then(|name| wrappers.by_name.get(name));
    let globbed = wrappers.globs.iter().filter(|(glob, _)| wild(glob.as_bytes(), &command.name));
    for at in named.into_iter().flatten().copied().chain(globbed.map(|(_, at)| *at)) {
        if let Some(wrapper) = wrappers.all.get(at) {
            wrapper.unwrap(reader, command, state);
        }
    }
}

impl Wrapper {
    fn unwrap(&self, reader: &mut Reader<'_>, command: &Command, state: &State) {
        for text in self.texts(&command.args) {
            reader.text_apart(&text, command, state);
        }
        if self.stdin
            && let Some(input) = &command.input
        {
            reader.text_apart(input, command, state);
        }
        if self.none {
            return;
        }
        let Some(rest) = self.rest(&command.args) else { return };
        if self.each {
            for text in rest {
                reader.text_apart(text, command, state);
            }
        } else if self.joined {
            // GNU parallel's arguments come after `:::`.
            let end = rest.iter().position(|word| word.starts_with(b":::")).unwrap_or(rest.len());
            let (template, values) = rest.split_at(end);
            let mut words = template.to_vec();
            if command.name == b"parallel" {
                words.extend(values.iter().skip(1).cloned());
            }
            if !words.is_empty() {
                reader.text_apart(&words.join(&b' '), command, state);
            }
        } else {
            let sets = if self.sets { count_sets(rest) } else { 0 };
            reader.words(command, rest.get(sets..).unwrap_or_default(), state);
        }
    }

    /// Shell text in options: `-c TEXT`, `-cTEXT`, `--command=TEXT`, `-lc TEXT`.
    fn texts(&self, args: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut texts = Vec::new();
        for (at, arg) in args.iter().enumerate() {
            for option in &self.text {
                let option = option.as_bytes();
                let next = || args.get(at + 1).cloned();
                let attached = arg.strip_prefix(option).filter(|rest| !rest.is_empty());
                match (option, attached) {
                    _ if arg == option => texts.extend(next()),
                    (_, Some([b'=', text @ ..])) => texts.push(text.to_vec()),
                    ([b'-', b'-', ..], _) => {}
                    ([b'-', _], Some(text)) => texts.push(text.to_vec()),
                    ([b'-', letter], None) if is_bundle(arg) && arg.last() == Some(letter) => {
                        texts.extend(next())
                    }
                    _ => {}
                }
            }
        }
        texts
    }

    /// The wrapped command's words.
    fn rest<'a>(&self, args: &'a [Vec<u8>]) -> Option<&'a [Vec<u8>]> {
        if let Some(word) = &self.after {
            let at = args.iter().position(|arg| arg == word.as_bytes())?;
            return self.is_under_sub(args).then(|| args.get(at + 1..)).flatten();
        }
        let mut at = 0;
        let mut subs: Option<Vec<&[u8]>> = (!self.sub.is_empty()).then(Vec::new);
        let mut skip = self.skip;
        while let Some(arg) = args.get(at) {
            if arg == b"--" {
                at += 1;
                if subs.is_some() {
                    continue;
                }
                return args.get(at + skip..);
            }
            if arg.len() > 1 && arg.starts_with(b"-") {
                at += if self.values.iter().any(|value| value.as_bytes() == arg) { 2 } else { 1 };
                continue;
            }
            if let Some(found) = &mut subs {
                found.push(arg);
                at += 1;
                let so_far = found.join(&b' ');
                if self.sub.iter().any(|sub| sub.as_bytes() == so_far) {
                    subs = None;
                } else if !self.sub.iter().any(|sub| sub.as_bytes().starts_with(&so_far)) {
                    return None;
                }
                continue;
            }
            if self.sets && is_set(arg) {
                at += 1;
                continue;
            }
            if skip == 0 {
                return args.get(at..);
            }
            skip -= 1;
            at += 1;
        }
        None
    }

    fn is_under_sub(&self, args: &[Vec<u8>]) -> bool {
        self.sub.is_empty()
            || self.sub.iter().any(|sub| {
                let words: Vec<&[u8]> = sub.split(' ').map(str::as_bytes).collect();
                args.windows(words.len()).any(|args| args.iter().map(Vec::as_slice).eq(words.iter().copied()))
            })
    }
}

/// `-lc`: letters after one dash.
fn is_bundle(arg: &[u8]) -> bool {
    matches!(arg, [b'-', letters @ ..] if letters.len() > 1 && letters.iter().all(u8::is_ascii_alphabetic))
}

/// `NAME=value`
fn is_set(word: &[u8]) -> bool {
    match word.iter().position(|&byte| byte == b'=') {
        Some(at) => word.get(..at).is_some_and(|name| {
            !name.is_empty() && name.iter().all(|&b| b == b'_' || b.is_ascii_alphanumeric())
        }),
        None => false,
    }
}

fn count_sets(words: &[Vec<u8>]) -> usize {
    words.iter().take_while(|word| is_set(word)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_parses() {
        toml::from_str::<File>(include_str!("wrappers.toml")).expect("it parses");
        assert!(WRAPPERS.all.len() > 50);
    }
}
