//! The C programs of tests/programs, compiled once for all tests: static, so that they run in any container.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Creel;

/// Where they are in the sandbox.
pub const PROGRAMS: &str = "/programs";

impl Creel {
    /// Mounts the compiled `names` at [`PROGRAMS`].
    pub fn programs(self, names: &[&str]) -> Self {
        let folder = self.path("programs");
        fs::create_dir_all(&folder).expect("a folder");
        for name in names {
            fs::copy(compiled(name), folder.join(name)).expect("a copy");
        }
        self.option(format!("--volume={}:{PROGRAMS}:ro", folder.display()))
    }
}

fn compiled(name: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/programs/{name}.c"));
    let folder = std::env::temp_dir().join(format!("creel-programs-{}", nix::unistd::geteuid()));
    fs::create_dir_all(&folder).expect("a folder");
    let lock = File::create(folder.join("lock")).expect("a lock");
    lock.lock().expect("locked");
    let program = folder.join(name);
    let time = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified()).ok();
    if time(&program) < time(&source) {
        let new = folder.join(format!("{name}.new"));
        let status = Command::new("gcc")
            .args(["-static", "-O1", "-pthread", "-Wall", "-Wextra", "-Werror", "-o"])
            .args([&new, &source])
            .status();
        assert!(status.expect("gcc runs").success(), "{name}.c does not compile");
        fs::rename(new, &program).expect("renamed");
    }
    program
}
