//! The workload's container: the agent's, and hostile until shown otherwise. It has no capability, no way to
//! gain one, a read-only root, and starts with the shim.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use bollard::models::{ContainerCreateBody, HealthConfig, HostConfig, Mount, ResourcesUlimits};

use super::container::{self, Role};
use super::facts::EngineFacts;
use super::image::Image;
use super::mounts::{self, BindMount, MountError, Origin};
use super::spec::SandboxSpec;
use crate::policy::model::{Capability, ImageChoice, UserChoice};
use crate::wire::{BINARY_IN_CONTAINER, ShimArgs};

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Where $HOME is in an image whose own home must stay in sight: it holds tools as often as not.
const HOME_IN_IMAGE: &str = "/home/creel";
const ROOT_HOME: &str = "/root";
/// When the host itself runs out of memory, the kernel takes a workload first. (To spare the gate by a negative
/// score would need a capability that not every engine has.)
const OOM_SCORE: i64 = 500;

/// Why a workload can't be described.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkloadError {
    #[error("nothing to run: give a command (`creel run -- COMMAND`)")]
    NoCommand,
    #[error(
        "nothing to run: the image {0} names no command of its own, so give one (`creel run -- COMMAND`)"
    )]
    NoCommandInImage(String),
    #[error(
        "two things are to be mounted at {}: {first} and {second}. Give one of them another path", .target.display()
    )]
    SameTarget { target: PathBuf, first: String, second: String },
    #[error("the path “{0}” holds a “:” or “,”, which a tmpfs can't have: choose another")]
    TmpfsPath(String),
    #[error(transparent)]
    Mount(#[from] MountError),
    #[error("--ulimit core is not taken: a core dump is handled on the host, outside the sandbox")]
    CoreDump,
}

/// What the workload's body is made from.
pub(crate) struct WorkloadInput<'a> {
    pub(crate) spec: &'a SandboxSpec,
    pub(crate) facts: &'a EngineFacts,
    pub(crate) image: &'a Image,
    pub(crate) gate: &'a str,
    pub(crate) labels: HashMap<String, String>,
    pub(crate) binary: &'a Path,
    /// creel's /etc, for `image = "host"`.
    pub(crate) etc: Option<&'a Path>,
    /// Checked, with the host image's own.
    pub(crate) binds: &'a [BindMount],
    /// Where the workspace is seen.
    pub(crate) workspace: &'a Path,
}

/// A body, and what a person or the monitor should know of it.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) body: ContainerCreateBody,
    /// The whole environment that the command starts with.
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) notes: Vec<String>,
}

