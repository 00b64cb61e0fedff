//! Text in columns. Widths are a terminal's, not characters.

use unicode_width::UnicodeWidthChar;

use crate::approval::render::Field;

/// The labels' column, the space after it included.
const LABELS: usize = 10;

/// One line of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Empty where the line goes on with the one before it. Text of the workload's never stands in this column.
    pub(super) label: &'static str,
    pub(super) text: String,
}

/// The fields as lines of at most `width`.
pub(super) fn rows(fields: &[Field], width: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for field in fields {
        let mut label = field.label;
        for text in wrap(&field.text, width.saturating_sub(LABELS).max(1)) {
            rows.push(Row { label: std::mem::take(&mut label), text });
        }
    }
    rows
}

/// A label, filled up to its column.
pub(super) fn label(text: &str) -> String {
    format!("{text:<LABELS$}")
}

/// Cuts a text into lines, after a blank where there is one far enough on. Nothing is left out.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0);
    for c in text.chars().map(plain) {
        let wide = width_of(c);
        if used + wide > width && !line.is_empty() {
            let kept = line.rfind(' ').map_or(line.len(), |at| at + 1);
            let kept = if kept > line.len() / 2 { kept } else { line.len() };
            let rest = line.split_off(kept);
            lines.push(std::mem::replace(&mut line, rest));
            used = columns(&line);
        }
        line.push(c);
        used += wide;
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Puts items side by side, two blanks between, as long as they fit.
pub(super) fn flow(items: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line) if columns(line) + 2 + columns(item) <= width => {
                line.push_str("  ");
                line.push_str(item);
            }
            _ => lines.push(item.clone()),
        }
    }
    lines
}

/// As much of a text as fits.
pub(super) fn clip(text: &str, width: usize) -> String {
    let mut used = 0;
    let fits = |c: &char| {
        used += width_of(*c);
        used <= width
    };
    text.chars().map(plain).take_while(fits).collect()
}

pub(super) fn columns(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

fn width_of(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Fields are safe already; that no control gets past here needs no trust in that.
fn plain(c: char) -> char {
    if c.is_control() { '\u{fffd}' } else { c }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_break_at_blanks_where_that_is_near() {
        assert_eq!(wrap("deletes every file", 10), ["deletes ", "every file"]);
        assert_eq!(wrap("a bcdefghijklmn", 8), ["a bcdefg", "hijklmn"]);
        assert_eq!(wrap("漢漢漢", 4), ["漢漢", "漢"]);
        assert_eq!(wrap("", 4), [""]);
        let items = ["o once", "s command", "a always"].map(str::to_owned);
        assert_eq!(flow(&items, 20), ["o once  s command", "a always"]);
    }

    #[test]
    fn text_stays_out_of_the_labels() {
        let field = Field { label: "command", text: "x".repeat(10) + " danger   none" };
        let rows = rows(&[field], 24);
        let labels: Vec<_> = rows.iter().map(|row| row.label).collect();
        assert_eq!(labels, ["command", ""]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_too_wide(text in "\\PC{0,80}", width in 2_usize..40) {
            let lines = wrap(&text, width);
            prop_assert_eq!(lines.concat(), text);
            for line in lines {
                prop_assert!(columns(&line) <= width, "{line:?}");
            }
        }

        #[test]
        fn no_control_gets_through(text in any::<String>(), width in 1_usize..40) {
            let all = wrap(&text, width).concat() + &clip(&text, width);
            prop_assert!(!all.chars().any(char::is_control));
        }
    }
}
