//! Landlock: files are opened for writing beneath the writable mounts and /dev alone. Mounts say the same; what
//! this adds is /proc, where /proc/PID/mem would let one process rewrite another after its exec was checked.
//!
//! REFER goes with it: a domain that does not handle it refuses every rename and link across folders.

use std::path::Path;

use anyhow::{Context, Result, bail};
use landlock::{
    AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr,
};

use crate::sys::probe;
use crate::wire::ShimArgs;

/// REFER came with the second version of the interface (Linux 5.19).
const LEAST_ABI: u32 = 2;

pub(super) fn restrict(args: &ShimArgs) -> Result<()> {
    match probe::landlock_abi() {
        Ok(abi) if abi >= LEAST_ABI => {}
        _ if args.landlock_optional => return Ok(()),
        Ok(_) | Err(_) => bail!("this kernel's Landlock is too old or off (`creel doctor` tells more)"),
    }
    let handled = AccessFs::WriteFile | AccessFs::Refer;
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(handled)
        .and_then(Ruleset::create)
        .context("could not make a Landlock ruleset")?;
    for path in args.writable.iter().map(std::path::PathBuf::as_path).chain([Path::new("/dev")]) {
        ruleset = grant(ruleset, path, handled)
            .with_context(|| format!("could not grant writing beneath {}", path.display()))?;
    }
    ruleset.restrict_self().context("could not enter the Landlock domain")?;
    Ok(())
}

fn grant(ruleset: RulesetCreated, path: &Path, handled: BitFlags<AccessFs>) -> Result<RulesetCreated> {
    // A mount may be a single file, to which only what is done to files can be granted.
    let access = if std::fs::metadata(path)?.is_dir() { handled } else { AccessFs::WriteFile.into() };
    Ok(ruleset.add_rule(PathBeneath::new(PathFd::new(path)?, access))?)
}
