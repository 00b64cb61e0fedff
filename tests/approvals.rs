//! What asks first: who is asked, what an answer covers, and what becomes of a question that nobody answers.
//! tests/prompt.rs has the terminal.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use support::approve::{WAIT, number};
use support::log::argv;
use support::{Creel, PATIENCE, eventually, tree};

const PUSH: [&str; 5] = ["git", "push", "--force", "origin", "topic"];

/// A shell that reads its lines: what it is about to run is in no text that could be judged beforehand.
fn in_a_shell(creel: Creel, lines: &str) -> Creel {
    creel.option("-i").option("--name=box").stdin(lines)
}

#[test]
fn where_nobody_is_to_be_asked_it_is_denied_and_the_shell_goes_on() {
    let creel = in_a_shell(Creel::new(), "git push --force origin topic\necho code $?\n");
    let outcome = creel.run(["sh"]).ok().stdout("code 126\n");
    let line = outcome.err();
    assert_eq!(line.matches("creel: denied: git push --force origin topic: ").count(), 1, "{line}");
    assert!(line.contains("(rule git.push-force)"), "{line}");
    creel.recorded(&PUSH, &[["deny", "policy", "git.push-force"]]);
    // The command itself, and a text that has it.
    let creel = Creel::new();
    creel.run(PUSH).code(126).stderr_has("(rule git.push-force)");
    creel.run(["sh", "-c", "echo before; git push --force origin topic"]).code(126).stdout("");
    creel.verified();
}

#[test]
fn what_waits_is_listed_and_answered_once() {
    let creel = Creel::new().policy(WAIT);
    creel.creel(["approve"]).ok().stdout("Nothing is asked.\n");
    creel.stays("box");
    let running = creel.starts(&["-w", "/etc"], "box", &["tac", "hostname"]);
    let asked = creel.asks("box", 1).remove(0);
    assert_eq!((&asked["sandbox"], &asked["waiting"]), (&"box".into(), &1.into()));
    let question = &asked["question"];
    assert_eq!(argv(question), ["tac", "hostname"]);
    assert_eq!(question["cwd"], "/etc");
    assert_eq!(question["dangers"][0]["rule"], "ask-me");
    for args in [&["approve"][..], &["approve", "box"]] {
        let listed = creel.creel(args).ok();
        assert!(listed.out().contains("box") && listed.out().contains("ask-me"), "{listed}");
        listed.stdout_has("tac hostname");
    }
    creel.creel(["approve", "box", "1"]).code(1).stderr_has("say what the answer is");
    creel.answer("box", 1, "--once").ok();
    running.finish().ok();
    creel.answer("box", 1, "--deny").code(1).stderr_has("1");
    creel.is_asked(&[], "box", &["tac", "other"], "--deny", 126);
    creel.recorded(&["tac", "hostname"], &[["allow", "approve", "ask-me"]]);
    creel.recorded(&["tac", "other"], &[["deny", "approve", "ask-me"]]);
    creel.creel(["rm", "-f", "box"]).ok();
    creel.creel(["approve", "box"]).code(1);
    creel.verified();
}

#[test]
fn what_nobody_answers_in_time_is_denied() {
    let creel = Creel::new().policy(&WAIT.replace("10m", "1s"));
    creel.run(["tac", "/etc/hostname"]).code(126).stdout("").stderr_has("ask-me");
    creel.recorded(&["tac", "/etc/hostname"], &[["deny", "timeout", "ask-me"]]);
}

#[test]
fn what_ten_processes_ask_is_asked_once() {
    let lines = "for i in 1 2 3 4 5 6 7 8 9 10; do tac /etc/hostname >out$i & done; wait; cat out* | wc -l\n";
    let creel = in_a_shell(Creel::new().policy(WAIT), lines);
    let running = creel.spawn(creel.run_args(["sh"]));
    assert!(eventually(PATIENCE, || creel.asked("box").iter().any(|asked| asked["waiting"] == 10)));
    creel.answers("box", "--once");
    running.finish().ok().stdout("10\n");
    creel.recorded(&["tac", "/etc/hostname"], &[["allow", "approve", "ask-me"]; 10]);
}

