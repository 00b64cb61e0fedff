//! The lines of a log's file, from either end, with no more of it in memory than the longest line needs.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;

use super::line::MAX_LINE;

const CHUNK: usize = 64 * 1024;

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a line is longer than any record")
}

/// Just past the last newline before `end`; 0 where there is none.
pub(super) fn after_last_newline(file: &File, mut end: u64) -> io::Result<u64> {
    let mut chunk = vec![0; CHUNK];
    while end > 0 {
        let size = chunk.len().min(usize::try_from(end).unwrap_or(usize::MAX));
        let start = end - size as u64;
        let part = chunk.get_mut(..size).unwrap_or_default();
        file.read_exact_at(part, start)?;
        if let Some(at) = memchr::memrchr(b'\n', part) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Whole lines, the last one first.
pub(crate) struct LinesBack<'a> {
    file: &'a File,
    /// Where `buffer` begins in the file.
    start: u64,
    /// Ends with the newline of the next line to give.
    buffer: Vec<u8>,
}

impl<'a> LinesBack<'a> {
    /// `end` is just past a newline, or 0.
    pub(crate) fn new(file: &'a File, end: u64) -> Self {
        Self { file, start: end, buffer: Vec::new() }
    }

    /// The next line without its newline, and where it begins.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, Vec<u8>)>> {
        loop {
            let begin = match self.buffer.split_last() {
                Some((_, line)) => memchr::memrchr(b'\n', line).map(|at| at + 1),
                None => None,
            };
            if begin.is_none() && self.start > 0 {
                self.extend()?;
                continue;
            }
            if self.buffer.is_empty() {
                return Ok(None);
            }
            let begin = begin.unwrap_or(0);
            let mut line = self.buffer.split_off(begin);
            line.pop();
            return Ok(Some((self.start + begin as u64, line)));
        }
    }

    /// Reads what is before the buffer: as much again, so that a long line costs no more than its length.
    fn extend(&mut self) -> io::Result<()> {
        if self.buffer.len() > MAX_LINE {
            return Err(too_long());
        }
        let size = CHUNK.max(self.buffer.len()).min(usize::try_from(self.start).unwrap_or(usize::MAX));
        let mut earlier = vec![0; size];
        let start = self.start - size as u64;
        self.file.read_exact_at(&mut earlier, start)?;
        earlier.append(&mut self.buffer);
        (self.buffer, self.start) = (earlier, start);
        Ok(())
    }
}

/// Whole lines, the first one first. At the end it can be asked again: a log that is being written grows.
pub(crate) struct Lines {
    file: BufReader<File>,
    /// The next line, as far as it was read.
    part: Vec<u8>,
    whole: bool,
}

impl Lines {
    /// From where `file` stands.
    pub(crate) fn new(file: File) -> Self {
        Self { file: BufReader::with_capacity(256 * 1024, file), part: Vec::new(), whole: false }
    }

    /// The next line without its newline; `None` where no whole line follows yet.
    pub(crate) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        if std::mem::take(&mut self.whole) {
            self.part.clear();
        }
        let room = (MAX_LINE + 1).saturating_sub(self.part.len());
        (&mut self.file).take(room as u64).read_until(b'\n', &mut self.part)?;
        match self.part.split_last() {
            Some((b'\n', line)) => {
                self.whole = true;
                Ok(Some(line))
            }
            _ if self.part.len() > MAX_LINE => Err(too_long()),
            _ => Ok(None),
        }
    }

    /// After `next` said `None`: the beginning of a line that is not whole.
    pub(crate) fn rest(&self) -> &[u8] {
        if self.whole { &[] } else { &self.part }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use proptest::prelude::*;

    use super::*;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("writes");
        file.rewind().expect("seeks");
        file
    }

    proptest! {
        #[test]
        fn both_directions_agree(sizes in proptest::collection::vec(0usize..100_000, 0..6), rest in 0usize..70_000) {
            let lines: Vec<_> = sizes.iter().map(|&size| vec![b'x'; size]).collect();
            let mut bytes: Vec<u8> = lines.iter().flat_map(|line| [&line[..], b"\n"].concat()).collect();
            let end = bytes.len() as u64;
            bytes.extend(vec![b'y'; rest]);
            let file = file(&bytes);
            prop_assert_eq!(after_last_newline(&file, bytes.len() as u64).expect("reads"), end);
            let mut back = LinesBack::new(&file, end);
            let mut at = end;
            for line in lines.iter().rev() {
                let (start, got) = back.next().expect("reads").expect("a line");
                at -= line.len() as u64 + 1;
                prop_assert_eq!((start, &got), (at, line));
            }
            prop_assert!(back.next().expect("reads").is_none());
            let mut forth = Lines::new(file.try_clone().expect("a descriptor"));
            for line in &lines {
                prop_assert_eq!(forth.next().expect("reads"), Some(&line[..]));
            }
            prop_assert!(forth.next().expect("reads").is_none());
            prop_assert_eq!(forth.rest().len(), rest);
        }
    }

    #[test]
    fn a_line_that_grows_is_given_once_it_is_whole() {
        let mut file = file(b"a\nb");
        let mut lines = Lines::new(file.try_clone().expect("a descriptor"));
        assert_eq!(lines.next().expect("reads"), Some(&b"a"[..]));
        assert_eq!(lines.next().expect("reads"), None);
        file.write_all_at(b"c\n", 3).expect("writes");
        file.flush().expect("writes");
        assert_eq!(lines.next().expect("reads"), Some(&b"bc"[..]));
    }

    #[test]
    fn a_line_without_end_is_an_error_and_not_the_memory() {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(1 << 32).expect("sparse");
        file.write_all_at(b"\n", (1 << 32) - 1).expect("writes");
        assert!(LinesBack::new(&file, 1 << 32).next().is_err());
        assert!(Lines::new(file).next().is_err());
    }
}
