//! What the values of keys are, and the checks of each.

use std::fmt;
use std::time::Duration;

use super::diagnostic::visible;
use super::node::{Node, Value};
use super::size::ByteSize;

/// What a key takes.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text(Text),
    List(Text),
    /// A whole number from … to ….
    Count(u64, u64),
    Cpus,
    Flag,
    /// A table of variables.
    Variables,
    /// A table of verdicts by names; the check says whether a name is known.
    Verdicts(fn(&str) -> Result<(), String>),
    /// `[[commands.rule]]`
    Rules,
    /// Of a key that is not built yet: anything, as it is refused.
    Whatever,
}

/// A string of some form.
#[derive(Clone, Copy)]
pub(super) enum Text {
    /// One of these words.
    Word(&'static [&'static str]),
    /// What is taken, as the end of a sentence, and the check.
    Form(&'static str, fn(&str) -> Result<(), String>),
    /// A size of at least so many bytes.
    Size(u64),
    /// From … to … seconds; `true`: or the word `none`.
    Time(u64, u64, bool),
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(words) => f.write_str(&one_of(words)),
            Self::Form(what, _) => f.write_str(what),
            Self::Size(_) => f.write_str("a size such as \"512MiB\" or \"2GB\""),
            Self::Time(_, _, false) => f.write_str("a duration such as \"90s\" or \"2h\""),
            Self::Time(_, _, true) => f.write_str("a duration such as \"90s\" or \"2h\", or \"none\""),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::List(text) => write!(f, "a list, each {text}"),
            Self::Count(least, most) => write!(f, "a whole number from {least} to {most}"),
            Self::Cpus => f.write_str("a number of processors from 0.01 to 1024, such as 1.5"),
            Self::Flag => f.write_str("true or false"),
            Self::Variables => f.write_str("a table of variables, such as { EDITOR = \"true\" }"),
            Self::Verdicts(_) => f.write_str("a table of verdicts, each \"allow\", \"ask\" or \"deny\""),
            Self::Rules => f.write_str("rules, each under a line [[commands.rule]]"),
            Self::Whatever => f.write_str("a value"),
        }
    }
}

pub(super) const VERDICT: Text = Text::Word(&["allow", "ask", "deny"]);

/// What is wrong with a value, and with which part of it.
pub(super) struct Fault<'a> {
    pub(super) node: &'a Node,
    pub(super) message: String,
}

impl Kind {
    /// Everything that is wrong with a value for this key. Rules are looked at by `rules.rs`.
    pub(super) fn faults<'a>(&self, key: &str, node: &'a Node) -> Vec<Fault<'a>> {
        let wrong =
            || vec![Fault { node, message: format!("{key} takes {self}, and this is {}", node.kind()) }];
        match (self, &node.value) {
            (Self::Text(text), Value::Text(value)) => text.fault(node, value).into_iter().collect(),
            (Self::List(text), Value::List(items)) => items
                .iter()
                .filter_map(|item| match &item.value {
                    Value::Text(value) => text.fault(item, value),
                    _ => {
                        let message = format!("each entry of {key} is {text}, and this is {}", item.kind());
                        Some(Fault { node: item, message })
                    }
                })
                .collect(),
            (Self::Count(least, most), Value::Integer(number)) => match u64::try_from(*number) {
                Ok(number) if (*least..=*most).contains(&number) => Vec::new(),
                _ => vec![Fault { node, message: format!("{key} takes {self}, and this is {number}") }],
            },
            (Self::Cpus, Value::Float(_) | Value::Integer(_)) => match cpu_millis(node) {
                Some(_) => Vec::new(),
                None => vec![Fault { node, message: format!("{key} takes {self}") }],
            },
            (Self::Flag, Value::Flag(_)) | (Self::Whatever, _) => Vec::new(),
            (Self::Variables, Value::Table(entries)) => {
                entries.iter().filter_map(|(name, value)| super::env::fault(&name.name, value)).collect()
            }
            (Self::Verdicts(check), Value::Table(entries)) => entries
                .iter()
                .filter_map(|(name, value)| {
                    let message = check(&name.name).err().or_else(|| match value.text() {
                        Some(verdict) => VERDICT.check(verdict).err(),
                        None => Some(format!("{key} takes {self}, and this is {}", value.kind())),
                    })?;
                    Some(Fault { node: value, message })
                })
                .collect(),
            (Self::Rules, Value::List(items))
                if items.iter().all(|item| matches!(item.value, Value::Table(_))) =>
            {
                Vec::new()
            }
            _ => wrong(),
        }
    }
}

impl Text {
    fn fault<'a>(&self, node: &'a Node, value: &str) -> Option<Fault<'a>> {
        self.check(value).err().map(|message| Fault { node, message })
    }

    pub(super) fn check(&self, value: &str) -> Result<(), String> {
        match self {
            Self::Word(words) if words.contains(&value) => Ok(()),
            Self::Word(words) => {
                Err(format!("“{}” is not known here: write {}", visible(value), one_of(words)))
            }
            Self::Form(_, check) => check(value),
            Self::Size(least) => match value.parse::<ByteSize>() {
                Err(e) => Err(e.to_string()),
                Ok(size) if size.bytes() < *least => {
                    Err(format!("“{}” is too little: the least is {}", visible(value), ByteSize(*least)))
                }
                Ok(_) => Ok(()),
            },
            Self::Time(_, _, true) if value == "none" => Ok(()),
            Self::Time(least, most, _) => check_time(value, *least, *most),
        }
    }
}

fn check_time(value: &str, least: u64, most: u64) -> Result<(), String> {
    let time = humantime::parse_duration(value).map_err(|_| {
        format!("“{}” is no duration: write a number and a unit, such as \"90s\" or \"2h\"", visible(value))
    })?;
    let (least, most) = (Duration::from_secs(least), Duration::from_secs(most));
    if time < least {
        Err(format!("“{}” is too short: the least is {}", visible(value), humantime::format_duration(least)))
    } else if time > most {
        Err(format!("“{}” is too long: the most is {}", visible(value), humantime::format_duration(most)))
    } else {
        Ok(())
    }
}

/// Processors in thousandths, from 0.01 to 1024 of them.
pub(super) fn cpu_millis(node: &Node) -> Option<u32> {
    let number = match node.value {
        Value::Float(number) => number,
        Value::Integer(number) => f64::from(i16::try_from(number).ok()?),
        _ => return None,
    };
    // In range, so the cast cuts nothing.
    (0.01..=1024.0).contains(&number).then(|| (number * 1000.0).round() as u32)
}

/// `"a", "b" or "c"`.
pub(super) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}
