use proptest::prelude::*;

use super::*;
use crate::audit::record::{By, Bytes, Cause, Cut, Event, Exec, Gap, Outcome, RunEnd, RunStart};

fn bytes() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        // What a workload writes to mislead a reader.
        "[a\"\\\\\n\r\t\u{0}\u{1b}\u{7f}\u{9b}\u{2028}\u{202e}\u{200b}é\u{1f980}]{0,12}"
            .prop_map(|text| Bytes(text.into_bytes())),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(Bytes),
    ]
}

fn list() -> impl Strategy<Value = Vec<Bytes>> {
    proptest::collection::vec(bytes(), 0..4)
}

fn cut() -> impl Strategy<Value = Option<Cut>> {
    proptest::option::of((any::<u64>(), ".*").prop_map(|(bytes, sha256)| Cut { bytes, sha256 }))
}

fn exec() -> impl Strategy<Value = Event> {
    let numbers = (any::<u32>(), any::<u32>(), any::<u64>(), any::<u32>());
    let env = proptest::collection::vec((bytes(), proptest::option::of(bytes())), 0..3);
    let reason = proptest::option::of(".*");
    (numbers, bytes(), proptest::option::of(bytes()), list(), cut(), bytes(), env, cut(), reason).prop_map(
        |((pid, ppid, start, uid), exe, file, argv, argv_cut, cwd, env, env_cut, reason)| {
            Event::Exec(Exec { pid, ppid, start, uid, exe, file, argv, argv_cut, cwd, env, env_cut, reason })
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    let start = (list(), ".*", ".*", proptest::collection::vec(".*", 0..3)).prop_map(
        |(argv, policy, image, policy_sources)| {
            let (image_id, creel, engine, kernel) = Default::default();
            Event::RunStart(RunStart { argv, policy, policy_sources, image, image_id, creel, engine, kernel })
        },
    );
    let figure = || proptest::option::of(any::<u64>());
    let end = (any::<i32>(), proptest::option::of(".*"), figure(), figure(), any::<u64>()).prop_map(
        |(exit_code, message, memory_peak, cpu_us, wall_ms)| {
            let (oom_kills, pids_denied) = (cpu_us, memory_peak);
            let (cause, execs) = (Cause::Oom, wall_ms);
            Event::RunEnd(RunEnd {
                cause,
                exit_code,
                message,
                memory_peak,
                oom_kills,
                pids_denied,
                cpu_us,
                wall_ms,
                execs,
            })
        },
    );
    let gap = (figure(), ".*").prop_map(|(count, reason)| Event::Gap(Gap { count, reason }));
    prop_oneof![exec(), start, end, gap]
}

prop_compose! {
    fn record()(
        seq: u64,
        ts_us in 0u64..253_402_207_200_000_000,
        outcome in proptest::sample::select(Outcome::ALL.to_vec()),
        rule in proptest::option::of(".*"),
        by in proptest::sample::select(vec![None, Some(By::Policy), Some(By::Timeout), Some(By::Remembered)]),
        event in event(),
        prev: Hash,
        offset: u64,
    ) -> Record {
        let src = Src { boot: "00000000000000ab".parse().expect("a boot"), offset };
        let head = Head { seq, sandbox: "quiet-otter".parse().expect("a name"), run: RunId::new(), src, prev };
        Record { head, entry: Entry { ts_us, outcome, rule, by, event } }
    }
}

fn line(record: &Record) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&mut out, &record.head, &record.entry);
    out
}

