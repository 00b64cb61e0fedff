//! Questions that wait, and answering them from another terminal.

use serde_json::Value;

use super::{Creel, Outcome, PATIENCE, Running, eventually};

/// `tac` asks, and waits until somebody answers; whatever it is given does no harm.
pub const WAIT: &str = r#"
[[commands.rule]]
id = "ask-me"
program = "tac"
verdict = "ask"
reason = "turns things around"
[approvals]
without_terminal = "wait"
timeout = "10m"
"#;

impl Creel {
    /// What the sandbox asks now; nothing before it runs.
    pub fn asked(&self, name: &str) -> Vec<Value> {
        let listed = self.creel(["approve", name, "--json"]);
        listed.out().lines().map(|line| serde_json::from_str(line).expect("a question")).collect()
    }

    /// Waits until so many questions are open.
    #[track_caller]
    pub fn asks(&self, name: &str, count: usize) -> Vec<Value> {
        let mut open = Vec::new();
        let asked = eventually(PATIENCE, || {
            open = self.asked(name);
            open.len() == count
        });
        assert!(asked, "not {count} questions, but: {open:#?}");
        open
    }

    /// `creel approve NAME NUMBER ANSWER`.
    pub fn answer(&self, name: &str, number: u64, answer: &str) -> Outcome {
        self.creel(["approve", name, &number.to_string(), answer])
    }

    /// Waits for the one question, and answers it.
    #[track_caller]
    pub fn answers(&self, name: &str, answer: &str) -> Value {
        let question = self.asks(name, 1).remove(0);
        self.answer(name, number(&question), answer).ok();
        question
    }

    /// A sandbox that stays, for `creel exec` to run things in.
    pub fn stays(&self, name: &str) {
        let mut args = self.run_args(["sleep", "1000"]);
        args.splice(1..1, ["-d".into(), format!("--name={name}").into()]);
        self.creel(args).ok();
    }

    /// `creel exec OPTIONS NAME COMMAND`, running.
    pub fn starts(&self, options: &[&str], name: &str, command: &[&str]) -> Running {
        self.spawn([&["exec"][..], options, &[name], command].concat())
    }

    /// Runs something that asks, answers it, and checks how it ended.
    #[track_caller]
    pub fn is_asked(&self, options: &[&str], name: &str, command: &[&str], answer: &str, code: i32) -> Value {
        let running = self.starts(options, name, command);
        let question = self.answers(name, answer);
        running.finish().code(code);
        question
    }

    /// The verdict, by whom, and the rule of each record of a command with these arguments.
    pub fn verdicts(&self, of: &[&str]) -> Vec<[String; 3]> {
        let mut records = self.records();
        records.retain(|record| record["kind"] == "exec" && super::log::argv(record) == of);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        records.iter().map(|record| ["verdict", "by", "rule"].map(|key| text(&record[key]))).collect()
    }

    /// Waits until those are `wanted`: a record may reach the log after what it tells of.
    #[track_caller]
    pub fn recorded(&self, of: &[&str], wanted: &[[&str; 3]]) {
        let mut found = Vec::new();
        let is_there = eventually(PATIENCE, || {
            found = self.verdicts(of);
            found.len() >= wanted.len()
        });
        assert!(is_there && found == wanted, "{of:?}: {found:?}, not {wanted:?}");
    }
}

pub fn number(question: &Value) -> u64 {
    question["number"].as_u64().expect("a number")
}
