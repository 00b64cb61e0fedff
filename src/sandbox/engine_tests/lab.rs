use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use bollard::query_parameters::ListContainersOptionsBuilder;

use crate::paths::Paths;
use crate::sandbox::container::{self, LABEL_INSTALLATION, LABEL_ROLE};
use crate::sandbox::engine::{Address, Engine};
use crate::sandbox::installation::Installation;
use crate::sandbox::launch::{self, Created};
use crate::sandbox::plan::{self, Plan, PlanError};
use crate::sandbox::spec::SandboxSpec;
use crate::sandbox::{teardown, tests};

/// A home, a project and an engine, for one test.
pub(super) struct Lab {
    _dir: tempfile::TempDir,
    pub(super) home: PathBuf,
    pub(super) project: PathBuf,
    pub(super) paths: Paths,
    pub(super) engine: Engine,
    name: String,
}

impl Lab {
    /// All containers of this installation, gates first: ids, and whether they run. Another's are never among them.
    pub(super) async fn ours(&self, installation: &Installation) -> Vec<(String, bool)> {
        let label = format!("{LABEL_INSTALLATION}={}", installation.as_str());
        let filters: HashMap<&str, Vec<&str>> = [("label", vec![label.as_str()])].into();
        let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let mut listed = self.engine.docker().list_containers(Some(options)).await.expect("listed");
        listed.sort_by_key(|found| found.labels.as_ref().and_then(|labels| labels.get(LABEL_ROLE).cloned()));
        let running = |state: Option<_>| {
            state.is_some_and(|state: bollard::models::ContainerSummaryStateEnum| {
                state.to_string() == "running"
            })
        };
        listed.into_iter().map(|found| (found.id.expect("an id"), running(found.state))).collect()
    }

    pub(super) async fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let dir = tempfile::tempdir().expect("a folder");
        let home = dir.path().canonicalize().expect("there");
        let project = home.join("project");
        std::fs::create_dir(&project).expect("made");
        let base = home.as_os_str().to_owned();
        let paths = Paths::from_env(|key| (key == "HOME").then(|| base.clone())).expect("HOME is set");
        let address = Address::from_env(|key| std::env::var_os(key)).expect("a local engine");
        let engine = Engine::connect(&address).await.expect("a Docker Engine: these tests need one");
        let name = format!("test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Self { _dir: dir, home, project, paths, engine, name }
    }

    /// The defaults, for whoever runs the tests.
    pub(super) fn spec(&self) -> SandboxSpec {
        let mut spec = tests::spec();
        spec.name = self.name.parse().expect("a name");
        spec.policy.workspace.path = self.project.clone();
        spec.invoker.uid = nix::unistd::getuid().as_raw();
        spec.invoker.gid = nix::unistd::getgid().as_raw();
        spec
    }

    pub(super) async fn plan(&self, spec: &SandboxSpec) -> Result<Plan, PlanError> {
        plan::prepare(&self.engine, spec, &self.paths, &|_| ()).await
    }

    /// With busybox in the place of the gate and `script` in the place of shim and command: what is tested is
    /// the container, not what runs in it.
    pub(super) fn play(plan: &mut Plan, script: &str) {
        let busybox = busybox();
        let put = |body: &mut bollard::models::ContainerCreateBody, command: &[&str]| {
            body.entrypoint = Some(vec!["/.creel/busybox".into()]);
            body.cmd = Some(command.iter().map(|word| word.to_string()).collect());
            let host = body.host_config.as_mut().expect("a host part");
            let mounts = host.mounts.as_mut().expect("mounts");
            mounts.push(container::bind(&busybox, Path::new("/.creel/busybox"), true));
        };
        put(&mut plan.gate.body, &["sleep", "600"]);
        put(&mut plan.workload.body, &["sh", "-c", script]);
    }

    /// What the script prints, and its exit code.
    pub(super) async fn run(&self, plan: &Plan) -> (String, i64) {
        let created = launch::raise(&self.engine, plan).await.expect("raised");
        launch::start_workload(&self.engine, &created.workload).await.expect("started");
        let code = docker(&["wait", &created.workload]).trim().parse().expect("a code");
        let output = Command::new("docker").args(["logs", &created.workload]).output().expect("docker");
        self.remove(&created).await;
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        (text.into_owned(), code)
    }

    pub(super) async fn remove(&self, created: &Created) {
        teardown::teardown(&self.engine, &created.gate, &created.workload).await.expect("removed");
    }

    /// An image with busybox in it, made for this test alone.
    pub(super) fn image(&self, changes: &[&str]) -> String {
        let root = self.home.join("root");
        std::fs::create_dir_all(root.join("bin")).expect("made");
        std::fs::create_dir_all(root.join("data")).expect("made");
        std::fs::copy(busybox(), root.join("bin/busybox")).expect("copied");
        let _ = std::os::unix::fs::symlink("busybox", root.join("bin/sh"));
        std::fs::create_dir_all(root.join("etc")).expect("made");
        std::fs::write(root.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\nagent:x:77:78::/app:/bin/sh\n")
            .expect("written");
        let name = format!("creel-{}:1", self.name);
        let tar = self.home.join("root.tar");
        let packed =
            Command::new("tar").arg("-C").arg(&root).arg("-cf").arg(&tar).arg(".").status().expect("tar");
        assert!(packed.success());
        let mut line = vec!["import"];
        for change in changes {
            line.extend(["--change", change]);
        }
        let tar = tar.to_str().expect("text");
        line.extend([tar, &name]);
        docker(&line);
        name
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let filter = format!("label=creel.sandbox={}", self.name);
        let left = docker(&["ps", "-aq", "--filter", &filter]);
        for id in left.split_whitespace() {
            let _ = Command::new("docker").args(["rm", "-fv", id]).output();
        }
        let _ = Command::new("docker").args(["rmi", "-f", &format!("creel-{}:1", self.name)]).output();
    }
}

fn busybox() -> PathBuf {
    let found =
        ["/bin/busybox", "/usr/bin/busybox"].map(PathBuf::from).into_iter().find(|path| path.exists());
    found.expect("these tests need busybox-static")
}

pub(super) fn docker(arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } =
        Command::new("docker").args(arguments).output().expect("docker's client");
    assert!(status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("text")
}

pub(super) fn inspect(container: &str) -> serde_json::Value {
    let all: serde_json::Value = serde_json::from_str(&docker(&["inspect", container])).expect("JSON");
    all.get(0).cloned().expect("one container")
}
