//! What no sandbox may see, under any name: a mount may not be one of these, lie inside one, nor contain one.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::mountinfo::MountTable;
use super::place::{FileId, Place};
use super::{MountError, Origin, Relation};
use crate::paths::Paths;

/// Where the protected places are on this machine.
#[derive(Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) paths: &'a Paths,
    /// Of the invoker, and of the environment (under sudo they differ).
    pub(crate) homes: Vec<PathBuf>,
    /// The socket that creel itself uses.
    pub(crate) engine_socket: &'a Path,
    /// Where the engine keeps images, volumes and containers.
    pub(crate) engine_root: &'a Path,
}

impl<'a> Surroundings<'a> {
    pub(crate) fn new(
        paths: &'a Paths,
        invoker_home: &Path,
        engine_socket: &'a Path,
        engine_root: &'a Path,
        var: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        let mut homes = vec![invoker_home.to_owned()];
        homes.extend(var("HOME").map(PathBuf::from).filter(|home| home.is_absolute()));
        homes.dedup();
        Self { paths, homes, engine_socket, engine_root }
    }

    fn list(&self) -> Vec<(PathBuf, &'static str)> {
        const SYSTEM: [(&str, &str); 12] = [
            ("/proc", "the kernel's process files"),
            ("/sys", "the kernel's device files"),
            ("/dev", "the machine's devices"),
            ("/run/user", "the users' session sockets"),
            ("/run/docker.sock", ENGINE_SOCKET),
            ("/var/run/docker.sock", ENGINE_SOCKET),
            ("/run/docker", "the Docker Engine's own files"),
            ("/run/containerd", "containerd's own files"),
            ("/run/podman", "Podman's socket"),
            ("/run/crio", "CRI-O's socket"),
            ("/var/lib/docker", "the Docker Engine's own files"),
            ("/var/lib/containerd", "containerd's own files"),
        ];
        const AT_HOME: [(&str, &str); 4] = [
            (".ssh", "SSH keys"),
            (".gnupg", "GnuPG keys"),
            (".docker", "Docker's credentials"),
            (".local/share/docker", "the Docker Engine's own files"),
        ];
        let mut all: Vec<(PathBuf, &str)> = SYSTEM.map(|(path, what)| (path.into(), what)).into();
        all.push((self.engine_socket.to_owned(), ENGINE_SOCKET));
        all.push((self.engine_root.to_owned(), "the Docker Engine's own files"));
        all.extend(self.paths.own().map(|path| (path.to_owned(), "creel's own files")));
        for home in &self.homes {
            all.extend(AT_HOME.map(|(path, what)| (home.join(path), what)));
        }
        all
    }
}

const ENGINE_SOCKET: &str = "the Docker socket";
/// Sockets that hand out root, wherever they stand.
const ENGINE_SOCKET_NAMES: [&str; 5] =
    ["docker.sock", "containerd.sock", "podman.sock", "buildkitd.sock", "crio.sock"];

/// The list, resolved.
#[derive(Debug)]
pub(crate) struct Protected {
    guarded: Vec<Guarded>,
    homes: Vec<(PathBuf, Option<FileId>)>,
}

#[derive(Debug)]
struct Guarded {
    /// Resolved as far as it exists.
    path: PathBuf,
    what: &'static str,
    /// Absent where nothing is there yet.
    place: Option<Known>,
}

#[derive(Debug)]
struct Known {
    location: super::Location,
    /// Its own first, then those of the folders above.
    ids: Vec<FileId>,
}

impl Protected {
    pub(crate) fn new(surroundings: &Surroundings<'_>, table: &MountTable) -> Self {
        let mut guarded: Vec<Guarded> = Vec::new();
        for (path, what) in surroundings.list() {
            let path = resolved_as_far_as_it_exists(&path);
            if guarded.iter().all(|known| known.path != path) {
                guarded.push(Guarded { place: Known::of(&path, table), path, what });
            }
        }
        let homes = surroundings.homes.iter().map(|home| {
            let home = resolved_as_far_as_it_exists(home);
            let id = file_id(&home);
            (home, id)
        });
        Self { guarded, homes: homes.collect() }
    }