pub(crate) fn describe(input: &WorkloadInput<'_>) -> Result<Workload, WorkloadError> {
    let spec = input.spec;
    let policy = &spec.policy;
    let mut notes = Vec::new();
    let env = Environment::of(input)?;
    let tmpfs = tmpfs(input, &env.home, &mut notes)?;

    let mut mounts: Vec<Mount> = vec![container::bind(input.binary, Path::new(BINARY_IN_CONTAINER), true)];
    mounts.extend(input.etc.map(|etc| container::bind(etc, Path::new("/etc"), true)));
    mounts.extend(input.binds.iter().map(BindMount::to_mount));
    let mut writable: Vec<PathBuf> = tmpfs.keys().map(PathBuf::from).collect();
    writable.extend(input.binds.iter().filter(|bind| !bind.read_only).map(|bind| bind.target.clone()));
    writable.push("/dev/shm".into());
    writable.sort();

    let shim = ShimArgs {
        writable,
        debugging: policy.sandbox.debugging,
        landlock_optional: policy
            .sandbox
            .best_effort
            .iter()
            .any(|line| line == super::requirements::LANDLOCK),
        command: command(spec, input.image)?.into_iter().map(OsString::from).collect(),
    };
    let memory = signed(policy.limits.memory.bytes());
    let host_config = HostConfig {
        cap_add: (!policy.sandbox.capabilities.is_empty())
            .then(|| policy.sandbox.capabilities.iter().map(|cap| capability(*cap).to_owned()).collect()),
        console_size: spec
            .size
            .filter(|_| spec.tty && knows_console_size(input.facts))
            .map(|(rows, columns)| vec![rows.into(), columns.into()]),
        memory: Some(memory),
        memory_swap: Some(memory),
        mounts: Some(mounts),
        nano_cpus: Some(nano_cpus(policy.limits.cpu_millis, input.facts.cpus)),
        network_mode: Some(format!("container:{}", input.gate)),
        oom_score_adj: Some(OOM_SCORE),
        pid_mode: Some(format!("container:{}", input.gate)),
        pids_limit: Some(policy.limits.processes.into()),
        shm_size: Some(signed(policy.sandbox.shm.bytes())),
        tmpfs: Some(tmpfs.into_iter().collect()),
        ulimits: Some(ulimits(spec)?),
        ..container::hardened(input.facts, &policy.sandbox.runtime, Role::Workload)
    };
    let mut labels: HashMap<String, String> = spec.labels.clone().into_iter().collect();
    labels.extend(input.labels.clone());
    let body = ContainerCreateBody {
        user: user(spec),
        attach_stdin: Some(spec.stdin),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        tty: Some(spec.tty),
        open_stdin: Some(spec.stdin),
        // Detached, stdin outlives its first client; otherwise the end of the client's input is the end.
        stdin_once: Some(spec.stdin && !spec.detached),
        env: Some(env.ours.iter().map(|(key, value)| format!("{key}={value}")).collect()),
        image: Some(input.image.id.clone()),
        entrypoint: Some(vec![BINARY_IN_CONTAINER.into()]),
        cmd: Some(shim_command(&shim)),
        working_dir: Some(workdir(input).to_string_lossy().into_owned()),
        labels: Some(labels),
        // It would run unsupervised, started by the engine behind the gate's back.
        healthcheck: Some(HealthConfig { test: Some(vec!["NONE".into()]), ..Default::default() }),
        host_config: Some(host_config),
        ..Default::default()
    };
    if input.image.settings.has_healthcheck {
        notes.push(
            "the image's HEALTHCHECK is not run: the engine would start it outside the supervision".into(),
        );
    }
    Ok(Workload { body, env: env.whole, notes })
}

/// As `docker run` puts them together: `--entrypoint` replaces the image's, and its CMD goes with it.
fn command(spec: &SandboxSpec, image: &Image) -> Result<Vec<String>, WorkloadError> {
    let own = &image.settings;
    let mut command = match &spec.entrypoint {
        Some(replaced) if replaced.is_empty() => Vec::new(),
        Some(replaced) => vec![replaced.clone()],
        None => own.entrypoint.clone(),
    };
    match (&spec.entrypoint, spec.command.as_slice()) {
        (None, []) => command.extend(own.cmd.iter().cloned()),
        (_, given) => command.extend(given.iter().cloned()),
    }
    if command.first().is_some_and(|program| !program.is_empty()) {
        return Ok(command);
    }
    Err(match spec.policy.sandbox.image {
        ImageChoice::Host => WorkloadError::NoCommand,
        ImageChoice::Reference(_) => WorkloadError::NoCommandInImage(image.reference.clone()),
    })
}

fn shim_command(shim: &ShimArgs) -> Vec<String> {
    let mut argv = vec!["__shim".to_owned()];
    argv.extend(shim.to_argv().into_iter().map(|arg| arg.to_string_lossy().into_owned()));
    argv
}

fn user(spec: &SandboxSpec) -> Option<String> {
    match spec.policy.sandbox.user {
        UserChoice::Invoker => Some(format!("{}:{}", spec.invoker.uid, spec.invoker.gid)),
        // The engine resolves the names that the image uses.
        UserChoice::Image => None,
        UserChoice::Ids { uid, gid: Some(gid) } => Some(format!("{uid}:{gid}")),
        UserChoice::Ids { uid, gid: None } => Some(uid.to_string()),
    }
}

/// Who owns the folders that are made for the workload; `None` where the image names its user in words.
pub(crate) fn owner(spec: &SandboxSpec, image: &Image) -> Option<(u32, u32)> {
    match spec.policy.sandbox.user {
        UserChoice::Invoker => Some((spec.invoker.uid, spec.invoker.gid)),
        UserChoice::Ids { uid, gid } => Some((uid, gid.unwrap_or(0))),
        UserChoice::Image => image.user,
    }
}

