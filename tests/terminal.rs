//! At a terminal, creel behaves as `docker run -it` does.

mod support;

use std::process::Command;

use nix::sys::termios::LocalFlags;
use support::pty::Terminal;
use support::{Creel, PATIENCE, eventually};

fn at_terminal(creel: &Creel, args: &[&str]) -> Terminal {
    Terminal::new(&mut creel.command(args))
}

#[test]
fn a_shell_at_a_terminal_has_one() {
    let creel = Creel::new();
    let mut terminal = at_terminal(&creel, &["run", "-it", "--", "bash", "--norc", "-i"]);
    terminal.types("tty; stty size; echo $((6*7))\n");
    terminal.sees("/dev/pts/0");
    terminal.sees("24 80");
    terminal.sees("42");
    terminal.types("exit 5\n");
    assert_eq!(terminal.ends(), Some(5));
}

#[test]
fn a_terminal_is_found_without_being_asked_for_and_refused_when_not_wanted() {
    let creel = Creel::new();
    let terminal = at_terminal(&creel, &["run", "--", "sh", "-c", "test -t 0 && test -t 1 && echo has one"]);
    terminal.sees("has one");
    assert_eq!(terminal.ends(), Some(0));
    let terminal = at_terminal(&creel, &["run", "--no-tty", "--", "sh", "-c", "test -t 1 || echo has none"]);
    terminal.sees("has none");
    assert_eq!(terminal.ends(), Some(0));
}

#[test]
fn the_window_may_change() {
    let creel = Creel::new();
    let script = "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done";
    let terminal = at_terminal(&creel, &["run", "-it", "--", "bash", "-c", script]);
    terminal.sees("ready");
    terminal.resize(40, 100);
    terminal.sees("40 100");
    assert_eq!(terminal.ends(), Some(0));
}

#[test]
fn keys_reach_the_command_and_the_settings_come_back() {
    let creel = Creel::new();
    let mut terminal = at_terminal(
        &creel,
        &[
            "run",
            "-it",
            "--",
            "sh",
            "-c",
            "echo ready; trap 'echo int; exit 3' INT; while :; do sleep 0.05; done",
        ],
    );
    let cooked = terminal.settings().local_flags;
    terminal.sees("ready");
    assert!(
        eventually(PATIENCE, || !terminal.settings().local_flags.contains(LocalFlags::ICANON)),
        "raw mode"
    );
    terminal.types("\x03");
    terminal.sees("int");
    let after = || terminal.settings().local_flags;
    assert!(eventually(PATIENCE, || after() == cooked), "the terminal is as it was");
    assert_eq!(terminal.ends(), Some(3));
}

#[test]
fn detach_keys_leave_it_running_and_attach_goes_on() {
    let creel = Creel::new();
    let mut terminal = at_terminal(&creel, &["run", "-it", "--name=det", "--", "bash", "--norc", "-i"]);
    terminal.types("echo st''art\n");
    terminal.sees("start");
    terminal.types("\x10\x11");
    assert_eq!(terminal.ends(), Some(0));
    creel.creel(["ps", "-q"]).ok().stdout("det\n");
    let mut terminal = at_terminal(&creel, &["attach", "det"]);
    terminal.types("echo ag''ain\n");
    terminal.sees("again");
    terminal.types("exit 4\n");
    assert_eq!(terminal.ends(), Some(4));
    assert!(eventually(PATIENCE, || creel.creel(["ps", "-aq"]).ok().out().is_empty()));
}

#[test]
fn a_terminal_is_given_back_when_the_monitor_is_killed() {
    let creel = Creel::new();
    let terminal =
        at_terminal(&creel, &["run", "-it", "--name=killed", "--", "sh", "-c", "echo ready; sleep 1000"]);
    let cooked = terminal.settings().local_flags;
    terminal.sees("ready");
    let cli = i32::try_from(terminal.child.id()).expect("a pid");
    let monitor = creel.processes().into_iter().find(|pid| *pid != cli).expect("a monitor");
    assert!(Command::new("kill").args(["-9", &monitor.to_string()]).status().expect("kill").success());
    // A new monitor takes over; the sandbox is then ended as any other.
    assert!(eventually(PATIENCE, || creel.creel(["rm", "-f", "killed"]).output.status.success()));
    let back = eventually(PATIENCE, || terminal.settings().local_flags == cooked);
    assert!(back, "{}", terminal.shown());
    assert!(terminal.ends().is_some());
}

#[test]
fn the_shell_of_the_host_gets_its_terminal_when_creel_is_stopped() {
    let creel = Creel::new();
    let mut shell = Command::new("bash");
    let creel_command = creel.command([""; 0]);
    shell.args(["--norc", "-i"]).current_dir(creel.project()).env("CREEL", creel_command.get_program());
    for (name, value) in creel_command.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    let mut terminal = Terminal::new(shell.env("PS1", "prompt> "));
    terminal.sees("prompt> ");
    terminal.types("$CREEL run --no-tty -- sh -c 'echo rea''dy; exec sleep 1000'\n");
    terminal.sees("ready");
    let stopped = || creel.processes().iter().any(|pid| state(*pid) == Some('T'));
    terminal.types("\x1a");
    assert!(eventually(PATIENCE, stopped), "{}", terminal.shown());
    terminal.types("echo sh''ell\n");
    terminal.sees("shell");
    terminal.types("fg\n");
    assert!(eventually(PATIENCE, || !stopped()), "{}", terminal.shown());
    terminal.types("\x03");
    // The shell reads on when creel has ended, and not before.
    assert!(eventually(PATIENCE, || creel.containers().is_empty()), "{}", terminal.shown());
    terminal.types("echo co''de $?\n");
    terminal.sees("code 130");
    terminal.types("exit\n");
    assert!(terminal.ends().is_some());
}

/// As proc_pid_stat(5) has it: `T` is stopped.
fn state(pid: i32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}
