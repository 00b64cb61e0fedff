//! The audit log, as a test reads it.

use serde_json::Value;

use super::Creel;

impl Creel {
    /// All records of this installation, by time.
    pub fn records(&self) -> Vec<Value> {
        let listed = self.creel(["audit", "--json"]).ok();
        listed.out().lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
    }

    /// The records of commands that ran, or were denied.
    pub fn execs(&self, verdict: &str) -> Vec<Value> {
        let mut records = self.records();
        records.retain(|record| record["kind"] == "exec" && record["verdict"] == verdict);
        records
    }

    /// The last `run.end`.
    pub fn end(&self) -> Value {
        self.records().into_iter().rfind(|record| record["kind"] == "run.end").expect("a run.end")
    }

    /// Every chain holds.
    #[track_caller]
    pub fn verified(&self) {
        self.creel(["audit", "verify"]).ok();
    }
}

/// The arguments of a record, those that are text.
pub fn argv(record: &Value) -> Vec<&str> {
    record["argv"].as_array().map(|argv| argv.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}
