//! `creel logs`: what a sandbox's command printed.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use jiff::Timestamp;

use super::context::{adopt_orphans, block_on, engine, paths, raw};
use super::stream::{Channel, Frames, StdoutWriter};
use crate::monitor::client::ConnectError;
use crate::monitor::state::StateDir;
use crate::names::SandboxName;

/// Show what a sandbox's command printed
///
/// Its stdout goes to stdout, its stderr to stderr. What was run is in creel audit.
#[derive(Args, Debug)]
pub(crate) struct LogsArgs {
    /// Go on with what it prints from now on
    #[arg(short, long)]
    follow: bool,

    /// The last lines alone
    #[arg(short = 'n', long, value_name = "LINES", value_parser = tail)]
    tail: Option<u32>,

    /// What was printed since then: 10m, 2026-11-25T04:00:00Z
    #[arg(long, value_name = "TIME", value_parser = point_in_time)]
    since: Option<Timestamp>,

    /// What was printed before then
    #[arg(long, value_name = "TIME", value_parser = point_in_time)]
    until: Option<Timestamp>,

    /// Each line with its time
    #[arg(short, long)]
    timestamps: bool,

    /// The sandbox
    name: SandboxName,
}

pub(crate) fn run(args: LogsArgs) -> Result<ExitCode> {
    let paths = paths()?;
    block_on(async {
        adopt_orphans(&paths);
        let dir = StateDir::of(&paths, &args.name);
        if !dir.exists() {
            return Err(ConnectError::NoSuch(args.name).into());
        }
        let spec = dir.spec()?;
        let container = dir.state()?.workload.context("the sandbox has not been started yet")?;
        let body = raw(&engine().await?).logs(&container, &query(&args)).await?;
        print(body, spec.tty).await
    })?;
    Ok(ExitCode::SUCCESS)
}

fn query(args: &LogsArgs) -> String {
    let mut query = format!(
        "stdout=1&stderr=1&follow={}&timestamps={}&tail={}",
        u8::from(args.follow),
        u8::from(args.timestamps),
        args.tail.map_or_else(|| "all".to_owned(), |lines| lines.to_string())
    );
    for (key, time) in [("since", args.since), ("until", args.until)] {
        if let Some(time) = time {
            query.push_str(&format!("&{key}={}.{:09}", time.as_second(), time.subsec_nanosecond()));
        }
    }
    query
}

async fn print(mut body: Incoming, tty: bool) -> Result<()> {
    let out = StdoutWriter::start().context("could not start a thread for our output")?;
    let mut frames = Frames::default();
    'reading: while let Some(frame) = body.frame().await {
        let Ok(mut bytes) = frame.context("the engine's stream broke")?.into_data() else { continue };
        if tty {
            if !out.write(Channel::Stdout, bytes).await {
                break;
            }
            continue;
        }
        while let Some((channel, piece)) = frames.next(&mut bytes)? {
            if !out.write(channel, piece).await {
                break 'reading;
            }
        }
    }
    Ok(out.finish().await?)
}

fn tail(text: &str) -> Result<u32, String> {
    // docker's word for no limit is the default here.
    text.parse().map_err(|_| format!("“{text}” is no number of lines"))
}

/// An age (`90s`, `2h`), a time (RFC 3339), or seconds since the epoch.
fn point_in_time(text: &str) -> Result<Timestamp, String> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_second(seconds).map_err(|e| e.to_string());
    }
    if let Ok(age) = humantime::parse_duration(text) {
        return Timestamp::now().checked_sub(age).map_err(|e| e.to_string());
    }
    text.parse()
        .map_err(|_| format!("“{text}” is no time: write an age such as 10m, or 2026-11-25T04:00:00Z"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times() {
        assert_eq!(point_in_time("1700000000"), Ok(Timestamp::from_second(1_700_000_000).expect("a time")));
        assert!(point_in_time("10m").is_ok_and(|time| time < Timestamp::now()));
        assert!(point_in_time("2026-11-25T04:00:00Z").is_ok());
        assert!(point_in_time("yesterday").is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = point_in_time(&text);
        }
    }
}
