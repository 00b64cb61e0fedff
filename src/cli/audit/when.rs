//! Times as people give them: how long ago, a day, a time of it.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

/// Microseconds since the epoch. Without a zone, times are local.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    at(text, &ZonedDateTime::now())
}

fn at(text: &str, now: &ZonedDateTime) -> Result<u64, String> {
    let bad = || {
        format!("“{}” is no time: write 2h or 7d (ago), 2026-11-25, or 2026-11-25T03:00", text.escape_debug())
    };
    let time = if let Ok(ago) = humantime::parse_duration(text) {
        now.timestamp().checked_sub(ago).map_err(|_| bad())?
    } else if let Ok(time) = text.parse::<Timestamp>() {
        time
    } else {
        let local = text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(DateTime::from));
        local.map_err(|_| bad())?.to_zoned_datetime(TimeZone::system()).map_err(|_| bad())?.timestamp()
    };
    u64::try_from(time.as_microsecond()).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_days_and_times() {
        let now =
            "2026-11-25T12:00:00Z".parse::<Timestamp>().expect("a time").to_zoned_datetime(TimeZone::UTC);
        let noon = u64::try_from(now.timestamp().as_microsecond()).expect("after 1970");
        assert_eq!(at("2h", &now), Ok(noon - 7_200_000_000));
        assert_eq!(at("2026-11-25T12:00:00Z", &now), Ok(noon));
        assert!(at("2026-11-25", &now).is_ok());
        assert!(at("2026-11-25T03:00", &now).is_ok());
        for bad in ["", "yesterday", "2026-13-01", "1900-01-01"] {
            assert!(at(bad, &now).is_err(), "{bad}");
        }
    }
}
