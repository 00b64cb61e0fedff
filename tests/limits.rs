//! A workload takes what it was given and no more, the host goes on, and the log says what happened.

mod support;

use support::Creel;

const HOG: &str = "/programs/hog";

fn creel(limits: &str) -> Creel {
    Creel::new().policy(&format!("[limits]\n{limits}")).programs(&["hog"])
}

#[test]
fn a_memory_hog_is_ended_and_named() {
    let creel = creel("memory = \"64MiB\"");
    creel.run([HOG, "memory"]).code(137).stderr_has("ran out of memory (limits.memory)");
    let end = creel.end();
    assert_eq!(end["cause"], "oom");
    assert!(end["memory_peak"].as_u64().is_some_and(|peak| peak <= 64 << 20), "{end}");
    // A child that is killed is no end of the whole.
    creel.run(["sh", "-c", "/programs/hog memory; echo $?"]).ok().stdout_has("137\n");
    assert_eq!(
        (&creel.end()["cause"], creel.end()["oom_kills"].as_u64().map(|kills| kills > 0)),
        (&"exit".into(), Some(true))
    );
}

#[test]
fn a_fork_bomb_ends_at_its_limit_and_is_counted() {
    let creel = creel("processes = 32\n[commands.rules]\n\"processes.fork-bomb\" = \"allow\"");
    let out = creel.run([HOG, "forks"]).ok().out();
    let made: u32 = out.trim().strip_prefix("made ").and_then(|made| made.parse().ok()).expect("a number");
    assert!((20..32).contains(&made), "{made}");
    assert!(creel.end()["pids_denied"].as_u64().is_some_and(|denied| denied >= 1000), "{}", creel.end());
    // Many that do nothing but fork: supervision goes on, and so does the host. The first shell needs no fork any more,
    // which the bomb might not leave it.
    creel.run(["bash", "-c", "bomb() { bomb | bomb & }; bomb 2> /dev/null; exec sleep 2"]).ok();
    creel.run(["echo", "still"]).ok().stdout("still\n");
    creel.verified();
}

#[test]
fn an_endless_loop_ends_with_its_time() {
    let creel = creel("time = \"2s\"");
    creel.run([HOG, "loop"]).code(124).stderr_has("reached its time limit (limits.time)");
    assert_eq!((&creel.end()["cause"], &creel.end()["exit_code"]), (&"time".into(), &124.into()));
    // One that heeds no signal, and leaves others behind.
    creel
        .run(["sh", "-c", "trap '' TERM; sh -c 'trap \"\" TERM; while :; do :; done' & while :; do :; done"])
        .code(124);
}

#[test]
fn processors_are_shared_out() {
    let creel = creel("cpus = 0.5\ntime = \"3s\"");
    creel.run(["sh", "-c", "/programs/hog loop & /programs/hog loop & wait"]).code(124);
    let end = creel.end();
    let (cpu, wall) =
        (end["cpu_us"].as_u64().expect("known"), end["wall_ms"].as_u64().expect("known") * 1000);
    assert!(cpu * 10 < wall * 7, "half a processor: {cpu} of {wall} microseconds");
}

#[test]
fn open_files_and_places_have_their_sizes() {
    let creel = Creel::new()
        .policy("[limits]\nopen_files = 64\n[sandbox]\nhome = \"2MiB\"\ntmp = \"3MiB\"\nshm = \"4MiB\"")
        .programs(&["hog"]);
    creel.run([HOG, "files"]).ok().stdout("opened 61, then Too many open files\n");
    for (place, most) in [("$HOME", 2), ("/tmp", 3), ("/dev/shm", 4)] {
        let out = creel.run(["sh", "-c", &format!("/programs/hog disk {place}/full")]).ok().out();
        let written: u32 = out.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("a number");
        assert!(written <= most && out.contains("No space left"), "{place}: {out}");
    }
    // A mebibyte may be taken by what the engine puts there.
    let out = creel.run([HOG, "disk", "/dev/full"]).ok().out();
    assert!(out.contains("No space left") || out.contains("denied"), "{out}");
}

#[test]
fn a_flood_of_output_is_passed_on_and_kept_small() {
    let creel = creel("memory = \"128MiB\"");
    let outcome = creel.run([HOG, "output"]).ok();
    assert_eq!(outcome.output.stdout.len(), 64 << 20);
}

#[test]
fn a_crash_leaves_no_core_file() {
    let creel = Creel::new();
    let script = "ulimit -c; ulimit -Hc; sh -c 'kill -SEGV $$'; ls -A";
    creel.run(["bash", "-c", script]).ok().stdout("0\n0\n");
}
