//! The plan of one run: everything that will be asked of the engine, before anything is.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use bollard::models::ContainerCreateBody;

use super::base_image::BaseImage;
use super::binary::PrivateBinary;
use super::container::Role;
use super::engine::{Engine, EngineError};
use super::facts::EngineFacts;
use super::gate::{self, GateInput};
use super::host_image::{self, EtcTree};
use super::image::{self, Image, ImageError, PullProgress};
use super::image_user;
use super::installation::Installation;
use super::mounts::{self, BindMount, MountError, MountTable, Protected, Surroundings};
use super::private;
use super::requirements::{self, KernelFacts, Unenforceable};
use super::spec::{PullPolicy, SandboxSpec};
use super::workload::{self, WorkloadError, WorkloadInput};
use crate::paths::Paths;
use crate::policy::model::{ImageChoice, UserChoice};

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error(transparent)]
    Mount(#[from] MountError),
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    #[error("{}", requirements::refusal(.0))]
    Unenforceable(Vec<Unenforceable>),
    #[error("creel could not {what}: {source}")]
    Files { what: &'static str, source: io::Error },
}

fn files(what: &'static str) -> impl FnOnce(io::Error) -> PlanError {
    move |source| PlanError::Files { what, source }
}

/// A container that will be made.
#[derive(Clone, Debug)]
pub(crate) struct ContainerPlan {
    pub(crate) name: String,
    pub(crate) body: ContainerCreateBody,
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) gate: ContainerPlan,
    pub(crate) workload: ContainerPlan,
    /// The workload's environment at its start.
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) image: Image,
    pub(crate) facts: EngineFacts,
    /// What a person should know, a sentence each.
    pub(crate) notes: Vec<String>,
    /// What `best_effort` lets go unenforced.
    pub(crate) unenforced: Vec<Unenforceable>,
    pub(super) base: BaseImage,
    pub(super) binds: Vec<BindMount>,
    binary: PrivateBinary,
    etc: Option<EtcTree>,
    gate_dir: PathBuf,
}

/// What may happen to an image that is not on this machine.
pub(crate) enum Missing<'a> {
    Pull(&'a (dyn Fn(PullProgress) + Sync)),
    /// For `--dry-run`: go on without knowing what it says of itself.
    Tolerate,
}

impl Plan {
    /// The command that the shim will run.
    pub(crate) fn command(&self) -> &[String] {
        let argv = self.workload.body.cmd.as_deref().unwrap_or_default();
        argv.iter().position(|arg| arg == "--").and_then(|end| argv.get(end + 1..)).unwrap_or_default()
    }

    /// Asks the engine what it is and has; changes nothing but for a pull that `missing` allows.
    pub(crate) async fn draw(
        engine: &Engine,
        spec: &SandboxSpec,
        paths: &Paths,
        installation: &Installation,
        missing: Missing<'_>,
    ) -> Result<Self, PlanError> {
        let pulls = matches!(missing, Missing::Pull(_));
        let base = BaseImage::for_host().map_err(files("describe its base image"))?;
        let (facts, image) = tokio::join!(engine.facts(), find_image(engine, spec, &base, missing));
        let (facts, mut image) = (facts?, image?);
        let unenforceable = requirements::unenforceable(&spec.policy, &facts, &KernelFacts::read());
        let (unenforced, refused): (Vec<_>, Vec<_>) = unenforceable
            .into_iter()
            .partition(|line| line.optional && spec.policy.sandbox.best_effort.contains(&line.line));
        if !refused.is_empty() {
            return Err(PlanError::Unenforceable(refused));
        }

        let labels = |role: Role| role.labels(&spec.name, spec.run, installation.as_str());
        if pulls && image.user.is_none() && spec.policy.sandbox.user == UserChoice::Image {
            let name = Role::Probe.container_name(&spec.name, spec.run);
            image.user = image_user::by_name(engine, &image, &name, labels(Role::Probe)).await?;
        }
        let binary = PrivateBinary::of_this_process(paths).map_err(files("look at its own binary"))?;
        let gate_dir = paths.run_of(&spec.name).join("gate");
        let workspace = mounts::workspace_target(spec)?;
        let binds = binds(engine, spec, paths, &facts)?;
        let etc = match spec.policy.sandbox.image {
            ImageChoice::Host => {
                let home = workload::home(spec)?;
                let points = mount_points_in_etc(&binds, spec);
                let tree = EtcTree::survey(paths, spec, &home, &points);
                Some(tree.map_err(files("look through /etc"))?)
            }
            ImageChoice::Reference(_) => None,
        };
        let gate_name = Role::Gate.container_name(&spec.name, spec.run);
        let gate = gate::body(GateInput {
            facts: &facts,
            image: base.reference(),
            hostname: spec.name.as_str(),
            runtime: &spec.policy.sandbox.runtime,
            labels: labels(Role::Gate),
            binary: &binary.path,
            run_dir: &gate_dir,
            workload_user: workload::owner(spec, &image).map(|(uid, _)| uid),
        });
        let workload = workload::describe(&WorkloadInput {
            spec,
            facts: &facts,
            image: &image,
            gate: &gate_name,
            labels: labels(Role::Workload),
            binary: &binary.path,
            etc: etc.as_ref().map(|etc| etc.path.as_path()),
            binds: &binds,
            workspace: &workspace,
        })?;
        let mut notes = workload.notes;
        if facts.selinux {
            notes.push("SELinux: both containers run with label=disable, since its policy keeps them from the monitor".into());
        }
        notes.extend(
            unenforced.iter().map(|line| format!("not enforced, as sandbox.best_effort allows: {line}")),
        );
        Ok(Self {
            gate: ContainerPlan { name: gate_name, body: gate },
            workload: ContainerPlan {
                name: Role::Workload.container_name(&spec.name, spec.run),
                body: workload.body,
            },
            env: workload.env,
            image,
            facts,
            notes,
            unenforced,
            base,
            binds,
            binary,
            etc,
            gate_dir,
        })
    }

