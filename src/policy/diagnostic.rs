//! What is wrong with a policy, and where: the file, line and column, the line itself, and a caret below the
//! place. Policies come from cloned repositories too, so whatever is shown of them is made harmless first.

use std::fmt;
use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use super::source::{Source, SourceName};

/// Longest part of a line that is shown.
const WIDTH: usize = 120;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) place: Place,
    /// Byte offset, to order by.
    pub(super) at: usize,
}

/// Where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    File {
        name: String,
        line: usize,
        column: usize,
        excerpt: Excerpt,
    },
    /// An option, and what was typed where that has more than one part.
    Option {
        name: String,
        excerpt: Option<Excerpt>,
    },
}

/// A line, ready to be shown, and the columns that the caret marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    pub(crate) line: String,
    pub(crate) mark: Range<usize>,
}

impl Diagnostic {
    pub(super) fn new(source: &Source, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, at: span.start, place: Place::of(source, span) }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Place {
    fn of(source: &Source, span: Range<usize>) -> Self {
        let text = source.text.as_str();
        match &source.name {
            SourceName::Option(name) => Self::Option { name: name.clone(), excerpt: None },
            SourceName::Set => {
                Self::Option { name: "--set".to_owned(), excerpt: Some(excerpt(text, span).1) }
            }
            name => {
                let ((line, column), excerpt) = excerpt(text, span);
                Self::File { name: name.to_string(), line, column, excerpt }
            }
        }
    }
}

/// The position (line and column, from 1) of a span's start, and its line with the span marked.
fn excerpt(text: &str, span: Range<usize>) -> ((usize, usize), Excerpt) {
    let start = floor_char_boundary(text, span.start);
    let end = floor_char_boundary(text, span.end).max(start);
    let before = text.get(..start).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let rest = text.get(line_start..).unwrap_or_default();
    let line = rest.split('\n').next().unwrap_or_default();
    let line = line.strip_suffix('\r').unwrap_or(line);
    let number = before.bytes().filter(|&b| b == b'\n').count() + 1;
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;

    let from = start.saturating_sub(line_start).min(line.len());
    let to = end.saturating_sub(line_start).clamp(from, line.len());
    ((number, column), marked(line, from..to))
}

/// The part of a line around what is marked, made harmless, with the mark in columns of the terminal.
fn marked(line: &str, mark: Range<usize>) -> Excerpt {
    let mut shown = String::new();
    let (mut width, mut mark_from, mut mark_to) = (0, None, None);
    // A line of a megabyte is shown from shortly before the mark.
    let skip = if mark.start > WIDTH { mark.start - WIDTH / 2 } else { 0 };
    let skip = floor_char_boundary(line, skip);
    if skip > 0 {
        shown.push('…');
        width += 1;
    }
    for (at, c) in line.get(skip..).unwrap_or_default().char_indices() {
        let at = at + skip;
        if at >= mark.start && mark_from.is_none() {
            mark_from = Some(width);
        }
        if at >= mark.end && mark_to.is_none() {
            mark_to = Some(width);
        }
        if width >= WIDTH {
            shown.push('…');
            break;
        }
        width += push_visible(&mut shown, c);
    }
    let from = mark_from.unwrap_or(width);
    let to = mark_to.unwrap_or(width).max(from + 1);
    Excerpt { line: shown.trim_end().to_owned(), mark: from..to }
}

/// Text of others as it may be shown: control characters, bidirectional overrides and the like are escaped.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut width = 0;
    for c in text.chars() {
        if width >= WIDTH {
            shown.push('…');
            break;
        }
        width += push_visible(&mut shown, c);
    }
    shown
}

/// Appends one character, and returns the columns that it takes.
fn push_visible(shown: &mut String, c: char) -> usize {
    match c {
        // A tab's width depends on where it stands.
        '\t' => {
            shown.push(' ');
            1
        }
        '"' | '\'' | '\\' => {
            shown.push(c);
            1
        }
        // A combining mark on its own would be drawn into what stands before it.
        _ => {
            let escaped = c.escape_debug();
            let width = if escaped.len() == 1 { c.width().unwrap_or(1) } else { escaped.len() };
            shown.extend(escaped);
            width
        }
    }
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.message)?;
        let gutter = match &self.place {
            Place::File { name, line, column, excerpt } => {
                let gutter = line.to_string().len();
                writeln!(f, "{:gutter$}--> {name}:{line}:{column}", "")?;
                excerpt.write(f, &line.to_string())?;
                gutter
            }
            Place::Option { name, excerpt } => {
                writeln!(f, " --> {name}")?;
                if let Some(excerpt) = excerpt {
                    excerpt.write(f, " ")?;
                }
                1
            }
        };
        if let Some(help) = &self.help {
            writeln!(f, "{:gutter$} = help: {help}", "")?;
        }
        Ok(())
    }
}

impl Excerpt {
    fn write(&self, f: &mut fmt::Formatter<'_>, number: &str) -> fmt::Result {
        let gutter = number.len();
        writeln!(f, "{:gutter$} |", "")?;
        writeln!(f, "{number} | {}", self.line)?;
        let (indent, carets) = (self.mark.start, "^".repeat(self.mark.len()));
        writeln!(f, "{:gutter$} | {:indent$}{carets}", "", "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_hostile_line_can_not_paint_the_terminal() {
        let (_, shown) = excerpt("a = \"\u{1b}[2J\u{202e}x\"\n", 4..12);
        assert_eq!(shown.line, "a = \"\\u{1b}[2J\\u{202e}x\"");
        assert_eq!(visible("\r\u{7}"), "\\r\\u{7}");
    }

    #[test]
    fn the_mark_counts_columns_not_bytes() {
        let text = "ä = \"漢字\" x\n";
        let at = text.find('x').expect("there");
        let ((line, column), shown) = excerpt(text, at..at + 1);
        assert_eq!((line, column), (1, 10));
        assert_eq!(shown.mark, 11..12, "two of the characters are two columns wide");
    }

    #[test]
    fn a_very_long_line_is_cut_around_the_mark() {
        let text = format!("{}BAD{}", "a".repeat(100_000), "b".repeat(100_000));
        let (_, shown) = excerpt(&text, 100_000..100_003);
        assert!(shown.line.chars().count() <= WIDTH + 2);
        assert_eq!(shown.line.chars().skip(shown.mark.start).take(3).collect::<String>(), "BAD");
    }

    proptest! {
        #[test]
        fn any_span_of_any_text_can_be_shown(text in "(.|\\n|\\r){0,80}", from in 0usize..200, len in 0usize..200) {
            let ((line, column), shown) = excerpt(&text, from..from + len);
            prop_assert!(line >= 1 && column >= 1);
            prop_assert!(!shown.line.contains(char::is_control));
            prop_assert!(!shown.mark.is_empty());
        }
    }
}
