//! One question, put to a person in a terminal of their own: nothing of the workload's is shown or typed there.

use std::io::{Write, stdout};

use anyhow::{Context, Result};
use dialoguer::Select;
use dialoguer::theme::SimpleTheme;

use super::open::Asked;
use crate::approval::Decision;
use crate::approval::render::{self, Field};

const CHOICES: [(&str, Option<Decision>); 7] = [
    ("No", Some(Decision::Deny)),
    ("Yes, this once", Some(Decision::Once)),
    ("Yes, and the same command until the sandbox ends", Some(Decision::Session)),
    ("Yes, and all that its rules are about until the sandbox ends", Some(Decision::Rule)),
    ("Yes, and the same command in every sandbox of mine", Some(Decision::Always)),
    ("No, and stop the sandbox", Some(Decision::DenyAndStop)),
    ("Show everything first", None),
];

/// Shows it, and takes the answer.
pub(super) fn ask(asked: &Asked) -> Result<Decision> {
    let mut out = stdout();
    let waiting = match asked.waiting {
        0 | 1 => String::new(),
        more => format!(" ({more} processes wait for it)"),
    };
    writeln!(out, "\n{} asks{waiting}:", asked.sandbox)?;
    print(&mut out, render::brief(&asked.question))?;
    loop {
        let items = CHOICES.map(|(text, _)| text);
        let chosen = Select::with_theme(&SimpleTheme)
            .with_prompt("May it run?")
            .items(items)
            .default(0)
            .interact()
            .context("no answer could be read")?;
        match CHOICES.get(chosen) {
            Some((_, Some(decision))) => return Ok(*decision),
            _ => print(&mut out, render::full(&asked.question))?,
        }
    }
}

fn print(out: &mut impl Write, fields: Vec<Field>) -> Result<()> {
    for Field { label, text } in fields {
        writeln!(out, "  {label:>9}  {text}")?;
    }
    Ok(())
}
