//! What `creel run` takes: docker's spellings, and creel's own.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use super::refused::RefusedArgs;
use crate::cli::policy::PolicyOptions;
use crate::cli::stream::choice::StreamArgs;
use crate::names::SandboxName;
use crate::policy::size::ByteSize;
use crate::sandbox::spec::PullPolicy;

/// Run a command in a sandbox of its own
///
/// The command sees the current folder as /workspace, and the host's own tools unless --image names others. It
/// runs under the policy that --policy names, or the creel.toml found from here upwards once it is trusted, or
/// the preset made for the command. Options are the policy's last layer, and are checked as the rest is.
///
/// As a wrapper it is transparent: a terminal is passed on as one, pipes as pipes, signals and the exit code too.
/// A sandbox in the foreground is removed at its end; its audit log stays.
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) streams: StreamArgs,

    /// Run in the background, and print the sandbox's name
    #[arg(short, long)]
    pub(crate) detach: bool,

    /// Remove the sandbox when it ends; in the foreground that is always done
    #[arg(long)]
    pub(crate) rm: bool,

    /// The sandbox's name, and its host name [default: made up]
    #[arg(long)]
    pub(crate) name: Option<SandboxName>,

    /// Change nothing; print the docker commands that this run stands for
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// With --detach and --dry-run: print JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) policy: PolicyOptions,

    #[command(flatten)]
    pub(crate) inside: InsideOptions,

    #[command(flatten)]
    pub(crate) limits: LimitOptions,

    #[command(flatten)]
    pub(crate) refused: RefusedArgs,

    /// The command and its arguments; an image has one of its own
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Inside the sandbox")]
pub(crate) struct InsideOptions {
    /// The image, or “host” for the host's own tools
    #[arg(long, value_name = "IMAGE")]
    pub(crate) image: Option<String>,

    /// When to pull the image
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Pull::Missing)]
    pub(crate) pull: Pull,

    /// In place of the image's entrypoint; "" for none
    #[arg(long, value_name = "COMMAND")]
    pub(crate) entrypoint: Option<String>,

    /// Set a variable, or hand on the host's
    #[arg(short, long, value_name = "KEY[=VALUE]")]
    pub(crate) env: Vec<String>,

    /// Read variables from a file
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Vec<PathBuf>,

    /// Show a path of the host
    #[arg(short, long, value_name = "SOURCE:TARGET[:ro]")]
    pub(crate) volume: Vec<String>,

    /// Start in this folder of the sandbox
    #[arg(short, long, value_name = "DIR")]
    pub(crate) workdir: Option<PathBuf>,

    /// Run as this user, by number [default: you]
    #[arg(short, long, value_name = "UID[:GID]")]
    pub(crate) user: Option<String>,

    /// A memory file system
    #[arg(long, value_name = "PATH[:OPTIONS]")]
    pub(crate) tmpfs: Vec<String>,

    /// The network; “none” is what there is
    #[arg(long, alias = "net", value_name = "NETWORK")]
    pub(crate) network: Option<String>,

    /// Ports come with the network, in a later version
    #[arg(short, long, hide = true, action = ArgAction::Append)]
    pub(crate) publish: Vec<String>,

    /// A label for the sandbox's containers
    #[arg(short, long, value_name = "KEY[=VALUE]")]
    pub(crate) label: Vec<String>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitOptions {
    /// Memory, swap included
    #[arg(short, long, value_name = "SIZE")]
    pub(crate) memory: Option<ByteSize>,

    /// Processors
    #[arg(long, value_name = "NUMBER")]
    pub(crate) cpus: Option<f64>,

    /// Processes and threads
    #[arg(long, value_name = "NUMBER")]
    pub(crate) pids_limit: Option<u32>,

    /// Size of /dev/shm
    #[arg(long, value_name = "SIZE")]
    pub(crate) shm_size: Option<ByteSize>,

    /// A resource limit of every process
    #[arg(long, value_name = "NAME=SOFT[:HARD]")]
    pub(crate) ulimit: Vec<String>,
}

/// `--pull`, as docker names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pull {
    Always,
    Missing,
    Never,
}

impl From<Pull> for PullPolicy {
    fn from(pull: Pull) -> Self {
        match pull {
            Pull::Always => Self::Always,
            Pull::Missing => Self::Missing,
            Pull::Never => Self::Never,
        }
    }
}
