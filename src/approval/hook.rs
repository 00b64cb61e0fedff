//! A command that answers in a person's place: it gets the question as JSON on its stdin, and prints
//! `{"verdict": "allow"}`, `"deny"` or `"ask"` (a person, then). Anything else is a denial.

use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

/// The longest answer that is read.
const ANSWER_MAX: u64 = 64 * 1024;

/// What a hook may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HookVerdict {
    Allow,
    Deny,
    Ask,
}

#[derive(Deserialize)]
struct HookAnswer {
    verdict: HookVerdict,
}

/// Why a hook's answer counts as a denial.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HookError {
    #[error("it could not be started: {0}")]
    Start(std::io::Error),
    #[error("it could not be talked with: {0}")]
    Io(#[from] std::io::Error),
    #[error("it took longer than {}", humantime::format_duration(*.0))]
    Late(Duration),
    #[error("it ended with {0}")]
    Exit(std::process::ExitStatus),
    #[error("its answer is no {{\"verdict\": \"allow\" | \"deny\" | \"ask\"}}: {0}")]
    Answer(String),
}

/// Runs the hook; `question` is what it gets. It, and what it has started in its process group, is killed when it is
/// late.
pub(crate) async fn ask(
    hook: &[String],
    question: &[u8],
    patience: Duration,
) -> Result<HookVerdict, HookError> {
    let (program, args) = hook
        .split_first()
        .ok_or_else(|| HookError::Start(std::io::Error::other("approvals.hook names no program")))?;
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(HookError::Start)?;
    // After `child`, so dropped before it: as long as its leader is not reaped, the group's number is its own.
    let mut group = Group(child.id());
    let talk = async {
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let tell = async {
            if let Some(mut stdin) = stdin {
                // One that does not read is no failure: it may answer the same to all.
                let _ = stdin.write_all(question).await;
            }
        };
        let mut answer = Vec::new();
        let hear = async {
            match stdout {
                Some(stdout) => stdout.take(ANSWER_MAX).read_to_end(&mut answer).await.map(drop),
                None => Ok(()),
            }
        };
        let ((), heard) = tokio::join!(tell, hear);
        heard?;
        let status = child.wait().await?;
        if !status.success() {
            return Err(HookError::Exit(status));
        }
        let read = serde_json::from_slice::<HookAnswer>(&answer);
        read.map(|answer| answer.verdict).map_err(|e| HookError::Answer(e.to_string()))
    };
    let talked = tokio::time::timeout(patience, talk).await.unwrap_or(Err(HookError::Late(patience)));
    if talked.is_ok() {
        group.0 = None;
    }
    talked
}

/// The processes of a hook, killed with it: also where nobody waits for it any more, as the run has ended.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let group = nix::unistd::Pid::from_raw(group.cast_signed());
            let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn hook(script: &str, patience: Duration) -> Result<HookVerdict, HookError> {
        let hook = ["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()];
        ask(&hook, br#"{"id":1}"#, patience).await
    }

    #[tokio::test]
    async fn it_is_asked_on_stdin_and_answers_on_stdout() {
        let long = Duration::from_secs(20);
        let says = |verdict: &str| format!("grep -q '\"id\":1' && echo '{{\"verdict\":\"{verdict}\"}}'");
        assert!(matches!(hook(&says("allow"), long).await, Ok(HookVerdict::Allow)));
        assert!(matches!(hook(&says("deny"), long).await, Ok(HookVerdict::Deny)));
        assert!(matches!(hook(&says("ask"), long).await, Ok(HookVerdict::Ask)));
    }

    #[tokio::test]
    async fn each_kind_of_failure_is_one() {
        let long = Duration::from_secs(20);
        assert!(matches!(hook("echo yes", long).await, Err(HookError::Answer(_))));
        assert!(matches!(hook("true", long).await, Err(HookError::Answer(_))));
        assert!(matches!(hook("echo '{\"verdict\":\"allow\"} x'", long).await, Err(HookError::Answer(_))));
        assert!(matches!(
            hook("echo '{\"verdict\":\"allow\"}'; exit 3", long).await,
            Err(HookError::Exit(_))
        ));
        assert!(matches!(hook("kill -9 $$", long).await, Err(HookError::Exit(_))));
        let endless = "yes '{\"verdict\":\"allow\"}'";
        assert!(hook(endless, Duration::from_secs(5)).await.is_err());
        let none = ask(&["/nowhere/hook".to_owned()], b"", long).await;
        assert!(matches!(none, Err(HookError::Start(_))));
        assert!(ask(&[], b"", long).await.is_err());
    }

    #[tokio::test]
    async fn a_late_one_is_killed_with_what_it_started() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("pid");
        let script = format!("sleep 1000 & echo $! > {}; wait", file.display());
        let late = hook(&script, Duration::from_millis(1500)).await;
        assert!(matches!(late, Err(HookError::Late(_))), "{late:?}");
        let pid: i32 = std::fs::read_to_string(&file).expect("it ran").trim().parse().expect("a number");
        let is_gone = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        };
        for _ in 0..200 {
            if is_gone() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{pid} lives");
    }
}
