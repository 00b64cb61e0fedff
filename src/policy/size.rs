//! Sizes as people write them: `512MiB`, `2GB`, `64k`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct ByteSize(pub(crate) u64);

impl ByteSize {
    #[cfg(test)]
    pub(crate) const fn mib(n: u64) -> Self {
        Self(n << 20)
    }

    pub(crate) fn bytes(self) -> u64 {
        self.0
    }
}

/// Why a text is no size.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is no size: write a whole number and a unit, such as \"512MiB\" or \"2GB\"")]
pub(crate) struct BadSize(String);

impl FromStr for ByteSize {
    type Err = BadSize;

    /// `KiB MiB GiB TiB` are powers of 1024, `kB KB MB GB TB` of 1000, and a bare `b k m g t` are docker's
    /// (powers of 1024).
    fn from_str(text: &str) -> Result<Self, BadSize> {
        let bad = || BadSize(text.escape_default().to_string());
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits).ok_or_else(bad)?;
        let number: u64 = number.parse().map_err(|_| bad())?;
        let factor: u64 = match unit.trim_start() {
            "" | "b" | "B" => 1,
            "k" | "K" | "KiB" => 1 << 10,
            "m" | "M" | "MiB" => 1 << 20,
            "g" | "G" | "GiB" => 1 << 30,
            "t" | "T" | "TiB" => 1 << 40,
            "kB" | "KB" | "kb" => 1_000,
            "MB" | "mb" => 1_000_000,
            "GB" | "gb" => 1_000_000_000,
            "TB" | "tb" => 1_000_000_000_000,
            _ => return Err(bad()),
        };
        let size = number.checked_mul(factor).ok_or_else(bad)?;
        // The engine's numbers are signed.
        if size > i64::MAX as u64 { Err(bad()) } else { Ok(Self(size)) }
    }
}

impl fmt::Display for ByteSize {
    /// The shortest exact form, so that what is shown parses back to the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
        for (shift, unit) in units {
            if self.0 != 0 && self.0.trailing_zeros() >= shift {
                return write!(f, "{}{unit}", self.0 >> shift);
            }
        }
        write!(f, "{}B", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_of_people_and_of_docker() {
        for (text, bytes) in
            [("512MiB", 512 << 20), ("2GB", 2_000_000_000), ("64k", 65536), ("7", 7), ("1 g", 1 << 30)]
        {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for bad in ["", "MiB", "-1", "1.5GiB", "12parsecs", "99999999999TiB", "1e9"] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_parses_back(n in 0..=(i64::MAX as u64)) {
            prop_assert_eq!(ByteSize(n).to_string().parse(), Ok(ByteSize(n)));
        }

        #[test]
        fn nothing_panics(text in ".*") {
            let _ = text.parse::<ByteSize>();
        }
    }
}
