//! The builder that every integration test speaks through: what is typed, and what must come back.
//!
//! ```ignore
//! let creel = Creel::new().policy("[commands]\ndefault = \"deny\"");
//! creel.run(["sh", "-c", "exit 3"]).code(126).stderr_has("denied");
//! creel.creel(["ps", "--json"]).ok().stdout("");
//! ```
//!
//! Each [`Creel`] is an installation of its own: its XDG folders, and with them its `creel.installation` label,
//! are fresh. When it goes out of scope it waits for what is on its way out, cleans up what is left, and fails
//! the test if there was anything: a container of this installation, or a process of it on the host.
//! [`Creel::spawn`] hands out a running creel, [`Creel::command`] one that a test sets up by itself.

#![allow(dead_code, reason = "each test file uses a part of this")]

pub mod approve;
pub mod log;
pub mod programs;
pub mod pty;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a command may take before the test fails instead of hanging.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// One installation of creel, with a project folder that commands are run in.
pub struct Creel {
    home: tempfile::TempDir,
    options: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    stdin: Vec<u8>,
}

impl Creel {
    pub fn new() -> Self {
        let home = tempfile::Builder::new().prefix("creel-test-").tempdir().expect("a temporary folder");
        for dir in ["project", "config", "state", "data", "run"] {
            fs::create_dir(home.path().join(dir)).expect("a folder");
        }
        Self { home, options: Vec::new(), env: Vec::new(), stdin: Vec::new() }
    }

    /// The policy of every `run` that follows. `version = 1` is added.
    pub fn policy(mut self, toml: &str) -> Self {
        let file = self.home.path().join("policy.toml");
        fs::write(&file, format!("version = 1\n{toml}\n")).expect("the policy file");
        self.options.extend(["--policy".into(), file.into()]);
        self
    }

    /// A further option of every `run` that follows: `.option("--name=x")`.
    pub fn option(mut self, option: impl Into<OsString>) -> Self {
        self.options.push(option.into());
        self
    }

    /// What every command that follows reads; nothing, unless it is said.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The folder that commands run in: the workspace, where the policy names no other.
    pub fn project(&self) -> PathBuf {
        self.home.path().join("project")
    }

    /// A place of the test's own, outside the project.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A file in the project.
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.project().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, content).expect("a file of the project");
        self
    }

    /// `creel run OPTIONS -- COMMAND`, to its end.
    pub fn run<S: AsRef<OsStr>>(&self, command: impl IntoIterator<Item = S>) -> Outcome {
        self.creel(self.run_args(command))
    }

    /// The arguments of [`Creel::run`], for those who start it otherwise.
    pub fn run_args<S: AsRef<OsStr>>(&self, command: impl IntoIterator<Item = S>) -> Vec<OsString> {
        let command = command.into_iter().map(|arg| arg.as_ref().to_owned());
        let head = [OsString::from("run")].into_iter().chain(self.options.iter().cloned());
        head.chain([OsString::from("--")]).chain(command).collect()
    }

    /// `creel ARGS`, to its end.
    pub fn creel<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Outcome {
        self.spawn(args).finish()
    }

    /// `creel ARGS`, running, with its streams piped and [`Creel::stdin`] being written to it.
    pub fn spawn<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Running {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let what = format!("{command:?}");
        let mut child = command.spawn().expect("creel starts");
        let (mut pipe, bytes) = (child.stdin.take().expect("piped"), self.stdin.clone());
        // A reader that goes early is no failure of the test's.
        thread::spawn(move || pipe.write_all(&bytes));
        Running { child, what }
    }

    /// `creel ARGS` in this installation, for the test to set up further.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_creel"));
        command.args(args).current_dir(self.project()).env("HOME", self.home.path());
        for (variable, dir) in [
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_RUNTIME_DIR", "run"),
        ] {
            command.env(variable, self.home.path().join(dir));
        }
        command.env_remove("NO_COLOR").envs(self.env.iter().cloned());
        command
    }

    /// The containers of this installation, dead ones too.
    pub fn containers(&self) -> Vec<String> {
        // Nothing was ever started without this file.
        let Ok(id) = fs::read_to_string(self.path("state/creel/installation")) else { return Vec::new() };
        let filter = format!("label=creel.installation={}", id.trim());
        docker(["ps", "-a", "--format", "{{.Names}}", "--filter", &filter])
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// The host processes of this installation: monitors, and command lines still running.
    pub fn processes(&self) -> Vec<i32> {
        let mark = self.home.path().join("state").into_os_string().into_encoded_bytes();
        let mark = [b"XDG_STATE_HOME=", mark.as_slice(), b"\0"].concat();
        let all = fs::read_dir("/proc").expect("/proc").flatten();
        all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid: &i32| {
                let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
                environ.windows(mark.len()).any(|part| part == mark)
            })
            .collect()
    }

    /// Waits until nothing of this installation runs, and says what is left if that does not come about.
    fn settled(&self) -> Result<(), String> {
        let mut left = Vec::new();
        let settled = eventually(PATIENCE, || {
            left = self.containers();
            left.extend(self.processes().iter().map(|pid| format!("process {pid}")));
            left.is_empty()
        });
        if settled { Ok(()) } else { Err(left.join(", ")) }
    }
}

