//! `creel kill`: a signal for the sandbox's command.

use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Result, bail};
use clap::Args;
use nix::sys::signal::Signal;

use super::several::for_each;
use crate::monitor::client;
use crate::names::SandboxName;
use crate::paths::Paths;
use crate::wire::{ClientRequest, MonitorEvent};

/// Send a signal to the command of running sandboxes
#[derive(Args, Debug)]
pub(crate) struct KillArgs {
    /// The signal, by name or number
    #[arg(short, long, value_name = "SIGNAL", default_value = "KILL", value_parser = signal)]
    signal: i32,

    /// The sandboxes
    #[arg(required = true, value_name = "NAME")]
    names: Vec<SandboxName>,
}

pub(crate) fn run(args: KillArgs) -> Result<ExitCode> {
    for_each(&args.names, async |paths, name| kill(paths, name, args.signal).await)
}

async fn kill(paths: &Paths, name: &SandboxName, signal: i32) -> Result<()> {
    let mut connection = client::connect(name, paths).await?;
    connection.send(&ClientRequest::Kill { signal }).await?;
    loop {
        match connection.recv().await? {
            Some(MonitorEvent::Ok | MonitorEvent::Exited { .. }) => return Ok(()),
            Some(MonitorEvent::Failed { message, .. }) => bail!("{message}"),
            Some(_) => {}
            None => bail!("sandbox {name} ended before the signal was sent"),
        }
    }
}

/// `KILL`, `SIGKILL`, `kill`, `9`, `RTMIN+3`.
fn signal(text: &str) -> Result<i32, String> {
    let bad = || format!("“{text}” is no signal: give a name such as TERM, or a number from 1 to 64");
    if let Ok(number) = text.parse::<i32>() {
        return if (1..=64).contains(&number) { Ok(number) } else { Err(bad()) };
    }
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    if let Some(offset) = name.strip_prefix("RTMIN") {
        // The kernel's first real-time signals are the C library's own.
        let offset =
            if offset.is_empty() { Some(0) } else { offset.strip_prefix('+').and_then(|n| n.parse().ok()) };
        return offset
            .filter(|offset| (0..=30).contains(offset))
            .map(|offset: i32| 34 + offset)
            .ok_or_else(bad);
    }
    Signal::from_str(&format!("SIG{name}")).map(|signal| signal as i32).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_by_any_name() {
        for (text, number) in [("KILL", 9), ("sigterm", 15), ("9", 9), ("SIGRTMIN+1", 35), ("winch", 28)] {
            assert_eq!(signal(text), Ok(number), "{text}");
        }
        for bad in ["", "0", "-9", "65", "NOPE", "RTMIN+x", "RTMIN+99", "SIG"] {
            assert!(signal(bad).is_err(), "{bad}");
        }
    }
}
