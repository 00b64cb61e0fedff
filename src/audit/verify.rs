//! Checks a log from its first line to its last, and names the first line that does not fit.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::line::{self, Hash, NO_LINE};
use super::lines::Lines;
use super::record::{Boot, Event};
use crate::names::{RunId, SandboxName};

/// What a log that fits holds.
#[derive(Debug, Default)]
pub(crate) struct Verified {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    /// The hash that the next record will name: whoever keeps it elsewhere can later tell a rewritten log.
    pub(crate) head: Hash,
    pub(crate) first_us: u64,
    pub(crate) last_us: u64,
    pub(crate) gaps: u64,
    /// Runs without a `run.end`, in their order: one that goes on, or one whose end was cut off.
    pub(crate) open_runs: Vec<RunId>,
    /// Bytes after the last line: one that is being written, was torn by a crash, or was cut.
    pub(crate) rest: u64,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    #[error("{}:{line}: {what}", path.display())]
    Broken { path: PathBuf, line: u64, what: Misfit },
    #[error("can't read {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// How a line does not fit.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misfit {
    #[error("this is no record: {0}")]
    NoRecord(String),
    #[error("record {expected} was expected here, and this is {found}")]
    Seq { expected: u64, found: u64 },
    #[error(
        "this record says that the line before it has the SHA-256 {said}, but it has {is}: that line was changed, \
         or lines were removed or put between them"
    )]
    Prev { said: String, is: String },
    #[error("this is a record of the sandbox “{0}”")]
    Sandbox(SandboxName),
    #[error("byte {0} of this line is not as creel writes the record: the line was changed")]
    Spelling(usize),
    #[error("this record is from {src}, which is not after the record of {last} before it: it is here twice")]
    Twice { src: String, last: u64 },
}

/// Reads the log's file at `path`, which is `sandbox`'s.
pub(crate) fn verify(path: &Path, sandbox: &SandboxName) -> Result<Verified, VerifyError> {
    let failed = |source| VerifyError::Io { path: path.to_owned(), source };
    let mut lines = Lines::new(File::open(path).map_err(failed)?);
    let mut check = Check { sandbox, seen: HashMap::new(), again: Vec::new(), found: Verified::default() };
    while let Some(line) = lines.next().map_err(failed)? {
        let number = check.found.records + 1;
        check.line(line).map_err(|what| VerifyError::Broken { path: path.to_owned(), line: number, what })?;
    }
    check.found.rest = lines.rest().len() as u64;
    Ok(check.found)
}

struct Check<'a> {
    sandbox: &'a SandboxName,
    seen: HashMap<Boot, u64>,
    /// The line as it should be.
    again: Vec<u8>,
    found: Verified,
}

