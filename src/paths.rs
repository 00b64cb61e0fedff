//! Where creel keeps things: the XDG base directories, and nothing outside them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::names::SandboxName;

/// creel's folders, from one reading of the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Paths {
    config: PathBuf,
    state: PathBuf,
    data: PathBuf,
    run: PathBuf,
}

/// Why there is no place to keep things.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PathsError {
    #[error(
        "HOME is not set, and XDG_{0}_HOME neither: set one, so that creel knows where to keep its files"
    )]
    NoHome(&'static str),
}

impl Paths {
    /// Reads the environment through `var`. A relative XDG path is ignored, as the specification asks.
    pub(crate) fn from_env(var: impl Fn(&str) -> Option<OsString>) -> Result<Self, PathsError> {
        let absolute = |key: &str| var(key).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = absolute("HOME");
        let base = |key: &str, what, default: &str| {
            absolute(key)
                .or_else(|| home.as_ref().map(|home| home.join(default)))
                .map(|base| base.join("creel"))
                .ok_or(PathsError::NoHome(what))
        };
        let state = base("XDG_STATE_HOME", "STATE", ".local/state")?;
        // Not every session has a runtime directory (cron, containers, sudo): the state folder is the fallback.
        let run = absolute("XDG_RUNTIME_DIR")
            .filter(|dir| dir.is_dir())
            .map_or_else(|| state.join("run"), |dir| dir.join("creel"));
        Ok(Self {
            config: base("XDG_CONFIG_HOME", "CONFIG", ".config")?,
            data: base("XDG_DATA_HOME", "DATA", ".local/share")?,
            state,
            run,
        })
    }

    pub(crate) fn user_policy(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// What the user has allowed for good.
    pub(crate) fn decisions(&self) -> PathBuf {
        self.config.join("decisions.jsonl")
    }

    pub(crate) fn trusted(&self) -> PathBuf {
        self.config.join("trusted.toml")
    }

    pub(crate) fn installation(&self) -> PathBuf {
        self.state.join("installation")
    }

    pub(crate) fn sandboxes(&self) -> PathBuf {
        self.state.join("sandboxes")
    }

    pub(crate) fn sandbox(&self, name: &SandboxName) -> PathBuf {
        self.sandboxes().join(name.as_str())
    }

    pub(crate) fn audit(&self) -> PathBuf {
        self.state.join("audit")
    }

    pub(crate) fn audit_of(&self, name: &SandboxName) -> PathBuf {
        self.audit().join(name.as_str())
    }

    /// Sockets of one sandbox.
    pub(crate) fn run_of(&self, name: &SandboxName) -> PathBuf {
        self.run.join(name.as_str())
    }

    /// Private copies of the binary, for the containers.
    pub(crate) fn binaries(&self) -> PathBuf {
        self.data.join("bin")
    }

    /// The /etc of `image = "host"`, one for each state of the host's.
    pub(crate) fn host_etc(&self) -> PathBuf {
        self.data.join("etc")
    }

    /// What no mount may be, lie above, or lie inside.
    pub(crate) fn own(&self) -> [&Path; 4] {
        [&self.config, &self.state, &self.data, &self.run]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<OsString> {
        move |key| pairs.iter().find(|(k, _)| *k == key).map(|(_, v)| v.into())
    }

    #[test]
    fn xdg_wins_over_home_and_relative_is_ignored() {
        let paths =
            Paths::from_env(env(&[("HOME", "/h"), ("XDG_STATE_HOME", "/s"), ("XDG_DATA_HOME", "rel")]))
                .expect("home is set");
        assert_eq!(paths.audit(), Path::new("/s/creel/audit"));
        assert_eq!(paths.binaries(), Path::new("/h/.local/share/creel/bin"));
        assert_eq!(paths.user_policy(), Path::new("/h/.config/creel/config.toml"));
    }

    #[test]
    fn no_home_is_an_error_that_names_a_variable() {
        let error = Paths::from_env(env(&[])).expect_err("nothing is set");
        assert!(error.to_string().contains("XDG_STATE_HOME"), "{error}");
    }
}
