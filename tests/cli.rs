//! The command line's own behaviour: what it prints, and how it ends, where no sandbox is needed.

mod support;

use std::process::Stdio;

use support::Creel;

const COMMANDS: [&str; 11] =
    ["run", "exec", "attach", "ps", "logs", "stop", "kill", "rm", "policy", "audit", "doctor"];

#[test]
fn creel_alone_says_what_it_is_and_what_to_try() {
    let outcome = Creel::new().creel([""; 0]).ok();
    let out = outcome.out();
    assert!(out.starts_with("creel runs an AI agent"), "{out}");
    assert_eq!(out.lines().filter(|line| line.starts_with("  creel ")).count(), 3, "{out}");
    assert!(!out.contains('\x1b'), "no colour in a pipe");
}

#[test]
fn every_command_has_help_and_a_page() {
    let creel = Creel::new();
    let all = creel.creel(["--help"]).ok().out();
    for command in COMMANDS {
        assert!(all.contains(&format!("\n  {command} ")), "{command}: {all}");
        creel.creel([command, "--help"]).ok().stdout_has("Usage: creel");
        let page = format!("{}/man/creel-{command}.1", env!("CARGO_MANIFEST_DIR"));
        assert!(std::path::Path::new(&page).exists(), "{page}");
    }
    creel.creel(["--version"]).ok().stdout(format!("creel {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_has_its_code_and_says_creel() {
    let creel = Creel::new();
    creel.creel(["ps", "--nonsense"]).code(2).stderr_has("creel: ");
    creel.creel(["nonsense"]).code(2).stderr_has("creel: ");
    creel.creel(["run", "--nonsense"]).code(125).stderr_has("creel: ");
    creel.creel(["exec"]).code(125).stderr_has("creel: ");
}

#[test]
fn what_would_open_the_sandbox_gets_one_sentence() {
    let creel = Creel::new();
    for (args, said) in [
        (&["--privileged"][..], "--privileged"),
        (&["--cap-add=SYS_ADMIN"], "sandbox.capabilities"),
        (&["--device=/dev/sda"], "--device"),
        (&["--pid=host"], "--pid"),
        (&["--network=host"], "--network host"),
        (&["--network=bridge"], "[network] allow"),
        (&["--security-opt=seccomp=unconfined"], "--security-opt"),
        (&["-v", "/var/run/docker.sock:/var/run/docker.sock"], "root on this machine"),
        (&["-v", "/:/host"], "/"),
        (&["-p", "80:80"], "sandbox.ports"),
    ] {
        let outcome = creel.creel([&["run"], args, &["true"]].concat()).code(125).stderr_has(said);
        assert_eq!(outcome.err().lines().count(), 1, "{outcome}");
    }
}

#[test]
fn empty_lists_are_empty() {
    let creel = Creel::new();
    creel.creel(["ps", "--json"]).ok().stdout("");
    creel.creel(["ps", "-q"]).ok().stdout("");
    creel.creel(["audit", "--json"]).ok().stdout("");
    creel.creel(["audit", "verify"]).code(1).stderr_has("there is no audit log");
    creel.creel(["logs", "x"]).code(1).stderr_has("No such sandbox: x");
    creel.creel(["stop", "x"]).code(1).stderr_has("No such sandbox: x");
    creel.creel(["rm", "x"]).code(1).stderr_has("No such sandbox: x");
    assert!(creel.containers().is_empty());
    assert!(creel.processes().is_empty());
}

#[test]
fn without_an_engine_it_says_so_and_what_to_do() {
    let creel = Creel::new().env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    creel.run(["true"]).code(125).stderr_has("/nonexistent/docker.sock");
    creel.creel(["doctor"]).code(1).stderr_has("/nonexistent/docker.sock");
    let creel = Creel::new().env("DOCKER_HOST", "tcp://192.0.2.1:2375");
    creel.run(["true"]).code(125).stderr_has("on that host");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure_of_ours() {
    let creel = Creel::new();
    let mut command = creel.command(["policy", "schema"]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = command.stdout(writer).stderr(Stdio::piped()).output().expect("creel starts");
    assert_eq!((output.status.code(), output.stderr.len()), (Some(141), 0));
}

#[test]
fn a_dry_run_changes_nothing() {
    let creel = Creel::new();
    let before = support::tree(&creel.path("."));
    let out = creel.creel(["run", "--dry-run", "--name=dry", "--", "echo", "a b"]).ok().out();
    assert_eq!(support::tree(&creel.path(".")), before);
    for part in [
        "docker create --name creel-dry-",
        "--cap-drop ALL",
        "--read-only",
        "--network none",
        "no-new-privileges",
        "'a b'",
        "--pid container:",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let json = creel.creel(["run", "--dry-run", "--json", "--", "true"]).ok().out();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["workload"]["body"]["HostConfig"]["ReadonlyRootfs"], true);
    assert!(creel.containers().is_empty());
}

#[test]
fn doctor_names_what_enforces_each_line() {
    let creel = Creel::new();
    let outcome = creel.creel(["doctor"]).ok();
    for part in
        ["Docker Engine", "Landlock", "limits.memory", "cgroup", "commands.default", "Every line is enforced"]
    {
        assert!(outcome.out().contains(part), "{part}: {outcome}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&creel.creel(["doctor", "--json"]).ok().out()).expect("JSON");
    assert_eq!(json["missing"].as_array().map(Vec::len), Some(0));
    creel.creel(["doctor", "--set", "sandbox.runtime=nonesuch"]).code(1).stdout_has("sandbox.runtime");
}
