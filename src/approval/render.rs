//! A question in words, for every place that shows one. What comes from the workload is made visible: it can't move
//! the cursor, reorder text or pass off one letter for another.

use super::{Danger, Question};
use crate::audit::bytes::Bytes;
use crate::visible;

/// One line of a question: what it is, and the text, as long as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) label: &'static str,
    pub(crate) text: String,
}

/// Longer than this, a brief line is cut; all of it is in [`full`].
const BRIEF: usize = 400;

/// What a decision needs.
pub(crate) fn brief(question: &Question) -> Vec<Field> {
    let mut fields = vec![field("command", cut(command(&question.argv, &question.exe)))];
    let whole = command(&question.argv, &question.exe);
    for danger in &question.dangers {
        let part = plain(&visible::visible(&danger.command.0));
        if part != whole && !whole.ends_with(&part) {
            fields.push(field("part", cut(part)));
        }
        fields.push(field("danger", format!("{} ({})", danger.reason, danger.rule)));
        if let Some(instead) = &danger.instead {
            fields.push(field("instead", instead.clone()));
        }
        if fields.len() > 12 {
            let more = question.dangers.len();
            fields.push(field("and", format!("more; {more} dangers in all")));
            break;
        }
    }
    fields.push(field("in", cut(plain(&visible::visible(&question.cwd.0)))));
    if let Some(parent) = question.ancestors.first() {
        fields.push(field("asked by", cut(format!("{} (process {})", command_of(&parent.argv), parent.pid))));
    }
    if !question.env.is_empty() {
        fields.push(field("changed", cut(environment(question).join(" "))));
    }
    if question.is_cut {
        fields.push(field("note", "some of it is too long to be shown".to_owned()));
    }
    fields
}

/// Everything that is known.
pub(crate) fn full(question: &Question) -> Vec<Field> {
    let mut fields = vec![field("command", command(&question.argv, &question.exe))];
    for (at, arg) in question.argv.iter().enumerate() {
        fields.push(field("argument", format!("{at}: {}", command_of(std::slice::from_ref(arg)))));
    }
    fields.push(field("program", plain(&visible::visible(&question.exe.0))));
    if let Some(file) = &question.file {
        fields.push(field("script", plain(&visible::visible(&file.0))));
    }
    fields.push(field("in", plain(&visible::visible(&question.cwd.0))));
    fields.push(field("process", format!("{}, user {}", question.pid, question.uid)));
    for Danger { rule, severity, reason, instead, command, key } in &question.dangers {
        fields.push(field("danger", format!("{} {reason} ({rule})", severity.name())));
        fields.push(field("part", plain(&visible::visible(&command.0))));
        fields.extend(instead.iter().map(|instead| field("instead", instead.clone())));
        if key.is_none() {
            fields.push(field(
                "note",
                "not all of it is known before it runs: it can't be allowed always".into(),
            ));
        }
    }
    for above in &question.ancestors {
        fields.push(field("asked by", format!("{} (process {})", command_of(&above.argv), above.pid)));
    }
    fields.extend(environment(question).into_iter().map(|text| field("changed", text)));
    if question.is_cut {
        fields.push(field(
            "note",
            "some of it is too long to be shown; the answer is about all of it".to_owned(),
        ));
    }
    fields.push(field("digest", question.digest.clone()));
    fields
}

/// The command as one line.
pub(crate) fn command_line(question: &Question) -> String {
    command(&question.argv, &question.exe)
}

fn field(label: &'static str, text: String) -> Field {
    Field { label, text }
}

fn command(argv: &[Bytes], exe: &Bytes) -> String {
    if argv.is_empty() { command_of(std::slice::from_ref(exe)) } else { command_of(argv) }
}

fn command_of(argv: &[Bytes]) -> String {
    plain(&visible::command(argv))
}

fn environment(question: &Question) -> Vec<String> {
    let one = |(name, value): &(Bytes, Option<Bytes>)| match value {
        Some(value) => {
            format!("{}={}", plain(&visible::visible(&name.0)), command_of(std::slice::from_ref(value)))
        }
        None => format!("{} is unset", plain(&visible::visible(&name.0))),
    };
    question.env.iter().map(one).collect()
}

