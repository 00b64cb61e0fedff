//! A rule, compiled: which programs it is about, which arguments, and what it says.

use super::glob::{BadGlob, Pattern, Star};
use super::{ExecAction, Verdict};
use crate::policy::model::CommandRule;

/// Where a system keeps its tools. Nothing that a workload can write lies there: the policy lets no writable
/// mount on or below them. So a tool's name and one of these folders say which file is meant.
pub(crate) const TOOL_FOLDERS: [&[u8]; 6] =
    [b"/usr/local/sbin", b"/usr/local/bin", b"/usr/sbin", b"/usr/bin", b"/sbin", b"/bin"];

#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) verdict: Verdict,
    pub(super) reason: Option<String>,
    program: ProgramPattern,
    args: Vec<Pattern>,
}

#[derive(Clone, Debug)]
enum ProgramPattern {
    Name(Pattern),
    Path(Pattern),
}

/// The pattern of a rule's program: a bare name stands for the file name, one with `/` for the whole path.
pub(crate) fn check_program(text: &str) -> Result<(), BadGlob> {
    ProgramPattern::new(text).map(|_| ())
}

/// The pattern of one argument.
pub(crate) fn check_arg(text: &str) -> Result<(), BadGlob> {
    arg_pattern(text).map(|_| ())
}

fn arg_pattern(text: &str) -> Result<Pattern, BadGlob> {
    Pattern::new(text, Star::Anything)
}

impl Rule {
    pub(super) fn new(rule: &CommandRule) -> Result<Self, BadGlob> {
        Ok(Self {
            id: rule.id.clone(),
            verdict: rule.verdict,
            reason: rule.reason.clone(),
            program: ProgramPattern::new(&rule.program)?,
            args: rule.args.iter().map(|arg| arg_pattern(arg)).collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn matches(&self, action: &ExecAction<'_>) -> bool {
        let program = match self.verdict {
            Verdict::Allow => self.program.is_surely(action),
            Verdict::Ask | Verdict::Deny => self.program.goes_by(action),
        };
        let args = action.argv.get(1..).unwrap_or_default();
        program && self.args.iter().all(|pattern| args.iter().any(|arg| pattern.matches(arg)))
    }
}

impl Rule {
    /// Whether it is about a command within another, whose file is not known yet.
    pub(super) fn is_about(&self, name: &[u8], args: &[Vec<u8>]) -> bool {
        let named = match &self.program {
            ProgramPattern::Name(pattern) => pattern.matches(name),
            ProgramPattern::Path(pattern) => {
                TOOL_FOLDERS.iter().any(|folder| pattern.matches(&[folder, b"/".as_slice(), name].concat()))
            }
        };
        named && self.args.iter().all(|pattern| args.iter().any(|arg| pattern.matches(arg)))
    }
}

impl ProgramPattern {
    fn new(text: &str) -> Result<Self, BadGlob> {
        if text.contains('/') {
            Pattern::new(text, Star::OneFolder).map(Self::Path)
        } else {
            Pattern::new(text, Star::Anything).map(Self::Name)
        }
    }

    /// What allows must be sure of the file: its own path counts, and nothing that the caller chose. A bare name
    /// is the system's tool, not any file that someone gave that name.
    fn is_surely(&self, action: &ExecAction<'_>) -> bool {
        match self {
            Self::Path(pattern) => pattern.matches(action.program),
            Self::Name(pattern) => {
                let (folder, name) = split(action.program);
                TOOL_FOLDERS.contains(&folder) && pattern.matches(name)
            }
        }
    }

    /// What denies or asks counts every name that the program goes by: the file's own, the one that it was
    /// called by (a link, a script that an interpreter runs), the one it was given as argv[0], and that of the tool
    /// that it is a copy of.
    fn goes_by(&self, action: &ExecAction<'_>) -> bool {
        let argv0 = action.argv.first().map_or(&[][..], Vec::as_slice);
        let mut names = [action.program, action.requested, argv0].into_iter().chain(action.copy_of);
        names.any(|called| match self {
            Self::Path(pattern) => pattern.matches(called),
            Self::Name(pattern) => pattern.matches(split(called).1),
        })
    }
}

/// Folder and file name. A path without `/` has an empty folder, and one in the root too.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => {
            let (folder, name) = path.split_at(slash);
            (folder, name.strip_prefix(b"/").unwrap_or(name))
        }
        None => (&[], path),
    }
}