impl Drop for Creel {
    fn drop(&mut self) {
        let left = if thread::panicking() { Err("the test failed".to_owned()) } else { self.settled() };
        for pid in self.processes() {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
        let containers = self.containers();
        if !containers.is_empty() {
            let _ = Command::new("docker").args(["rm", "-fv"]).args(containers).output();
        }
        if let (Err(left), false) = (left, thread::panicking()) {
            panic!("creel left behind: {left}");
        }
    }
}

/// A creel that runs.
pub struct Running {
    pub child: Child,
    what: String,
}

impl Running {
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid")
    }

    /// Sends a signal by its name, as kill(1) takes it.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args([&format!("-{signal}"), "--", &pid]).status();
        assert!(status.expect("kill runs").success(), "could not send {signal} to {}", self.what);
    }

    /// What came out at its end.
    pub fn finish(self) -> Outcome {
        let Self { child, what } = self;
        let pid = child.id();
        let (tell, told) = std::sync::mpsc::channel();
        thread::spawn(move || tell.send(child.wait_with_output()));
        match told.recv_timeout(PATIENCE) {
            Ok(output) => Outcome { output: output.expect("its output can be read"), what },
            Err(_) => {
                let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
                panic!("not over after {PATIENCE:?}: {what}");
            }
        }
    }
}

/// How a command ended. Each check returns it, so that they can be chained.
pub struct Outcome {
    pub output: Output,
    what: String,
}

impl Outcome {
    pub fn ok(self) -> Self {
        self.code(0)
    }

    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.output.status.code(), Some(code), "exit code of {self}");
        self
    }

    #[track_caller]
    pub fn stdout(self, text: impl AsRef<[u8]>) -> Self {
        assert!(self.output.stdout == text.as_ref(), "stdout is not {:?}: {self}", lossy(text.as_ref()));
        self
    }

    #[track_caller]
    pub fn stdout_has(self, text: &str) -> Self {
        assert!(self.out().contains(text), "{text:?} is not in stdout: {self}");
        self
    }

    #[track_caller]
    pub fn stderr(self, text: &str) -> Self {
        assert_eq!(self.err(), text, "stderr of {self}");
        self
    }

    #[track_caller]
    pub fn stderr_has(self, text: &str) -> Self {
        assert!(self.err().contains(text), "{text:?} is not in stderr: {self}");
        self
    }

    pub fn out(&self) -> String {
        lossy(&self.output.stdout)
    }

    pub fn err(&self) -> String {
        lossy(&self.output.stderr)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Output { status, .. } = &self.output;
        write!(f, "{}\n{status}\n--- stdout\n{}\n--- stderr\n{}", self.what, self.out(), self.err())
    }
}

/// Host B: a machine in software emulation, ten times slower, whose clock does not wait for it.
pub fn is_emulated() -> bool {
    std::env::var_os("HOST_B").is_some()
}

/// Runs the docker command line, and returns its stdout.
#[track_caller]
pub fn docker<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> String {
    let output = Command::new("docker").args(args).output().expect("docker runs");
    assert!(output.status.success(), "docker: {}", lossy(&output.stderr));
    lossy(&output.stdout)
}

/// Tries until it holds; false if it does not within `limit`.
pub fn eventually(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// The files below `dir`, for tests that look for what is left.
pub fn tree(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut all = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            all.extend(tree(&path));
        }
        all.push(path);
    }
    all.sort();
    all
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