proptest! {
    #[test]
    fn a_line_is_one_line_of_json_and_reads_back(record in record()) {
        let line = line(&record);
        let text = std::str::from_utf8(&line).expect("UTF-8");
        prop_assert!(!text.contains(|c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}'), "{text}");
        serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        prop_assert_eq!(decode(&line).expect("a record"), record);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, record in record(), cut: proptest::sample::Index) {
        let _ = decode(&bytes);
        let line = line(&record);
        prop_assert!(decode(&line[..cut.index(line.len())]).is_err());
    }

    /// A gate that is no longer ours may give any time.
    #[test]
    fn any_time_is_written_as_one(ts_us: u64) {
        let event = Event::Gap(Gap { count: None, reason: String::new() });
        let entry = Entry { ts_us, outcome: Outcome::Observed, rule: None, by: None, event };
        let src = "00000000000000ab:1".parse().expect("a place");
        let sandbox = "a".parse().expect("a name");
        let head = Head { seq: 1, sandbox, run: RunId::new(), src, prev: NO_LINE };
        decode(&line(&Record { head, entry })).expect("a record");
    }
}

#[test]
fn the_fields_are_in_the_order_of_the_format() {
    let mut exec = Exec { pid: 7, ppid: 1, start: 99, uid: 1000, ..Exec::default() };
    exec.exe = "/usr/bin/dash".into();
    exec.file = Some("./x\u{1b}[2J.sh".into());
    exec.set_argv(vec!["sh".into(), b"\xff"[..].into(), "a\"b".into()]);
    exec.cwd = "/workspace".into();
    exec.set_env(vec![("LD_PRELOAD".into(), Some("/tmp/x.so".into())), ("LANG".into(), None)]);
    exec.reason = Some("not for agents".into());
    let entry = Entry {
        ts_us: 1_795_581_810_000_042,
        outcome: Outcome::Deny,
        rule: Some("no-sh".into()),
        by: Some(By::Policy),
        event: Event::Exec(exec),
    };
    let head = Head {
        seq: 3,
        sandbox: "quiet-otter".parse().expect("a name"),
        run: "01KAX0000000000000000000AB".parse().expect("a run"),
        src: "00000000000000ab:4096".parse().expect("a place"),
        prev: [0xa1; 32],
    };
    let text = String::from_utf8(line(&Record { head, entry })).expect("UTF-8");
    let expected = concat!(
        r#"{"v":1,"seq":3,"ts":"2026-11-25T04:43:30.000042Z","sandbox":"quiet-otter","#,
        r#""run":"01KAX0000000000000000000AB","src":"00000000000000ab:4096","kind":"exec","verdict":"deny","#,
        r#""rule":"no-sh","by":"policy","pid":7,"ppid":1,"start":99,"uid":1000,"exe":"/usr/bin/dash","#,
        r#""file":"./x\u001b[2J.sh","argv":["sh",{"base64":"/w=="},"a\"b"],"cwd":"/workspace","#,
        r#""env":[["LD_PRELOAD","/tmp/x.so"],["LANG",null]],"reason":"not for agents","prev":""#,
    );
    assert_eq!(text, format!("{expected}{}\"}}", "a1".repeat(32)));
}

#[test]
fn what_does_not_belong_is_named() {
    let good = r#"{"v":1,"seq":1,"ts":"2026-11-25T04:43:30.000042Z","sandbox":"a","run":"01KAX0000000000000000000AB","src":"00000000000000ab:1","kind":"gap","verdict":"observed","reason":"x","prev":"PREV"}"#
        .replace("PREV", &"00".repeat(32));
    decode(good.as_bytes()).expect("good");
    for (from, to, message) in [
        (r#""v":1"#, r#""v":2"#, "version 2"),
        (r#""seq":1,"#, "", "expected “seq”, found “ts”"),
        (r#""seq":1,"#, r#""seq":-1,"#, "invalid value"),
        (r#""kind":"gap""#, r#""kind":"gape""#, "unknown kind “gape”"),
        (r#""reason":"x","#, "", "missing field `reason`"),
        (r#""reason""#, r#""raisin""#, "unknown field `raisin`"),
        (r#""reason":"x""#, r#""reason":"x","reason":"y""#, "duplicate field `reason`"),
        ("00\"}", "00\",\"x\":1}", "“x” after “prev”"),
        ("0000\"}", "00zz\"}", "“prev” is no SHA-256"),
        ("\"a\"", "\"../a\"", "can't name a sandbox"),
        ("ab:1", "ab:01", "no place in a spool"),
    ] {
        let error = decode(good.replacen(from, to, 1).as_bytes()).expect_err(from).to_string();
        assert!(error.contains(message), "{from} -> {to}: {error}");
    }
}
