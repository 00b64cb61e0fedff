//! The wall clock, as records carry it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since the epoch; 0 on a clock that is set before it.
pub(crate) fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
