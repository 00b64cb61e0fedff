//! Options and operands of a command line, as rules name them.

use std::collections::HashMap;

use serde::Deserialize;

use crate::judge::command::wild;

/// How a tool takes its options (`options.toml`).
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    /// Options whose value is the next word.
    values: Vec<&'static str>,
    /// Long options have one dash.
    words: bool,
}

#[derive(Deserialize)]
struct OptionsFile {
    tool: Vec<Tool>,
}

#[derive(Deserialize)]
struct Tool {
    program: Vec<String>,
    values: Vec<String>,
    #[serde(default)]
    words: bool,
}

/// The table of `options.toml`.
pub(super) fn table(text: &str) -> Result<HashMap<Vec<u8>, Options>, toml::de::Error> {
    let file: OptionsFile = toml::from_str(text)?;
    let mut table: HashMap<Vec<u8>, Options> = HashMap::new();
    for tool in file.tool {
        // Once for the life of the process: the catalogue is never dropped.
        let values: Vec<&'static str> =
            tool.values.into_iter().map(|value| &*Box::leak(value.into_boxed_str())).collect();
        for program in tool.program {
            let options = table.entry(program.into_bytes()).or_default();
            options.values.extend_from_slice(&values);
            options.words |= tool.words;
        }
    }
    Ok(table)
}

/// A rule's spelling of one flag: any of several.
#[derive(Clone, Debug)]
pub(super) struct Flag(Vec<Spelling>);

#[derive(Clone, Debug)]
enum Spelling {
    /// `-f`, or `-X=GLOB`
    Letter(u8, Option<Vec<u8>>),
    /// `--force`, `-delete`, or with `=GLOB`; here without dashes. The count is of dashes that it needs at least.
    Word(Vec<u8>, usize, Option<Vec<u8>>),
}