#[test]
fn a_session_remembers_exactly_what_was_shown() {
    let creel = Creel::new().policy(WAIT).file("script", "#!/bin/sh\ntac /etc/passwd\n");
    let script = creel.project().join("script");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("a mode");
    creel.stays("box");
    let tac = ["tac", "/etc/hostname"];
    creel.is_asked(&[], "box", &tac, "--session", 0);
    creel.starts(&[], "box", &tac).finish().ok();
    creel.recorded(&tac, &[["allow", "approve", "ask-me"], ["allow", "remembered", "ask-me"]]);
    creel.is_asked(&[], "box", &["tac", "/etc/hostname", "/etc/hosts"], "--once", 0);
    creel.is_asked(&["-w", "/tmp"], "box", &tac, "--once", 0);
    for variable in ["PATH=/opt:/usr/bin:/bin", "LD_BIND_NOW=1"] {
        let asked = creel.is_asked(&["-e", variable], "box", &tac, "--once", 0);
        let (name, value) = variable.split_once('=').expect("a variable");
        assert_eq!(asked["question"]["env"], serde_json::json!([[name, value]]));
    }
    for command in [&["sh", "script"][..], &["./script"]] {
        creel.is_asked(&[], "box", command, "--session", 0);
        creel.starts(&[], "box", command).finish().ok();
        fs::write(&script, format!("#!/bin/sh\n# {}\ntac /etc/passwd\n", command[0])).expect("written");
        creel.is_asked(&[], "box", command, "--once", 0);
    }
    creel.starts(&[], "box", &tac).finish().ok();
    creel.creel(["rm", "-f", "box"]).ok();
}

#[test]
fn a_script_that_changes_under_the_question_does_not_run() {
    let creel = Creel::new().policy(WAIT).file("script", "tac /etc/passwd\n");
    creel.stays("box");
    let running = creel.starts(&[], "box", &["sh", "script"]);
    let asked = creel.asks("box", 1).remove(0);
    fs::write(creel.project().join("script"), "echo other\n").expect("written");
    creel.answer("box", number(&asked), "--once").ok();
    running.finish().code(126).stdout("");
    creel.recorded(&["sh", "script"], &[["deny", "policy", "ask-me"]]);
    creel.creel(["rm", "-f", "box"]).ok();
}

#[test]
fn a_rule_covers_all_of_it_until_the_sandbox_ends_and_always_every_sandbox() {
    let creel = Creel::new().policy(WAIT);
    creel.stays("box");
    creel.is_asked(&[], "box", &["tac", "/etc/passwd"], "--rule", 0);
    creel.starts(&["-w", "/tmp"], "box", &["tac", "/etc/hosts"]).finish().ok();
    creel.is_asked(&[], "box", &PUSH, "--once", 128);
    creel.creel(["rm", "-f", "box"]).ok();

    creel.stays("one");
    creel.is_asked(&[], "one", &["tac", "/etc/hosts"], "--always", 0);
    creel.creel(["rm", "-f", "one"]).ok();
    let decisions = creel.path("config/creel/decisions.jsonl");
    let mode = fs::metadata(&decisions).expect("the decisions").permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    assert_eq!(fs::read_to_string(&decisions).expect("text").lines().count(), 1);
    assert!(tree(&creel.project()).is_empty());

    creel.stays("two");
    creel.starts(&[], "two", &["tac", "/etc/hosts"]).finish().ok();
    let [remembered, approved] = ["remembered", "approve"].map(|by| ["allow", by, "ask-me"]);
    creel.recorded(&["tac", "/etc/hosts"], &[remembered, approved, remembered]);
    creel.is_asked(&[], "two", &["tac", "/etc/passwd"], "--once", 0);
    creel.creel(["rm", "-f", "two"]).ok();
}

