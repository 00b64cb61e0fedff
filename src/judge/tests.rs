use std::collections::BTreeMap;

use super::*;
use crate::policy::model::CommandRule;
use proptest::prelude::*;

fn rule(id: &str, program: &str, args: &[&str], verdict: Verdict) -> CommandRule {
    CommandRule {
        id: id.to_owned(),
        program: program.to_owned(),
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        verdict,
        reason: Some(format!("because {id}")),
    }
}

fn place() -> Place {
    Place { home: b"/home/dev".to_vec(), workspace: b"/workspace".to_vec() }
}

fn commands(default: Verdict, rules: Vec<CommandRule>) -> CommandsPolicy {
    CommandsPolicy {
        default,
        dangerous: Verdict::Allow,
        categories: BTreeMap::new(),
        catalogue_rules: BTreeMap::new(),
        rules,
    }
}

fn judge(default: Verdict, rules: Vec<CommandRule>) -> Judge {
    Judge::new(&commands(default, rules), place()).expect("good rules")
}

fn verdict(judge: &Judge, program: &str, requested: &str, argv: &[&str]) -> Verdict {
    let argv: Vec<Vec<u8>> = argv.iter().map(|arg| arg.as_bytes().to_vec()).collect();
    let action = ExecAction {
        program: program.as_bytes(),
        requested: requested.as_bytes(),
        copy_of: None,
        argv: &argv,
        cwd: b"/workspace",
        scripts: &|_| None,
        peers: &[],
    };
    judge.judge_exec(&action).verdict
}

#[test]
fn a_denied_program_is_denied_by_each_of_its_names() {
    let judge = judge(Verdict::Allow, vec![rule("no", "npm", &[], Verdict::Deny)]);
    for (program, requested, argv0) in [
        ("/usr/bin/npm", "/usr/bin/npm", "npm"),
        ("/usr/bin/npm", "/workspace/innocent", "innocent"), // a link to it
        ("/usr/lib/node_modules/npm/bin/npm-cli.js", "/usr/bin/npm", "node"), // a script, called by its link
        ("/workspace/copy", "/workspace/copy", "npm"),       // a copy that must know its name
    ] {
        assert_eq!(
            verdict(&judge, program, requested, &[argv0]),
            Verdict::Deny,
            "{program} {requested} {argv0}"
        );
    }
    assert_eq!(verdict(&judge, "/usr/bin/npmx", "npmx", &["npmx", "npm"]), Verdict::Allow);
}

#[test]
fn an_allowed_program_is_the_file_and_no_name_that_was_chosen() {
    let judge = judge(Verdict::Deny, vec![rule("git", "git", &[], Verdict::Allow)]);
    assert_eq!(verdict(&judge, "/usr/bin/git", "git", &["git", "status"]), Verdict::Allow);
    assert_eq!(verdict(&judge, "/usr/bin/git", "/workspace/link", &["anything"]), Verdict::Allow);
    for (program, requested, argv0) in [
        ("/usr/bin/python3.13", "/workspace/git", "git"), // a link with an allowed name
        ("/workspace/git", "git", "git"),                 // a file with an allowed name
        ("/tmp/usr/bin/git", "/usr/bin/git", "git"),
        ("git", "git", "git"), // no path: a memfd, a deleted file
        ("/usr/bin/git (deleted)", "git", "git"),
    ] {
        assert_eq!(verdict(&judge, program, requested, &[argv0]), Verdict::Deny, "{program}");
    }
}

#[test]
fn all_arguments_must_occur_each_in_any_place() {
    let judge = judge(
        Verdict::Allow,
        vec![rule("no-prod", "kubectl", &["--context=prod*", "delete"], Verdict::Deny)],
    );
    let kubectl = |argv: &[&str]| verdict(&judge, "/usr/bin/kubectl", "kubectl", argv);
    assert_eq!(kubectl(&["kubectl", "delete", "pod", "--context=prod/eu"]), Verdict::Deny);
    assert_eq!(kubectl(&["kubectl", "--context=prod", "delete"]), Verdict::Deny);
    assert_eq!(kubectl(&["kubectl", "--context=dev", "delete"]), Verdict::Allow);
    assert_eq!(kubectl(&["delete", "--context=prod"]), Verdict::Allow, "argv[0] is no argument");
    assert_eq!(kubectl(&[]), Verdict::Allow, "an exec with no argv at all");
}

#[test]
fn a_program_with_a_slash_is_a_path() {
    let judge = judge(Verdict::Allow, vec![rule("opt", "/opt/*/bin/tool", &[], Verdict::Deny)]);
    assert_eq!(verdict(&judge, "/opt/a/bin/tool", "tool", &["tool"]), Verdict::Deny);
    assert_eq!(verdict(&judge, "/opt/a/b/bin/tool", "tool", &["tool"]), Verdict::Allow);
    assert_eq!(verdict(&judge, "/x", "/opt/a/bin/tool", &["tool"]), Verdict::Deny);
}

