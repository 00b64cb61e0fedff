//! The end of a run that nobody watched: what was denied, and the policy lines that would allow it.

use std::fmt::Write as _;

use super::failure::say;
use crate::judge::Catalogue;
use crate::wire::Denied;

pub(super) fn tell(all: &[Denied]) {
    if !all.is_empty() {
        say(&summary(all));
    }
}

fn summary(all: &[Denied]) -> String {
    let catalogue = Catalogue::built_in().ok();
    let is_of_catalogue = |rule: &str| catalogue.is_some_and(|catalogue| catalogue.rule(rule).is_some());
    let times: u64 = all.iter().map(|denied| denied.times).sum();
    let mut text = match times {
        1 => "one command was denied:\n".to_owned(),
        times => format!("{times} commands were denied:\n"),
    };
    for Denied { rule, command, times } in all {
        let often = if *times > 1 { format!(" ({times} times)") } else { String::new() };
        // Writing to a string can't fail.
        let _ = match rule.as_deref() {
            Some(rule) if is_of_catalogue(rule) => writeln!(
                text,
                "{command}{often}\n  {rule}; to allow it, in the policy: [commands.rules] \"{rule}\" = \"allow\""
            ),
            Some(rule) if rule.starts_with("creel.") => {
                writeln!(text, "{command}{often}\n  {rule}; no policy allows it")
            }
            Some(rule) => writeln!(text, "{command}{often}\n  the rule “{rule}” of the policy"),
            None => writeln!(
                text,
                "{command}{often}\n  commands.default; to allow it, a [[commands.rule]] with its program and verdict = \"allow\""
            ),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_which_line_would_allow_it() {
        let denied = |rule: Option<&str>, times| Denied {
            rule: rule.map(str::to_owned),
            command: "git push -f".to_owned(),
            times,
        };
        let text = summary(&[denied(Some("git.push-force"), 2), denied(Some("no-push"), 1), denied(None, 1)]);
        assert!(text.starts_with("4 commands were denied:\ngit push -f (2 times)\n"), "{text}");
        assert!(text.contains("[commands.rules] \"git.push-force\" = \"allow\""), "{text}");
        assert!(text.contains("the rule “no-push” of the policy"), "{text}");
    }
}