#[test]
fn one_text_asks_once_and_covers_no_more_than_it_has() {
    // What comes on stdin is in no text.
    let creel = Creel::new().policy(WAIT).stdin("tac /etc/passwd\necho end $?\n");
    creel.stays("box");
    let text = "tac /etc/hosts; git push --force origin topic; sh";
    let running = creel.starts(&["-i"], "box", &["sh", "-c", text]);
    let asked = creel.answers("box", "--once");
    let dangers = asked["question"]["dangers"].as_array().expect("dangers");
    let mut rules: Vec<_> = dangers.iter().filter_map(|danger| danger["rule"].as_str()).collect();
    rules.sort_unstable();
    assert_eq!(rules, ["ask-me", "git.push-force"], "{dangers:#?}");
    let asked = creel.answers("box", "--deny");
    assert_eq!(argv(&asked["question"]), ["tac", "/etc/passwd"]);
    let above = &asked["question"]["ancestors"][0];
    assert_eq!(argv(above), ["sh"]);
    assert_eq!(argv(&asked["question"]["ancestors"][1]), ["sh", "-c", text]);
    running.finish().ok().stdout_has("end 126");
    creel.recorded(&["tac", "/etc/hosts"], &[["allow", "remembered", "ask-me"]]);
    creel.recorded(&PUSH, &[["allow", "remembered", "git.push-force"]]);
    creel.recorded(&["tac", "/etc/passwd"], &[["deny", "approve", "ask-me"]]);
    // What another process runs was not in its text.
    creel.is_asked(&[], "box", &["tac", "/etc/hosts"], "--once", 0);
    creel.creel(["rm", "-f", "box"]).ok();
}

#[test]
fn two_hundred_questions_are_all_answered() {
    let lines = "i=0; while [ $i -lt 200 ]; do tac $i & i=$((i+1)); done; wait; echo done\n";
    let creel = in_a_shell(Creel::new().policy(WAIT), lines);
    let running = creel.spawn(creel.run_args(["sh"]));
    for asked in creel.asks("box", 200) {
        creel.answer("box", number(&asked), "--once").ok();
    }
    running.finish().ok().stdout("done\n");
    let mut allowed = creel.execs("allow");
    allowed.retain(|exec| exec["by"] == "approve");
    let mut numbers: Vec<u32> = allowed.iter().map(|exec| argv(exec)[1].parse().expect("a number")).collect();
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(0..200), "{numbers:?}");
    creel.verified();
}

#[test]
fn what_was_denied_is_not_asked_again_however_often_it_is_tried() {
    let lines =
        "i=0; while [ $i -lt 1000 ]; do tac x; [ $? = 126 ] || echo no; i=$((i+1)); done; echo done\n";
    let creel = in_a_shell(Creel::new().policy(WAIT), lines);
    let running = creel.spawn(creel.run_args(["sh"]));
    creel.answers("box", "--deny");
    running.finish().ok().stdout("done\n");
    let verdicts = creel.verdicts(&["tac", "x"]);
    assert_eq!(verdicts.len(), 1000);
    assert_eq!(verdicts.iter().filter(|[_, by, _]| by == "approve").count(), 1);
    assert!(
        verdicts.iter().all(|[verdict, by, _]| verdict == "deny" && (by == "approve" || by == "remembered"))
    );
}

#[test]
fn an_answer_may_stop_the_sandbox() {
    let creel = in_a_shell(Creel::new().policy(WAIT), "tac x; sleep 1000\n");
    let running = creel.spawn(creel.run_args(["sh"]));
    creel.answers("box", "--stop");
    assert_ne!(running.finish().output.status.code(), Some(0));
    assert_eq!(creel.end()["cause"], "stopped");
    creel.recorded(&["tac", "x"], &[["deny", "approve", "ask-me"]]);
}

