use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::audit::line::{NO_LINE, Record, decode};
use crate::audit::record::{Cause, Event, Exec, Gap, Outcome, RunEnd};
use crate::names::RunId;
use crate::policy::model::Durability;

fn exec(text: &str) -> Entry {
    let exec = Exec { argv: vec![text.into()], ..Exec::default() };
    Entry { ts_us: 1, outcome: Outcome::Allow, rule: None, by: None, event: Event::Exec(exec) }
}

fn open(dir: &Path, run: RunId) -> Result<Log, LogError> {
    Log::open(dir, &"otter".parse().expect("a name"), run, Durability::Written)
}

fn src(offset: u64) -> Src {
    Src { boot: "00000000000000aa".parse().expect("a boot"), offset }
}

/// The log's records, their chain checked.
fn records(dir: &Path) -> Vec<Record> {
    let bytes = std::fs::read(dir.join(CURRENT)).expect("a log");
    let mut prev = NO_LINE;
    let lines = bytes.strip_suffix(b"\n").expect("a whole last line").split(|&byte| byte == b'\n');
    let read = |(n, bytes): (u64, &[u8])| {
        let record = decode(bytes).expect("a record");
        assert_eq!((record.head.seq, record.head.prev), (n + 1, prev));
        prev = line::hash(bytes);
        record
    };
    (0u64..).zip(lines).map(read).collect()
}

#[test]
fn the_chain_goes_on_over_runs() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path().join("deep/otter");
    let (first, second) = (RunId::new(), RunId::new());
    for run in [first, second] {
        let mut log = open(&dir, run).expect("opens");
        assert_eq!(*log.resumed(), Resumed::default());
        log.append(src(0), &exec("a")).expect("appends");
        assert_eq!(log.last_src(src(0).boot), None, "pending");
        assert!(matches!(open(&dir, run), Err(LogError::Locked(_))));
        log.flush().expect("writes");
        assert_eq!(log.last_src(src(0).boot), Some(0));
    }
    let runs: Vec<_> = records(&dir).iter().map(|record| record.head.run).collect();
    assert_eq!(runs, [first, second]);
    let mode = |path: &Path| std::fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    assert_eq!((mode(&dir), mode(&dir.join(CURRENT)), mode(&dir.join("lock"))), (0o700, 0o600, 0o600));
}

#[test]
fn a_takeover_takes_each_record_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let run = RunId::new();
    let mut log = open(dir.path(), run).expect("opens");
    for offset in [0, 100, 250] {
        log.append(src(offset), &exec("a")).expect("appends");
    }
    log.append_own(&exec("own")).expect("appends");
    log.flush().expect("writes");
    log.append(src(300), &exec("never flushed")).expect("appends");
    drop(log);
    let mut log = open(dir.path(), run).expect("opens");
    assert_eq!(*log.resumed(), Resumed { started: false, ended: false, execs: 4 });
    assert_eq!(log.last_src(src(0).boot), Some(250));
    assert_eq!(log.append(src(250), &exec("a")).expect("appends"), Appended::Already);
    assert_eq!(log.append(src(300), &exec("b")).expect("appends"), Appended::New(5));
    let event = RunEnd {
        cause: Cause::Exit,
        exit_code: 0,
        message: None,
        memory_peak: None,
        oom_kills: None,
        pids_denied: None,
        cpu_us: None,
        wall_ms: 0,
        execs: 4,
    };
    log.append_own(&Entry { event: Event::RunEnd(event), ..exec("") }).expect("appends");
    log.flush().expect("writes");
    drop(log);
    assert!(open(dir.path(), run).expect("opens").resumed().ended);
    assert!(!open(dir.path(), RunId::new()).expect("opens").resumed().ended, "another run's");
    assert_eq!(records(dir.path()).len(), 6);
}

#[test]
fn what_a_crash_left_is_set_aside_and_named() {
    let run = RunId::new();
    for torn in [&b"{\"v\":1,\"se"[..], b"\0\0\0\0", b"\0\0\n\0", b"{\"v\":1,\n\n"] {
        for before in [0, 1] {
            let dir = tempfile::tempdir().expect("a folder");
            let mut log = open(dir.path(), run).expect("opens");
            for offset in 0..before {
                log.append(src(offset), &exec("a")).expect("appends");
            }
            log.flush().expect("writes");
            drop(log);
            let path = dir.path().join(CURRENT);
            let whole = std::fs::read(&path).expect("a log");
            std::fs::write(&path, [&whole, torn].concat()).expect("writes");
            drop(open(dir.path(), run).expect("opens"));
            let aside = dir.path().join(format!("torn-{}.0", before + 1));
            assert_eq!(std::fs::read(aside).expect("is there"), torn);
            let records = records(dir.path());
            assert_eq!(records.len() as u64, before + 1);
            let event = &records.last().expect("one").entry.event;
            assert!(matches!(event, Event::Gap(Gap { reason, .. }) if reason.contains("torn")), "{event:?}");
            drop(open(dir.path(), run).expect("opens"));
            assert_eq!(super::tests::records(dir.path()).len(), records.len(), "once");
        }
    }
}

#[test]
fn a_log_that_is_not_ours_is_left_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join(CURRENT);
    let mut log = open(dir.path(), RunId::new()).expect("opens");
    log.append(src(0), &exec("a")).expect("appends");
    log.flush().expect("writes");
    drop(log);
    let line = std::fs::read_to_string(&path).expect("a log");
    for (from, to) in [("\"v\":1", "\"v\":2"), ("\"otter\"", "\"beaver\""), ("\"exec\"", "\"new\"")] {
        let other = line.replace(from, to);
        std::fs::write(&path, &other).expect("writes");
        let error = open(dir.path(), RunId::new()).err().expect("refused");
        assert!(matches!(error, LogError::Foreign { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(&path).expect("a log"), other);
    }
}

/// A record that can't be stored is kept, and stored once it can be; meanwhile nothing counts as safe.
#[test]
fn a_log_that_was_taken_away_takes_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join(CURRENT);
    let away = dir.path().join("away");
    let mut log = open(dir.path(), RunId::new()).expect("opens");
    log.append(src(0), &exec("a")).expect("appends");
    std::fs::rename(&path, &away).expect("moves");
    assert!(matches!(log.flush(), Err(LogError::Changed(_))));
    std::fs::write(&path, "").expect("writes");
    assert!(matches!(log.flush(), Err(LogError::Changed(_))));
    assert_eq!(log.last_src(src(0).boot), None);
    std::fs::rename(&away, &path).expect("moves");
    log.flush().expect("writes");
    std::fs::write(&path, "x").expect("writes");
    log.append(src(1), &exec("b")).expect("appends");
    assert!(matches!(log.flush(), Err(LogError::Changed(_))));
}

#[test]
fn what_waits_is_bounded() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join(CURRENT);
    let mut log = open(dir.path(), RunId::new()).expect("opens");
    std::fs::remove_file(&path).expect("removes");
    let long = exec(&"x".repeat(60_000));
    let error = (0..).find_map(|n| log.append(src(n), &long).err()).expect("refuses in the end");
    assert!(matches!(error, LogError::Changed(_)), "{error}");
    assert!(log.pending() < MAX_PENDING + 200_000);
}