    /// `/` and the home folder hold what no agent should have, whether or not anything in them is protected.
    pub(super) fn refuse_wide_workspace(&self, place: &Place) -> Result<(), MountError> {
        if !place.folder {
            return Err(MountError::WorkspaceNoFolder(place.path.clone()));
        }
        let home = self.homes.iter().any(|(path, id)| *path == place.path || *id == Some(place.id));
        let root = place.path == Path::new("/") || file_id(Path::new("/")) == Some(place.id);
        if home || root { Err(MountError::WorkspaceTooWide(place.path.clone())) } else { Ok(()) }
    }

    pub(super) fn refuse(&self, origin: Origin, place: &Place) -> Result<(), MountError> {
        let refused = |relation, guarded: &Path, what| MountError::Protected {
            origin,
            path: place.path.clone(),
            relation,
            what,
            guarded: guarded.to_owned(),
        };
        let above: Vec<FileId> = place.ancestors().collect();
        for guarded in &self.guarded {
            if let Some(relation) = guarded.relation(place, &above) {
                return Err(refused(relation, &guarded.path, guarded.what));
            }
        }
        if let Some(socket) = engine_socket_in(&place.path) {
            return Err(refused(Relation::Above, &socket, "a container engine's socket"));
        }
        Ok(())
    }
}

impl Guarded {
    fn relation(&self, place: &Place, above: &[FileId]) -> Option<Relation> {
        // By name in this mount table ...
        if let Some(relation) = nested(&place.path, &self.path) {
            return Some(relation);
        }
        let known = self.place.as_ref()?;
        // ... by place on the file system, which sees through bind mounts ...
        if place.location.device == known.location.device
            && let Some(relation) = nested(&place.location.path, &known.location.path)
        {
            return Some(relation);
        }
        // ... and by inode, which sees through hard links and whatever else gives a folder two names.
        let own = known.ids.first()?;
        match () {
            () if place.id == *own => Some(Relation::Is),
            () if above.contains(own) => Some(Relation::Inside),
            () if known.ids.contains(&place.id) => Some(Relation::Above),
            () => None,
        }
    }
}

fn nested(path: &Path, guarded: &Path) -> Option<Relation> {
    match () {
        () if path == guarded => Some(Relation::Is),
        () if path.starts_with(guarded) => Some(Relation::Inside),
        () if guarded.starts_with(path) => Some(Relation::Above),
        () => None,
    }
}

impl Known {
    fn of(path: &Path, table: &MountTable) -> Option<Self> {
        // A socket is no place that could be mounted, so it is looked at by inode and by its folder.
        let ids: Vec<FileId> = path.ancestors().filter_map(file_id).collect();
        let (folder, name) = match Place::of(Origin::Volume, path, table) {
            Ok(place) => (place, None),
            Err(_) => (Place::of(Origin::Volume, path.parent()?, table).ok()?, path.file_name()),
        };
        file_id(path)?;
        let mut location = folder.location;
        if let Some(name) = name {
            location.path.push(name);
        }
        Some(Self { location, ids })
    }
}

fn file_id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}

/// `~/.ssh` may not exist yet; what is above it may be a symbolic link all the same.
fn resolved_as_far_as_it_exists(path: &Path) -> PathBuf {
    for ancestor in path.ancestors() {
        if let Ok(resolved) = ancestor.canonicalize() {
            let rest = path.strip_prefix(ancestor).unwrap_or(Path::new(""));
            return if rest.as_os_str().is_empty() { resolved } else { resolved.join(rest) };
        }
    }
    path.to_owned()
}

/// Only the folder itself is looked at: a project may be large, and sockets of other kinds are its own matter.
fn engine_socket_in(folder: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::FileTypeExt;
    ENGINE_SOCKET_NAMES
        .iter()
        .map(|name| folder.join(name))
        .find(|path| std::fs::metadata(path).is_ok_and(|meta| meta.file_type().is_socket()))
}