#[test]
fn a_question_outlives_the_monitor() {
    // What it runs is in no text.
    let main = "import subprocess, time\ncode = subprocess.call(open('what').read().split())\n\
                print('code', code, file=open('code', 'w'), flush=True)\ntime.sleep(1000)\n";
    let creel = Creel::new().policy(WAIT).option("-d").option("--name=box");
    let creel = creel.file("main.py", main).file("what", "tac /etc/hostname");
    creel.run(["python3", "main.py"]).ok();
    let asked = creel.asks("box", 1).remove(0);
    assert_eq!(argv(&asked["question"]), ["tac", "/etc/hostname"]);
    let monitor = creel.processes();
    assert_eq!(monitor.len(), 1, "{monitor:?}");
    let killed = Command::new("kill").args(["-9", &monitor[0].to_string()]).status();
    assert!(killed.expect("kill runs").success());
    assert!(eventually(PATIENCE, || creel.processes() != monitor));
    // The next one is told again; nothing ran meanwhile.
    let again = creel.asks("box", 1).remove(0);
    assert_eq!(again["question"], asked["question"]);
    assert!(!creel.project().join("code").exists());
    creel.answer("box", number(&again), "--once").ok();
    let code = || fs::read_to_string(creel.project().join("code")).unwrap_or_default();
    assert!(eventually(PATIENCE, || code() == "code 0\n"), "{}", code());
    creel.recorded(&["tac", "/etc/hostname"], &[["allow", "approve", "ask-me"]]);
    creel.creel(["rm", "-f", "box"]).ok();
    creel.verified();
}

#[test]
fn a_sandbox_that_ends_takes_its_questions_along() {
    let creel = Creel::new().policy(WAIT);
    for end in [&["stop", "-t", "1"][..], &["kill"], &["rm", "-f"]] {
        creel.stays("box");
        let running = creel.starts(&[], "box", &["tac", "x"]);
        creel.asks("box", 1);
        creel.creel([end, &["box"]].concat()).ok();
        assert_ne!(running.finish().output.status.code(), Some(0));
        creel.creel(["approve", "--json"]).ok().stdout("");
        creel.creel(["rm", "-f", "box"]);
        assert!(creel.containers().is_empty());
    }
    assert!(creel.execs("allow").iter().all(|exec| argv(exec)[0] != "tac"));
    creel.recorded(&["tac", "x"], &[["deny", "policy", "ask-me"]; 3]);
    creel.verified();
}

#[test]
fn a_process_that_ends_takes_its_question_along() {
    let lines = "tac x & p=$!\nuntil [ -e go ]; do sleep 0.05; done\nkill -9 $p; wait $p; echo code $?\n\
                 until [ -e end ]; do sleep 0.05; done\n";
    let creel = in_a_shell(Creel::new().policy(WAIT), lines);
    let running = creel.spawn(creel.run_args(["sh"]));
    let asked = creel.asks("box", 1).remove(0);
    fs::write(creel.project().join("go"), "").expect("written");
    creel.asks("box", 0);
    creel.answer("box", number(&asked), "--once").code(1);
    fs::write(creel.project().join("end"), "").expect("written");
    running.finish().ok().stdout_has("code 137\n");
    creel.recorded(&["tac", "x"], &[["deny", "policy", "ask-me"]]);
}

#[test]
fn an_allowlist_may_ask_for_all_else() {
    let policy = "[[commands.rule]]\nid = \"usual\"\nprogram = \"sleep\"\nverdict = \"allow\"\n\
                  [commands]\ndefault = \"ask\"\n[approvals]\nwithout_terminal = \"wait\"\ntimeout = \"10m\"";
    let creel = Creel::new().policy(policy);
    creel.stays("box");
    creel.starts(&[], "box", &["sleep", "0"]).finish().ok();
    let asked = creel.is_asked(&[], "box", &["cat", "/etc/hostname"], "--session", 0);
    assert_ne!(asked["question"]["dangers"], serde_json::json!([]), "{asked:#}");
    creel.starts(&[], "box", &["cat", "/etc/hostname"]).finish().ok();
    creel.is_asked(&[], "box", &["cat", "/etc/hosts"], "--deny", 126);
    creel.creel(["rm", "-f", "box"]).ok();
}

