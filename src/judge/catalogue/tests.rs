use super::*;
use crate::judge::reader::read_text;

pub(in crate::judge) fn place() -> Place {
    Place { home: b"/home/dev".to_vec(), workspace: b"/workspace".to_vec() }
}

/// The rules that a shell text trips.
pub(in crate::judge) fn tripped(text: &str) -> Vec<String> {
    let place = place();
    let catalogue = Catalogue::built_in().expect("it loads");
    let reading = read_text(&place, text.as_bytes(), Some(b"/workspace"), &|_| None);
    let unclear = reading.unclear();
    let commands = reading.commands.iter().chain(&unclear);
    let rules = commands.flat_map(|command| catalogue.matching(&place, command));
    rules.map(|rule| rule.id.to_string()).collect()
}

#[test]
fn every_rule_matches_its_examples_and_not_its_near_misses() {
    let catalogue = Catalogue::built_in().expect("it loads");
    let mut wrong = Vec::new();
    for rule in catalogue.rules() {
        for text in rule.hit.iter().filter(|text| !tripped(text).iter().any(|id| *id == rule.id)) {
            wrong.push(format!("{} should match: {text}", rule.id));
        }
        for text in rule.miss.iter().filter(|text| tripped(text).iter().any(|id| *id == rule.id)) {
            wrong.push(format!("{} should not match: {text}", rule.id));
        }
        if rule.hit.len() < 2 || rule.miss.len() < 2 {
            wrong.push(format!("{} has too few examples", rule.id));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn ids_are_used_once() {
    let catalogue = Catalogue::built_in().expect("it loads");
    let mut ids: Vec<&str> = catalogue.rules().iter().map(|rule| &*rule.id).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

/// The commands of a corpus (tests/corpora), as shell text.
fn corpus(name: &str) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Line {
        cmd: String,
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpora/");
    let text = std::fs::read_to_string(format!("{path}{name}.jsonl")).expect("the corpus is there");
    text.lines().map(|line| serde_json::from_str::<Line>(line).expect("a line of JSON").cmd).collect()
}

#[test]
fn dangerous_commands_are_recognised() {
    let corpus = corpus("dangerous");
    let missed: Vec<&String> = corpus.iter().filter(|text| tripped(text).is_empty()).collect();
    assert!(corpus.len() > 1600);
    // At least 97 in 100; what is known to be missed is a handful of kinds that would cost false alarms.
    assert!(missed.len() * 100 <= corpus.len() * 3, "{} missed:\n{missed:#?}", missed.len());
}

#[test]
fn everyday_commands_are_left_alone() {
    let corpus = corpus("everyday");
    let flagged: Vec<(&String, Vec<String>)> =
        corpus.iter().map(|text| (text, tripped(text))).filter(|(_, rules)| !rules.is_empty()).collect();
    assert!(corpus.len() > 2400);
    assert!(flagged.len() * 100 <= corpus.len(), "{} flagged:\n{flagged:#?}", flagged.len());
}

#[test]
fn there_are_as_many_rules_as_is_said() {
    let catalogue = Catalogue::built_in().expect("it loads");
    assert!(catalogue.rules().len() >= 300, "{}", catalogue.rules().len());
    assert!(catalogue.categories().count() >= 18);
}