#[test]
fn the_first_rule_that_matches_decides() {
    let rules = vec![
        rule("first", "ls", &["-l"], Verdict::Allow),
        rule("second", "ls", &[], Verdict::Deny),
        rule("third", "ls", &[], Verdict::Allow),
    ];
    let judge = judge(Verdict::Allow, rules);
    let argv = [b"ls".to_vec()];
    let action = ExecAction {
        program: b"/bin/ls",
        requested: b"/bin/ls",
        copy_of: None,
        argv: &argv,
        cwd: b"/",
        scripts: &|_| None,
        peers: &[],
    };
    let found = judge.judge_exec(&action);
    assert_eq!(found.verdict, Verdict::Deny);
    assert_eq!(found.rule.as_deref(), Some("second"));
    assert_eq!(found.reason.as_deref(), Some("because second"));
    assert_eq!(verdict(&judge, "/bin/ls", "ls", &["ls", "-l"]), Verdict::Allow);
}

#[test]
fn a_rule_that_came_another_way_and_is_broken_is_an_error() {
    let broken = commands(Verdict::Allow, vec![rule("odd", "[", &[], Verdict::Deny)]);
    let error = Judge::new(&broken, place()).expect_err("no glob");
    assert!(error.to_string().contains("odd"), "{error}");
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "(/usr/bin/|/bin/|/workspace/)?(ls|git|rm)".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..24)
    ]
}

fn rules() -> impl Strategy<Value = Vec<CommandRule>> {
    let verdicts = prop_oneof![Just(Verdict::Allow), Just(Verdict::Ask), Just(Verdict::Deny)];
    let one = ("(ls|git|rm|\\*|/usr/bin/\\*|g?t)", prop::collection::vec("(-l|-\\*|\\*)", 0..2), verdicts);
    prop::collection::vec(one, 0..6).prop_map(|rules| {
        rules
            .into_iter()
            .enumerate()
            .map(|(at, (program, args, verdict))| CommandRule {
                id: at.to_string(),
                program,
                args,
                verdict,
                reason: None,
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn judging_never_panics_and_says_the_same_twice(
        rules in rules(), program in bytes(), requested in bytes(), argv in prop::collection::vec(bytes(), 0..4),
    ) {
        let judge = judge(Verdict::Deny, rules.clone());
        let action = ExecAction { program: &program, requested: &requested, copy_of: None, argv: &argv, cwd: b"/", scripts: &|_| None, peers: &[] };
        let found = judge.judge_exec(&action);
        prop_assert_eq!(&found, &judge.judge_exec(&action));
        // No rule before the one that decided matches alone.
        let decided = found.rule.as_ref().map_or(rules.len(), |id| id.parse().expect("an index"));
        for earlier in rules.iter().take(decided) {
            let alone = super::Judge::new(&commands(Verdict::Deny, vec![earlier.clone()]), place());
            prop_assert_eq!(alone.expect("good").judge_exec(&action).rule, None);
        }
    }

    #[test]
    fn a_deny_rule_put_first_is_never_weaker(
        rules in rules(), program in bytes(), argv in prop::collection::vec(bytes(), 0..4),
    ) {
        let action = ExecAction { program: &program, requested: &program, copy_of: None, argv: &argv, cwd: b"/", scripts: &|_| None, peers: &[] };
        let before = judge(Verdict::Allow, rules.clone()).judge_exec(&action).verdict;
        let with = std::iter::once(rule("no", "git", &[], Verdict::Deny)).chain(rules).collect();
        prop_assert!(judge(Verdict::Allow, with).judge_exec(&action).verdict >= before);
    }

    /// Whatever a caller calls itself, an allowlist looks at the file alone.
    #[test]
    fn names_that_the_caller_chose_open_nothing(requested in bytes(), argv in prop::collection::vec(bytes(), 0..4)) {
        let judge = judge(Verdict::Deny, vec![rule("ok", "*", &[], Verdict::Allow)]);
        let action = ExecAction { program: b"/workspace/x", requested: &requested, copy_of: None, argv: &argv, cwd: b"/", scripts: &|_| None, peers: &[] };
        prop_assert_eq!(judge.judge_exec(&action).verdict, Verdict::Deny);
    }
}

#[test]
fn a_shell_is_judged_with_who_writes_its_pipe() {
    let policy = CommandsPolicy { dangerous: Verdict::Ask, ..commands(Verdict::Allow, vec![]) };
    let judge = Judge::new(&policy, place()).expect("good");
    let argv = [b"sh".to_vec()];
    let peers =
        [Peer { program: b"/usr/bin/base64".to_vec(), argv: vec![b"base64".to_vec(), b"-d".to_vec()] }];
    let judged = |peers: &[Peer]| {
        judge.judge_exec(&ExecAction {
            program: b"/usr/bin/dash",
            requested: b"/bin/sh",
            copy_of: None,
            argv: &argv,
            cwd: b"/",
            scripts: &|_| None,
            peers,
        })
    };
    assert_eq!(judged(&[]).verdict, Verdict::Allow);
    assert_eq!(judged(&peers).rule.as_deref(), Some("obfuscation.decoded-to-shell"));
}
