//! `-v`, `--tmpfs` and `--ulimit`, as docker spells them.

use std::path::{Path, PathBuf};

use nix::sys::stat::{SFlag, stat};

use crate::sandbox::spec::BindSpec;

/// Why an option can't be had.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MountError {
    #[error("-v {0}: write SOURCE:TARGET or SOURCE:TARGET:ro, both of them paths")]
    Shape(String),
    #[error(
        "-v {0}: named and anonymous volumes outlive the sandbox and its limits; give a folder of the host as the source"
    )]
    Volume(String),
    #[error(
        "-v {option}: creel binds with its own mount options, and knows “ro” and “rw” alone, not “{unknown}”"
    )]
    Option { option: String, unknown: String },
    #[error(
        "-v {0}: whoever holds this socket is root on this machine; a filtered one ([docker] enabled = true) comes with a later version of creel"
    )]
    EngineSocket(String),
    #[error("--tmpfs {0}: write PATH or PATH:OPTIONS, where the path is absolute")]
    Tmpfs(String),
    #[error(
        "--tmpfs {option}: “{unknown}” is no option that can be given here; there are size=, mode=, uid=, gid=, nr_inodes=, ro, rw, exec, noexec, nosuid and nodev"
    )]
    TmpfsOption { option: String, unknown: String },
    #[error(
        "--ulimit {0}: write NAME=SOFT or NAME=SOFT:HARD, in numbers; the hard limit is the higher one, -1 means none"
    )]
    Ulimit(String),
}

/// `SOURCE:TARGET[:OPTIONS]`; a relative source is one in `cwd`.
pub(crate) fn bind(text: &str, cwd: &Path) -> Result<BindSpec, MountError> {
    let shape = || MountError::Shape(text.to_owned());
    let mut parts = text.split(':');
    let source = parts.next().filter(|source| !source.is_empty()).ok_or_else(shape)?;
    let Some(target) = parts.next() else { return Err(MountError::Volume(text.to_owned())) };
    let mut read_only = false;
    for option in parts.next().into_iter().flat_map(|options| options.split(',')) {
        read_only = match option {
            "ro" => true,
            "rw" => false,
            // SELinux relabelling is not ours to do, and not needed where it is asked for by habit.
            "z" | "Z" => read_only,
            _ => return Err(MountError::Option { option: text.to_owned(), unknown: option.to_owned() }),
        };
    }
    if parts.next().is_some() || !target.starts_with('/') {
        return Err(shape());
    }
    // As docker tells a path from a volume's name.
    if !source.starts_with(['/', '.', '~']) {
        return Err(MountError::Volume(text.to_owned()));
    }
    let source = cwd.join(source);
    if is_engine_socket(&source) {
        return Err(MountError::EngineSocket(text.to_owned()));
    }
    Ok(BindSpec { source, target: PathBuf::from(target), read_only })
}

/// Sockets that engines are known by. The mounts themselves are checked by (device, inode) when they are made;
/// this is for the better sentence.
fn is_engine_socket(source: &Path) -> bool {
    const NAMES: [&str; 3] = ["docker.sock", "containerd.sock", "podman.sock"];
    let resolved = source.canonicalize().unwrap_or_else(|_| source.to_owned());
    let named =
        |path: &Path| path.file_name().and_then(|name| name.to_str()).is_some_and(|n| NAMES.contains(&n));
    let is_socket =
        stat(&resolved).is_ok_and(|s| SFlag::from_bits_truncate(s.st_mode).contains(SFlag::S_IFSOCK));
    named(source) || (is_socket && named(&resolved))
}

