//! The judge: the pure function from (policy, action) to a verdict, the rule that gave it, and its reason.
//! No I/O here: sensors describe what is tried, and act on what comes back.

use serde::{Deserialize, Serialize};

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
    pub(crate) argv: &'a [Vec<u8>],
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
