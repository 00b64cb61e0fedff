//! What the targets in fuzz/ call; built with the feature of that name, and for nothing else. Each panics where a
//! promise is broken: never a panic, the same answer twice, and no input that takes long.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crate::judge::{ExecAction, Judge, Judgement, Place, Verdict};
use crate::policy;
use crate::policy::model::CommandsPolicy;

/// The promise is 10 ms; what cargo-fuzz instruments is many times slower, and is built with debug assertions.
const PATIENCE: Duration = Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 10 });

static JUDGE: LazyLock<Judge> = LazyLock::new(|| {
    let commands = CommandsPolicy {
        default: Verdict::Allow,
        dangerous: Verdict::Ask,
        categories: BTreeMap::new(),
        catalogue_rules: BTreeMap::new(),
        rules: Vec::new(),
    };
    let place = Place { home: b"/home/dev".to_vec(), workspace: b"/workspace".to_vec() };
    Judge::new(&commands, place).expect("the built-in catalogue loads")
});

/// Shell text, as after `sh -c`, and as a script that `sh FILE` reads.
pub fn shell_text(text: &[u8]) {
    let alone = judged(|| JUDGE.judge_text(text, b"/workspace", &|_| None).0);
    let words = [b"sh".to_vec(), b"script".to_vec()];
    let as_script = judged(|| exec(&words, &|_| Some(text.to_vec())));
    // A script that is too long to be read is judged by its execs alone, and a text of that length is unclear.
    let is_read = text.len() <= crate::judge::TEXT_MAX;
    assert!(!is_read || as_script.verdict >= alone.verdict, "{alone:?} as text, {as_script:?} as a script");
}

/// Words, each ended by a NUL.
pub fn argv(words: &[u8]) {
    let argv: Vec<Vec<u8>> = words.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
    judged(|| exec(&argv, &|_| None));
}

/// A statement that a database's shell is given.
pub fn sql(statement: &[u8]) {
    let argv = [b"psql".to_vec(), b"-c".to_vec(), statement.to_vec()];
    judged(|| exec(&argv, &|_| None));
}

/// A policy's TOML.
pub fn policy(text: &str) {
    if let Err(error) = policy::resolve_text(text) {
        assert!(!error.to_string().is_empty(), "an error says what is wrong");
    }
}

fn exec(argv: &[Vec<u8>], scripts: crate::judge::Scripts<'_>) -> Judgement {
    let program = argv.first().map_or(&b""[..], Vec::as_slice);
    JUDGE.judge_exec(&ExecAction {
        program,
        requested: program,
        copy_of: None,
        argv,
        cwd: b"/workspace",
        scripts,
    })
}

/// The answer, which must be the same and in time; a machine that was busy is asked again.
fn judged(judge: impl Fn() -> Judgement) -> Judgement {
    let first = judge();
    let mut shortest = Duration::MAX;
    for _ in 0..3 {
        let began = Instant::now();
        let again = judge();
        shortest = shortest.min(began.elapsed());
        assert_eq!(first, again, "the same input, another answer");
        if shortest < PATIENCE {
            return first;
        }
    }
    panic!("judging took {shortest:?}");
}
