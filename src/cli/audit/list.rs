//! The records, one a line.

use std::io::{IsTerminal, Write, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;

use super::AuditArgs;
use super::render::{self, Style};
use crate::audit::search::{Found, Logs};
use crate::cli::failure::say;

/// Between looks at logs that are followed.
const PAUSE: Duration = Duration::from_millis(100);
/// Looks between those for new sandboxes.
const TAKE_UP_EVERY: u32 = 5;
/// A command's width, unless all of it is wanted.
const COMMAND_WIDTH: usize = 120;

pub(super) fn print(args: &AuditArgs, dir: &Path) -> Result<ExitCode> {
    let style = Style {
        on_terminal: stdout().is_terminal(),
        width: if args.no_trunc { usize::MAX } else { COMMAND_WIDTH },
    };
    let mut logs = Logs::open(dir, &args.filter.sandbox, args.filter.filter())?;
    if logs.names().next().is_none() && !args.follow {
        say("there is no audit log yet; creel run -- COMMAND makes one");
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = std::io::BufWriter::new(stdout().lock());
    let show = |found: &Found, out: &mut dyn Write| -> Result<()> {
        if args.json {
            out.write_all(&found.line)?;
            out.write_all(b"\n")?;
        } else {
            writeln!(out, "{}", render::line(&found.record, style))?;
        }
        Ok(())
    };
    if let Some(count) = args.tail {
        for found in logs.last(count)? {
            show(&found, &mut out)?;
        }
    }
    // After the last ones, only new ones come.
    if args.tail.is_none() || args.follow {
        while let Some(found) = logs.next()? {
            show(&found, &mut out)?;
        }
    }
    out.flush()?;
    if args.follow {
        for look in 1_u32.. {
            std::thread::sleep(PAUSE);
            if look.is_multiple_of(TAKE_UP_EVERY) {
                logs.take_up()?;
            }
            while let Some(found) = logs.next()? {
                show(&found, &mut out)?;
            }
            out.flush()?;
        }
    }
    if logs.bad() > 0 {
        say(&format!("{} lines are no records; creel audit verify tells which", logs.bad()));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