/// Letters that look like plain ones are told apart by their numbers; combining marks too, as they could cover what
/// is before them.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_look_alike(c) {
            out.extend(format!("\\u{{{:x}}}", u32::from(c)).chars());
        } else {
            out.push(c);
        }
    }
    out
}

/// Greek, Cyrillic, Armenian, Cherokee, Lisu and others whose letters pass for Latin ones (UTS #39), punctuation that
/// passes for ASCII, fullwidth and mathematical forms, and marks that combine.
fn is_look_alike(c: char) -> bool {
    matches!(c,
        '\u{2b0}'..='\u{36f}' | '\u{370}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1c80}'..='\u{1c8f}' | '\u{1d00}'..='\u{1dff}' | '\u{1f00}'..='\u{1fff}' | '\u{2010}'..='\u{2025}'
        | '\u{2027}'..='\u{2053}' | '\u{2070}'..='\u{209f}' | '\u{20d0}'..='\u{20ff}' | '\u{2100}'..='\u{214f}'
        | '\u{2200}'..='\u{22ff}' | '\u{23ff}' | '\u{2571}'..='\u{2573}' | '\u{27cb}' | '\u{27cd}' | '\u{29f5}'..='\u{29f9}'
        | '\u{2c60}'..='\u{2cff}' | '\u{2de0}'..='\u{2dff}' | '\u{2e00}'..='\u{2e7f}' | '\u{a4d0}'..='\u{a4ff}'
        | '\u{a640}'..='\u{a69f}' | '\u{a720}'..='\u{a7ff}' | '\u{ab30}'..='\u{abbf}' | '\u{fb00}'..='\u{fb4f}'
        | '\u{fe10}'..='\u{fe6f}' | '\u{ff01}'..='\u{ff5e}' | '\u{1d400}'..='\u{1d7ff}')
}

fn cut(text: String) -> String {
    if text.chars().count() <= BRIEF {
        return text;
    }
    text.chars().take(BRIEF).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::approval::Ancestor;
    use crate::judge::Severity;

    fn question(command: &[u8]) -> Question {
        Question {
            argv: vec!["rm".into(), Bytes(command.to_vec())],
            cwd: Bytes(command.to_vec()),
            env: vec![("PATH".into(), Some(Bytes(command.to_vec()))), (Bytes(command.to_vec()), None)],
            ancestors: vec![Ancestor { pid: 7, argv: vec![Bytes(command.to_vec())] }],
            dangers: vec![Danger {
                rule: "filesystem.delete-root".to_owned(),
                severity: Severity::Critical,
                reason: "deletes everything".to_owned(),
                instead: Some("rm -rf build".to_owned()),
                command: Bytes(command.to_vec()),
                key: None,
            }],
            ..Question::default()
        }
    }

    #[test]
    fn look_alikes_are_told_by_number() {
        let fields = brief(&question("ra\u{0440}.com/a\u{2215}b e\u{301}".as_bytes()));
        let text = &fields.first().expect("a command").text;
        assert!(text.contains("ra\\u{440}.com/a\\u{2215}b e\\u{301}"), "{text}");
    }

    proptest! {
        #[test]
        fn nothing_of_the_workloads_reaches_the_terminal(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let question = question(&bytes);
            for Field { text, .. } in brief(&question).into_iter().chain(full(&question)) {
                prop_assert!(!text.chars().any(char::is_control), "{text:?}");
                prop_assert!(!text.contains(['\u{202e}', '\u{200b}', '\u{2066}', '\u{301}']), "{text:?}");
            }
        }

        #[test]
        fn nor_do_its_letters(text in "\\PC{0,50}") {
            for Field { text, .. } in full(&question(text.as_bytes())) {
                prop_assert!(!text.chars().any(char::is_control));
                prop_assert!(!text.chars().any(is_look_alike));
            }
        }
    }
}