/// Tries to continue, to open, to trace and to write each `tac` that waits, and to reach a socket of creel's; says how
/// many it found.
const MEDDLE: &str = r#"
import os, ctypes, signal, socket
found = 0
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        if not open(f"/proc/{pid}/cmdline").read().startswith("tac"): continue
    except OSError: continue
    found += 1
    os.kill(int(pid), signal.SIGCONT)
    try:
        os.open(f"/proc/{pid}/mem", os.O_RDWR)
        print("memory is open")
    except OSError: pass
    libc = ctypes.CDLL(None)
    if libc.ptrace(16, int(pid), None, None) == 0 or libc.ptrace(0x4206, int(pid), None, None) == 0: print("traced")
    local, remote = (ctypes.c_void_p * 2)(0, 0), (ctypes.c_void_p * 2)(0, 0)
    if libc.process_vm_writev(int(pid), local, 1, remote, 1, 0) >= 0: print("written")
for path in [line.split()[-1] for line in open("/proc/net/unix")] + ["/run/creel/box/monitor.sock"]:
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
        try:
            socket.socket(socket.AF_UNIX, kind).connect(path)
            print("connected to", path)
        except OSError: pass
print("found", found)
"#;

#[test]
fn the_workload_can_not_answer_for_itself() {
    let creel = Creel::new().policy(WAIT).file("meddle.py", MEDDLE);
    creel.stays("box");
    let running = creel.starts(&[], "box", &["tac", "/etc/hostname"]);
    creel.asks("box", 1);
    creel.starts(&[], "box", &["creel", "approve", "box", "1", "--once"]).finish().code(127);
    // To try is a danger itself; allowed, it still is no way.
    let tried = creel.starts(&[], "box", &["/.creel/creel", "approve", "box", "1", "--once"]);
    let asked = creel.asks("box", 2).pop().expect("a question");
    creel.answer("box", number(&asked), "--once").ok();
    let tried = tried.finish();
    assert!(matches!(tried.output.status.code(), Some(1 | 125..=127)), "{tried}");
    let meddling = creel.starts(&[], "box", &["python3", "meddle.py"]);
    let asked = creel.asks("box", 2).pop().expect("a question");
    creel.answer("box", number(&asked), "--once").ok();
    meddling.finish().ok().stdout("found 1\n");
    assert_eq!(creel.asked("box").len(), 1);
    creel.answer("box", 1, "--deny").ok();
    running.finish().code(126).stdout("");
    creel.creel(["rm", "-f", "box"]).ok();
}

#[test]
fn hostile_text_is_made_visible() {
    let creel = Creel::new().policy(WAIT);
    creel.stays("box");
    let running =
        creel.starts(&[], "box", &["tac", "\x1b[2J\x07", "a\nbox 2", "\u{202e}gnp.x", "r\u{0430}w"]);
    creel.asks("box", 1);
    let listed = creel.creel(["approve", "box"]).ok();
    for part in ["\\x1b[2J\\x07", "a\\nbox 2", "\\u202egnp.x", "r\\u{430}w"] {
        assert!(listed.out().contains(part), "{part}: {listed}");
    }
    assert!(
        listed.out().chars().all(|c| c == '\n' || c == '…' || c.is_ascii_graphic() || c == ' '),
        "{listed}"
    );
    creel.answer("box", 1, "--deny").ok();
    let line = running.finish().code(126).err();
    assert!(!line.trim_end().contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
    creel.creel(["rm", "-f", "box"]).ok();
}
