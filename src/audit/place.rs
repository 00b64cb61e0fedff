//! Where a record came from, by which it is known once and only once, over any crash.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a spool held a record: `BOOT:OFFSET`. A record is known by it once and only once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Src {
    pub(crate) boot: Boot,
    pub(crate) offset: u64,
}

/// One life of a gate or monitor; its records' offsets only grow. Written as 16 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Boot(u64);

impl Boot {
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        getrandom::u64().map(Self)
    }
}

impl fmt::Display for Boot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Boot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a string is no [`Src`].
#[derive(Debug, thiserror::Error)]
#[error("“{}” is no place in a spool: expected 16 hex digits, “:” and an offset", .0.escape_debug())]
pub(crate) struct BadSrc(String);

impl FromStr for Boot {
    type Err = BadSrc;

    fn from_str(text: &str) -> Result<Self, BadSrc> {
        let digits = text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match u64::from_str_radix(text, 16) {
            Ok(number) if digits => Ok(Self(number)),
            _ => Err(BadSrc(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Boot {
    type Error = BadSrc;

    fn try_from(text: String) -> Result<Self, BadSrc> {
        text.parse()
    }
}

impl From<Boot> for String {
    fn from(boot: Boot) -> Self {
        boot.to_string()
    }
}

impl fmt::Display for Src {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.boot, self.offset)
    }
}

impl FromStr for Src {
    type Err = BadSrc;

    fn from_str(text: &str) -> Result<Self, BadSrc> {
        let bad = || BadSrc(text.to_owned());
        let (boot, offset) = text.split_once(':').ok_or_else(bad)?;
        // `parse` alone would take “+1” and “01”, two spellings of one place.
        let number: u64 = offset.parse().map_err(|_| bad())?;
        if number.to_string() != offset {
            return Err(bad());
        }
        Ok(Self { boot: boot.parse().map_err(|_| bad())?, offset: number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_one_spelling() {
        let src: Src = "00000000000000ff:12".parse().expect("good");
        assert_eq!(src.to_string(), "00000000000000ff:12");
        for bad in ["", ":", "ff:1", "00000000000000FF:1", "00000000000000ff:01", "00000000000000ff:+1"] {
            assert!(bad.parse::<Src>().is_err(), "{bad}");
        }
    }
}
