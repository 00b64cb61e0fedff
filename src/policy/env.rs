//! Environment variables: their names, which of them come from the host, and which look like secrets.

use std::collections::BTreeMap;

use globset::Glob;

use super::diagnostic::visible;
use super::kind::Fault;
use super::node::{Node, Value};

/// Parts of names, between underscores, that name a secret by themselves.
const SECRET_WORDS: &[&str] = &[
    "APIKEY",
    "AUTH",
    "BEARER",
    "COOKIE",
    "CREDENTIAL",
    "CREDENTIALS",
    "CREDS",
    "DSN",
    "JWT",
    "KEY",
    "KEYS",
    "PASS",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "PASSWORDS",
    "PAT",
    "PEM",
    "PRIVATE",
    "PWD",
    "SECRET",
    "SECRETS",
    "SESSION",
    "TOKEN",
    "TOKENS",
    "WEBHOOK",
];

/// Endings that name one without an underscore before them (`MYSQLPASSWORD`, `GITHUBTOKEN`).
const SECRET_ENDINGS: &[&str] =
    &["APIKEY", "CREDENTIALS", "PASSPHRASE", "PASSWD", "PASSWORD", "SECRET", "SECRETKEY", "TOKEN"];

/// Families whose members together open an account, whatever each is called.
const SECRET_FAMILIES: &[&str] =
    &["AWS_", "AZURE_", "GOOGLE_", "DOCKER_", "KUBE", "VAULT_", "SSH_", "GPG_", "PG"];

/// Members of those families, and of the words above, that say nothing secret.
const HARMLESS: &[&str] = &[
    "AWS_DEFAULT_REGION",
    "AWS_PAGER",
    "AWS_REGION",
    "DESKTOP_SESSION",
    "GPG_TTY",
    "GTK_KEY_THEME",
    "OLDPWD",
    "PWD",
    "XDG_SESSION_CLASS",
    "XDG_SESSION_DESKTOP",
    "XDG_SESSION_TYPE",
];

/// Names that a glob must not reach: one of each kind.
const PROBES: &[&str] = &[
    "ANTHROPIC_API_KEY",
    "OPENAI_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "GITLAB_TOKEN",
    "NPM_TOKEN",
    "CARGO_REGISTRY_TOKEN",
    "DATABASE_PASSWORD",
    "PGPASSWORD",
    "MYSQL_PWD",
    "SSH_AUTH_SOCK",
    "VAULT_TOKEN",
    "SLACK_WEBHOOK",
    "AZURE_CLIENT_SECRET",
    "SENTRY_DSN",
    "HF_TOKEN",
    "DOCKER_PASSWORD",
    "KUBECONFIG",
    "STRIPE_SECRET_KEY",
];

/// Whether a variable's name says that its value is a secret. It errs on the side of yes.
pub(crate) fn looks_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    if HARMLESS.contains(&name.as_str()) {
        return false;
    }
    name.split('_').any(|part| SECRET_WORDS.contains(&part))
        || SECRET_ENDINGS.iter().any(|ending| name.ends_with(ending))
        || SECRET_FAMILIES.iter().any(|family| name.starts_with(family))
}

/// Whether something can be a variable's name at all.
fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("a variable needs a name".to_owned());
    }
    if name.contains(['=', '\0']) || name.contains(char::is_control) {
        return Err(format!(
            "“{}” can't name a variable: it holds “=” or a control character",
            visible(name)
        ));
    }
    Ok(())
}

/// What is wrong with one entry of `sandbox.env`.
pub(super) fn fault<'a>(name: &str, node: &'a Node) -> Option<Fault<'a>> {
    let message = match &node.value {
        Value::Text(value) => check_set(name, value).err()?,
        _ => format!("a variable's value stands in quotes, and this is {}", node.kind()),
    };
    Some(Fault { node, message })
}

/// A variable that the policy sets. A secret does not belong into a file that is shared.
fn check_set(name: &str, value: &str) -> Result<(), String> {
    check_name(name)?;
    if value.contains('\0') {
        return Err("a variable's value can't hold a NUL byte".to_owned());
    }
    if looks_secret(name) && !value.is_empty() {
        return Err(format!(
            "{} looks like a secret, which does not belong into a policy. Secrets will be kept out of the sandbox by \
             [secrets], which is not built yet; until then, -e {0} hands one on for a single run",
            visible(name)
        ));
    }
    Ok(())
}

/// An entry of `env_from_host`: a name, or a glob over names.
pub(super) fn check_host_variable(text: &str) -> Result<(), String> {
    if let Some((name, _)) = text.split_once('=') {
        return Err(format!(
            "only names stand here, never values: write \"{0}\", or set the value in env = {{ {0} = \"…\" }}",
            visible(name)
        ));
    }
    check_name(text)?;
    if looks_secret(text) {
        return Err(format!(
            "{} looks like a secret, and what the workload can read, it can send away. Secrets will be kept out of \
             the sandbox by [secrets], which is not built yet",
            visible(text)
        ));
    }
    let glob = Glob::new(text).map_err(|e| format!("“{}” is no glob: {}", visible(text), e.kind()))?;
    let glob = glob.compile_matcher();
    if let Some(probe) = PROBES.iter().find(|probe| glob.is_match(probe)) {
        return Err(format!(
            "“{}” takes in secrets such as {probe}. Name the variables that are needed",
            visible(text)
        ));
    }
    Ok(())
}

/// The host's variables that a policy hands on. A glob never hands on what looks like a secret.
pub(crate) fn from_host(
    patterns: &[String],
    host: impl Iterator<Item = (String, String)>,
) -> BTreeMap<String, String> {
    let globs: Vec<_> =
        patterns.iter().filter_map(|p| Glob::new(p).ok()).map(|glob| glob.compile_matcher()).collect();
    host.filter(|(name, _)| !looks_secret(name) && globs.iter().any(|glob| glob.is_match(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_names() {
        for probe in PROBES {
            assert!(looks_secret(probe), "{probe}");
        }
        for name in ["my_api_key", "GITHUBTOKEN", "DB_PASS", "AWS_PROFILE", "TWILIO_AUTH_TOKEN", "kubeconfig"]
        {
            assert!(looks_secret(name), "{name}");
        }
        for name in [
            "TERM",
            "LANG",
            "LC_ALL",
            "EDITOR",
            "TZ",
            "COLORTERM",
            "KEYBOARD",
            "PATH",
            "MONKEY",
            "AWS_REGION",
        ] {
            assert!(!looks_secret(name), "{name}");
        }
    }

    #[test]
    fn a_glob_may_not_reach_a_secret() {
        for bad in ["*", "*_*", "G*", "ANTHROPIC_*", "[A-Z]*", "{TERM,GH_TOKEN}", "?H_TOKE?", "A=1", "", "{a"]
        {
            assert!(check_host_variable(bad).is_err(), "{bad}");
        }
        for good in ["TERM", "LC_*", "COLOR*", "TZ"] {
            assert!(check_host_variable(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn what_a_glob_brings_in_by_chance_is_looked_at_again() {
        let host =
            [("LC_ALL", "C"), ("LC_TOKEN", "x"), ("HOME", "/h")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        let taken = from_host(&["LC_*".to_owned()], host.into_iter());
        assert_eq!(taken.into_iter().collect::<Vec<_>>(), [("LC_ALL".to_owned(), "C".to_owned())]);
    }
}