impl Flag {
    /// `None`: it does not look like flags.
    pub(super) fn new(text: &str) -> Option<Self> {
        let spelling = |one: &str| {
            let (name, value) = match one.split_once('=') {
                Some((name, value)) => (name, Some(value.as_bytes().to_ascii_lowercase())),
                None => (one, None),
            };
            let dashes = name.bytes().take_while(|&byte| byte == b'-' || byte == b'+').count();
            let name = name.get(dashes..)?.as_bytes();
            match name {
                [] => None,
                [letter] if dashes == 1 => Some(Spelling::Letter(*letter, value)),
                _ if dashes == 0 => None,
                _ => Some(Spelling::Word(name.to_vec(), dashes, value)),
            }
        };
        text.split('|').map(spelling).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Whether it is among the arguments.
    pub(super) fn is_in(&self, args: &[Vec<u8>], options: Option<&Options>) -> bool {
        let mut at = 0;
        while let Some(arg) = args.get(at) {
            if arg == b"--" {
                return false;
            }
            let next = args.get(at + 1).map_or(&b""[..], Vec::as_slice);
            if self.0.iter().any(|spelling| spelling.is(arg, next, options)) {
                return true;
            }
            at += if takes_next(arg, options) { 2 } else { 1 };
        }
        false
    }
}

impl Spelling {
    fn is(&self, arg: &[u8], next: &[u8], options: Option<&Options>) -> bool {
        match self {
            Self::Letter(letter, value) => is_letter(*letter, value.as_deref(), arg, next, options),
            Self::Word(name, dashes, value) => {
                let given = arg.iter().take_while(|&&byte| byte == b'-').count();
                let plus = arg.first() == Some(&b'+');
                if !plus && (given < (*dashes).min(1) || given > 2 || (*dashes == 2 && given != 2)) {
                    return false;
                }
                let bare = arg.get(given.max(usize::from(plus))..).unwrap_or_default();
                let (bare, attached) = match bare.iter().position(|&byte| byte == b'=') {
                    Some(at) => (bare.get(..at).unwrap_or_default(), bare.get(at + 1..)),
                    None => (bare, None),
                };
                if !wild(name, bare) {
                    return false;
                }
                match value {
                    None => true,
                    Some(glob) => wild(glob, &attached.unwrap_or(next).to_ascii_lowercase()),
                }
            }
        }
    }
}

fn is_letter(letter: u8, value: Option<&[u8]>, arg: &[u8], next: &[u8], options: Option<&Options>) -> bool {
    let bundle = match arg {
        [b'-', b'-', ..] => return false,
        [b'-', bundle @ ..] => bundle,
        _ => return false,
    };
    let words = options.is_some_and(|options| options.words);
    for (at, &found) in bundle.iter().enumerate() {
        if found == b'=' || (words && bundle.len() > 1 && bundle.get(1) != Some(&b'=')) {
            return false;
        }
        let rest = bundle.get(at + 1..).unwrap_or_default();
        if found == letter {
            return match value {
                None => true,
                Some(glob) => {
                    let rest = rest.strip_prefix(b"=").unwrap_or(rest);
                    let given = if rest.is_empty() { next } else { rest };
                    wild(glob, &given.to_ascii_lowercase())
                }
            };
        }
        // What follows is that option's value.
        if options.is_some_and(|options| options.takes_value(&[b'-', found])) {
            return false;
        }
    }
    false
}

impl Options {
    fn takes_value(&self, option: &[u8]) -> bool {
        self.values.iter().any(|value| value.as_bytes() == option)
    }
}

/// Whether the next word is this option's value.
fn takes_next(arg: &[u8], options: Option<&Options>) -> bool {
    let Some(options) = options else { return false };
    match arg {
        [b'-', b'-', ..] => options.takes_value(arg),
        [b'-', bundle @ ..] if !bundle.is_empty() => {
            if options.takes_value(arg) {
                return true;
            }
            // The first of a bundle that takes a value takes what is left of it, or else the next word.
            let first = bundle.iter().position(|letter| options.takes_value(&[b'-', *letter]));
            !options.words && first.is_some_and(|at| at + 1 == bundle.len())
        }
        _ => false,
    }
}

/// The words that are neither options nor their values.
pub(super) fn operands<'a>(args: &'a [Vec<u8>], options: Option<&Options>) -> Vec<&'a [u8]> {
    let mut operands = Vec::new();
    let (mut at, mut only) = (0, false);
    while let Some(arg) = args.get(at) {
        at += 1;
        match arg.as_slice() {
            _ if only => operands.push(arg.as_slice()),
            b"--" => only = true,
            [b'-', _, ..] => at += usize::from(takes_next(arg, options)),
            arg => operands.push(arg),
        }
    }
    operands
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(flag: &str, line: &str) -> bool {
        let table = table(include_str!("options.toml")).expect("it parses");
        let mut words = line.split(' ').map(|word| word.as_bytes().to_vec());
        let program = words.next().expect("a program");
        Flag::new(flag).expect("a flag").is_in(&words.collect::<Vec<_>>(), table.get(&program))
    }

    #[test]
    fn flags_are_found_in_every_spelling() {
        for (flag, line) in [
            ("-f|--force", "git push -f"),
            ("-f|--force", "git push -uf"),
            ("-f|--force", "git push --force"),
            ("--force", "x --force=yes"),
            ("-auto-approve", "terraform apply -auto-approve"),
            ("-auto-approve", "terraform apply --auto-approve=true"),
            ("-delete", "find . -delete"),
            ("-X=DELETE|--request=DELETE", "curl -XDELETE u"),
            ("-X=DELETE|--request=DELETE", "curl -sX delete u"),
            ("-X=DELETE|--request=DELETE", "curl --request DELETE u"),
            ("-X=DELETE|--request=DELETE", "curl --request=DELETE u"),
            ("--region=us-*", "aws x --region us-east-1"),
        ] {
            assert!(has(flag, line), "{flag} in {line}");
        }
    }

    #[test]
    fn values_and_operands_are_no_flags() {
        for (flag, line) in [
            ("-f|--force", "git push -- -f"),
            ("-f|--force", "git commit -m -f"),
            ("-f|--force", "git push --follow-tags"),
            ("-f", "curl -ofoo u"),
            ("-d", "find . -name x"),
            ("-delete", "find . -name delete"),
            ("--request=DELETE", "curl --request POST DELETE"),
        ] {
            assert!(!has(flag, line), "no {flag} in {line}");
        }
    }

    #[test]
    fn operands_leave_out_options_and_their_values() {
        let table = table(include_str!("options.toml")).expect("it parses");
        let words: Vec<Vec<u8>> =
            "-C dir push --force -o x -- -y".split(' ').map(|word| word.as_bytes().to_vec()).collect();
        assert_eq!(operands(&words, table.get(b"git".as_slice())), [b"push".as_slice(), b"-y"]);
    }
}
