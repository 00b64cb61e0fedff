//! Whoever dies, and whenever: nothing of the workload runs unsupervised, the log holds, and nothing is left behind.
//!
//! The moments are drawn from a seed, which a failure prints; `SEED=N` repeats them.

mod support;

use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use support::{Creel, PATIENCE, docker, eventually};

const MOMENTS: u32 = 20;

/// Numbers that are the same for the same seed (splitmix64).
struct Moments(u64);

impl Moments {
    fn new() -> Self {
        let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
        println!("SEED={seed}");
        Self(seed)
    }

    /// Up to so many milliseconds.
    fn next(&mut self, most: u64) -> Duration {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Duration::from_millis((z ^ (z >> 31)) % most)
    }
}

/// Execs without end, and a heartbeat in the project while it lives.
const WORKLOAD: &str = "while :; do /bin/true; echo x >> beat; done";

fn beats(creel: &Creel) -> u64 {
    std::fs::metadata(creel.project().join("beat")).map_or(0, |meta| meta.len())
}

/// Nothing of the workload runs any more, containers are gone, the chain is whole.
#[track_caller]
fn nothing_is_left(creel: &Creel, moment: Duration) {
    // Any command of creel's finishes what a dead one began.
    creel.creel(["ps"]).ok();
    let gone = eventually(PATIENCE, || creel.containers().is_empty());
    assert!(gone, "after {moment:?}: {:?} and {:?}", creel.containers(), creel.processes());
    let last = beats(creel);
    thread::sleep(Duration::from_millis(100));
    assert_eq!(beats(creel), last, "after {moment:?}, the workload runs on");
    if creel.path("state/creel/audit").exists() {
        creel.creel(["audit", "verify"]);
        let verified = creel.creel(["audit", "verify"]);
        assert!(
            verified.output.status.success() || verified.err().contains("there is no audit log"),
            "after {moment:?}: {verified}"
        );
    }
    let states = || support::tree(&creel.path("state/creel/sandboxes"));
    assert!(eventually(PATIENCE, || states().is_empty()), "after {moment:?}: {:?}", states());
}

fn kill(pid: i32) {
    let _ = Command::new("kill").args(["-9", &pid.to_string()]).stderr(std::process::Stdio::null()).status();
}

#[test]
fn the_command_line_may_be_killed_at_any_moment() {
    let mut moments = Moments::new();
    for _ in 0..MOMENTS {
        let creel = Creel::new();
        let running = creel.spawn(creel.run_args(["sh", "-c", WORKLOAD]));
        let moment = moments.next(500);
        thread::sleep(moment);
        kill(running.pid());
        let _ = running.finish();
        nothing_is_left(&creel, moment);
    }
}

#[test]
fn the_monitor_may_be_killed_at_any_moment() {
    let mut moments = Moments::new();
    for _ in 0..MOMENTS {
        let creel = Creel::new();
        let running = creel.spawn(creel.run_args(["sh", "-c", WORKLOAD]));
        let moment = moments.next(500);
        thread::sleep(moment);
        creel.processes().into_iter().filter(|pid| *pid != running.pid()).for_each(kill);
        // A new one may have taken over: the sandbox is then ended as any other.
        thread::sleep(Duration::from_millis(200));
        running.signal("TERM");
        running.signal("INT");
        let ended = eventually(Duration::from_secs(5), || !creel.processes().contains(&running.pid()));
        if !ended {
            kill(running.pid());
        }
        let _ = running.finish();
        nothing_is_left(&creel, moment);
    }
}

#[test]
fn the_gate_may_be_killed_at_any_moment() {
    let mut moments = Moments::new();
    for _ in 0..MOMENTS {
        let creel = Creel::new();
        let running = creel.spawn(creel.run_args(["sh", "-c", WORKLOAD]));
        let moment = moments.next(400);
        let gate = || creel.containers().into_iter().find(|name| name.ends_with("-gate"));
        assert!(eventually(PATIENCE, || gate().is_some()));
        thread::sleep(moment);
        if let Some(gate) = gate() {
            let _ = Command::new("docker").args(["kill", &gate]).output();
        }
        let outcome = running.finish();
        assert!(!outcome.output.status.success(), "after {moment:?}: {outcome}");
        nothing_is_left(&creel, moment);
    }
}

#[test]
fn a_detached_sandbox_survives_its_monitor_and_loses_no_record() {
    let creel = Creel::new();
    creel
        .creel([
            "run",
            "-d",
            "--name=sur",
            "--",
            "sh",
            "-c",
            "n=0; while [ $n -lt 300 ]; do /bin/echo $n; n=$((n+1)); done",
        ])
        .ok();
    let mut moments = Moments::new();
    for _ in 0..5 {
        thread::sleep(moments.next(60));
        creel.processes().into_iter().for_each(kill);
        creel.creel(["ps"]).ok();
    }
    let ended = eventually(PATIENCE, || creel.creel(["ps", "-q"]).ok().out().is_empty());
    assert!(ended);
    let echoes: Vec<_> = creel
        .execs("allow")
        .iter()
        .filter_map(|exec| exec["argv"][1].as_str()?.parse::<u32>().ok())
        .collect();
    assert_eq!(echoes, (0..300).collect::<Vec<u32>>(), "each once, in order");
    creel.creel(["rm", "sur"]).ok();
    creel.verified();
}

