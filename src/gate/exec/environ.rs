//! Which of a program's variables go into its record: those that change what a program does, where they differ
//! from the sandbox's start.

use std::collections::BTreeMap;

use crate::audit::record::Bytes;

/// Whole names.
const NAMES: &[&str] = &[
    "BASH_ENV",
    "CC",
    "CLASSPATH",
    "CXX",
    "DOCKER_CONFIG",
    "DOCKER_HOST",
    "EDITOR",
    "ENV",
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "HOME",
    "IFS",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "KUBECONFIG",
    "LESSCLOSE",
    "LESSOPEN",
    "LOCPATH",
    "MAKEFLAGS",
    "MAKEFILES",
    "MANPAGER",
    "NLSPATH",
    "OPENSSL_CONF",
    "OPENSSL_ENGINES",
    "OPENSSL_MODULES",
    "PAGER",
    "PATH",
    "PERL5DB",
    "PERL5LIB",
    "PERL5OPT",
    "PERLLIB",
    "PROMPT_COMMAND",
    "PS4",
    "RUSTC",
    "RUSTC_WRAPPER",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
    "SHELL",
    "SHELLOPTS",
    "BASHOPTS",
    "SSH_ASKPASS",
    "SSH_AUTH_SOCK",
    "TERMINFO",
    "TMPDIR",
    "VISUAL",
    "ZDOTDIR",
    "_JAVA_OPTIONS",
];

/// Beginnings of names.
const PREFIXES: &[&str] = &[
    "BASH_FUNC_",
    "BUNDLE_",
    "CARGO_",
    "GEM_",
    "GIT_",
    "GO",
    "LD_",
    "NODE_",
    "NPM_CONFIG_",
    "PIP_",
    "PYTHON",
    "RUBY",
    "UV_",
    "npm_config_",
];

/// Proxies are written in either case.
fn is_proxy(name: &[u8]) -> bool {
    name.len() >= 6 && name.get(name.len() - 6..).is_some_and(|end| end.eq_ignore_ascii_case(b"_proxy"))
}

fn matters(name: &[u8]) -> bool {
    NAMES.iter().any(|known| known.as_bytes() == name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
        || is_proxy(name)
}

/// What differs from `start`, in the order of the names; `None` for a variable that is not set any more. Of one
/// that is set twice the last counts here, but both are told: programs differ in which they take.
pub(super) fn changed(start: &BTreeMap<String, String>, env: &[Vec<u8>]) -> Vec<(Bytes, Option<Bytes>)> {
    let mut changed: Vec<(Bytes, Option<Bytes>)> = Vec::new();
    let mut seen: Vec<&[u8]> = Vec::new();
    for variable in env {
        let (name, value) = split(variable);
        if !matters(name) {
            continue;
        }
        let first = std::str::from_utf8(name).ok().and_then(|name| start.get(name)).map(String::as_bytes);
        if first != Some(value) || seen.contains(&name) {
            changed.push((name.into(), Some(value.into())));
        }
        seen.push(name);
    }
    let unset = start.keys().filter(|name| matters(name.as_bytes()) && !seen.contains(&name.as_bytes()));
    changed.extend(unset.map(|name| (Bytes::from(name.as_str()), None)));
    changed.sort();
    changed
}

fn split(variable: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'=', variable) {
        Some(at) => (variable.get(..at).unwrap_or_default(), variable.get(at + 1..).unwrap_or_default()),
        None => (variable, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(start: &[(&str, &str)], env: &[&str]) -> Vec<(String, Option<String>)> {
        let start = start.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let env: Vec<Vec<u8>> = env.iter().map(|variable| variable.as_bytes().to_vec()).collect();
        let text = |bytes: Bytes| String::from_utf8_lossy(&bytes.0).into_owned();
        changed(&start, &env).into_iter().map(|(name, value)| (text(name), value.map(text))).collect()
    }

    #[test]
    fn only_what_matters_and_differs_is_told() {
        let start = [("PATH", "/bin"), ("HOME", "/h"), ("FOO", "1")];
        assert_eq!(difference(&start, &["PATH=/bin", "HOME=/h", "FOO=2"]), []);
        let told = difference(&start, &["PATH=/tmp:/bin", "LD_PRELOAD=/tmp/x.so", "FOO=2", "https_proxy=x"]);
        let some = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        let none = ("HOME".to_owned(), None);
        assert_eq!(
            told,
            [none, some("LD_PRELOAD", "/tmp/x.so"), some("PATH", "/tmp:/bin"), some("https_proxy", "x")]
        );
    }

    #[test]
    fn a_variable_that_is_there_twice_hides_nothing() {
        let told = difference(&[("PATH", "/bin")], &["PATH=/bin", "PATH=/tmp", "PATH=/bin"]);
        assert_eq!(told.len(), 2);
    }
}
