//! Columns as wide as what is in them.

use std::io::{self, Write};

use super::failure::colour_wanted;

/// A table of text without control characters.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    heads: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(crate) fn new(heads: [&'static str; N]) -> Self {
        Self { heads, rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }

    pub(crate) fn print(&self, out: &mut impl Write, on_terminal: bool) -> io::Result<()> {
        let mut widths = self.heads.map(|head| head.chars().count());
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let (bold, plain) = if on_terminal && colour_wanted() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        writeln!(out, "{bold}{}{plain}", line(&widths, &self.heads))?;
        for row in &self.rows {
            writeln!(out, "{}", line(&widths, row))?;
        }
        Ok(())
    }
}

fn line<T: AsRef<str>>(widths: &[usize], cells: &[T]) -> String {
    let mut line = String::new();
    for (&width, cell) in widths.iter().zip(cells) {
        let cell = cell.as_ref();
        line.push_str(cell);
        line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count()) + 3));
    }
    line.truncate(line.trim_end().len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() -> io::Result<()> {
        let mut table = Table::new(["A", "LONG"]);
        table.row(["öö".to_owned(), "x".to_owned()]);
        let mut out = Vec::new();
        table.print(&mut out, false)?;
        assert_eq!(String::from_utf8_lossy(&out), "A    LONG\nöö   x\n");
        Ok(())
    }
}
