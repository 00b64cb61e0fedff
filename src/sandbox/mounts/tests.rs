use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::*;
use crate::paths::Paths;

/// A made-up home with a project in it, and the list of what is protected there.
struct Home {
    _dir: tempfile::TempDir,
    home: PathBuf,
    paths: Paths,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let home = dir.path().canonicalize().expect("there").join("home");
        for folder in [".ssh/deep", ".local/state/creel/audit", "project/sub", "open", "other"] {
            std::fs::create_dir_all(home.join(folder)).expect("made");
        }
        std::fs::write(home.join(".ssh/id"), "key").expect("written");
        std::fs::write(home.join("project/file"), "text").expect("written");
        let base = home.as_os_str().to_owned();
        let paths = Paths::from_env(|key| (key == "HOME").then(|| base.clone())).expect("HOME is set");
        Self { _dir: dir, home, paths }
    }

    fn try_all(&self, wishes: &[(Origin, &Path, &str)]) -> Result<Vec<BindMount>, MountError> {
        let table = MountTable::read().expect("a table");
        let surroundings = Surroundings {
            paths: &self.paths,
            homes: vec![self.home.clone()],
            engine_socket: &self.home.join("open/engine.sock"),
            engine_root: Path::new("/var/lib/docker"),
        };
        let protected = Protected::new(&surroundings, &table);
        let wishes = wishes.iter().map(|(origin, source, target)| Wish {
            origin: *origin,
            source: source.to_path_buf(),
            target: target.into(),
            read_only: false,
        });
        resolve(wishes.collect(), &protected, &table)
    }

    fn volume(&self, source: impl AsRef<Path>) -> Result<Vec<BindMount>, MountError> {
        self.try_all(&[(Origin::Volume, &self.home.join(source), "/data")])
    }

    fn relation(&self, source: impl AsRef<Path>) -> Option<Relation> {
        match self.volume(source) {
            Err(MountError::Protected { relation, .. }) => Some(relation),
            _ => None,
        }
    }
}

#[test]
fn protected_places_are_refused_as_themselves_from_inside_from_above_and_through_links() {
    let home = Home::new();
    assert_eq!(home.relation(".ssh"), Some(Relation::Is));
    assert_eq!(home.relation(".ssh/id"), Some(Relation::Inside));
    assert_eq!(home.relation(".ssh/deep"), Some(Relation::Inside));
    assert_eq!(home.relation(""), Some(Relation::Above));
    assert_eq!(home.relation(".local/state/creel/audit"), Some(Relation::Inside));
    assert_eq!(home.relation(".local"), Some(Relation::Above));
    assert_eq!(home.relation("/"), Some(Relation::Above));
    assert_eq!(home.relation("/proc/sys"), Some(Relation::Inside));
    assert_eq!(home.relation("/run"), Some(Relation::Above));

    symlink(home.home.join(".ssh"), home.home.join("project/innocent")).expect("linked");
    symlink("innocent/id", home.home.join("project/twice")).expect("linked");
    assert_eq!(home.relation("project/innocent"), Some(Relation::Is));
    assert_eq!(home.relation("project/twice"), Some(Relation::Inside));
    assert_eq!(home.relation("project/sub/../../.ssh"), Some(Relation::Is));
    assert!(home.volume("project").is_ok(), "links within a mount resolve inside, to nothing");
}

#[test]
fn a_hard_link_to_the_engines_socket_and_sockets_in_general_are_refused() {
    let home = Home::new();
    let socket = home.home.join("open/engine.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("bound");
    std::fs::hard_link(&socket, home.home.join("project/plain")).expect("linked");
    assert!(matches!(home.volume("project/plain"), Err(MountError::NoFile { .. })));
    assert_eq!(home.relation("open"), Some(Relation::Above));
    let _other =
        std::os::unix::net::UnixListener::bind(home.home.join("project/docker.sock")).expect("bound");
    assert_eq!(home.relation("project"), Some(Relation::Above), "by its name, wherever it stands");
}

#[test]
fn the_home_and_the_root_are_no_workspace() {
    let home = Home::new();
    for wide in [home.home.as_path(), Path::new("/")] {
        let refused = home.try_all(&[(Origin::Workspace, wide, "/workspace")]);
        assert!(matches!(refused, Err(MountError::WorkspaceTooWide(_))), "{}", wide.display());
    }
    let file = home.home.join("project/file");
    let refused = home.try_all(&[(Origin::Workspace, &file, "/workspace")]);
    assert!(matches!(refused, Err(MountError::WorkspaceNoFolder(_))));
}

#[test]
fn a_missing_source_is_said_and_not_made() {
    let home = Home::new();
    let error = home.volume("project/absent").expect_err("missing").to_string();
    assert!(error.contains("docker would"), "{error}");
    assert!(!home.home.join("project/absent").exists());
}

#[test]
fn names_with_separators_are_mounted_as_they_are() {
    let home = Home::new();
    let odd = home.home.join("project/a:b,c \"d\"\\e");
    std::fs::create_dir(&odd).expect("made");
    let binds = home.volume(&odd).expect("taken");
    assert_eq!(binds.first().map(|bind| bind.source.as_path()), Some(odd.as_path()));
}

#[test]
fn nothing_is_mounted_over_what_the_container_needs() {
    let home = Home::new();
    let project = home.home.join("project");
    for target in [
        "/",
        "/proc",
        "/proc/self",
        "/sys/fs",
        "/dev/shm",
        "/.creel",
        "/.creel/creel",
        "/etc",
        "/etc/passwd",
        "/etc/ld.so.preload",
        "/run",
    ] {
        let refused = home.try_all(&[(Origin::Volume, &project, target)]);
        assert!(matches!(refused, Err(MountError::CoversTarget { .. })), "{target}: {refused:?}");
    }
    for target in ["relative", "/a/../etc", "/a/..", ""] {
        let refused = home.try_all(&[(Origin::Volume, &project, target)]);
        assert!(matches!(refused, Err(MountError::BadTarget { .. })), "{target}: {refused:?}");
    }
    for target in ["/data", "/data//", "/etc/app.conf", "/process"] {
        home.try_all(&[(Origin::Volume, &project, target)]).expect(target);
    }
}

#[test]
fn two_mounts_have_two_targets_and_nested_ones_a_place_on_the_host() {
    let home = Home::new();
    let (project, other) = (home.home.join("project"), home.home.join("other"));
    let two = |inner: &str| {
        home.try_all(&[(Origin::Workspace, &project, "/workspace"), (Origin::Volume, &other, inner)])
    };
    assert!(matches!(two("/workspace"), Err(MountError::SameTarget { .. })));
    assert!(two("/workspace/sub").is_ok());
    assert!(matches!(two("/workspace/new"), Err(MountError::NoMountPoint { problem: "not there", .. })));
    assert!(matches!(two("/workspace/file"), Err(MountError::NoMountPoint { problem: "not a folder", .. })));
    symlink("/etc", project.join("link")).expect("linked");
    assert!(matches!(
        two("/workspace/link"),
        Err(MountError::NoMountPoint { problem: "a symbolic link", .. })
    ));
    assert!(!project.join("new").exists());
}

#[test]
fn the_location_is_the_file_systems_own() {
    let home = Home::new();
    let binds = home.volume("project").expect("taken");
    let bind = binds.first().expect("one");
    let table = MountTable::read().expect("a table");
    let place = Place::of(Origin::Volume, &home.home.join("project"), &table).expect("there");
    assert_eq!(bind.location, place.location);
    assert!(bind.location.path.ends_with("home/project"), "{:?}", bind.location);
}