struct Environment {
    home: PathBuf,
    /// What we add to the image's.
    ours: BTreeMap<String, String>,
    whole: BTreeMap<String, String>,
}

impl Environment {
    fn of(input: &WorkloadInput<'_>) -> Result<Self, WorkloadError> {
        let spec = input.spec;
        let image = &input.image.settings.env;
        let home = home(spec)?;
        let mut ours = BTreeMap::new();
        ours.insert("HOME".to_owned(), home.to_string_lossy().into_owned());
        if !image.contains_key("PATH") {
            ours.insert("PATH".to_owned(), PATH.to_owned());
        }
        if spec.policy.sandbox.user == UserChoice::Invoker {
            ours.extend(["USER", "LOGNAME"].map(|key| (key.to_owned(), spec.invoker.name.clone())));
        }
        if spec.tty {
            ours.insert("TERM".to_owned(), "xterm".to_owned());
        }
        ours.extend(spec.env.clone());
        let mut whole = image.clone();
        whole.extend(ours.clone());
        Ok(Self { home, ours, whole })
    }
}

/// `-e HOME`, then the invoker's own; in an image with a home of its own, one beside it.
pub(crate) fn home(spec: &SandboxSpec) -> Result<PathBuf, WorkloadError> {
    let invoker = &spec.invoker.home;
    let host = matches!(spec.policy.sandbox.image, ImageChoice::Host);
    let theirs = spec.policy.sandbox.user == UserChoice::Invoker && invoker != Path::new(ROOT_HOME);
    let home = match spec.env.get("HOME") {
        Some(given) => PathBuf::from(given),
        // Accounts of services have no home to speak of.
        None if (host || theirs) && invoker != Path::new("/") => invoker.clone(),
        None => HOME_IN_IMAGE.into(),
    };
    mounts::inside(Origin::Home, &home).map_err(WorkloadError::Mount)
}

/// Every tmpfs, by its path, with its options: /tmp, $HOME, `--tmpfs`, and the image's volumes, which would
/// otherwise be folders on the host's disk without any limit.
fn tmpfs(
    input: &WorkloadInput<'_>,
    home: &Path,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<String, String>, WorkloadError> {
    let spec = input.spec;
    let sandbox = &spec.policy.sandbox;
    let owner = owner(spec, input.image);
    let private = |size: u64, mode: &str| match owner {
        Some((uid, gid)) => format!("{TMPFS},size={size},mode={mode},uid={uid},gid={gid}"),
        // Nobody else is in there; only that we can't name the owner.
        None => format!("{TMPFS},size={size},mode=1777"),
    };
    let mut taken: BTreeMap<PathBuf, String> =
        input.binds.iter().map(|bind| (bind.target.clone(), bind.origin.to_string())).collect();
    let mut made = BTreeMap::new();
    let mut add = |path: &Path, options: String, what: &str| {
        let text = path.to_string_lossy();
        if text.contains([':', ',']) {
            return Err(WorkloadError::TmpfsPath(text.into_owned()));
        }
        if let Some(first) = taken.insert(path.to_owned(), what.to_owned()) {
            return Err(WorkloadError::SameTarget {
                target: path.to_owned(),
                first,
                second: what.to_owned(),
            });
        }
        made.insert(text.into_owned(), options);
        Ok(())
    };

    for (path, options) in &spec.tmpfs {
        let path = mounts::inside(Origin::Tmpfs, path)?;
        add(&path, tmpfs_options(options, sandbox.tmp.bytes()), "--tmpfs")?;
    }
    let given =
        |path: &Path| spec.tmpfs.contains_key(path) || input.binds.iter().any(|bind| bind.target == path);
    if !given(Path::new("/tmp")) {
        add(Path::new("/tmp"), format!("{TMPFS},size={},mode=1777", sandbox.tmp.bytes()), "/tmp")?;
    }
    if !given(home) {
        add(home, private(sandbox.home.bytes(), "0700"), "$HOME")?;
        for between in folders_between(home, input.binds) {
            if !given(&between) {
                add(&between, private(sandbox.home.bytes(), "0755"), "a folder of $HOME")?;
            }
        }
    }
    for volume in &input.image.settings.volumes {
        if given(volume) || volume == home || volume == Path::new("/tmp") {
            continue;
        }
        add(volume, private(sandbox.tmp.bytes(), "0755"), "a VOLUME of the image")?;
        notes.push(format!(
            "the image's VOLUME {} is a tmpfs of at most {} here, empty at the start and gone at the end; its content \
             counts as memory",
            volume.display(),
            sandbox.tmp
        ));
    }
    mounts::check_points(made.keys().map(Path::new), input.binds)?;
    Ok(made)
}

const TMPFS: &str = "rw,nosuid,nodev,exec";

/// `--tmpfs PATH:OPTIONS`, with what the person left out. The last of two options counts, so theirs come after,
/// and what must hold comes last.
fn tmpfs_options(given: &str, size: u64) -> String {
    let sized = given.split(',').any(|option| option.starts_with("size="));
    let mut options = vec!["rw", "noexec"];
    options
        .extend(given.split(',').filter(|option| !option.is_empty() && !matches!(*option, "suid" | "dev")));
    options.extend(["nosuid", "nodev"]);
    let mut text = options.join(",");
    if !sized {
        text += &format!(",size={size}");
    }
    text
}

/// Where a bind lies deep in $HOME, the folders on the way are made by the engine, as root's. A tmpfs on each
/// makes them the workload's.
fn folders_between(home: &Path, binds: &[BindMount]) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = binds
        .iter()
        .filter(|bind| bind.target.starts_with(home))
        .flat_map(|bind| bind.target.ancestors().skip(1))
        .filter(|folder| folder.starts_with(home) && *folder != home)
        // Beneath another bind the folder is that bind's own.
        .filter(|folder| !binds.iter().any(|bind| folder.starts_with(&bind.target)))
        .map(Path::to_owned)
        .collect();
    folders.sort();
    folders.dedup();
    folders
}

