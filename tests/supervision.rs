//! Every program that the workload starts is seen, judged and recorded, however it is started.

mod support;

use std::collections::HashSet;

use support::log::argv;
use support::{Creel, PATIENCE, eventually};

const SPAWN: &str = "/programs/spawn";

#[test]
fn what_runs_is_on_record_before_it_runs() {
    let creel = Creel::new();
    creel.run(["sh", "-c", "cat /proc/self/comm; env -i /bin/echo \"two words\"; exit 3"]).code(3);
    let execs = creel.execs("allow");
    let commands: Vec<_> = execs.iter().map(argv).collect();
    assert_eq!(commands[0][..2], ["sh", "-c"]);
    assert_eq!(commands[1], ["cat", "/proc/self/comm"]);
    assert_eq!(commands[2], ["env", "-i", "/bin/echo", "two words"]);
    assert_eq!(commands[3], ["/bin/echo", "two words"]);
    assert_eq!(execs[3]["cwd"], "/workspace");
    assert_eq!(creel.end()["execs"], 4);
    creel.verified();
}

#[test]
fn a_denied_command_gets_a_line_and_eperm_and_the_record_says_why() {
    let creel = Creel::new().policy(
        "[[commands.rule]]\nid = \"no-id\"\nprogram = \"id\"\nverdict = \"deny\"\nreason = \"it is nobody's business\"",
    );
    let outcome = creel.run([
        "python3",
        "-c",
        "import os\ntry: os.execv('/usr/bin/id', ['id', '-u'])\nexcept OSError as e: print(e.errno)",
    ]);
    outcome.ok().stdout("1\n").stderr_has("creel: denied: id -u: it is nobody's business (rule no-id)\n");
    let denied = creel.execs("deny");
    assert_eq!(denied.len(), 1);
    assert_eq!(
        (&denied[0]["rule"], &denied[0]["reason"]),
        (&"no-id".into(), &"it is nobody's business".into())
    );
    creel.run(["id"]).code(126);
}

#[test]
fn an_allowlist_lets_nothing_else_run() {
    let creel = Creel::new().policy(
        "[commands]\ndefault = \"deny\"\n[[commands.rule]]\nid = \"sh\"\nprogram = \"dash\"\nverdict = \"allow\"\n\
         [[commands.rule]]\nid = \"echo\"\nprogram = \"/usr/bin/echo\"\nverdict = \"allow\"",
    );
    let script = "/usr/bin/echo yes; /usr/bin/id; cp=/usr/bin/cp; $cp /usr/bin/id /tmp/echo; /tmp/echo";
    creel
        .run(["/usr/bin/dash", "-c", script])
        .code(127)
        .stdout("yes\n")
        .stderr_has("no rule of the policy allows it");
}

#[test]
fn scripts_memory_files_and_other_threads_are_seen() {
    let creel = Creel::new().programs(&["spawn"]).file("script", "#!/bin/sh -e\n/bin/true\n");
    creel
        .run([
            "sh",
            "-c",
            "chmod +x script; ./script arg; /programs/spawn memfd; /programs/spawn second; cp /programs/spawn /tmp/gone; \
             (exec 3< /tmp/gone; rm /tmp/gone; exec /proc/self/fd/3 noop deleted)",
        ])
        .ok();
    let execs = creel.execs("allow");
    let find = |last: &str| {
        execs
            .iter()
            .find(|exec| argv(exec).last() == Some(&last))
            .unwrap_or_else(|| panic!("{last}: {execs:#?}"))
    };
    let script = find("arg");
    assert_eq!(argv(script), ["/bin/sh", "-e", "./script", "arg"]);
    assert_eq!(script["file"], "./script");
    assert!(
        find("from-memory")["exe"].as_str().is_some_and(|exe| exe.contains("memfd:hidden")),
        "{}",
        find("from-memory")
    );
    assert_eq!(argv(find("thread")), ["spawn", "noop", "thread"]);
    assert_eq!(find("deleted")["exe"], "/tmp/gone");
}

#[test]
fn ten_thousand_execs_of_fifty_processes_are_ten_thousand_records() {
    let creel = Creel::new().programs(&["spawn"]).option("--cpus=2");
    let total = if support::is_emulated() { 1000 } else { 10_000 };
    creel.run([SPAWN, "many", &total.to_string(), "50"]).ok();
    let execs = creel.execs("allow");
    let marks: HashSet<_> = execs.iter().map(|exec| argv(exec).concat()).collect();
    assert_eq!((execs.len(), marks.len()), (total + 1, total + 1));
    assert_eq!(creel.end()["execs"], total + 1);
    creel.verified();
}

#[test]
fn a_search_through_ten_folders_is_one_record() {
    let creel = Creel::new().programs(&["spawn"]);
    creel.run([SPAWN, "search"]).ok();
    assert_eq!(creel.execs("allow").len(), 2);
    assert!(creel.execs("deny").is_empty());
}

