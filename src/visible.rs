//! Hostile text, shown so that what a person sees is what is there: no escape sequence reaches the terminal, and no
//! character hides, reorders or imitates another's place.

use std::fmt::Write as _;

use crate::audit::record::Bytes;

/// Bytes for a person to read, on one line. What can't be shown as it is stands as `\n`, `\x1b` or `\u{202e}`.
pub(crate) fn visible(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                c if c.is_ascii_control() => escape(&mut out, "\\x", u32::from(c), 2, ""),
                c if hides(c) => escape(&mut out, "\\u{", u32::from(c), 1, "}"),
                c => out.push(c),
            }
        }
        for &byte in chunk.invalid() {
            escape(&mut out, "\\x", byte.into(), 2, "");
        }
    }
    out
}

/// A command as a person would type it: words quoted where a shell needs it, and `$'…'` around what can't be shown
/// as it is. Pasted into bash, it gives back the same bytes.
pub(crate) fn command(argv: &[Bytes]) -> String {
    let mut out = String::new();
    for word in argv {
        if !out.is_empty() {
            out.push(' ');
        }
        shell_word(&mut out, &word.0);
    }
    out
}

fn shell_word(out: &mut String, word: &[u8]) {
    let plain = |c: char| c.is_alphanumeric() || "%+,-./:=@_^".contains(c);
    match std::str::from_utf8(word) {
        Ok(text) if !text.is_empty() && text.chars().all(|c| plain(c) && !hides(c)) => out.push_str(text),
        Ok(text) if !text.chars().any(|c| c == '\'' || c.is_control() || hides(c)) => {
            out.push('\'');
            out.push_str(text);
            out.push('\'');
        }
        _ => {
            out.push_str("$'");
            ansi_c(out, word);
            out.push('\'');
        }
    }
}

/// The inside of bash's `$'…'`.
fn ansi_c(out: &mut String, word: &[u8]) {
    for chunk in word.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                '\\' | '\'' => {
                    out.push('\\');
                    out.push(c);
                }
                c if c.is_ascii_control() => escape(out, "\\x", u32::from(c), 2, ""),
                // Always as many digits as there can be, or a digit that follows would be taken for one of them.
                c if hides(c) && u32::from(c) > 0xffff => escape(out, "\\U", u32::from(c), 8, ""),
                c if hides(c) => escape(out, "\\u", u32::from(c), 4, ""),
                c => out.push(c),
            }
        }
        for &byte in chunk.invalid() {
            escape(out, "\\x", byte.into(), 2, "");
        }
    }
}

fn escape(out: &mut String, before: &str, number: u32, digits: usize, after: &str) {
    // Writing to a string can't fail.
    let _ = write!(out, "{before}{number:0digits$x}{after}");
}

/// Draws nothing, moves what is drawn, or looks like a plain space. Combining marks and most emoji parts are not
/// among them: they are seen.
fn hides(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn typed(words: &[&[u8]]) -> String {
        command(&words.iter().map(|&word| Bytes::from(word)).collect::<Vec<_>>())
    }

    #[test]
    fn what_hides_is_shown() {
        assert_eq!(
            visible("a\u{1b}[2J\nb\u{202e}c\u{200b}é\u{a0}🦀".as_bytes()),
            "a\\x1b[2J\\nb\\u{202e}c\\u{200b}é\\u{a0}🦀"
        );
        assert_eq!(visible(b"\xff\x9b\x00"), "\\xff\\x9b\\x00");
    }

    #[test]
    fn commands_are_as_typed() {
        assert_eq!(
            typed(&[b"gcc", b"-O2", b"a b.c", b"", b"it's", b"$(x)"]),
            "gcc -O2 'a b.c' '' $'it\\'s' '$(x)'"
        );
        assert_eq!(
            typed(&["x\u{202e}1".as_bytes(), b"\x1b]0;\x07", b"\xffa"]),
            "$'x\\u202e1' $'\\x1b]0;\\x07' $'\\xffa'"
        );
    }

    proptest! {
        #[test]
        fn nothing_reaches_the_terminal(words: Vec<Vec<u8>>) {
            let words: Vec<Bytes> = words.into_iter().map(Bytes).collect();
            let text = command(&words) + &words.iter().map(|word| visible(&word.0)).collect::<String>();
            prop_assert!(!text.chars().any(hides), "{text:?}");
        }
    }

    /// bash itself is asked what it makes of the words.
    #[test]
    fn bash_gives_back_the_same_bytes() {
        let mut words: Vec<Vec<u8>> = (1..=255).map(|byte| vec![b'a', byte, b'1']).collect();
        words.extend(
            ["\u{202e}1f", "\u{e0001}1f", "é\u{a0}", "'", "\\", "!x", "~", "#", "a=~"]
                .map(|s| s.as_bytes().to_vec()),
        );
        let script =
            format!("printf '%s\\0' {}", command(&words.iter().cloned().map(Bytes).collect::<Vec<_>>()));
        let mut bash = std::process::Command::new("bash");
        let out = bash.env("LC_ALL", "C.UTF-8").args(["-c", &script]).output().expect("bash runs").stdout;
        let expected: Vec<u8> = words.iter().flat_map(|word| [&word[..], b"\0"].concat()).collect();
        assert_eq!(out, expected);
    }
}