/// `PATH[:OPTIONS]`; nosuid and nodev always hold.
pub(crate) fn tmpfs(text: &str) -> Result<(PathBuf, String), MountError> {
    let (path, options) = text.split_once(':').unwrap_or((text, ""));
    if !path.starts_with('/') || path == "/" {
        return Err(MountError::Tmpfs(text.to_owned()));
    }
    let mut kept = vec!["nosuid", "nodev"];
    for option in options.split(',').filter(|option| !option.is_empty()) {
        let (key, value) = option.split_once('=').map_or((option, None), |(key, value)| (key, Some(value)));
        let number = value.is_some_and(|value| {
            let digits = value.trim_end_matches(['k', 'K', 'm', 'M', 'g', 'G', '%']);
            !digits.is_empty()
                && digits.bytes().all(|byte| byte.is_ascii_digit())
                && value.len() - digits.len() <= 1
        });
        match key {
            "nosuid" | "nodev" if value.is_none() => {}
            "ro" | "rw" | "exec" | "noexec" if value.is_none() => kept.push(option),
            "size" | "mode" | "uid" | "gid" | "nr_inodes" if number => kept.push(option),
            _ => return Err(MountError::TmpfsOption { option: text.to_owned(), unknown: option.to_owned() }),
        }
    }
    Ok((PathBuf::from(path), kept.join(",")))
}

/// `NAME=SOFT[:HARD]`, with -1 for no limit.
pub(crate) fn ulimit(text: &str) -> Result<(String, u64, u64), MountError> {
    let parse = || {
        let (name, limits) = text.split_once('=')?;
        let number = |text: &str| if text == "-1" { Some(u64::MAX) } else { text.parse().ok() };
        let (soft, hard) = match limits.split_once(':') {
            Some((soft, hard)) => (number(soft)?, number(hard)?),
            None => (number(limits)?, number(limits)?),
        };
        let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
        (named && soft <= hard).then(|| (name.to_owned(), soft, hard))
    };
    parse().ok_or_else(|| MountError::Ulimit(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &str) -> Result<(String, String, bool), String> {
        bind(text, Path::new("/work"))
            .map(|b| (b.source.display().to_string(), b.target.display().to_string(), b.read_only))
            .map_err(|e| e.to_string())
    }

    #[test]
    fn binds_as_docker_spells_them() {
        let good = |source: &str, target: &str, ro| Ok((source.to_owned(), target.to_owned(), ro));
        assert_eq!(split("/a:/b"), good("/a", "/b", false));
        assert_eq!(split("/a:/b:ro,Z"), good("/a", "/b", true));
        assert_eq!(split("./a:/b:rw"), good("/work/./a", "/b", false));
        for bad in ["", ":/b", "/a:b", "/a:/b:ro:x", "/a:/b:nope", "data:/b", "/a", "/a:"] {
            assert!(split(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_engines_socket_gets_its_sentence() {
        for text in ["/var/run/docker.sock:/var/run/docker.sock", "/nowhere/docker.sock:/x:ro"] {
            assert!(split(text).is_err_and(|e| e.contains("root on this machine")), "{text}");
        }
    }

    #[test]
    fn tmpfs_options_are_a_short_list() {
        let good = |path: &str, options: &str| Ok((PathBuf::from(path), options.to_owned()));
        assert_eq!(tmpfs("/x"), good("/x", "nosuid,nodev"));
        assert_eq!(
            tmpfs("/x:size=64m,mode=1777,noexec"),
            good("/x", "nosuid,nodev,size=64m,mode=1777,noexec")
        );
        for bad in
            ["x", "/", "/x:suid", "/x:dev", "/x:size=", "/x:size=1,context=y", "/x:size=-1", "/x:size=1mm"]
        {
            assert!(tmpfs(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ulimits() {
        assert_eq!(ulimit("nofile=64:128"), Ok(("nofile".to_owned(), 64, 128)));
        assert_eq!(ulimit("core=-1"), Ok(("core".to_owned(), u64::MAX, u64::MAX)));
        for bad in ["nofile", "=1", "nofile=2:1", "nofile=x", "nofile=1:2:3"] {
            assert!(ulimit(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in ".*") {
            let _ = split(&text);
            let _ = tmpfs(&text);
            let _ = ulimit(&text);
        }
    }
}
