//! Ways out of the sandbox, tried from inside. `tests/programs/escape.c` holds the tries; a control in a plain,
//! hardened container shows that they are real ones.

mod support;

use std::process::Command;

use support::Creel;
use support::log::argv;

/// How many there are to try, at the least.
const TRIES: usize = 100;

/// Tries all of them under these options, and sees that the sandbox lives and supervises. `harmless` may be done.
fn try_all(creel: Creel, harmless: &[&str]) -> Creel {
    let creel = creel.programs(&["escape"]);
    let outcome = creel.run(["sh", "-c", "/programs/escape all; /bin/echo still alive"]).ok();
    let out = outcome.out();
    let done: Vec<_> = out.lines().filter_map(|line| line.strip_prefix("DONE ")).collect();
    assert_eq!(done, harmless, "{out}");
    assert!(out.matches("refused ").count() + done.len() >= TRIES, "{out}");
    assert!(out.ends_with("still alive\n"), "{out}");
    assert!(creel.execs("allow").iter().any(|exec| argv(exec) == ["/bin/echo", "still", "alive"]));
    creel.verified();
    creel
}

#[test]
fn a_hundred_ways_out_are_refused_to_root() {
    try_all(Creel::new().option("--user=0:0"), &[]);
}

#[test]
fn a_hundred_ways_out_are_refused_to_a_user() {
    try_all(Creel::new().option("--user=1000:1000"), &[]);
}

#[test]
fn a_hundred_ways_out_are_refused_to_one_with_the_gates_number() {
    try_all(Creel::new().option("--user=65533:65533"), &[]);
}

#[test]
fn a_hundred_ways_out_are_refused_with_every_capability_that_can_be_given_back() {
    let all = "[sandbox]\nuser = \"0:0\"\ncapabilities = [\"CHOWN\", \"FOWNER\", \"DAC_OVERRIDE\", \"SETUID\", \"SETGID\", \"NET_BIND_SERVICE\"]";
    // creel's binary is no secret; that it can't be read keeps the shim from being looked into, which what is left
    // of the sandbox keeps too.
    try_all(Creel::new().policy(all), &["read_binary"]);
}

#[test]
fn calls_by_foreign_tables_are_on_record() {
    let creel = try_all(Creel::new(), &[]);
    let denied = creel.execs("deny");
    let by = |table: &str| {
        let of = |reason: &serde_json::Value| reason.as_str().is_some_and(|reason| reason.contains(table));
        denied.iter().filter(|record| record["rule"] == "creel.architecture" && of(&record["reason"])).count()
    };
    assert!(by("i386") >= 4 && by("x32") >= 2, "{denied:#?}");
}

#[test]
fn the_same_tries_come_through_in_a_plain_hardened_container() {
    // Made once with the compile helper of `programs`, into a folder that Docker may mount.
    let creel = Creel::new().programs(&["escape"]);
    let program = format!("{}:/programs:ro", creel.path("programs").display());
    creel.run(["true"]).ok();
    let image = support::docker(["image", "ls", "--quiet", "creel/base"]);
    let image = image.lines().next().expect("creel's base image");
    let output = Command::new("docker")
        .args([
            "run",
            "--rm",
            "--network=none",
            "--cap-drop=ALL",
            "--security-opt=no-new-privileges",
            "--read-only",
        ])
        .args([
            "--user=1000:1000",
            "--tmpfs=/tmp",
            "--env=ESCAPE_IN_A_THROW_AWAY_CONTAINER=1",
            "--volume",
            &program,
        ])
        .args([
            "--volume=/usr:/usr:ro",
            "--entrypoint=/usr/bin/sh",
            image,
            "-c",
            "/programs/escape all; true",
        ])
        .output()
        .expect("docker runs");
    let out = String::from_utf8_lossy(&output.stdout);
    for through in
        ["second_listener", "ptrace_attach", "mem_of_sibling", "i386_execve", "setuid_chmod", "core_files"]
    {
        assert!(out.contains(&format!("DONE {through}\n")), "{through} did not come through: {out}");
    }
}

const NO_ID: &str = "[[commands.rule]]\nid = \"no-id\"\nprogram = \"id\"\nverdict = \"deny\"";

/// Runs a shell script under a policy that denies `id`, and returns what it wrote.
fn without_id(script: &str) -> String {
    let creel = Creel::new().policy(NO_ID);
    let outcome = creel.run(["bash", "-c", script]);
    creel.verified();
    outcome.out()
}