#[test]
fn threads_that_exec_fail_and_die_at_once_hang_nothing() {
    let creel = Creel::new().programs(&["spawn"]).option("--cpus=2");
    creel.run([SPAWN, "threads", "1000"]).ok();
    // One program comes out of each round, whichever thread won.
    assert_eq!(creel.execs("allow").len(), 1001);
    creel.verified();
}

#[test]
fn signals_neither_lose_an_exec_nor_have_it_judged_twice() {
    let creel = Creel::new().programs(&["spawn"]);
    // In software emulation, a program that is signalled more often comes to nothing else.
    let (rounds, apart) = if support::is_emulated() { (100, "20000") } else { (1000, "50") };
    creel.run([SPAWN, "signals", &rounds.to_string(), apart]).ok();
    let marks: Vec<_> = creel.execs("allow").iter().map(|exec| argv(exec).concat()).collect();
    let different: HashSet<_> = marks.iter().collect();
    assert_eq!((marks.len(), different.len()), (rounds + 1, rounds + 1));
}

#[test]
fn a_full_spool_holds_execs_and_not_their_vfork_parents_and_loses_nothing() {
    let creel = Creel::new().programs(&["spawn"]).option("--name=full");
    // In software emulation, an exec may take a second that nobody holds.
    let held_after = if support::is_emulated() { "20000" } else { "3000" };
    let running = creel.spawn(creel.run_args([SPAWN, "fill", held_after]));
    let monitor = || creel.processes().into_iter().find(|pid| *pid != running.pid());
    let log = creel.path("state/creel/audit/full/current.jsonl");
    let started =
        eventually(PATIENCE, || std::fs::read_to_string(&log).is_ok_and(|log| log.contains("\"noop\"")));
    assert!(started, "the command runs");
    let monitor = monitor().expect("a monitor").to_string();
    let signal = |name: &str| {
        std::process::Command::new("kill").args([name, &monitor]).status().expect("kill").success()
    };
    assert!(signal("-STOP"));
    let held = eventually(PATIENCE, || creel.project().join("held").exists());
    assert!(signal("-CONT"));
    assert!(held, "an exec is held while the spool is full");
    let outcome = running.finish().ok();
    let out = outcome.out();
    let lines: Vec<_> = out.lines().collect();
    assert_eq!((lines.len(), lines[1]), (3, "parent goes on"), "{out}");
    let all: usize = lines[2].split(' ').nth(1).and_then(|n| n.parse().ok()).expect("a number");
    assert_eq!(creel.execs("allow").len(), all + 1);
    creel.verified();
}

#[test]
fn what_creel_exec_adds_is_supervised_too() {
    let creel =
        Creel::new().policy("[[commands.rule]]\nid = \"no-id\"\nprogram = \"id\"\nverdict = \"deny\"");
    let name = creel.creel([
        "run",
        "-d",
        "--name=more",
        "--policy",
        &creel.path("policy.toml").display().to_string(),
        "--",
        "sleep",
        "100",
    ]);
    name.ok().stdout("more\n");
    creel.creel(["exec", "more", "sh", "-c", "echo in; exit 5"]).code(5).stdout("in\n");
    creel.creel(["exec", "more", "id"]).code(126);
    creel.creel(["exec", "more", "nosuchprogram"]).code(127);
    creel.creel(["rm", "-f", "more"]).ok();
    assert!(creel.execs("allow").iter().any(|exec| argv(exec) == ["sh", "-c", "echo in; exit 5"]));
    assert_eq!(creel.execs("deny").len(), 1);
}

#[test]
fn who_enters_behind_our_back_leaves_a_gap() {
    let creel = Creel::new();
    creel.creel(["run", "-d", "--name=entered", "--", "sleep", "100"]).ok();
    let workload = creel.containers().into_iter().find(|name| !name.ends_with("-gate")).expect("a workload");
    support::docker(["exec", &workload, "/usr/bin/true"]);
    let seen = eventually(PATIENCE, || creel.records().iter().any(|record| record["kind"] == "gap"));
    creel.creel(["rm", "-f", "entered"]).ok();
    assert!(seen);
}

#[test]
fn job_control_works_under_supervision() {
    let creel = Creel::new();
    let script = "sleep 1000 & pid=$!; kill -STOP $pid; sleep 0.2; grep State: /proc/$pid/status; kill -CONT $pid; \
                  sleep 0.2; grep State: /proc/$pid/status; kill $pid; wait $pid; echo $?";
    creel.run(["bash", "-c", script]).ok().stdout("State:\tT (stopped)\nState:\tS (sleeping)\n143\n");
}