impl Check<'_> {
    fn line(&mut self, line: &[u8]) -> Result<(), Misfit> {
        let record = line::decode(line).map_err(|error| Misfit::NoRecord(error.to_string()))?;
        let (head, found) = (&record.head, &mut self.found);
        // The lines are numbered as the records are: one file holds a log from its beginning.
        if head.seq != found.records + 1 {
            return Err(Misfit::Seq { expected: found.records + 1, found: head.seq });
        }
        let before = if found.records == 0 { NO_LINE } else { found.head };
        if head.prev != before {
            return Err(Misfit::Prev { said: super::hex(&head.prev), is: super::hex(&before) });
        }
        if head.sandbox != *self.sandbox {
            return Err(Misfit::Sandbox(head.sandbox.clone()));
        }
        self.again.clear();
        line::encode(&mut self.again, head, &record.entry);
        if self.again != line {
            let same = self.again.iter().zip(line).take_while(|(a, b)| a == b).count();
            return Err(Misfit::Spelling(same + 1));
        }
        if let Some(last) = self.seen.insert(head.src.boot, head.src.offset)
            && last >= head.src.offset
        {
            return Err(Misfit::Twice { src: head.src.to_string(), last });
        }
        match record.entry.event {
            Event::RunStart(_) => found.open_runs.push(head.run),
            Event::RunEnd(_) => found.open_runs.retain(|run| *run != head.run),
            Event::Gap(_) => found.gaps += 1,
            Event::Exec(_) => {}
        }
        if found.records == 0 {
            found.first_us = record.entry.ts_us;
        }
        found.last_us = record.entry.ts_us;
        found.records += 1;
        found.bytes += line.len() as u64 + 1;
        found.head = line::hash(line);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audit::log::{CURRENT, Log};
    use crate::audit::record::{Entry, Exec, Gap, Outcome, Src};
    use crate::policy::model::Durability;

    const RECORDS: usize = 12;

    struct Case {
        dir: tempfile::TempDir,
        lines: Vec<Vec<u8>>,
    }

    /// A log of some records, whole.
    fn case() -> Case {
        let dir = tempfile::tempdir().expect("a folder");
        let mut log = Log::open(dir.path(), &name(), RunId::new(), Durability::Written).expect("opens");
        let boot = Boot::new().expect("random");
        for n in 0..RECORDS as u64 {
            let mut exec = Exec { pid: 7, ..Exec::default() };
            exec.set_argv(vec!["echo".into(), format!("{n}\u{1b}é").as_str().into(), b"\xff"[..].into()]);
            let event = if n == 5 {
                Event::Gap(Gap { count: Some(1), reason: "a \"gap\"".to_owned() })
            } else {
                Event::Exec(exec)
            };
            let entry = Entry { ts_us: n, outcome: Outcome::Allow, rule: None, by: None, event };
            log.append(Src { boot, offset: n * 100 }, &entry);
        }
        log.flush().expect("writes");
        let bytes = std::fs::read(dir.path().join(CURRENT)).expect("a log");
        let lines = bytes.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
        Case { dir, lines }
    }

    fn name() -> SandboxName {
        "otter".parse().expect("a name")
    }

    impl Case {
        fn check(&self) -> Result<Verified, (u64, Misfit)> {
            let path = self.dir.path().join(CURRENT);
            std::fs::write(&path, self.lines.concat()).expect("writes");
            verify(&path, &name()).map_err(|error| match error {
                VerifyError::Broken { line, what, .. } => (line, what),
                VerifyError::Io { .. } => panic!("{error}"),
            })
        }
    }

    #[test]
    fn a_whole_log_fits() {
        let case = case();
        let found = case.check().expect("fits");
        assert_eq!((found.records, found.gaps, found.rest, found.last_us), (12, 1, 0, 11));
        assert_eq!(found.bytes as usize, case.lines.concat().len());
    }

    #[test]
    fn a_line_that_was_removed_is_missed() {
        for gone in 0..RECORDS - 1 {
            let mut case = case();
            case.lines.remove(gone);
            let (line, what) = case.check().expect_err("seen");
            let (expected, found) = (gone as u64 + 1, gone as u64 + 2);
            assert_eq!((line, what), (expected, Misfit::Seq { expected, found }));
        }
    }

    #[test]
    fn lines_that_were_swapped_are_named() {
        for first in 0..RECORDS - 1 {
            let mut case = case();
            case.lines.swap(first, first + 1);
            assert_eq!(case.check().expect_err("seen").0, first as u64 + 1);
        }
    }

    #[test]
    fn a_line_that_was_put_in_is_named() {
        for at in 0..RECORDS {
            let mut case = case();
            let twice = case.lines[at].clone();
            case.lines.insert(at, twice);
            assert_eq!(case.check().expect_err("seen").0, at as u64 + 2);
        }
    }

    #[test]
    fn a_cut_line_is_told_from_a_whole_one() {
        let mut case = case();
        case.lines[RECORDS - 1].truncate(50);
        let found = case.check().expect("what is whole fits");
        assert_eq!((found.records, found.rest), (11, 50));
    }

    /// Renumbered and chained anew from the removed line on, but for one seam.
    #[test]
    fn a_seam_is_seen_where_the_numbers_fit() {
        let mut case = case();
        case.lines.remove(4);
        for (n, line) in case.lines.iter_mut().enumerate().skip(4) {
            let mut record = line::decode(line.trim_ascii_end()).expect("a record");
            record.head.seq = n as u64 + 1;
            line.clear();
            line::encode(line, &record.head, &record.entry);
            line.push(b'\n');
        }
        assert!(matches!(case.check().expect_err("seen"), (5, Misfit::Prev { .. })));
    }

    #[test]
    fn a_record_that_is_there_twice_is_named() {
        let mut case = case();
        let mut record = line::decode(case.lines[3].trim_ascii_end()).expect("a record");
        record.head.seq = 13;
        record.head.prev = line::hash(case.lines[11].trim_ascii_end());
        let mut line = Vec::new();
        line::encode(&mut line, &record.head, &record.entry);
        line.push(b'\n');
        case.lines.push(line);
        assert!(matches!(case.check().expect_err("seen"), (13, Misfit::Twice { last: 1100, .. })));
    }

    proptest! {
        /// A changed byte is seen at its line, or by what the line after it says. The last line's is the seal's to
        /// see: there is none yet, so only what makes it no record, or no record's spelling, is seen there.
        #[test]
        fn any_changed_byte_is_seen(at: proptest::sample::Index, flip in 1u8..) {
            let mut case = case();
            let number = at.index(RECORDS - 1);
            let length = case.lines[number].len();
            let byte = at.index(length);
            case.lines[number][byte] ^= flip;
            let (line, _) = case.check().expect_err("seen");
            prop_assert!((number as u64 + 1..=number as u64 + 2).contains(&line), "{line} for {number}");
        }
    }
}
