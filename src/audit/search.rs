//! Finds records: the logs of one or all sandboxes, read as one by time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::line::{self, Record};
use super::lines::{Lines, LinesBack, after_last_newline};
use super::log::CURRENT;
use super::record::{Bytes, Event, Kind, Outcome};
use crate::names::{RunId, SandboxName};

/// What is asked for; an empty list asks for all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) run: Option<RunId>,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) verdicts: Vec<Outcome>,
    /// Microseconds since the epoch, this one included.
    pub(crate) since: Option<u64>,
    /// This one excluded.
    pub(crate) until: Option<u64>,
    pub(crate) rule: Option<String>,
    /// In an exec's program, script or arguments.
    pub(crate) text: Option<Vec<u8>>,
}

impl Filter {
    fn takes(&self, record: &Record) -> bool {
        let entry = &record.entry;
        self.run.is_none_or(|run| run == record.head.run)
            && (self.kinds.is_empty() || self.kinds.contains(&entry.event.kind()))
            && (self.verdicts.is_empty() || self.verdicts.contains(&entry.outcome))
            && self.since.is_none_or(|since| entry.ts_us >= since)
            && self.until.is_none_or(|until| entry.ts_us < until)
            && self.rule.as_ref().is_none_or(|rule| entry.rule.as_ref() == Some(rule))
            && self.text.as_ref().is_none_or(|text| holds(&entry.event, text))
    }
}

fn holds(event: &Event, text: &[u8]) -> bool {
    let (argv, others): (&[Bytes], [Option<&Bytes>; 2]) = match event {
        Event::Exec(exec) => (&exec.argv, [Some(&exec.exe), exec.file.as_ref()]),
        Event::RunStart(start) => (&start.argv, [None, None]),
        Event::RunEnd(_) | Event::Gap(_) => (&[], [None, None]),
    };
    let finder = memchr::memmem::Finder::new(text);
    argv.iter().chain(others.into_iter().flatten()).any(|bytes| finder.find(&bytes.0).is_some())
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SearchError {
    #[error("there is no audit log of a sandbox “{0}”")]
    NoLog(SandboxName),
    #[error("can't read {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// A record that was found, and its line as the log has it.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) record: Record,
    pub(crate) line: Vec<u8>,
}

/// The sandboxes that have a log in `dir`, by name.
pub(crate) fn sandboxes(dir: &Path) -> Result<BTreeSet<SandboxName>, SearchError> {
    let failed = |source| SearchError::Io { path: dir.to_owned(), source };
    let mut names = BTreeSet::new();
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().into_string().ok().and_then(|name| name.parse().ok());
        names.extend(name.filter(|_| entry.path().join(CURRENT).is_file()));
    }
    Ok(names)
}

/// The logs of some sandboxes, or of all in a folder.
pub(crate) struct Logs {
    dir: PathBuf,
    filter: Filter,
    /// New sandboxes are taken up as they come.
    all: bool,
    logs: BTreeMap<SandboxName, Source>,
    /// Lines that are no record.
    bad: u64,
}

struct Source {
    path: PathBuf,
    file: File,
    /// Where it ended when it was opened.
    end: u64,
    lines: Lines,
    /// Read, and not yet given.
    next: Option<Found>,
}