#[test]
fn files_are_renamed_and_linked_across_folders_as_without_us() {
    let creel = Creel::new();
    let script = r#"
import os, shutil, subprocess
for base in ["/workspace", "/tmp", os.environ["HOME"], "/dev/shm"]:
    os.chdir(base)
    os.makedirs("a/deep/er"); os.makedirs("b")
    open("a/f", "w").write("x")
    os.rename("a/f", "b/f")
    os.link("b/f", "a/g")
    os.rename("a/deep", "b/deep")
    os.replace("a/g", "b/g")
    # npm: unpack beside, then rename the whole package into place
    os.makedirs("node_modules/.x-1234/lib"); open("node_modules/.x-1234/lib/i.js", "w").write("1")
    os.rename("node_modules/.x-1234", "node_modules/x")
    # dpkg: link the old one away, rename the new one in
    open("b/conf", "w").write("old"); open("b/conf.dpkg-new", "w").write("new")
    os.link("b/conf", "b/conf.dpkg-tmp"); os.rename("b/conf.dpkg-new", "b/conf"); os.unlink("b/conf.dpkg-tmp")
    assert open("b/conf").read() == "new"
    shutil.rmtree("a"); shutil.rmtree("b"); shutil.rmtree("node_modules")
os.chdir("/workspace")
env = dict(os.environ, GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@b", GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@b")
git = lambda *args: subprocess.run(["git", *args], check=True, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
git("init", "-b", "main")
for n in range(5):
    open("file", "w").write(str(n)); git("add", "."); git("commit", "-m", str(n))
git("checkout", "-b", "side", "HEAD~2"); open("other", "w").write("x"); git("add", "."); git("commit", "-m", "side")
git("rebase", "main"); git("gc", "--aggressive"); git("clone", ".", "/tmp/clone"); git("fsck")
print("done")
"#;
    creel.run(["python3", "-c", script]).ok().stdout("done\n");
}

#[test]
fn with_debugging_a_process_may_be_traced_and_then_executes_nothing() {
    let creel = Creel::new().policy("[sandbox]\ndebugging = true").programs(&["spawn", "escape"]);
    creel.run(["/programs/escape", "ptrace_attach"]).code(1).stdout_has("DONE ptrace_attach\n");
    creel
        .run([SPAWN, "traced"])
        .code(7)
        .stdout("Operation not permitted\n")
        .stderr_has("(rule creel.traced)");
    let denied = creel.execs("deny");
    assert_eq!((denied.len(), &denied[0]["rule"]), (1, &"creel.traced".into()));
    // The gate, and what else is not of the workload, can't be traced all the same.
    creel.run(["/programs/escape", "ptrace_gate"]).ok();
}

#[test]
fn a_shell_is_judged_with_who_writes_its_pipe_though_each_was_started_alone() {
    let creel = Creel::new();
    let script = r#"
import os, subprocess
def both(first, second):
    r, w = os.pipe()
    r2, w2 = os.pipe()
    one = subprocess.Popen(first, stdin=r2, stdout=w)
    os.close(w)
    two = subprocess.Popen(second, stdin=r, stdout=subprocess.DEVNULL)
    if two.poll() is None and first[0] == "cat":
        os.write(w2, b"exit 7\n")
    os.close(w2); os.close(r2)
    code = two.wait(); os.close(r); one.wait()
    return code
print(both(["base64", "-d"], ["sh"]), both(["cat"], ["sh"]), both(["base64", "-d"], ["wc"]))
"#;
    std::fs::write(creel.project().join("two.py"), script).expect("a script");
    creel.run(["python3", "two.py"]).ok().stdout("126 7 0\n");
    let denied = creel.execs("deny");
    assert_eq!(denied.len(), 1, "{denied:?}");
    assert_eq!(denied[0]["rule"], "obfuscation.decoded-to-shell");
}

#[test]
fn what_git_does_to_itself_is_no_question_and_what_it_is_told_is() {
    let script = "git init -q . && git config user.email a@b && git config user.name a && echo x > f && git add f \
        && git commit -qm x && echo y > f && git stash -q && git gc -q --aggressive && git status --short && echo done";
    let creel = Creel::new();
    creel.run(["bash", "-c", script]).ok().stdout("done\n");
    creel.run(["bash", "-c", "git reset --hard"]).code(126).stderr_has("git.reset-hard");
    // A program of the workload's that is called git is no git.
    std::fs::create_dir(creel.project().join("bin")).expect("a folder");
    std::fs::write(creel.project().join("git.c"), "#include <stdlib.h>\n#include <sys/wait.h>\n#include <unistd.h>\nint main(void) { if (!fork()) execlp(\"/usr/bin/git\", \"git\", \"reset\", \"--hard\", (char *)0); int s; wait(&s); return s >> 8; }\n").expect("a program");
    creel.run(["gcc", "-w", "-o", "bin/git", "git.c"]).ok();
    creel.run(["bin/git", "status"]).code(126);
}
