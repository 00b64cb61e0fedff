use proptest::prelude::*;

use super::*;

fn place() -> Place {
    Place { home: b"/home/dev".to_vec(), workspace: b"/workspace".to_vec() }
}

/// What shell text is made of, so that what comes together is often more than noise.
fn text() -> impl Strategy<Value = Vec<u8>> {
    const PARTS: [&str; 64] = [
        " ",
        " ",
        " ",
        "\n",
        ";",
        "&&",
        "|",
        "&",
        "'",
        "\"",
        "`",
        "\\",
        "$(",
        ")",
        "(",
        "{",
        "}",
        "${",
        "$x",
        "$@",
        "<(",
        ">",
        ">>",
        "<",
        "<<EOF\n",
        "EOF\n",
        "<<<",
        "2>&1",
        "if ",
        "then ",
        "fi",
        "for x in ",
        "do ",
        "done",
        "while ",
        "case x in ",
        "esac",
        "f() ",
        "f",
        "eval ",
        "exec ",
        "source ",
        "sh -c ",
        "bash ",
        "xargs ",
        "find . -exec ",
        "sudo ",
        "env -S ",
        "python3 -c ",
        "rm -rf ",
        "/",
        "~",
        "..",
        "a=",
        "x=1 ",
        "alias ",
        "trap ",
        "base64 -d",
        "printf ",
        "\\162",
        "echo cm0= ",
        "{a,b}",
        "[[ ",
        "\0",
    ];
    let part = prop_oneof![
        20 => prop::sample::select(&PARTS[..]).prop_map(|part| part.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(part, 0..60).prop_map(|parts| parts.concat())
}

fn words() -> impl Strategy<Value = Vec<Vec<u8>>> {
    const WORDS: [&str; 40] = [
        "sh",
        "bash",
        "-c",
        "-lc",
        "--",
        "-",
        "-e",
        "-n",
        "-o",
        "env",
        "-S",
        "A=b",
        "sudo",
        "-u",
        "root",
        "xargs",
        "find",
        "-exec",
        "{}",
        ";",
        "+",
        "rm",
        "-rf",
        "/",
        "python3",
        "perl",
        "node",
        "git",
        "alias.x=!rm",
        "make",
        "curl",
        "-X",
        "DELETE",
        "https://x.io",
        "psql",
        "drop table a",
        "busybox",
        "timeout",
        "ssh",
        "tar",
    ];
    let word = prop_oneof![
        12 => prop::sample::select(&WORDS[..]).prop_map(|word| word.as_bytes().to_vec()),
        2 => text(),
        1 => prop::collection::vec(any::<u8>(), 0..16),
    ];
    prop::collection::vec(word, 0..12)
}

/// The whole of what the catalogue says to a reading.
fn found(place: &Place, reading: &Reading) -> Vec<String> {
    let catalogue = crate::judge::Catalogue::built_in().expect("it loads");
    let unclear = reading.unclear();
    let commands = reading.commands.iter().chain(&unclear);
    commands.flat_map(|command| catalogue.matching(place, command)).map(|rule| rule.id.to_string()).collect()
}

/// Reads to the end, and holds the reader to its budget.
fn read(place: &Place, how: impl Fn(&mut Reader<'_>, &mut State)) -> Reading {
    let mut reader = Reader::new(place, &|_| Some(b"echo rm -rf / | sh".to_vec()));
    how(&mut reader, &mut State::new(place, Some(b"/workspace")));
    assert!(reader.reading.commands.len() <= COMMANDS);
    assert!(reader.depth == 0 && reader.nesting == 0, "every level that was entered is left");
    // What asks for a step after the last is turned away; only so many can be asking still.
    assert!(reader.steps < STEPS * 4, "{} steps", reader.steps);
    reader.reading
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_has_one_answer_and_stays_within_its_budget(text in text()) {
        let place = place();
        let read = || read(&place, |reader, state| drop(reader.text(&text, state, None)));
        let (one, other) = (read(), read());
        prop_assert_eq!(&one.commands, &other.commands);
        prop_assert_eq!(found(&place, &one), found(&place, &other));
    }

    #[test]
    fn any_argv_has_one_answer_and_stays_within_its_budget(words in words()) {
        let place = place();
        let read = || {
            read(&place, |reader, state| {
                if let Some(command) = state.command().with_words(&words) {
                    reader.simple(command, state);
                }
            })
        };
        let (one, other) = (read(), read());
        prop_assert_eq!(&one.commands, &other.commands);
        prop_assert_eq!(found(&place, &one), found(&place, &other));
    }

    /// What is long because it repeats itself.
    #[test]
    fn what_repeats_itself_stays_within_the_budget(part in text(), times in 1_usize..2000) {
        let text = part.repeat(times.min(TEXT_MAX / part.len().max(1)));
        read(&place(), |reader, state| drop(reader.text(&text, state, None)));
    }
}
