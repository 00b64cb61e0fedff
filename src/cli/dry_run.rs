//! `creel run --dry-run`: what would be asked of the engine, as docker commands.

use std::io::{Write, stdout};
use std::process::ExitCode;

use anyhow::Result;

use super::context::{block_on, engine};
use crate::paths::Paths;
use crate::sandbox::spec::SandboxSpec;
use crate::sandbox::{docker_line, plan};

/// Nothing is made, pulled or written.
pub(crate) fn print(spec: &SandboxSpec, paths: &Paths, json: bool) -> Result<ExitCode> {
    block_on(async {
        let engine = engine().await?;
        let plan = plan::preview(&engine, spec, paths).await?;
        if json {
            let container = |container: &plan::ContainerPlan| serde_json::json!({ "name": container.name, "body": container.body });
            let object = serde_json::json!({
                "gate": container(&plan.gate),
                "workload": container(&plan.workload),
                "notes": plan.notes,
                "unenforced": plan.unenforced,
            });
            writeln!(stdout(), "{object}")?;
        } else {
            write!(stdout(), "{}", docker_line::render(&plan)?)?;
        }
        Ok(ExitCode::SUCCESS)
    })
}