#[test]
fn without_a_monitor_a_workload_ends_after_its_grace() {
    let creel = Creel::new().policy("[recovery]\ngrace = \"1s\"");
    let file = creel.path("policy.toml").display().to_string();
    creel.creel(["run", "-d", "--name=gr", "--policy", &file, "--", "sh", "-c", WORKLOAD]).ok();
    assert!(eventually(PATIENCE, || beats(&creel) > 0));
    creel.processes().into_iter().for_each(kill);
    let stopped = eventually(PATIENCE, || {
        let before = beats(&creel);
        thread::sleep(Duration::from_millis(300));
        beats(&creel) == before
    });
    assert!(stopped, "it goes on without anybody who records it");
    creel.creel(["rm", "-f", "gr"]).ok();
    creel.verified();
}

/// An engine needs it; creel itself does not.
fn as_root(program: &str) -> Command {
    if nix::unistd::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.arg(program);
    command
}

/// Ignores signals and becomes another program, as a daemon's own parent may have: SIGHUP, SIGALRM, and two that the
/// C library keeps for itself (13 is rt_sigaction, and 1 is SIG_IGN).
const IGNORING: &str = "
import ctypes, os, sys
for signal in (1, 14, 32, 33):
    action = (ctypes.c_uint64 * 4)(1)
    assert ctypes.CDLL(None).syscall(13, signal, action, None, 8) == 0
os.execvp(sys.argv[1], sys.argv[1:])
";

/// A Docker daemon of the test's own, to be stopped and started; its containerd goes on, as a system's does.
struct Daemon {
    folder: tempfile::TempDir,
    child: Option<Child>,
    containerd: Child,
}

impl Daemon {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("creel-dockerd-").tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let containerd = as_root("python3")
            .args(["-c", IGNORING, "containerd"])
            .args(["--root", &path("containerd"), "--state", &path("containerd-state")])
            .args(["--address", &path("containerd.sock"), "--log-level", "error"])
            .spawn()
            .expect("containerd starts");
        let mut daemon = Self { folder, child: None, containerd };
        daemon.start();
        daemon
    }

    fn socket(&self) -> String {
        format!("unix://{}/docker.sock", self.folder.path().display())
    }

    fn start(&mut self) {
        let folder = self.folder.path();
        let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).expect("a log");
        let path = |name: &str| folder.join(name).display().to_string();
        // In a network namespace of its own: with --bridge=none it would remove the machine's docker0.
        let child = as_root("unshare")
            .args([
                "--net",
                "dockerd",
                "--host",
                &self.socket(),
                "--data-root",
                &path("data"),
                "--exec-root",
                &path("exec"),
            ])
            .args(["--pidfile", &path("pid"), "--bridge=none", "--iptables=false", "--ip6tables=false"])
            .args(["--live-restore=false", "--storage-driver=vfs", "--containerd", &path("containerd.sock")])
            .stdout(log.try_clone().expect("a descriptor"))
            .stderr(log)
            .spawn()
            .expect("dockerd starts");
        self.child = Some(child);
        let up = eventually(PATIENCE, || self.docker(["version"]));
        assert!(up, "{}", std::fs::read_to_string(folder.join("log")).unwrap_or_default());
    }

    fn docker<const N: usize>(&self, args: [&str; N]) -> bool {
        let run = Command::new("docker").args(["--host", &self.socket()]).args(args).output();
        run.is_ok_and(|output| output.status.success())
    }

    fn stop(&mut self, signal: &str) {
        if let Some(mut child) = self.child.take() {
            let _ = as_root("kill").args([signal, &child.id().to_string()]).status();
            let _ = child.wait();
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let left = Command::new("docker").args(["--host", &self.socket(), "ps", "-aq"]).output();
        for id in
            left.iter().flat_map(|left| left.stdout.split(|&byte| byte == b'\n')).filter(|id| !id.is_empty())
        {
            self.docker(["rm", "-fv", &String::from_utf8_lossy(id)]);
        }
        self.stop("-TERM");
        let _ = as_root("kill").arg(self.containerd.id().to_string()).status();
        let _ = self.containerd.wait();
        // What the daemon mounted below its folders would keep them from being removed.
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
        let ours = self.folder.path().display().to_string();
        for mount in
            mounts.lines().filter_map(|line| line.split(' ').nth(1)).filter(|path| path.starts_with(&ours))
        {
            let _ = as_root("umount").args(["--lazy", mount]).status();
        }
    }
}

#[test]
fn the_engine_may_be_restarted_at_any_moment() {
    let mut daemon = Daemon::new();
    let creel = Creel::new().env("DOCKER_HOST", daemon.socket());
    let ignored = creel.run(["grep", "SigIgn", "/proc/self/status"]).ok().out();
    assert_eq!(ignored, "SigIgn:\t0000000000000000\n", "what the daemon ignores is not the command's affair");
    let mut moments = Moments::new();
    for round in 0..MOMENTS {
        let creel = Creel::new().env("DOCKER_HOST", daemon.socket());
        let running = creel.spawn(creel.run_args(["sh", "-c", WORKLOAD]));
        let moment = moments.next(600);
        thread::sleep(moment);
        daemon.stop(if round % 2 == 0 { "-TERM" } else { "-KILL" });
        daemon.start();
        // A run that had not begun may begin now, and one that the engine kept goes on: both are ended.
        thread::sleep(Duration::from_millis(500));
        running.signal("TERM");
        running.signal("INT");
        let _ = running.finish();
        creel.creel(["ps"]).ok();
        let list = ["--host", &daemon.socket(), "ps", "-aq"].map(str::to_owned);
        let gone = eventually(PATIENCE, || docker(&list).is_empty());
        assert!(gone, "after {moment:?}");
        let last = beats(&creel);
        thread::sleep(Duration::from_millis(100));
        assert_eq!(beats(&creel), last, "after {moment:?}, the workload runs on");
        let verified = creel.creel(["audit", "verify"]);
        assert!(
            verified.output.status.success() || verified.err().contains("there is no audit log"),
            "{verified}"
        );
    }
}
