//! One record as one line for a person.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::audit::line::Record;
use crate::audit::record::{Event, Exec, Outcome, RunEnd, RunStart};
use crate::cli::failure::colour_wanted;
use crate::policy::size::ByteSize;
use crate::visible;

/// How lines look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) on_terminal: bool,
    /// The most of a command that is shown, in characters.
    pub(super) width: usize,
}

/// `2026-11-25 03:00:00  quiet-otter  deny  rm -rf /  (rule …: …)`
pub(super) fn line(record: &Record, style: Style) -> String {
    let (word, text) = match &record.entry.event {
        Event::Exec(exec) => {
            (record.entry.outcome.name(), self::exec(exec, record.entry.rule.as_deref(), style))
        }
        Event::RunStart(start) => ("start", self::start(start, style)),
        Event::RunEnd(end) => ("end", self::end(end)),
        Event::Gap(gap) => {
            let reason = visible::visible(gap.reason.as_bytes());
            let count = gap.count.map(|count| format!("{count} missing: ")).unwrap_or_default();
            ("gap", format!("{count}{reason}"))
        }
    };
    let (begin, end) = colour(&record.entry.event, record.entry.outcome, style.on_terminal);
    format!("{}  {}  {begin}{word:<5}{end}  {text}", time(record.entry.ts_us), record.head.sandbox)
}

/// Local time, to the second.
pub(super) fn time(us: u64) -> String {
    let at = i64::try_from(us).ok().and_then(|us| Timestamp::from_microsecond(us).ok());
    at.map_or_else(
        || "?".to_owned(),
        |at| at.to_zoned_datetime(TimeZone::system()).strftime("%F %T").to_string(),
    )
}

fn colour(event: &Event, outcome: Outcome, on_terminal: bool) -> (&'static str, &'static str) {
    if !on_terminal || !colour_wanted() {
        return ("", "");
    }
    match (event, outcome) {
        (_, Outcome::Deny) | (Event::Gap(_), _) => ("\x1b[31m", "\x1b[0m"),
        (Event::RunStart(_) | Event::RunEnd(_), _) => ("\x1b[1m", "\x1b[0m"),
        _ => ("\x1b[32m", "\x1b[0m"),
    }
}

fn exec(exec: &Exec, rule: Option<&str>, style: Style) -> String {
    let mut text = shortened(&visible::command(&exec.argv), style.width);
    // A script's or a link's argv need not say what file ran.
    let shown = exec.argv.first().map(|arg| arg.0.as_slice()).unwrap_or_default();
    let name = |path: &[u8]| path.rsplit(|&byte| byte == b'/').next().map(<[u8]>::to_vec).unwrap_or_default();
    if name(shown) != name(&exec.exe.0) {
        text += &format!("  [{}]", visible::visible(&exec.exe.0));
    }
    let changed: Vec<_> = exec.env.iter().map(|(name, _)| visible::visible(&name.0)).collect();
    if !changed.is_empty() {
        text += &format!("  {{{}}}", changed.join(" "));
    }
    match (rule, &exec.reason) {
        (Some(rule), Some(reason)) => text += &format!("  ({rule}: {})", visible::visible(reason.as_bytes())),
        (Some(rule), None) => text += &format!("  ({rule})"),
        (None, Some(reason)) => text += &format!("  ({})", visible::visible(reason.as_bytes())),
        (None, None) => {}
    }
    text
}

fn start(start: &RunStart, style: Style) -> String {
    let image = visible::visible(start.image.as_bytes());
    format!("{}  [image {image}]", shortened(&visible::command(&start.argv), style.width))
}

/// `exit code 0, 12.3 s, 4 execs, 3.1MiB of memory at most, 0.2 s of CPU time`
pub(super) fn end(end: &RunEnd) -> String {
    let mut text =
        format!("{}, exit code {}, {} s", end.cause.name(), end.exit_code, seconds(end.wall_ms * 1000));
    text += &format!(", {} commands", end.execs);
    if let Some(peak) = end.memory_peak {
        text += &format!(", at most {} of memory", rounded(peak));
    }
    if let Some(cpu) = end.cpu_us {
        text += &format!(", {} s of CPU time", seconds(cpu));
    }
    if let Some(kills) = end.oom_kills {
        text += &format!(", {kills} killed for want of memory");
    }
    if let Some(denied) = end.pids_denied {
        text += &format!(", {denied} forks over the limit");
    }
    if let Some(message) = &end.message {
        text += &format!(": {}", visible::visible(message.as_bytes()));
    }
    text
}

fn seconds(us: u64) -> String {
    format!("{}.{}", us / 1_000_000, us / 100_000 % 10)
}

fn rounded(bytes: u64) -> String {
    if bytes < 1 << 20 {
        ByteSize(bytes >> 10 << 10).to_string()
    } else {
        ByteSize(bytes >> 20 << 20).to_string()
    }
}

/// A command that a person may read through.
pub(super) fn shortened(command: &str, width: usize) -> String {
    if command.chars().count() <= width {
        return command.to_owned();
    }
    command.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}