    /// Puts on disk what the containers mount.
    pub(crate) fn lay_out(&self, spec: &SandboxSpec, paths: &Paths) -> Result<(), PlanError> {
        self.binary.install(paths, &spec.name).map_err(files("copy its binary for the containers"))?;
        if let Some(etc) = &self.etc {
            etc.install(paths, &spec.name).map_err(files("make the /etc of image = \"host\""))?;
        }
        open_gate_dir(&self.gate_dir).map_err(files("make the gate's folder"))
    }
}

/// Draws the plan, pulls a missing image as the spec says, and puts everything on disk: what is left to do is
/// the engine's.
pub(crate) async fn prepare(
    engine: &Engine,
    spec: &SandboxSpec,
    paths: &Paths,
    progress: &(dyn Fn(PullProgress) + Sync),
) -> Result<Plan, PlanError> {
    let installation = Installation::keep(paths).map_err(files("keep its installation id"))?;
    let plan = Plan::draw(engine, spec, paths, &installation, Missing::Pull(progress)).await?;
    plan.lay_out(spec, paths)?;
    Ok(plan)
}

async fn find_image(
    engine: &Engine,
    spec: &SandboxSpec,
    base: &BaseImage,
    missing: Missing<'_>,
) -> Result<Image, ImageError> {
    let reference = match &spec.policy.sandbox.image {
        ImageChoice::Host => {
            let id = base.reference();
            return Ok(Image { reference: "host".into(), id, user: Some((0, 0)), ..Default::default() });
        }
        ImageChoice::Reference(reference) => reference,
    };
    match missing {
        Missing::Pull(progress) => image::obtain(engine, reference, spec.pull, progress).await,
        Missing::Tolerate if spec.pull == PullPolicy::Never => {
            image::obtain(engine, reference, spec.pull, &|_| ()).await
        }
        Missing::Tolerate => Ok(image::find(engine, reference).await?.unwrap_or_else(|| Image {
            reference: reference.clone(),
            id: reference.clone(),
            unknown: true,
            ..Default::default()
        })),
    }
}

fn binds(
    engine: &Engine,
    spec: &SandboxSpec,
    paths: &Paths,
    facts: &EngineFacts,
) -> Result<Vec<BindMount>, PlanError> {
    let table = MountTable::read().map_err(MountError::Table)?;
    let root = Path::new(&facts.root_dir);
    let surroundings =
        Surroundings::new(paths, &spec.invoker.home, engine.socket(), root, |key| std::env::var_os(key));
    let protected = Protected::new(&surroundings, &table);
    let mut wishes = mounts::wishes(spec)?;
    if spec.policy.sandbox.image == ImageChoice::Host {
        wishes.extend(host_image::wishes());
    }
    Ok(mounts::resolve(wishes, &protected, &table)?)
}

/// What else is mounted below /etc needs its place in creel's tree.
fn mount_points_in_etc(binds: &[BindMount], spec: &SandboxSpec) -> Vec<host_image::MountPoint> {
    let in_etc = |path: &Path| path.strip_prefix("/etc").ok().map(Path::to_owned);
    let of_binds = binds.iter().filter_map(|bind| Some((in_etc(&bind.target)?, bind.source.is_dir())));
    let of_tmpfs = spec.tmpfs.keys().filter_map(|path| Some((in_etc(path)?, true)));
    of_binds.chain(of_tmpfs).collect()
}

/// Alone in being open to others: the gate has a uid of its own. What lies above it is not.
fn open_gate_dir(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    private::make_dir(dir)?;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o711)).map_err(|e| private::named(dir, &e))
}

/// The plan as `--dry-run` shows it: nothing is made, pulled or written.
pub(crate) async fn preview(engine: &Engine, spec: &SandboxSpec, paths: &Paths) -> Result<Plan, PlanError> {
    let installation = Installation::of(paths).map_err(files("read its installation id"))?;
    Plan::draw(engine, spec, paths, &installation, Missing::Tolerate).await
}
