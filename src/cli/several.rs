//! Commands that do the same to several sandboxes: each is tried, each that worked is named on stdout, and one
//! that did not makes the exit code 1, as docker has it.

use std::io::{Write, stdout};
use std::process::ExitCode;

use anyhow::Result;

use super::context::{block_on, paths};
use super::failure::report;
use crate::names::SandboxName;
use crate::paths::Paths;

pub(crate) fn for_each(
    names: &[SandboxName],
    act: impl AsyncFn(&Paths, &SandboxName) -> Result<()>,
) -> Result<ExitCode> {
    let paths = paths()?;
    block_on(async {
        let mut code = ExitCode::SUCCESS;
        for name in names {
            match act(&paths, name).await {
                Ok(()) => writeln!(stdout(), "{name}")?,
                Err(e) => {
                    report(&e, 1);
                    code = ExitCode::FAILURE;
                }
            }
        }
        Ok(code)
    })
}
