//! What was denied in a run, for those who are there at its end.

use std::collections::BTreeMap;

use crate::audit::record::{Entry, Event, Outcome};
use crate::visible;
use crate::wire::Denied;

/// Rules that are told of; and of a command so many characters.
const RULES: usize = 20;
const SHOWN: usize = 160;

/// By rule: the first command that it denied, and how often it did.
#[derive(Debug, Default)]
pub(super) struct Denials(BTreeMap<Option<String>, (String, u64)>);

impl Denials {
    pub(super) fn count(&mut self, entry: &Entry) {
        let (Outcome::Deny, Event::Exec(exec)) = (entry.outcome, &entry.event) else { return };
        if self.0.len() >= RULES && !self.0.contains_key(&entry.rule) {
            return;
        }
        let (_, times) = self.0.entry(entry.rule.clone()).or_insert_with(|| {
            let command = visible::command(&exec.argv);
            let cut = command.chars().count() > SHOWN;
            (command.chars().take(SHOWN).chain(cut.then_some('…')).collect(), 0)
        });
        *times += 1;
    }

    pub(super) fn told(&self) -> Vec<Denied> {
        let denied = |(rule, (command, times)): (&Option<String>, &(String, u64))| Denied {
            rule: rule.clone(),
            command: command.clone(),
            times: *times,
        };
        self.0.iter().map(denied).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::record::{By, Exec};

    #[test]
    fn each_rule_is_told_once_with_its_first_command() {
        let mut denials = Denials::default();
        for at in 0..1000 {
            let exec = Exec { argv: vec!["git".into(), format!("{at}").as_str().into()], ..Exec::default() };
            let rule = Some(format!("rule-{}", at % 30));
            let event = Event::Exec(exec);
            denials.count(&Entry { ts_us: 1, outcome: Outcome::Deny, rule, by: Some(By::Policy), event });
        }
        let told = denials.told();
        assert_eq!(told.len(), RULES);
        let first = told.iter().find(|denied| denied.rule.as_deref() == Some("rule-3")).expect("it is there");
        assert_eq!((first.command.as_str(), first.times), ("git 3", 34));
    }
}