/// `-w`, then the image's WORKDIR, then the workspace.
fn workdir(input: &WorkloadInput<'_>) -> PathBuf {
    let own = input.image.settings.workdir.as_deref().filter(|dir| *dir != Path::new("/"));
    match (&input.spec.workdir, own) {
        (Some(given), _) if given.is_absolute() => given.clone(),
        (Some(given), _) => input.workspace.join(given),
        (None, Some(own)) => own.to_owned(),
        (None, None) => input.workspace.to_owned(),
    }
}

fn ulimits(spec: &SandboxSpec) -> Result<Vec<ResourcesUlimits>, WorkloadError> {
    let limits = &spec.policy.limits;
    let files = signed(limits.open_files);
    let mut all: BTreeMap<&str, (i64, i64)> =
        [("core", (container::NO_CORE, container::NO_CORE)), ("nofile", (files, files))].into();
    for (name, soft, hard) in &limits.ulimits {
        if name == "core" {
            // Less than what is in force is no loosening; anything else is.
            if (*soft, *hard) != (0, 0) {
                return Err(WorkloadError::CoreDump);
            }
            continue;
        }
        all.insert(name, (signed(*soft), signed(*hard)));
    }
    Ok(all.into_iter().map(|(name, (soft, hard))| container::ulimit(name, soft, hard)).collect())
}

/// RLIM_INFINITY is -1 to the engine.
fn signed(n: u64) -> i64 {
    if n == u64::MAX { -1 } else { i64::try_from(n).unwrap_or(i64::MAX) }
}

/// The engine refuses more than the machine has; a limit above that holds by itself.
fn nano_cpus(millis: u32, cpus: u32) -> i64 {
    i64::from(millis).saturating_mul(1_000_000).min(i64::from(cpus).saturating_mul(1_000_000_000))
}

/// Before 1.42 the field was for Windows alone.
fn knows_console_size(facts: &EngineFacts) -> bool {
    (facts.api.major, facts.api.minor) >= (1, 42)
}

fn capability(capability: Capability) -> &'static str {
    match capability {
        Capability::Chown => "CAP_CHOWN",
        Capability::Fowner => "CAP_FOWNER",
        Capability::DacOverride => "CAP_DAC_OVERRIDE",
        Capability::Setuid => "CAP_SETUID",
        Capability::Setgid => "CAP_SETGID",
        Capability::NetBindService => "CAP_NET_BIND_SERVICE",
    }
}
