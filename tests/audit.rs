//! The audit log as people read and check it.

mod support;

use std::fs;
use std::process::Stdio;

use support::{Creel, PATIENCE, eventually};

/// A sandbox `log` that ran three commands, and its log's lines.
fn logged() -> (Creel, Vec<String>) {
    let creel = Creel::new().option("--name=log");
    creel.run(["sh", "-c", "/bin/echo one; /bin/echo two"]).ok();
    // A log that is still being written may end anywhere.
    assert!(eventually(PATIENCE, || creel.processes().is_empty()));
    let lines = fs::read_to_string(file(&creel)).expect("a log").lines().map(str::to_owned).collect();
    (creel, lines)
}

fn file(creel: &Creel) -> std::path::PathBuf {
    creel.path("state/creel/audit/log/current.jsonl")
}

#[test]
fn every_change_of_a_log_is_found() {
    let (creel, lines) = logged();
    assert_eq!(lines.len(), 5);
    let verify = |what: &str, changed: Vec<String>, line: usize| {
        fs::write(file(&creel), changed.join("\n") + "\n").expect("written");
        let outcome = creel.creel(["audit", "verify", "log"]).code(1);
        assert!(outcome.err().contains(&format!("current.jsonl:{line}: ")), "{what}: {outcome}");
    };
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut changed = lines.clone();
        change(&mut changed);
        changed
    };
    verify("changed", with(&|lines| lines[2] = lines[2].replace("one", "uno")), 4);
    verify("the verdict", with(&|lines| lines[2] = lines[2].replace("\"allow\"", "\"deny\"")), 4);
    verify("removed", with(&|lines| drop(lines.remove(2))), 3);
    verify("the first", with(&|lines| drop(lines.remove(0))), 1);
    verify("added", with(&|lines| lines.insert(3, lines[2].clone())), 4);
    verify("swapped", with(&|lines| lines.swap(2, 3)), 3);
    verify("no record", with(&|lines| lines[3] = "{}".to_owned()), 4);
    verify("not JSON", with(&|lines| lines[3] = "x".to_owned()), 4);
    verify("spelled otherwise", with(&|lines| lines[4] = lines[4].replace("\"v\":1", "\"v\": 1")), 5);
    fs::write(file(&creel), lines.join("\n") + "\n").expect("written");
    creel.verified();
}

#[test]
fn a_torn_last_line_is_mended_and_not_tampering() {
    let (creel, lines) = logged();
    let whole = lines.join("\n") + "\n";
    fs::write(file(&creel), format!("{whole}{}", &lines[4][..50])).expect("written");
    creel.creel(["audit", "verify"]).ok().stdout_has("50 bytes of a line that was not finished");
    creel.run(["true"]).ok();
    creel.creel(["audit", "verify"]).ok();
    assert!(fs::read_to_string(file(&creel)).expect("a log").starts_with(&whole));
    assert!(creel.records().iter().any(|record| record["kind"] == "gap") || creel.records().len() == 8);
}

#[test]
fn a_cut_log_is_said_to_have_no_end() {
    let (creel, lines) = logged();
    fs::write(file(&creel), lines[..4].join("\n") + "\n").expect("written");
    creel.creel(["audit", "verify"]).ok().stdout_has("has no end");
}

#[test]
fn records_are_found_by_what_they_are() {
    let creel = Creel::new()
        .policy("[[commands.rule]]\nid = \"no-id\"\nprogram = \"id\"\nverdict = \"deny\"")
        .option("--name=find");
    creel.run(["sh", "-c", "/bin/echo needle; id; true"]).ok();
    let lines = |args: &[&str]| creel.creel([&["audit"], args].concat()).ok().out().lines().count();
    assert_eq!(lines(&["--kind", "run.start"]), 1);
    assert_eq!(lines(&["--verdict", "deny"]), lines(&["--rule", "no-id"]));
    assert!(lines(&["--verdict", "deny"]) >= 1);
    assert_eq!(lines(&["--grep", "needle", "--kind", "exec", "--verdict", "allow"]), 2);
    assert_eq!(lines(&["-n", "2"]), 2);
    assert_eq!(lines(&["--until", "1h"]), 0);
    assert!(lines(&["--since", "1h"]) > 4);
    creel
        .creel(["audit", "--sandbox", "other"])
        .code(1)
        .stderr_has("there is no audit log of a sandbox “other”");
    creel.creel(["audit", "--kind", "nonsense"]).code(2).stderr_has("the kinds are");
    let summary = creel.creel(["audit", "--summary"]).ok().out();
    assert!(
        summary.contains("needle") && summary.contains("(rule no-id)") && summary.contains("exit code 0"),
        "{summary}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&creel.creel(["audit", "--summary", "--json"]).ok().out()).expect("JSON");
    assert_eq!(json["end"]["exit_code"], 0);
}

#[test]
fn new_records_are_followed() {
    let creel = Creel::new();
    let mut child =
        creel.command(["audit", "--follow", "--json"]).stdout(Stdio::piped()).spawn().expect("creel starts");
    let mut out = child.stdout.take().expect("piped");
    let seen = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let to = std::sync::Arc::clone(&seen);
    std::thread::spawn(move || {
        use std::io::Read;
        let mut buffer = [0; 4096];
        while let Ok(size @ 1..) = out.read(&mut buffer) {
            to.lock().expect("not poisoned").push_str(&String::from_utf8_lossy(&buffer[..size]));
        }
    });
    creel.run(["/bin/echo", "followed"]).ok();
    let followed = eventually(PATIENCE, || seen.lock().expect("not poisoned").contains("run.end"));
    child.kill().expect("killed");
    child.wait().expect("waited for");
    assert!(followed, "{}", seen.lock().expect("not poisoned"));
}
