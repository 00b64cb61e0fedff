//! The options of `creel run` as the policy's topmost layer: each is a key, and is checked as any other.

use anyhow::Result;

use super::args::RunArgs;
use super::env::{self, HostEnv};
use super::mounts;
use crate::cli::failure::say;
use crate::policy::env::looks_secret;
use crate::policy::{CommandLine, Resolved};

/// The policy that this run is under.
pub(super) fn resolve(args: &RunArgs, host: &HostEnv) -> Result<Resolved> {
    let command = args.command.first().map(String::as_str);
    let mut resolved = args.policy.resolve_with(None, command, command_line(args, host)?)?;
    for option in &args.limits.ulimit {
        resolved.policy.limits.ulimits.push(mounts::ulimit(option)?);
    }
    Ok(resolved)
}

fn command_line(args: &RunArgs, host: &HostEnv) -> Result<CommandLine> {
    let mut line = CommandLine::default();
    args.policy.set.iter().for_each(|set| line.set(set));
    let (inside, limits) = (&args.inside, &args.limits);
    let texts = [
        ("--image", "sandbox.image", inside.image.clone()),
        ("--user", "sandbox.user", inside.user.clone()),
        ("--memory", "limits.memory", limits.memory.map(|size| size.to_string())),
        ("--shm-size", "sandbox.shm", limits.shm_size.map(|size| size.to_string())),
    ];
    for (option, key, value) in texts {
        if let Some(value) = value {
            line.option(option, key, value);
        }
    }
    if let Some(cpus) = limits.cpus {
        line.option("--cpus", "limits.cpus", cpus);
    }
    if let Some(processes) = limits.pids_limit {
        line.option("--pids-limit", "limits.processes", i64::from(processes));
    }
    Ok(line).inspect(|_| note_secrets(args, host))
}

/// Who names a variable on the command line means it; that it is safe nowhere is still worth a line.
fn note_secrets(args: &RunArgs, host: &HostEnv) {
    let given = args.inside.env.iter().filter_map(|option| env::option(option, host).ok().flatten());
    let secret: Vec<String> = given.map(|(name, _)| name).filter(|name| looks_secret(name)).collect();
    if !secret.is_empty() {
        say(&format!("{} can be read, and sent on, by everything in the sandbox", secret.join(", ")));
    }
}
