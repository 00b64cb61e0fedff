//! The id of this installation: two on one engine tell their containers apart by it.

use std::io;

use super::private;
use crate::paths::Paths;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Installation(String);

impl Installation {
    /// The one that is kept, or a new one that isn't kept yet.
    pub(crate) fn of(paths: &Paths) -> io::Result<Self> {
        let path = paths.installation();
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(text.trim()).ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("{} holds no id: remove it, if no sandbox of yours runs", path.display()),
                )
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Self(ulid::Ulid::generate().to_string().to_ascii_lowercase()))
            }
            Err(error) => Err(private::named(&path, &error)),
        }
    }

    /// Writes a new id. The first of two creels that do so at once wins.
    pub(crate) fn keep(&self, paths: &Paths) -> io::Result<()> {
        let path = paths.installation();
        if path.exists() {
            return Ok(());
        }
        if let Some(dir) = path.parent() {
            private::make_dir(dir)?;
        }
        let new = path.with_extension(ulid::Ulid::generate().to_string());
        private::write(&new, 0o600, self.0.as_bytes())?;
        let kept = match std::fs::hard_link(&new, &path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        };
        std::fs::remove_file(&new)?;
        kept.map_err(|error| private::named(&path, &error))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let good = text.len() == 26 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        good.then(|| Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_id_stays() {
        let dir = tempfile::tempdir().expect("a folder");
        let home = dir.path().as_os_str().to_owned();
        let paths = Paths::from_env(|key| (key == "HOME").then(|| home.clone())).expect("HOME is set");
        let (one, two) = (Installation::of(&paths).expect("new"), Installation::of(&paths).expect("new"));
        assert_ne!(one, two, "nothing is kept yet");
        one.keep(&paths).expect("kept");
        two.keep(&paths).expect("too late, and no error");
        assert_eq!(Installation::of(&paths).expect("there"), one);
        let folder = paths.installation().with_file_name("");
        assert_eq!(std::fs::read_dir(folder).expect("there").count(), 1, "no litter");
    }
}
