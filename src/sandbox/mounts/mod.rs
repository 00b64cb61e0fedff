//! What of the host is seen inside: every bind of any origin is resolved, compared with what may never be
//! mounted, and given to the engine by its resolved path, one file system at a time.

mod mountinfo;
mod place;
mod protected;
mod target;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

use bollard::models::Mount;

pub(crate) use mountinfo::{Location, MountTable};
pub(crate) use place::Place;
pub(crate) use protected::{Protected, Surroundings};

use super::container;
use super::spec::SandboxSpec;
use crate::policy::model::WorkspaceTarget;

/// A bind that has passed every check.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BindMount {
    /// Resolved: no part of it is a symbolic link.
    pub(crate) source: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) read_only: bool,
    pub(crate) origin: Origin,
    /// Where the source is on its file system, whatever it is called: what the container must show at `target`.
    pub(crate) location: Location,
}

impl BindMount {
    pub(crate) fn to_mount(&self) -> Mount {
        container::bind(&self.source, &self.target, self.read_only)
    }
}

/// Who asked for a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Workspace,
    Volume,
    ReadOnlyPath,
    ReadWritePath,
    /// `image = "host"`
    HostImage,
    Tmpfs,
    Home,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Workspace => "the workspace",
            Self::Volume => "-v",
            Self::ReadOnlyPath => "sandbox.read_only_paths",
            Self::ReadWritePath => "sandbox.read_write_paths",
            Self::HostImage => "image = \"host\"",
            Self::Tmpfs => "a tmpfs",
            Self::Home => "$HOME",
        })
    }
}

/// Why a mount is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MountError {
    #[error("{origin}: {} does not exist, and creel makes no folders on the host (docker would): make it first", .path.display())]
    Missing { origin: Origin, path: PathBuf },
    #[error("{origin}: {} can't be looked at: {why}", .path.display())]
    Unreadable { origin: Origin, path: PathBuf, why: std::io::Error },
    #[error(
        "{origin}: you may not {what} {} yourself, and the engine, which may, would do it for you: choose another",
        .path.display()
    )]
    NotYours { origin: Origin, path: PathBuf, what: &'static str },
    #[error("{origin}: {} is {kind}; only files and folders can be mounted", .path.display())]
    NoFile { origin: Origin, path: PathBuf, kind: &'static str },
    #[error("the workspace {} is not a folder: name the folder that holds the project", .0.display())]
    WorkspaceNoFolder(PathBuf),
    #[error(
        "the workspace may not be {} itself: everything in it would be the agent's. Go into the project's own folder, \
         or name it with workspace.path", .0.display()
    )]
    WorkspaceTooWide(PathBuf),
    #[error(
        "{origin}: {} {relation} {what} ({}), which no sandbox may see. Mount something narrower, or copy what is needed \
         elsewhere", .path.display(), .guarded.display()
    )]
    Protected { origin: Origin, path: PathBuf, relation: Relation, what: &'static str, guarded: PathBuf },
    #[error("{origin}: the path {} is not UTF-8, and the engine takes no other: rename it, or mount the folder above it", .path.display())]
    NotUtf8 { origin: Origin, path: PathBuf },
    #[error("{origin}: {} is no absolute path, or has “..” in it: write the whole path as it is inside", .target.display())]
    BadTarget { origin: Origin, target: PathBuf },
    #[error("{origin}: nothing can be mounted at {}, since that would replace {what}: choose another path inside", .target.display())]
    CoversTarget { origin: Origin, target: PathBuf, what: &'static str },
    #[error("two mounts have the target {}: {first} and {second}. Give one of them another", .target.display())]
    SameTarget { target: PathBuf, first: Origin, second: Origin },
    #[error(
        "{origin}: {} lies inside what {outer} mounts, and {} is {problem}. Make it on the host first, as a plain \
         {kind}", .target.display(), .on_host.display()
    )]
    NoMountPoint {
        origin: Origin,
        target: PathBuf,
        outer: Origin,
        on_host: PathBuf,
        problem: &'static str,
        kind: &'static str,
    },
    #[error("{origin}: {count} file systems are mounted below {}, more than the {limit} that creel takes: mount something narrower", .path.display())]
    TooManyBelow { origin: Origin, path: PathBuf, count: usize, limit: usize },
    #[error("the table of mounts (/proc/self/mountinfo) can't be read: {0}")]
    Table(std::io::Error),
}

