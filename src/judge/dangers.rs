//! What the catalogue finds in a command, and what the policy says to each finding: by rule, by category, and then
//! by `dangerous`.

use std::collections::BTreeMap;

use super::catalogue::{BadCatalogue, Catalogue, CatalogueRule, Severity};
use super::command::{Command, UNKNOWN, file_name};
use super::pipes;
use super::place::Place;
use super::reader::{Reading, Scripts, read_argv, read_text};
use super::rule::Rule;
use super::{ExecAction, Verdict};
use crate::policy::model::CommandsPolicy;

/// One rule that a command trips.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) verdict: Verdict,
    pub(crate) severity: Severity,
    pub(crate) rule: String,
    pub(crate) reason: String,
    pub(crate) instead: Option<String>,
    /// The simple command that it is about, as one line.
    pub(crate) command: Vec<u8>,
    /// The folder that it runs in; `None`: not known before it does.
    pub(crate) cwd: Option<Vec<u8>>,
    /// A user's own rule found it, and not the catalogue.
    pub(crate) is_users: bool,
}

impl Finding {
    /// Whether all of it is known before it runs.
    pub(crate) fn is_certain(&self) -> bool {
        self.cwd.is_some() && !self.command.contains(&UNKNOWN)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Dangers {
    catalogue: &'static Catalogue,
    dangerous: Verdict,
    categories: BTreeMap<String, Verdict>,
    rules: BTreeMap<String, Verdict>,
    place: Place,
}

impl Dangers {
    pub(super) fn new(commands: &CommandsPolicy, place: Place) -> Result<Self, BadCatalogue> {
        Ok(Self {
            catalogue: Catalogue::built_in()?,
            dangerous: commands.dangerous,
            categories: commands.categories.clone(),
            rules: commands.catalogue_rules.clone(),
            place,
        })
    }

    fn verdict(&self, rule: &CatalogueRule) -> Verdict {
        let by_rule = self.rules.get(&*rule.id);
        *by_rule.or_else(|| self.categories.get(rule.category)).unwrap_or(&self.dangerous)
    }

    pub(super) fn may_deny(&self) -> bool {
        let denies = |verdict: &Verdict| *verdict == Verdict::Deny;
        denies(&self.dangerous) || self.categories.values().any(denies) || self.rules.values().any(denies)
    }

    pub(super) fn is_off(&self) -> bool {
        let allows = |verdict: &Verdict| *verdict == Verdict::Allow;
        allows(&self.dangerous) && self.categories.values().all(allows) && self.rules.values().all(allows)
    }

    pub(super) fn of_exec(&self, action: &ExecAction<'_>, users: &[Rule]) -> Vec<Finding> {
        if self.is_off() {
            return Vec::new();
        }
        let mut argv = named(action);
        let mut reading = read_argv(&self.place, &argv, Some(action.cwd), action.scripts);
        reading.commands.extend(pipes::commands(action, &argv));
        if let Some((tool, first)) = action.copy_of.zip(argv.first_mut()) {
            *first = tool.to_vec();
            let as_tool = read_argv(&self.place, &argv, Some(action.cwd), action.scripts);
            reading.commands.extend(as_tool.commands);
            reading.unclear = reading.unclear.or(as_tool.unclear);
        }
        // What a user's rule denies is denied when it is executed itself: the text around it may run.
        let mut findings = self.findings(&reading, users);
        findings.retain(|finding| !(finding.verdict == Verdict::Deny && finding.is_users));
        findings
    }

    pub(super) fn of_text(
        &self,
        text: &[u8],
        cwd: &[u8],
        scripts: Scripts<'_>,
        users: &[Rule],
    ) -> Vec<Finding> {
        if self.is_off() {
            return Vec::new();
        }
        let reading = read_text(&self.place, text, Some(cwd), scripts);
        self.findings(&reading, users)
    }

    /// What is found, the worst first; what the policy allows is left out.
    fn findings(&self, reading: &Reading, users: &[Rule]) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        for command in reading.commands.iter().chain(&reading.unclear()) {
            // A user's own rule about a command within counts for that command; its exec is judged again.
            match users.iter().find(|rule| rule.is_about(&command.name, &command.args)) {
                Some(rule) if rule.verdict == Verdict::Allow => continue,
                Some(rule) => findings.push(Finding {
                    verdict: rule.verdict,
                    severity: Severity::Critical,
                    rule: rule.id.clone(),
                    reason: rule.reason.clone().unwrap_or_else(|| "is not wanted here".to_owned()),
                    instead: None,
                    command: command.line(),
                    cwd: command.cwd.as_deref().map(<[u8]>::to_vec),
                    is_users: true,
                }),
                None => {
                    findings.extend(self.catalogue.matching(&self.place, command).into_iter().map(|rule| {
                        Finding {
                            verdict: self.verdict(rule),
                            severity: rule.severity,
                            rule: rule.id.to_string(),
                            reason: rule.reason.to_string(),
                            instead: Some(rule.instead.to_string()),
                            command: command.line(),
                            cwd: command.cwd.as_deref().map(<[u8]>::to_vec),
                            is_users: false,
                        }
                    }))
                }
            }
        }
        findings.retain(|finding| finding.verdict != Verdict::Allow);
        findings.sort_by_key(|finding| std::cmp::Reverse((finding.verdict, finding.severity)));
        let mut seen: Vec<(String, Vec<u8>)> = Vec::new();
        findings.retain(|finding| {
            let key = (finding.rule.clone(), finding.command.clone());
            let is_new = !seen.contains(&key);
            seen.push(key);
            is_new
        });
        findings
    }
}

/// The command itself, as a finding about it has it.
pub(super) fn line_of(action: &ExecAction<'_>) -> Vec<u8> {
    let command = Command::default().with_words(&named(action));
    command.map(|command| command.line()).unwrap_or_default()
}

/// The argv with the name of the file that runs, as the caller chooses argv\[0]. A file of many programs does as
/// argv\[0] says.
fn named(action: &ExecAction<'_>) -> Vec<Vec<u8>> {
    let mut argv = action.argv.to_vec();
    if is_many(file_name(action.program)) && argv.first().is_some_and(|name| !is_many(file_name(name))) {
        return argv;
    }
    if let Some(first) = argv.first_mut() {
        first.clear();
        first.extend_from_slice(action.program);
    } else {
        argv.push(action.program.to_vec());
    }
    argv
}

fn is_many(name: &[u8]) -> bool {
    [b"busybox".as_slice(), b"toybox", b"coreutils", b"uutils", b"sbase-box"]
        .iter()
        .any(|many| name.starts_with(many))
}

/// Words that are dangerous where the rest can't be read.
const WORDS: [&[u8]; 34] = [
    b"rm",
    b"dd",
    b"mkfs",
    b"shred",
    b"curl",
    b"wget",
    b"nc",
    b"ncat",
    b"sudo",
    b"su",
    b"chmod",
    b"chown",
    b"eval",
    b"base64",
    b"xxd",
    b"bash",
    b"sh",
    b"python",
    b"python3",
    b"perl",
    b"kill",
    b"pkill",
    b"shutdown",
    b"reboot",
    b"iptables",
    b"crontab",
    b"terraform",
    b"kubectl",
    b"aws",
    b"gcloud",
    b"DROP",
    b"drop",
    b"TRUNCATE",
    b"ssh",
];

impl Reading {
    /// What could not be read, as a command of its own: the dangerous words in it are its arguments.
    pub(super) fn unclear(&self) -> Option<Command> {
        let text = self.unclear.as_ref()?;
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let words = text.split(|byte| !is_part(byte)).filter(|word| WORDS.contains(word));
        let args: Vec<Vec<u8>> = words.take(8).map(<[u8]>::to_vec).collect();
        Some(Command { name: b"unreadable".to_vec(), args, ..Command::default() })
    }
}