impl Logs {
    /// Those of `names` in `dir`, or all of them where none are named.
    pub(crate) fn open(dir: &Path, names: &[SandboxName], filter: Filter) -> Result<Self, SearchError> {
        let mut logs =
            Self { dir: dir.to_owned(), filter, all: names.is_empty(), logs: BTreeMap::new(), bad: 0 };
        for name in names {
            logs.add(name)?;
        }
        logs.take_up()?;
        Ok(logs)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &SandboxName> {
        self.logs.keys()
    }

    /// How many lines were passed over because they are no records.
    pub(crate) fn bad(&self) -> u64 {
        self.bad
    }

    /// The last `count` records, the oldest first. What [`Logs::next`] then gives is what comes after them.
    pub(crate) fn last(&mut self, count: usize) -> Result<Vec<Found>, SearchError> {
        let mut backs = Vec::new();
        for source in self.logs.values_mut() {
            let failed = |source_error| SearchError::Io { path: source.path.clone(), source: source_error };
            source.file.seek(SeekFrom::Start(source.end)).map_err(failed)?;
            source.lines = Lines::new(source.file.try_clone().map_err(failed)?);
            let back = LinesBack::new(source.file.try_clone().map_err(failed)?, source.end);
            backs.push((source.path.clone(), back, None));
        }
        let mut last = Vec::new();
        while last.len() < count {
            for (path, back, next) in &mut backs {
                while next.is_none() {
                    let failed = |source| SearchError::Io { path: path.clone(), source };
                    let Some((_, line)) = back.next().map_err(failed)? else { break };
                    *next = read(&self.filter, &mut self.bad, &line);
                }
            }
            // Of equal times the later log's, as `next` gives it last.
            let newest = backs.iter_mut().map(|(_, _, next)| next).filter(|next| next.is_some());
            let Some(found) = newest.max_by_key(|next| time(next)).and_then(Option::take) else { break };
            last.push(found);
        }
        last.reverse();
        Ok(last)
    }

    /// The next record by time; `None` at the end, where it can be asked again while logs are written.
    pub(crate) fn next(&mut self) -> Result<Option<Found>, SearchError> {
        for source in self.logs.values_mut() {
            while source.next.is_none() {
                let failed = |error| SearchError::Io { path: source.path.clone(), source: error };
                let Some(line) = source.lines.next().map_err(failed)? else { break };
                source.next = read(&self.filter, &mut self.bad, line);
            }
        }
        let ready = self.logs.values_mut().map(|source| &mut source.next).filter(|next| next.is_some());
        Ok(ready.min_by_key(|next| time(next)).and_then(Option::take))
    }

    /// Takes up sandboxes that have come since, if all are asked for.
    pub(crate) fn take_up(&mut self) -> Result<(), SearchError> {
        if self.all {
            for name in sandboxes(&self.dir)? {
                if !self.logs.contains_key(&name) {
                    self.add(&name)?;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &SandboxName) -> Result<(), SearchError> {
        let path = self.dir.join(name.as_str()).join(CURRENT);
        let open = || {
            let file = File::open(&path)?;
            let end = after_last_newline(&file, file.metadata()?.len())?;
            let lines = Lines::new(file.try_clone()?);
            Ok(Source { path: path.clone(), file, end, lines, next: None })
        };
        let source = open().map_err(|error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => SearchError::NoLog(name.clone()),
            _ => SearchError::Io { path: path.clone(), source: error },
        })?;
        self.logs.insert(name.clone(), source);
        Ok(())
    }
}

fn time(next: &Option<Found>) -> Option<u64> {
    next.as_ref().map(|found| found.record.entry.ts_us)
}

fn read(filter: &Filter, bad: &mut u64, line: &[u8]) -> Option<Found> {
    match line::decode(line) {
        Ok(record) => filter.takes(&record).then(|| Found { record, line: line.to_vec() }),
        Err(_) => {
            *bad += 1;
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::log::Log;
    use crate::audit::record::{Boot, Entry, Exec, Gap, Src};
    use crate::policy::model::Durability;

    fn write(log: &mut Log, boot: Boot, times: &[u64]) {
        for &ts_us in times {
            let event = match ts_us % 10 {
                9 => Event::Gap(Gap { count: None, reason: String::new() }),
                _ => Event::Exec(Exec::default()),
            };
            let outcome = if ts_us % 2 == 0 { Outcome::Allow } else { Outcome::Deny };
            let entry = Entry { ts_us, outcome, rule: None, by: None, event };
            log.append(Src { boot, offset: ts_us }, &entry);
        }
        log.flush().expect("writes");
    }

    fn log(dir: &Path, name: &str) -> Log {
        let name: SandboxName = name.parse().expect("a name");
        Log::open(&dir.join(name.as_str()), &name, RunId::new(), Durability::Written).expect("opens")
    }

    fn times(logs: &mut Logs) -> Vec<u64> {
        std::iter::from_fn(|| logs.next().expect("reads")).map(|found| found.record.entry.ts_us).collect()
    }

    #[test]
    fn many_logs_are_one_by_time() {
        let dir = tempfile::tempdir().expect("a folder");
        let boot = Boot::new().expect("random");
        let all = |filter| Logs::open(dir.path(), &[], filter).expect("opens");
        assert_eq!(times(&mut all(Filter::default())), [0; 0]);
        let (mut a, mut b) = (log(dir.path(), "a"), log(dir.path(), "b"));
        write(&mut a, boot, &[1, 4, 5, 9]);
        write(&mut b, boot, &[2, 3, 6, 7, 8]);
        assert_eq!(times(&mut all(Filter::default())), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let filter = || Filter { since: Some(3), until: Some(9), ..Filter::default() };
        assert_eq!(times(&mut all(filter())), [3, 4, 5, 6, 7, 8]);
        let denied = Filter { verdicts: vec![Outcome::Deny], ..filter() };
        assert_eq!(times(&mut all(denied)), [3, 5, 7]);
        assert_eq!(times(&mut all(Filter { kinds: vec![Kind::Gap], ..Filter::default() })), [9]);

        let mut logs = all(filter());
        let last: Vec<_> =
            logs.last(3).expect("reads").iter().map(|found| found.record.entry.ts_us).collect();
        assert_eq!(last, [6, 7, 8]);
        assert_eq!(times(&mut logs), [0; 0], "nothing new");
        logs.filter.until = None;
        write(&mut a, boot, &[12]);
        write(&mut b, boot, &[11]);
        write(&mut log(dir.path(), "c"), boot, &[10]);
        logs.take_up().expect("reads");
        assert_eq!(times(&mut logs), [10, 11, 12]);

        let named = |name: &str| Logs::open(dir.path(), &[name.parse().expect("a name")], Filter::default());
        assert_eq!(times(&mut named("b").expect("opens")), [2, 3, 6, 7, 8, 11]);
        assert!(matches!(named("d"), Err(SearchError::NoLog(_))));
    }

    #[test]
    fn a_line_that_is_no_record_is_counted_and_passed_over() {
        let dir = tempfile::tempdir().expect("a folder");
        let boot = Boot::new().expect("random");
        write(&mut log(dir.path(), "a"), boot, &[1, 2]);
        let path = dir.path().join("a").join(CURRENT);
        let text = std::fs::read_to_string(&path).expect("a log");
        std::fs::write(&path, text.replacen('\n', "\nnonsense\n", 1)).expect("writes");
        let mut logs = Logs::open(dir.path(), &[], Filter::default()).expect("opens");
        assert_eq!(times(&mut logs), [1, 2]);
        assert_eq!(logs.bad(), 1);
    }
}
