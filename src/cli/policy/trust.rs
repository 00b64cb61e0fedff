use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::request::current_folder;
use crate::cli::context::paths;
use crate::policy::trust::{self, Trusted};
use crate::policy::{Found, check_file};
use crate::visible;

/// Agree to a policy that lies in a project
///
/// A creel.toml that is found, rather than named, counts only once you have said so: it may have come with the
/// project. What you agree to is what it says now, with every file that it extends; when a byte of that changes,
/// you are asked again.
#[derive(Args, Debug)]
pub(super) struct TrustArgs {
    /// The policy file [default: the one found from here upwards]
    file: Option<PathBuf>,

    /// Trust it no more
    #[arg(long, conflicts_with = "list")]
    revoke: bool,

    /// Print the files that are trusted
    #[arg(long, conflicts_with = "file")]
    list: bool,
}

pub(super) fn run(args: &TrustArgs) -> Result<ExitCode> {
    let paths = paths()?;
    let mut out = std::io::stdout().lock();
    if args.list {
        for file in Trusted::read(&paths)?.policies.keys() {
            writeln!(out, "{}", visible::visible(file.as_bytes()))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let cwd = current_folder()?;
    let file = match &args.file {
        Some(file) => file.clone(),
        None => match Found::above(&cwd) {
            Found::File(file) => file,
            Found::Nothing => bail!("there is no creel.toml in this folder or above it"),
        },
    };
    if args.revoke {
        // A file that has gone may be forgotten too.
        let real = cwd.join(&file).canonicalize().unwrap_or_else(|_| cwd.join(&file));
        if !trust::revoke(&paths, &real)? {
            bail!("{} was not trusted", shown(&real));
        }
        writeln!(out, "{} is trusted no more", shown(&real))?;
        return Ok(ExitCode::SUCCESS);
    }
    let subject = check_file(&file, &cwd).context("only a valid policy can be trusted")?;
    trust::agree(&paths, &subject)?;
    writeln!(out, "{} is trusted as it is now", shown(&subject.file))?;
    Ok(ExitCode::SUCCESS)
}

fn shown(file: &Path) -> String {
    visible::visible(file.as_os_str().as_encoded_bytes())
}
