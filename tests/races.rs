//! What the judge is shown can be changed while it looks. Nothing unapproved runs all the same.
//!
//! With the judgement at the exec stop taken out, `evil` runs in each of these but the one about /proc/PID/mem.

mod support;

use support::Creel;
use support::log::argv;

const POLICY: &str = "[[commands.rule]]\nid = \"no-evil\"\nprogram = \"swap\"\nargs = [\"evil\"]\nverdict = \"deny\"\n\
                      [[commands.rule]]\nid = \"no-evil-file\"\nprogram = \"evil\"\nverdict = \"deny\"\n\
                      [approvals]\ntell_workload = false";

/// Runs the race, and returns how many rounds ran, were denied, and were killed.
fn race(creel: &Creel, how: &str, rounds: u32) -> (u32, u32, u32) {
    // Earlier races of the same sandbox are in the log too.
    let before = (creel.execs("allow").len(), creel.execs("deny").len());
    let outcome = creel.run(["/programs/swap", how, &rounds.to_string()]).ok();
    let out = outcome.out();
    let numbers: Vec<u32> =
        out.lines().last().expect("a report").split(' ').filter_map(|word| word.parse().ok()).collect();
    assert!(!creel.project().join("evil").exists(), "what is denied has run: {out}");
    let allowed = creel.execs("allow");
    assert!(allowed.iter().all(|exec| argv(exec).last() != Some(&"evil") && exec["exe"] != "/programs/evil"));
    let denied = creel.execs("deny").len() - before.1;
    // What ran is on record as that, and what did not as that: nothing is missing, nothing is there twice.
    assert_eq!(allowed.len() - before.0, numbers[0] as usize + 1, "{out}");
    assert_eq!(denied, (numbers[1] + numbers[2]) as usize, "{out}");
    assert_eq!(numbers.iter().sum::<u32>(), rounds, "{out}");
    creel.verified();
    (numbers[0], numbers[1], numbers[2])
}

/// Runs the race until its outcome is as `wanted`: who wins is chance, and a busy machine has little of it.
#[track_caller]
fn race_until(creel: &Creel, how: &str, rounds: u32, wanted: impl Fn(u32, u32, u32) -> bool) {
    let outcomes: Vec<_> = (0..20)
        .map(|_| race(creel, how, rounds))
        .take_while(|(ran, denied, killed)| !wanted(*ran, *denied, *killed))
        .collect();
    assert!(outcomes.len() < 20, "no race: {outcomes:?}");
}

fn creel() -> Creel {
    let creel = Creel::new().policy(POLICY).programs(&["swap"]).option("--cpus=2");
    std::fs::copy(creel.path("programs/swap"), creel.path("programs/evil")).expect("a copy");
    creel
}

#[test]
fn threads_swap_the_argument() {
    race_until(&creel(), "threads", 2000, |ran, denied, killed| ran > 0 && denied > 0 && killed > 0);
}

#[test]
fn another_process_swaps_it_in_shared_memory() {
    race_until(&creel(), "shared", 2000, |ran, denied, killed| ran > 0 && denied > 0 && killed > 0);
}

#[test]
fn another_process_swaps_the_file() {
    race_until(&creel(), "file", 2000, |ran, denied, killed| ran > 0 && denied + killed > 0);
}

#[test]
fn the_new_programs_memory_can_not_be_opened_for_writing() {
    let creel = creel();
    let (ran, ..) = race(&creel, "memory", 2000);
    assert_eq!(ran, 2000);
    creel.run(["/programs/swap", "memory", "10"]).ok().stdout_has("opened 0\n");
}

#[test]
fn a_mismatch_is_killed_whoever_the_workload_is() {
    // 65533 is the number that the gate has where nobody else has it.
    for user in ["0:0", "1000:1000", "65533:65533"] {
        let creel = creel().option(format!("--user={user}"));
        std::os::unix::fs::chown(
            creel.project(),
            Some(user.split_once(':').expect("both").0.parse().expect("a number")),
            None,
        )
        .expect("the project is the user's");
        race_until(&creel, "threads", 300, |_, _, killed| killed > 0);
    }
}
