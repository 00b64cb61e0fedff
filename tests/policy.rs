//! Policies as people write them: what is wrong is said with its place, what is right is what is in force.

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use support::Creel;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policies")
}

/// Each file of tests/policies/broken, with the message that it gets. `SNAPSHOTS=overwrite` writes them anew.
#[test]
fn what_is_wrong_is_said_with_its_place() {
    let mut files: Vec<_> = fs::read_dir(folder().join("broken"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(files.len() >= 60, "{}", files.len());
    let mut wrong = String::new();
    for file in files {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let creel = Creel::new();
        fs::copy(&file, creel.project().join(&name)).expect("a copy");
        let outcome = creel.creel(["policy", "check", &name]).code(1).stdout("");
        let project = creel.project().canonicalize().expect("there").display().to_string();
        let said = outcome.err().replace(&project, "PROJECT");
        let snapshot = file.with_extension("stderr");
        if std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
            fs::write(&snapshot, &said).expect("written");
        }
        let expected = fs::read_to_string(&snapshot).unwrap_or_default();
        if said != expected {
            let _ = writeln!(wrong, "{name}\n--- expected\n{expected}--- said\n{said}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn later_layers_win_and_each_line_says_where_it_is_from() {
    let creel = Creel::new()
        .file("base.toml", "version = 1\n[limits]\nmemory = \"1GiB\"\ncpus = 2\n[sandbox]\nenv = { A = \"base\", B = \"base\" }\n[[commands.rule]]\nid = \"r\"\nprogram = \"a\"\nverdict = \"deny\"\n")
        .file("p.toml", "version = 1\nextends = [\"aider\", \"./base.toml\"]\n[limits]\ncpus = 3\n[sandbox]\nenv = { B = \"p\" }\n[[commands.rule]]\nid = \"first\"\nprogram = \"b\"\nverdict = \"allow\"\n[[commands.rule]]\nid = \"r\"\nprogram = \"c\"\nverdict = \"deny\"\n");
    fs::create_dir_all(creel.path("config/creel")).expect("a folder");
    fs::write(
        creel.path("config/creel/config.toml"),
        "version = 1\n[limits]\nprocesses = 99\nmemory = \"9GiB\"\n",
    )
    .expect("a file");
    let shown =
        creel.creel(["policy", "show", "--policy", "p.toml", "--set", "limits.open_files=100"]).ok().out();
    let line = |start: &str| {
        shown
            .lines()
            .find(|line| line.starts_with(start))
            .unwrap_or_else(|| panic!("{start}: {shown}"))
            .to_owned()
    };
    assert!(line("memory").contains("\"1GiB\"") && line("memory").ends_with("base.toml:3"), "{shown}");
    assert!(line("cpus").contains('3') && line("cpus").ends_with("p.toml:4"), "{shown}");
    assert!(line("processes").contains("512") && line("processes").ends_with("preset aider"), "{shown}");
    assert!(line("open_files").contains("100") && line("open_files").ends_with("--set"), "{shown}");
    assert!(line("env.\"A\"").contains("base") && line("env.\"B\"").contains("\"p\""), "{shown}");
    assert!(line("env.\"AIDER_ANALYTICS\"").ends_with("preset aider"), "{shown}");
    assert!(line("time").ends_with("built in"), "{shown}");
    let rules: Vec<_> = shown.lines().filter(|line| line.starts_with("program = ")).collect();
    assert_eq!(rules, ["program = \"b\"", "program = \"c\""], "the outer layer's rules, in their order");

    // What is shown is the same policy.
    fs::write(creel.project().join("again.toml"), &shown).expect("written");
    fs::remove_file(creel.path("config/creel/config.toml")).expect("removed");
    let hash = |args: &[&str]| {
        let out = creel.creel([&["policy", "check"], args].concat()).ok().out();
        out.lines().find(|line| line.starts_with("hash:")).expect("a hash").to_owned()
    };
    assert_eq!(hash(&["again.toml"]), hash(&["p.toml", "--set", "limits.open_files=100"]));
    assert_ne!(hash(&["again.toml"]), hash(&["p.toml"]));
}

#[test]
fn a_policy_that_is_found_counts_once_it_is_trusted_and_until_it_changes() {
    let creel = Creel::new()
        .file("creel.toml", "version = 1\nextends = [\"more.toml\"]\n")
        .file("more.toml", "version = 1\n[limits]\ncpus = 1\n")
        .file("sub/folder/file", "");
    let check = |code| creel.creel(["policy", "check"]).code(code);
    check(1).stderr_has("you have not said that you trust it").stderr_has("creel policy trust");
    creel.run(["true"]).code(125).stderr_has("creel policy trust");
    creel.creel(["policy", "trust"]).ok().stdout_has("is trusted as it is now");
    check(0).stdout_has("creel.toml");
    let mut below = creel.command(["policy", "check"]);
    assert!(below.current_dir(creel.project().join("sub/folder")).status().expect("creel runs").success());
    fs::write(creel.project().join("more.toml"), "version = 1\n[limits]\ncpus = 2\n").expect("written");
    check(1).stderr_has("has changed since you trusted it");
    creel.creel(["policy", "trust"]).ok();
    creel.creel(["policy", "trust", "--list"]).ok().stdout_has("project/creel.toml\n");
    creel.creel(["policy", "trust", "--revoke"]).ok();
    check(1);
    creel.creel(["policy", "check", "creel.toml"]).ok();
    creel.creel(["policy", "trust", "--revoke"]).code(1).stderr_has("was not trusted");
}

#[test]
fn a_command_with_a_preset_gets_it_and_is_told() {
    let creel = Creel::new();
    for (command, preset) in [
        ("claude", "claude-code"),
        ("/opt/bin/codex", "codex"),
        ("gemini", "gemini-cli"),
        ("aider", "aider"),
        ("openclaw", "openclaw"),
    ] {
        creel
            .creel(["run", "--dry-run", command])
            .ok()
            .stderr_has(&format!("the policy is the preset {preset} (--preset none for none)"));
        let outcome = creel.creel(["run", "--dry-run", "--preset", "none", command]).ok();
        assert!(!outcome.err().contains("preset"), "{outcome}");
    }
    let outcome = creel.creel(["run", "--dry-run", "bash"]).ok();
    assert_eq!(outcome.err(), "");
    creel
        .creel(["run", "--preset", "nope", "true"])
        .code(125)
        .stderr_has("there is no preset “nope”: choose from openclaw, claude-code");
    for preset in ["openclaw", "claude-code", "codex", "gemini-cli", "aider", "strict", "none"] {
        creel.creel(["policy", "check", "--preset", preset]).ok();
        creel.creel(["policy", "explain", "--preset", preset]).ok().stdout_has("limits.memory");
    }
}

#[test]
fn options_are_the_last_layer_and_are_checked_like_it() {
    let creel = Creel::new();
    for (args, said) in [
        (&["--memory=1m"][..], "the least is 16MiB"),
        (&["--cpus=0"], "limits.cpus takes a number of processors"),
        (&["--pids-limit=1"], "limits.processes takes a whole number from 8"),
        (&["--user=root"], "is no user here"),
        (&["--shm-size=1"], "the least is 64KiB"),
        (&["--set=limits.memroy=1GiB"], "the nearest that it has is limits.memory"),
        (&["--set=network.default=allow"], "is not built yet"),
        (&["--set=nonsense"], "--set"),
        (&["--policy=/nonexistent.toml"], "/nonexistent.toml"),
        (&["--policy=/dev/zero"], "no regular file"),
    ] {
        let outcome = creel.creel([&["run"], args, &["true"]].concat()).code(125).stderr_has(said);
        assert!(creel.containers().is_empty(), "{outcome}");
    }
}

#[test]
fn a_new_policy_is_written_once_and_is_good() {
    let creel = Creel::new();
    creel.creel(["policy", "init", "--preset", "codex"]).ok().stdout_has("wrote creel.toml");
    creel.creel(["policy", "check"]).ok().stdout_has("preset codex");
    creel.creel(["policy", "init"]).code(1).stderr_has("is there already; --force replaces it");
    creel.creel(["policy", "init", "--force"]).ok();
    creel.creel(["policy", "init", "--preset", "x", "other.toml"]).code(1).stderr_has("there is no preset");
}

#[test]
fn every_key_of_the_format_is_known() {
    // Those of tests/policies/all-keys.toml are all that the format has; the ones that are not built say so.
    let creel = Creel::new();
    fs::copy(folder().join("all-keys.toml"), creel.project().join("all.toml")).expect("a copy");
    let said = creel.creel(["policy", "check", "all.toml"]).code(1).err();
    assert!(!said.contains("has no key"), "{said}");
    assert!(said.matches("is not built yet").count() > 15, "{said}");
    let schema: serde_json::Value =
        serde_json::from_str(&creel.creel(["policy", "schema"]).ok().out()).expect("JSON");
    assert_eq!(schema["properties"]["limits"]["properties"]["cpus"]["maximum"], 1024);
}