/// How a path and a protected one lie to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Is,
    Inside,
    Above,
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Is => "is",
            Self::Inside => "lies inside",
            Self::Above => "contains",
        })
    }
}

/// One mount that is wished for.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) origin: Origin,
    pub(crate) source: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) read_only: bool,
}

/// Where the project is seen inside.
pub(crate) fn workspace_target(spec: &SandboxSpec) -> Result<PathBuf, MountError> {
    let workspace = &spec.policy.workspace;
    match &workspace.target {
        WorkspaceTarget::At(target) => Ok(target.clone()),
        // As written, since that is what stands in virtual environments and messages; resolved where “..” would
        // make the written one ambiguous.
        WorkspaceTarget::Same if target::is_plain(&workspace.path) => Ok(workspace.path.clone()),
        WorkspaceTarget::Same => place::canonical(Origin::Workspace, &workspace.path),
    }
}

/// Everything that the policy and the command line ask for.
pub(crate) fn wishes(spec: &SandboxSpec) -> Result<Vec<Wish>, MountError> {
    let policy = &spec.policy;
    let same = |origin, path: &PathBuf, read_only| Wish {
        origin,
        source: path.clone(),
        target: path.clone(),
        read_only,
    };
    let mut all = vec![Wish {
        origin: Origin::Workspace,
        source: policy.workspace.path.clone(),
        target: workspace_target(spec)?,
        read_only: false,
    }];
    all.extend(policy.sandbox.read_only_paths.iter().map(|path| same(Origin::ReadOnlyPath, path, true)));
    all.extend(policy.sandbox.read_write_paths.iter().map(|path| same(Origin::ReadWritePath, path, false)));
    all.extend(spec.binds.iter().map(|bind| Wish {
        origin: Origin::Volume,
        source: bind.source.clone(),
        target: bind.target.clone(),
        read_only: bind.read_only,
    }));
    Ok(all)
}

/// A path inside that is no bind's: in plain form, or why nothing may be there.
pub(crate) fn inside(origin: Origin, path: &Path) -> Result<PathBuf, MountError> {
    target::normal(origin, path)
}

/// Where a tmpfs lies inside a bind, the engine would make its mount point on the host.
pub(crate) fn check_points<'a>(
    paths: impl Iterator<Item = &'a Path>,
    binds: &[BindMount],
) -> Result<(), MountError> {
    paths.into_iter().try_for_each(|path| target::check_point(Origin::Tmpfs, path, true, binds))
}

/// Checks every wish, and adds a bind for each file system that is mounted below one.
pub(crate) fn resolve(
    wishes: Vec<Wish>,
    protected: &Protected,
    table: &MountTable,
) -> Result<Vec<BindMount>, MountError> {
    let mut binds = Vec::new();
    for wish in wishes {
        resolve_one(&wish, protected, table, &mut binds)?;
    }
    target::check_all(&binds)?;
    Ok(binds)
}

/// A folder with more file systems below it than this is no project.
const MOST_BELOW: usize = 32;

fn resolve_one(
    wish: &Wish,
    protected: &Protected,
    table: &MountTable,
    binds: &mut Vec<BindMount>,
) -> Result<(), MountError> {
    let Wish { origin, read_only, .. } = *wish;
    let place = Place::of(origin, &wish.source, table)?;
    if origin == Origin::Workspace {
        protected.refuse_wide_workspace(&place)?;
    }
    let target = target::normal(origin, &wish.target)?;
    protected.refuse(origin, &place)?;
    place.refuse_what_the_caller_may_not(origin, read_only)?;
    let below = place.file_systems_below(table);
    if below.len() > MOST_BELOW {
        let count = below.len();
        return Err(MountError::TooManyBelow { origin, path: place.path, count, limit: MOST_BELOW });
    }
    for path in &below {
        let inner = Place::of(origin, path, table)?;
        protected.refuse(origin, &inner)?;
        inner.refuse_what_the_caller_may_not(origin, read_only)?;
        let rest = inner.path.strip_prefix(&place.path).unwrap_or(Path::new(""));
        let target = target.join(rest);
        binds.push(BindMount { source: inner.path, target, read_only, origin, location: inner.location });
    }
    binds.push(BindMount { source: place.path, target, read_only, origin, location: place.location });
    Ok(())
}
