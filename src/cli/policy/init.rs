use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::cli::context::paths;
use crate::policy::{check_file, presets, trust};

/// Write a creel.toml to start from, and trust it
#[derive(Args, Debug)]
pub(super) struct InitArgs {
    /// The preset that it goes on from
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,

    /// Replace a file that is there
    #[arg(long)]
    force: bool,

    /// The file to write
    #[arg(default_value = "creel.toml")]
    file: PathBuf,
}

pub(super) fn run(args: &InitArgs) -> Result<ExitCode> {
    let extends = match &args.preset {
        None => "extends = []                # presets or files to go on from: [\"claude-code\"]".to_owned(),
        Some(name) if presets::PRESETS.iter().any(|preset| preset.name == name) => {
            format!("extends = [\"{name}\"]")
        }
        Some(name) => bail!("there is no preset “{}”: choose from {}", name.escape_debug(), presets::names()),
    };
    let shown = args.file.display();
    let mut options = OpenOptions::new();
    options.write(true);
    let options = if args.force { options.create(true).truncate(true) } else { options.create_new(true) };
    let mut file = match options.open(&args.file) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            bail!("{shown} is there already; --force replaces it")
        }
        Err(e) => return Err(e).with_context(|| format!("could not write {shown}")),
    };
    file.write_all(template(&extends).as_bytes()).with_context(|| format!("could not write {shown}"))?;
    // Who writes it here has it before their eyes.
    let subject = check_file(&args.file, &super::request::current_folder()?)?;
    trust::agree(&paths()?, &subject)?;
    writeln!(
        std::io::stdout(),
        "wrote {shown}, which is trusted as it is; after you change it: creel policy trust"
    )?;
    Ok(ExitCode::SUCCESS)
}

fn template(extends: &str) -> String {
    format!(
        "# What sandboxes in this folder may do. All keys: `creel policy schema`.\n\
         # What is in force, and why: `creel policy show`. In words: `creel policy explain`.\n\
         version = 1\n\
         {extends}\n\
         \n\
         [sandbox]\n\
         # read_only_paths = [\"~/.nvm\"]   # more of this machine's tools\n\
         \n\
         [limits]\n\
         # memory = \"4GiB\"\n\
         # cpus = 2\n\
         # time = \"2h\"\n\
         \n\
         # [[commands.rule]]\n\
         # id = \"no-prod\"\n\
         # program = \"kubectl\"\n\
         # args = [\"--context=prod*\"]\n\
         # verdict = \"deny\"\n\
         # reason = \"production is off limits\"\n"
    )
}
