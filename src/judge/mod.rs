//! The judge: the pure function from (policy, action) to a verdict, the rule that gave it, and its reason.
//! No I/O here: sensors describe what is tried, and act on what comes back.

pub(crate) mod glob;
pub(crate) mod rule;

use serde::{Deserialize, Serialize};

use crate::policy::model::CommandsPolicy;
use rule::Rule;

/// What the policy says of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    Allow,
    Ask,
    Deny,
}

/// An exec, as it is about to run: all bytes are the workload's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExecAction<'a> {
    /// The file that runs, as the kernel resolved it. For a script, the script's own path.
    pub(crate) program: &'a [u8],
    /// The path that was asked for, before links were followed: execve's argument, AT_EXECFN once it runs.
    pub(crate) requested: &'a [u8],
    pub(crate) argv: &'a [Vec<u8>],
    #[expect(dead_code, reason = "the catalogue's path classes need it; sensors give it already")]
    pub(crate) cwd: &'a [u8],
}

/// A verdict and what led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// Id of the rule that gave it; `None` where the default did.
    pub(crate) rule: Option<String>,
    pub(crate) reason: Option<String>,
}

/// A policy's rules, compiled once, asked at every exec.
#[derive(Clone, Debug)]
pub(crate) struct Judge {
    default: Verdict,
    rules: Vec<Rule>,
}

/// A rule that can't be compiled. Policies are checked when they are read, so this means one came another way.
#[derive(Debug, thiserror::Error)]
#[error("the rule “{id}” of the policy can't be used: {why}")]
pub(crate) struct JudgeError {
    id: String,
    why: glob::BadGlob,
}

impl Judge {
    pub(crate) fn new(commands: &CommandsPolicy) -> Result<Self, JudgeError> {
        let compile = |rule| Rule::new(rule).map_err(|why| JudgeError { id: rule.id.clone(), why });
        Ok(Self {
            default: commands.default,
            rules: commands.rules.iter().map(compile).collect::<Result<_, _>>()?,
        })
    }

    /// Whether nothing can be but allowed.
    pub(crate) fn allows_everything(&self) -> bool {
        self.default == Verdict::Allow && self.rules.iter().all(|rule| rule.verdict == Verdict::Allow)
    }

    /// The first rule that matches decides; where none does, the default.
    pub(crate) fn judge_exec(&self, action: &ExecAction<'_>) -> Judgement {
        match self.rules.iter().find(|rule| rule.matches(action)) {
            Some(rule) => {
                Judgement { verdict: rule.verdict, rule: Some(rule.id.clone()), reason: rule.reason.clone() }
            }
            None => Judgement { verdict: self.default, rule: None, reason: None },
        }
    }
}

#[cfg(test)]
mod tests;
