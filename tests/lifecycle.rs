//! Sandboxes come, are talked to, and go, as containers under docker do.

mod support;

use std::time::Duration;

use support::{Creel, PATIENCE, docker, eventually};

fn detached(creel: &Creel, name: &str, command: &[&str]) {
    let name = format!("--name={name}");
    let args = [&["run", "-d", &name, "--"][..], command].concat();
    creel.creel(args).ok();
}

/// The sandboxes that `creel ps ARGS --json` lists.
fn listed(creel: &Creel, args: &[&str]) -> Vec<serde_json::Value> {
    let out = creel.creel([&["ps", "--json"], args].concat()).ok().out();
    out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn exit_codes_are_the_commands_own() {
    let creel = Creel::new();
    for code in [0, 1, 3, 42, 124, 125, 126, 127, 200, 255] {
        creel.run(["sh", "-c", &format!("exit {code}")]).code(code);
    }
    creel.run(["sh", "-c", "kill -9 $$"]).code(137);
    creel.run(["sh", "-c", "kill -TERM $$"]).code(143);
    creel.run(["no-such-program"]).code(127).stderr_has("command not found");
    creel.run(["/etc/passwd"]).code(126).stderr_has("permission denied");
    creel.run(["/no/such/program"]).code(127);
    creel.creel(["run", "--no-such-option", "true"]).code(125);
    creel.creel(["run", "--name=Bad Name", "true"]).code(125);
    creel.verified();
}

#[test]
fn a_foreground_sandbox_is_gone_at_its_end_and_its_log_stays() {
    let creel = Creel::new();
    creel.creel(["run", "--name=once", "--", "true"]).ok();
    assert!(eventually(PATIENCE, || listed(&creel, &["--all"]).is_empty()));
    creel.creel(["run", "--name=once", "--", "true"]).ok();
    assert_eq!(creel.records().iter().filter(|record| record["kind"] == "run.start").count(), 2);
    creel.verified();
}

#[test]
fn a_detached_sandbox_is_listed_and_logged_until_it_is_removed() {
    let creel = Creel::new();
    detached(&creel, "bg", &["sh", "-c", "echo out; echo err >&2; sleep 1000"]);
    let running = listed(&creel, &[]);
    assert_eq!((running.len(), &running[0]["name"]), (1, &"bg".into()));
    assert!(eventually(PATIENCE, || creel.creel(["logs", "bg"]).ok().out() == "out\n"));
    creel.creel(["logs", "bg"]).ok().stderr_has("err\n");
    creel.creel(["run", "--name=bg", "--", "true"]).code(125).stderr_has("is in use");
    creel.creel(["rm", "bg"]).code(1).stderr_has("bg");
    creel.creel(["stop", "-t", "1", "bg"]).ok();
    assert!(listed(&creel, &[]).is_empty());
    let ended = listed(&creel, &["--all"]);
    assert_eq!(ended.len(), 1);
    creel.creel(["logs", "bg"]).ok().stdout("out\n");
    creel.creel(["rm", "bg"]).ok();
    assert!(listed(&creel, &["--all"]).is_empty());
    assert!(creel.containers().is_empty());
    assert_eq!(creel.end()["cause"], "stopped");
    creel.creel(["logs", "bg"]).code(1).stderr_has("No such sandbox: bg");
}

#[test]
fn a_detached_sandbox_may_remove_itself() {
    let creel = Creel::new();
    creel.creel(["run", "-d", "--rm", "--name=gone", "--", "sleep", "0.2"]).ok().stdout("gone\n");
    assert!(eventually(PATIENCE, || listed(&creel, &["--all"]).is_empty() && creel.containers().is_empty()));
}

#[test]
fn signals_are_passed_on_and_kill_ends_it() {
    let creel = Creel::new();
    let script =
        "trap 'echo hup' HUP; trap 'echo term; exit 9' TERM; echo ready; while :; do sleep 0.1; done";
    detached(&creel, "trap", &["sh", "-c", script]);
    let logs = || creel.creel(["logs", "trap"]).ok().out();
    assert!(eventually(PATIENCE, || logs() == "ready\n"));
    creel.creel(["kill", "-s", "HUP", "trap"]).ok();
    assert!(eventually(PATIENCE, || logs() == "ready\nhup\n"));
    creel.creel(["stop", "trap"]).ok();
    assert!(logs().ends_with("term\n"));
    assert_eq!(creel.end()["exit_code"], 9);
    creel.creel(["rm", "trap"]).ok();

    detached(&creel, "kill", &["sleep", "1000"]);
    creel.creel(["kill", "kill"]).ok();
    assert!(eventually(PATIENCE, || listed(&creel, &[]).is_empty()));
    creel.creel(["kill", "kill"]).code(1).stderr_has("kill");
    creel.creel(["rm", "kill"]).ok();
}

#[test]
fn a_signal_to_the_command_line_reaches_the_command() {
    let creel = Creel::new();
    let script = "trap 'exit 7' TERM; touch ready; while :; do sleep 0.1; done";
    let running = creel.spawn(creel.run_args(["sh", "-c", script]));
    assert!(eventually(PATIENCE, || creel.project().join("ready").exists()));
    running.signal("TERM");
    running.finish().code(7);
}

#[test]
fn a_command_line_that_is_killed_takes_its_sandbox_with_it() {
    let creel = Creel::new();
    let running = creel.spawn(creel.run_args(["sh", "-c", "touch ready; sleep 1000"]));
    assert!(eventually(PATIENCE, || creel.project().join("ready").exists()));
    running.signal("KILL");
    let _ = running.finish();
    assert!(eventually(PATIENCE, || creel.containers().is_empty()));
    assert_eq!(creel.end()["cause"], "hangup");
    creel.verified();
}

#[test]
fn what_is_left_of_the_workload_ends_with_its_main_process() {
    let creel = Creel::new();
    let script = "setsid sh -c 'trap \"\" HUP TERM; while :; do sleep 0.05; date +%N > alive; done' & sleep 0.5; echo bye";
    creel.run(["sh", "-c", script]).ok().stdout("bye\n");
    let alive = || std::fs::read(creel.project().join("alive")).ok();
    let last = alive();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(alive(), last, "it wrote on after its end");
}

#[test]
fn pipes_carry_bytes_as_they_are() {
    let bytes: Vec<u8> =
        (0..3_000_000u32).flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
    let creel = Creel::new().stdin(bytes.clone());
    creel.creel(["run", "-i", "--", "cat"]).ok().stdout(bytes);
    let creel = Creel::new().stdin("x\n");
    creel.run(["cat"]).ok().stdout("x\n");
    creel.run(["sh", "-c", "echo out; echo err >&2"]).ok().stdout("out\n").stderr("err\n");
}

#[test]
fn exec_joins_a_running_sandbox() {
    let creel = Creel::new().stdin("through\n");
    creel.creel(["exec", "none", "true"]).code(125).stderr_has("No such sandbox: none");
    detached(&creel, "main", &["sleep", "1000"]);
    creel.creel(["exec", "main", "pwd"]).ok().stdout("/workspace\n");
    creel
        .creel(["exec", "-w", "/tmp", "-e", "A=b", "main", "sh", "-c", "pwd; echo $A"])
        .ok()
        .stdout("/tmp\nb\n");
    creel.creel(["exec", "-i", "main", "cat"]).ok().stdout("through\n");
    creel.creel(["exec", "main", "sh", "-c", "exit 4"]).code(4);
    creel.creel(["rm", "-f", "main"]).ok();
    creel.verified();
}

#[test]
fn attach_follows_to_the_end() {
    let creel = Creel::new();
    detached(&creel, "att", &["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done; echo went; exit 6"]);
    let attached = creel.spawn(["attach", "att"]);
    std::thread::sleep(Duration::from_millis(500));
    std::fs::write(creel.project().join("go"), "").expect("written");
    attached.finish().code(6).stdout("went\n");
    creel.creel(["rm", "att"]).ok();
}

#[test]
fn two_installations_know_nothing_of_each_other() {
    let (one, two) = (Creel::new(), Creel::new());
    detached(&one, "same", &["sleep", "1000"]);
    detached(&two, "same", &["sleep", "1000"]);
    two.creel(["rm", "-f", "same"]).ok();
    assert_eq!(listed(&one, &[]).len(), 1);
    assert_eq!(one.containers().len(), 2);
    assert!(two.containers().is_empty());
    one.creel(["rm", "-f", "same"]).ok();
}

#[test]
fn names_are_made_up_and_labels_are_set() {
    let creel = Creel::new();
    let name = creel.creel(["run", "-d", "--label", "team=blue", "--", "sleep", "1000"]).ok().out();
    let workload = creel.containers().into_iter().find(|name| !name.ends_with("-gate")).expect("a workload");
    assert!(workload.starts_with(&format!("creel-{}-", name.trim())), "{workload}");
    let label = docker(["inspect", "--format", "{{index .Config.Labels \"team\"}}", &workload]);
    assert_eq!(label, "blue\n");
    creel.creel(["rm", "-f", name.trim()]).ok();
}

#[test]
fn signals_have_their_default_actions() {
    let creel = Creel::new();
    let masks = "0000000000000000";
    creel
        .run(["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"])
        .ok()
        .stdout(format!("SigBlk:\t{masks}\nSigIgn:\t{masks}\n"));
    creel.run(["bash", "-c", "yes | head -1; echo ${PIPESTATUS[0]}"]).ok().stdout("y\n141\n");
}

#[test]
fn environment_and_folder_are_as_asked_for() {
    let creel = Creel::new().file("vars", "# a comment\nB=from file\n").env("HANDED", "on");
    let args = [
        "run",
        "-e",
        "A=1",
        "-e",
        "HANDED",
        "--env-file",
        "vars",
        "-w",
        "/tmp",
        "--",
        "sh",
        "-c",
        "echo $A $B $HANDED; pwd",
    ];
    creel.creel(args).ok().stdout("1 from file on\n/tmp\n");
    creel.run(["sh", "-c", "env | cut -d= -f1 | sort | tr '\\n' ' '"]).ok().stdout_has("HOME");
}
