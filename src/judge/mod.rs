//! The judge: the pure function from (policy, action) to a verdict, the rule that gave it, and its reason.
//! No I/O here: sensors describe what is tried, and act on what comes back.
//!
//! Users' rules come first. Then the [`catalogue`] is asked about everything that the command amounts to, as
//! [`reader`] finds it; and then the policy's default.

pub(crate) mod catalogue;
mod command;
mod dangers;
pub(crate) mod glob;
mod pipes;
mod place;
mod reader;
pub(crate) mod rule;

use serde::{Deserialize, Serialize};

use crate::policy::model::CommandsPolicy;
use catalogue::BadCatalogue;
pub(crate) use catalogue::{Catalogue, Severity};
use dangers::Dangers;
pub(crate) use dangers::Finding;
pub(crate) use pipes::{Peer, Piped};
pub(crate) use place::Place;
pub(crate) use reader::{Scripts, TEXT_MAX};
use rule::Rule;

/// What the policy says of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    Allow,
    Ask,
    Deny,
}

impl Verdict {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        }
    }
}

/// An exec, as it is about to run: all bytes are the workload's.
#[derive(Clone, Copy)]
pub(crate) struct ExecAction<'a> {
    /// The file that runs, as the kernel resolved it. For a script, the script's own path.
    pub(crate) program: &'a [u8],
    /// The path that was asked for, before links were followed: execve's argument, AT_EXECFN once it runs.
    pub(crate) requested: &'a [u8],
    /// The system's tool that the file is a copy of, by its name.
    pub(crate) copy_of: Option<&'a [u8]>,
    pub(crate) argv: &'a [Vec<u8>],
    pub(crate) cwd: &'a [u8],
    /// Reads a script by its absolute path, for what it would run.
    pub(crate) scripts: Scripts<'a>,
    /// Who stands at the other end of its pipe; see [`Judge::piped`].
    pub(crate) peers: &'a [Peer],
}

/// A verdict and what led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// Id of the rule that gave it; `None` where the default did.
    pub(crate) rule: Option<String>,
    pub(crate) reason: Option<String>,
    /// What would be safer.
    pub(crate) instead: Option<String>,
    /// The command that the rule is about, where it is not the whole.
    pub(crate) command: Option<Vec<u8>>,
}

/// A policy's rules, compiled once, asked at every exec.
#[derive(Clone, Debug)]
pub(crate) struct Judge {
    default: Verdict,
    rules: Vec<Rule>,
    dangers: Dangers,
}

/// What makes a policy's rules unusable. Policies are checked when they are read, so this means one came another way.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JudgeError {
    #[error("the rule “{id}” of the policy can't be used: {why}")]
    Rule { id: String, why: glob::BadGlob },
    #[error(transparent)]
    Catalogue(#[from] BadCatalogue),
}

impl Judge {
    pub(crate) fn new(commands: &CommandsPolicy, place: Place) -> Result<Self, JudgeError> {
        let compile = |rule| Rule::new(rule).map_err(|why| JudgeError::Rule { id: rule.id.clone(), why });
        Ok(Self {
            default: commands.default,
            rules: commands.rules.iter().map(compile).collect::<Result<_, _>>()?,
            dangers: Dangers::new(commands, place)?,
        })
    }

    /// Whether anything is denied without a question.
    pub(crate) fn may_deny(&self) -> bool {
        self.default == Verdict::Deny
            || self.rules.iter().any(|rule| rule.verdict == Verdict::Deny)
            || self.dangers.may_deny()
    }

    /// Whether this program is judged with those at the other end of its standard input, or output.
    pub(crate) fn piped(&self, program: &[u8], argv: &[Vec<u8>]) -> Option<Piped> {
        if self.dangers.is_off() { None } else { Piped::of(program, argv) }
    }

    /// The first of the users' rules that matches decides; then the catalogue; then the default.
    pub(crate) fn judge_exec(&self, action: &ExecAction<'_>) -> Judgement {
        self.examine_exec(action).0
    }

    /// The judgement, and where it is “ask”, all that a person is asked about, the worst first.
    pub(crate) fn examine_exec(&self, action: &ExecAction<'_>) -> (Judgement, Vec<Finding>) {
        let matched = self.rules.iter().find(|rule| rule.matches(action));
        let mut findings = match matched {
            Some(_) => Vec::new(),
            None => self.dangers.of_exec(action, &self.rules),
        };
        let judgement = match matched {
            Some(rule) => Judgement {
                verdict: rule.verdict,
                rule: Some(rule.id.clone()),
                reason: rule.reason.clone(),
                instead: None,
                command: None,
            },
            None => self.worst_of(&findings),
        };
        match judgement.verdict {
            Verdict::Ask if findings.is_empty() => findings.push(question(action, matched)),
            Verdict::Ask => {}
            Verdict::Allow | Verdict::Deny => findings.clear(),
        }
        (judgement, findings)
    }

    fn worst_of(&self, findings: &[Finding]) -> Judgement {
        findings.first().map_or_else(|| self.by_default(), |worst| worst.clone().into())
    }

    /// Everything that a shell text amounts to, the worst first, and the verdict over all.
    pub(crate) fn judge_text(
        &self,
        text: &[u8],
        cwd: &[u8],
        scripts: Scripts<'_>,
    ) -> (Judgement, Vec<Finding>) {
        let findings = self.dangers.of_text(text, cwd, scripts, &self.rules);
        (self.worst_of(&findings), findings)
    }

    /// What is said of a command that no rule is about.
    pub(crate) fn by_default(&self) -> Judgement {
        Judgement { verdict: self.default, rule: None, reason: None, instead: None, command: None }
    }
}

/// What is asked about a command that a user's rule, or the default, says “ask” to.
fn question(action: &ExecAction<'_>, rule: Option<&Rule>) -> Finding {
    let (id, reason) = match rule {
        Some(rule) => {
            (rule.id.as_str(), rule.reason.as_deref().unwrap_or("is one that the policy asks about"))
        }
        None => ("commands.default", "is one that no rule names"),
    };
    Finding {
        verdict: Verdict::Ask,
        severity: Severity::Medium,
        rule: id.to_owned(),
        reason: reason.to_owned(),
        instead: None,
        command: dangers::line_of(action),
        cwd: Some(action.cwd.to_vec()),
        is_users: true,
    }
}

impl From<Finding> for Judgement {
    fn from(finding: Finding) -> Self {
        Self {
            verdict: finding.verdict,
            rule: Some(finding.rule),
            reason: Some(finding.reason),
            instead: finding.instead,
            command: Some(finding.command),
        }
    }
}

#[cfg(test)]
mod tests;
