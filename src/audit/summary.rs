//! What a run came to: what it ran, what it was refused, and what it used.

use std::collections::BTreeMap;

use serde::Serialize;

use super::line::Record;
use super::record::{Bytes, Event, Exec, Outcome, RunEnd, RunStart};
use crate::names::{RunId, SandboxName};

/// Different denials that are kept; those beyond are counted.
const DENIALS: usize = 1000;

#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) sandbox: SandboxName,
    pub(crate) run: RunId,
    /// Microseconds since the epoch: of its first and last record.
    pub(crate) first_us: u64,
    pub(crate) last_us: u64,
    pub(crate) start: Option<RunStart>,
    pub(crate) end: Option<RunEnd>,
    pub(crate) execs: u64,
    pub(crate) denied: u64,
    pub(crate) programs: BTreeMap<String, Runs>,
    /// In their order; equal ones are counted.
    pub(crate) denials: Vec<Denial>,
    pub(crate) gaps: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Runs {
    pub(crate) allowed: u64,
    pub(crate) denied: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct Denial {
    pub(crate) first_us: u64,
    pub(crate) count: u64,
    pub(crate) argv: Vec<Bytes>,
    pub(crate) rule: Option<String>,
    pub(crate) reason: Option<String>,
}

impl Summary {
    pub(crate) fn new(record: &Record) -> Self {
        let mut summary = Self {
            sandbox: record.head.sandbox.clone(),
            run: record.head.run,
            first_us: record.entry.ts_us,
            last_us: record.entry.ts_us,
            start: None,
            end: None,
            execs: 0,
            denied: 0,
            programs: BTreeMap::new(),
            denials: Vec::new(),
            gaps: Vec::new(),
        };
        summary.add(record);
        summary
    }

    /// Takes in a further record of the same run.
    pub(crate) fn add(&mut self, record: &Record) {
        let entry = &record.entry;
        self.last_us = self.last_us.max(entry.ts_us);
        match &entry.event {
            Event::RunStart(start) => self.start = Some(start.clone()),
            Event::RunEnd(end) => self.end = Some(end.clone()),
            Event::Gap(gap) => self.gaps.push(gap.reason.clone()),
            Event::Exec(exec) => {
                self.execs += 1;
                let runs = self.programs.entry(program(exec)).or_default();
                if entry.outcome == Outcome::Deny {
                    runs.denied += 1;
                    self.denied += 1;
                    self.deny(record, exec);
                } else {
                    runs.allowed += 1;
                }
            }
        }
    }

    /// The programs, most often run first.
    pub(crate) fn most_run(&self) -> Vec<(&str, Runs)> {
        let mut programs: Vec<_> = self.programs.iter().map(|(name, runs)| (name.as_str(), *runs)).collect();
        programs.sort_by_key(|(_, runs)| std::cmp::Reverse(runs.allowed + runs.denied));
        programs
    }

    fn deny(&mut self, record: &Record, exec: &Exec) {
        let rule = &record.entry.rule;
        let same = self.denials.iter_mut().find(|denial| denial.argv == exec.argv && denial.rule == *rule);
        if let Some(denial) = same {
            denial.count += 1;
        } else if self.denials.len() < DENIALS {
            self.denials.push(Denial {
                first_us: record.entry.ts_us,
                count: 1,
                argv: exec.argv.clone(),
                rule: rule.clone(),
                reason: exec.reason.clone(),
            });
        }
    }
}

/// The name that a person knows it by: a script's own, not its interpreter's.
fn program(exec: &Exec) -> String {
    let path = exec.file.as_ref().unwrap_or(&exec.exe);
    let name = path.0.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    crate::visible::visible(name)
}
