//! `approvals.hook`: a command that answers in a person's place, and each way in which it may fail to.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use support::approve::WAIT;
use support::log::argv;
use support::{Creel, PATIENCE, eventually};

/// A sandbox whose hook is this shell script; it lies outside of what the workload sees.
fn hooked(script: &str, timeout: &str) -> Creel {
    let creel = Creel::new();
    let hook = creel.path("hook");
    fs::write(&hook, format!("#!/bin/sh\ncd '{}'\n{script}\n", creel.path("").display())).expect("the hook");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("a mode");
    with_hook(creel, &hook, timeout)
}

fn with_hook(creel: Creel, hook: &Path, timeout: &str) -> Creel {
    let policy = WAIT.replace("10m", timeout);
    creel.policy(&format!("{policy}hook = [\"{}\", \"an argument\"]", hook.display()))
}

const TAC: [&str; 2] = ["tac", "/etc/hostname"];

#[test]
fn it_gets_the_question_and_its_word_counts() {
    let script = "cat >asked; case $(cat asked) in *yes*) echo '{\"verdict\": \"allow\"}' ;; *no*) echo '{\"verdict\": \"deny\"}' ;; \
                  *) echo '{\"verdict\": \"ask\"}' ;; esac; echo \"$1\" >argument";
    let creel = hooked(script, "10m");
    creel.stays("box");
    creel.starts(&["-w", "/etc"], "box", &["tac", "hostname", "yes"]).finish().code(1);
    let asked = fs::read_to_string(creel.path("asked")).expect("what it was asked");
    let asked: serde_json::Value = serde_json::from_str(&asked).expect("JSON");
    assert_eq!((&asked["v"], &asked["sandbox"]), (&1.into(), &"box".into()));
    let question = &asked["question"];
    assert_eq!(argv(question), ["tac", "hostname", "yes"]);
    assert_eq!(question["cwd"], "/etc");
    let danger = &question["dangers"][0];
    assert_eq!((&danger["rule"], &danger["reason"]), (&"ask-me".into(), &"turns things around".into()));
    assert_eq!(fs::read_to_string(creel.path("argument")).expect("an argument"), "an argument\n");
    creel.recorded(&["tac", "hostname", "yes"], &[["allow", "hook", "ask-me"]]);

    creel.starts(&[], "box", &["tac", "no"]).finish().code(126).stderr_has("ask-me");
    creel.recorded(&["tac", "no"], &[["deny", "hook", "ask-me"]]);

    creel.is_asked(&[], "box", &TAC, "--once", 0);
    creel.recorded(&TAC, &[["allow", "approve", "ask-me"]]);
    creel.creel(["rm", "-f", "box"]).ok();
    creel.verified();
}

#[track_caller]
fn denies(creel: &Creel, by: &str) {
    creel.run(TAC).code(126).stdout("").stderr_has("creel: denied: tac /etc/hostname: turns things around");
    creel.recorded(&TAC, &[["deny", by, "ask-me"]]);
}

#[test]
fn each_failure_of_it_is_a_denial() {
    for script in [
        "cat >/dev/null; echo '{\"verdict\": \"allow\"}'; exit 1",
        "echo '{\"verdict\": \"allow\"}'; kill -9 $$",
        "echo rubbish",
        "echo '{\"verdict\": \"allowed\"}'",
        "echo '{\"verdict\": \"allow\"} {\"verdict\": \"allow\"}'",
        "head -c 1000000 /dev/zero",
        "exit 0",
    ] {
        denies(&hooked(script, "10m"), "hook");
    }
    let creel = Creel::new();
    let nowhere = creel.path("nowhere");
    denies(&with_hook(creel, &nowhere, "10m"), "hook");
}

#[test]
fn one_that_hangs_is_killed_and_denies() {
    let creel = hooked("sleep 1000 & echo $! >pid; wait", "2s");
    // Whichever of the two is first sees to it.
    creel.run(TAC).code(126).stdout("").stderr_has("ask-me");
    let pid = fs::read_to_string(creel.path("pid")).expect("it ran");
    let is_gone = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    };
    assert!(eventually(PATIENCE, is_gone), "{pid} lives");
    let verdicts = creel.verdicts(&TAC);
    assert!(
        matches!(&verdicts[..], [[verdict, by, _]] if verdict == "deny" && (by == "hook" || by == "timeout"))
    );
}

#[test]
fn what_it_allows_is_allowed_once_and_what_it_denies_for_good() {
    let script = "cat >/dev/null; echo x >>asked; echo '{\"verdict\": \"VERDICT\"}'";
    for (verdict, code, asked) in [("allow", 0, 2), ("deny", 126, 1)] {
        let creel = hooked(&script.replace("VERDICT", verdict), "10m");
        creel.stays("box");
        for _ in 0..2 {
            creel.starts(&[], "box", &TAC).finish().code(code);
        }
        let lines = fs::read_to_string(creel.path("asked")).expect("asked").lines().count();
        assert_eq!(lines, asked, "{verdict}");
        creel.creel(["rm", "-f", "box"]).ok();
    }
}