#[test]
fn other_paths_to_a_denied_program_are_closed() {
    for way in [
        "id",
        "/usr/bin/id",
        "/usr/bin/../bin/./id",
        "cd /usr/bin && ./id",
        "/proc/self/root/usr/bin/id",
        "ln -s /usr/bin/id /tmp/x; /tmp/x",
        "exec -a innocent /usr/bin/id",
        "env -i /usr/bin/id",
        "nice id",
        "setsid -w id",
        "find / -maxdepth 0 -exec id ';'",
        "echo x | xargs id",
        "bash -c 'exec id'",
        "python3 -c 'import os; os.execv(\"/usr/bin/id\", [\"ls\"])'",
        "python3 -c 'import subprocess; subprocess.run([\"/usr/bin/id\"])'",
        "perl -e 'exec {\"/usr/bin/id\"} \"ls\"'",
        "printf '#!/usr/bin/id\\n' > /tmp/script; chmod +x /tmp/script; /tmp/script",
        "exec 9< /usr/bin/id; /proc/self/fd/9; /dev/fd/9",
    ] {
        let out = without_id(way);
        assert!(!out.contains("uid="), "{way}: {out}");
    }
}

#[test]
fn what_a_name_can_not_tell_is_said_in_the_limits() {
    // A copy under another name, and the loader as the program, are other programs: SECURITY.md says so. They are
    // on record as what they are, and an allowlist refuses them.
    let allowlist = "[commands]\ndefault = \"deny\"\n[[commands.rule]]\nid = \"tools\"\nprogram = \"{bash,cp}\"\nverdict = \"allow\"";
    let creel = Creel::new().policy(allowlist);
    let script =
        "cp /usr/bin/id /tmp/innocent; /tmp/innocent; /lib64/ld-linux-x86-64.so.2 /usr/bin/id; echo end";
    let outcome = creel.run(["bash", "-c", script]).ok();
    assert_eq!(outcome.out(), "end\n");
    assert_eq!(creel.execs("deny").len(), 2);
}

#[test]
fn hostile_arguments_are_kept_whole_and_paint_nothing() {
    let creel = Creel::new();
    let script = r#"
import os, subprocess
run = lambda *args: subprocess.run(["/bin/true", *args], check=True)
run("\x1b[2J\x1b]0;owned\x07", "\u202e", "a\nb")
run(b"\xff\xfe")
run("x" * 131000)
run(*["y" * 1000] * 1500)
run("")
os.close(2); run("no stderr")
"#;
    creel.run(["python3", "-c", script]).ok();
    let execs = creel.execs("allow");
    let of_true: Vec<_> =
        execs.iter().filter(|exec| exec["exe"].as_str().is_some_and(|exe| exe.ends_with("/true"))).collect();
    assert_eq!(of_true.len(), 6);
    assert_eq!(of_true[0]["argv"][1], "\u{1b}[2J\u{1b}]0;owned\u{7}");
    assert_eq!(of_true[1]["argv"][1]["base64"], "//4=");
    assert_eq!(of_true[2]["argv_cut"]["bytes"], 131_000 + 1 + "/bin/true".len() + 1);
    assert_eq!(of_true[3]["argv_cut"]["bytes"], 1500 * 1001 + "/bin/true".len() + 1);
    let shown = creel.creel(["audit", "--no-trunc"]).ok().out();
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}') && !shown.contains('\u{7}'));
    creel.verified();
}

#[test]
fn a_storm_of_failing_execs_makes_no_records_and_no_harm() {
    let creel = Creel::new();
    let script = r#"
import os, sys
for n in range(int(sys.argv[1])):
    pid = os.fork()
    if pid == 0:
        for path in ["/nonexistent", "/etc/passwd", "/proc/self/nothing", "", "/tmp", "a" * 5000]:
            try: os.execv(path, ["x"])
            except OSError: pass
        os._exit(0)
    os.waitpid(pid, 0)
print("done")
"#;
    let rounds = if support::is_emulated() { "200" } else { "3000" };
    creel.run(["python3", "-c", script, rounds]).ok().stdout("done\n");
    assert_eq!(creel.records().iter().filter(|record| record["kind"] == "exec").count(), 1);
}

#[test]
fn denials_without_end_neither_fill_nor_stop_anything() {
    let creel = Creel::new().policy(NO_ID);
    let script = r#"
import os, sys
denied = 0
for n in range(int(sys.argv[1])):
    try: os.execv("/usr/bin/id", ["id", "z" * 20000])
    except PermissionError: denied += 1
print(denied)
"#;
    let rounds = if support::is_emulated() { 300 } else { 5000 };
    creel
        .run(["sh", "-c", "exec python3 -c \"$1\" $2 2> /dev/null", "sh", script, &rounds.to_string()])
        .ok()
        .stdout(format!("{rounds}\n"));
    assert_eq!(creel.execs("deny").len(), rounds);
    creel.verified();
}

#[test]
fn creels_own_roles_do_nothing_inside() {
    let creel = Creel::new();
    creel.run(["/.creel/creel", "__shim", "--", "/bin/echo", "unsupervised"]).code(125).stdout("");
    creel.run(["/.creel/creel", "__gate"]).code(1).stdout("");
    creel.run(["/.creel/creel", "__monitor", "x"]).code(125).stdout("");
}
