//! The workload's image: found or pulled, and what it says of how it wants to be run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bollard::errors::Error;
use bollard::models::{CreateImageInfo, ImageInspect};
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::TryStreamExt;

use super::engine::{Engine, EngineError};
use super::spec::PullPolicy;

/// What is known of an image before a container is made of it.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Image {
    /// As asked for.
    pub(crate) reference: String,
    /// Content address: the container is made from this, so that a tag that moves changes nothing.
    pub(crate) id: String,
    /// `repository@sha256:…`, where a registry gave it one.
    pub(crate) digest: Option<String>,
    pub(crate) settings: ImageSettings,
    /// Not on this machine: a dry run goes on without its settings.
    pub(crate) unknown: bool,
}

/// The image's own configuration, as far as creel honours it.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct ImageSettings {
    pub(crate) user: String,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) cmd: Vec<String>,
    pub(crate) workdir: Option<PathBuf>,
    pub(crate) volumes: Vec<PathBuf>,
    pub(crate) has_healthcheck: bool,
}

/// Why there is no image to run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImageError {
    #[error(
        "the image {0} is not on this machine, and --pull never forbids to fetch it: pull it (`docker pull {0}`), or \
         choose another image"
    )]
    Missing(String),
    #[error(
        "the image {reference} could not be pulled: {source}. Check the name, and `docker login` where it is private"
    )]
    Pull { reference: String, source: Error },
    #[error("the image {0} is for Windows: creel runs Linux images alone")]
    Windows(String),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// One step of a pull, for a progress bar.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PullProgress {
    /// A layer's id, or a tag.
    pub(crate) layer: Option<String>,
    pub(crate) status: String,
    pub(crate) current: Option<u64>,
    pub(crate) total: Option<u64>,
}

/// Finds `reference`, pulls it where `policy` says so, and reads its settings.
pub(crate) async fn obtain(
    engine: &Engine,
    reference: &str,
    policy: PullPolicy,
    progress: &(dyn Fn(PullProgress) + Sync),
) -> Result<Image, ImageError> {
    if policy != PullPolicy::Always
        && let Some(image) = find(engine, reference).await?
    {
        return Ok(image);
    }
    if policy == PullPolicy::Never {
        return Err(ImageError::Missing(reference.to_owned()));
    }
    pull(engine, reference, progress).await?;
    find(engine, reference).await?.ok_or_else(|| ImageError::Missing(reference.to_owned()))
}

/// `None`: not on this machine.
pub(crate) async fn find(engine: &Engine, reference: &str) -> Result<Option<Image>, ImageError> {
    match engine.docker().inspect_image(reference).await {
        Ok(found) if found.os.as_deref() == Some("windows") => Err(ImageError::Windows(reference.to_owned())),
        Ok(found) => Ok(Some(Image::from_inspect(reference, found))),
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
        Err(source) => Err(EngineError::Call { what: "look at the image", source }.into()),
    }
}

async fn pull(
    engine: &Engine,
    reference: &str,
    progress: &(dyn Fn(PullProgress) + Sync),
) -> Result<(), ImageError> {
    let options = CreateImageOptionsBuilder::new().from_image(&with_tag(reference)).build();
    let steps = engine.docker().create_image(Some(options), None, None);
    let told = steps.try_for_each(|step| async {
        progress(PullProgress::from(step));
        Ok(())
    });
    told.await.map_err(|source| ImageError::Pull { reference: reference.to_owned(), source })
}

/// The engine takes a bare name for "every tag"; docker's client means `latest`, and so do we.
fn with_tag(reference: &str) -> String {
    let last = reference.rsplit('/').next().unwrap_or(reference);
    if last.contains([':', '@']) { reference.to_owned() } else { format!("{reference}:latest") }
}

impl From<CreateImageInfo> for PullProgress {
    fn from(step: CreateImageInfo) -> Self {
        let positive = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok());
        let detail = step.progress_detail.unwrap_or_default();
        Self {
            layer: step.id,
            status: step.status.unwrap_or_default(),
            current: positive(detail.current),
            total: positive(detail.total),
        }
    }
}

impl Image {
    fn from_inspect(reference: &str, found: ImageInspect) -> Self {
        let config = found.config.unwrap_or_default();
        let env = config.env.unwrap_or_default();
        let split = |pair: &String| pair.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()));
        let mut volumes: Vec<PathBuf> =
            config.volumes.unwrap_or_default().into_iter().map(PathBuf::from).collect();
        volumes.sort();
        Self {
            reference: reference.to_owned(),
            id: found.id.unwrap_or_else(|| reference.to_owned()),
            digest: found.repo_digests.unwrap_or_default().into_iter().next(),
            settings: ImageSettings {
                user: config.user.unwrap_or_default(),
                env: env.iter().filter_map(split).collect(),
                entrypoint: config.entrypoint.unwrap_or_default(),
                cmd: config.cmd.unwrap_or_default(),
                workdir: config.working_dir.filter(|dir| !dir.is_empty()).map(PathBuf::from),
                volumes,
                has_healthcheck: config.healthcheck.is_some(),
            },
            unknown: false,
        }
    }
}

impl From<PullProgress> for crate::wire::Progress {
    fn from(step: PullProgress) -> Self {
        Self { step: step.status, layer: step.layer, current: step.current, total: step.total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_means_latest() {
        for (given, asked) in [
            ("debian", "debian:latest"),
            ("localhost:5000/x", "localhost:5000/x:latest"),
            ("debian:12", "debian:12"),
            ("a/b@sha256:00", "a/b@sha256:00"),
        ] {
            assert_eq!(with_tag(given), asked);
        }
    }
}
