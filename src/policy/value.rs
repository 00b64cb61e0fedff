//! The types of a policy file's values: sizes, times, counts and the like, each with its bounds.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserializer, Visitor};
use serde::Deserialize;

use super::diagnostic::visible;
use super::size::ByteSize;
use super::text::{FromText, written_as_text};

const MIB: u64 = 1 << 20;

/// A size of at least `MIN` bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size<const MIN: u64>(pub(crate) ByteSize);

impl<const MIN: u64> FromText for Size<MIN> {
    fn accepts() -> Cow<'static, str> {
        "a size such as \"512MiB\" or \"2GB\"".into()
    }

    fn from_text(text: &str) -> Result<Self, String> {
        let size: ByteSize = text.parse().map_err(|e| format!("{e}"))?;
        if size.bytes() < MIN {
            return Err(format!("“{}” is too little: the least is {}", visible(text), ByteSize(MIN)));
        }
        Ok(Self(size))
    }
}

/// Below this, not even a shell and its tools fit.
pub(crate) type MemorySize = Size<{ 16 * MIB }>;
pub(crate) type TmpfsSize = Size<{ MIB }>;
pub(crate) type ShmSize = Size<{ 64 << 10 }>;
pub(crate) type AnySize = Size<0>;

/// A length of time, in whole seconds from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time<const MIN: u64, const MAX: u64>(pub(crate) Duration);

impl<const MIN: u64, const MAX: u64> FromText for Time<MIN, MAX> {
    fn accepts() -> Cow<'static, str> {
        "a duration such as \"90s\", \"2h\" or \"90d\"".into()
    }

    fn from_text(text: &str) -> Result<Self, String> {
        let time = humantime::parse_duration(text).map_err(|_| {
            format!("“{}” is no duration: write a number and a unit, such as \"90s\" or \"2h\"", visible(text))
        })?;
        let (least, most) = (Duration::from_secs(MIN), Duration::from_secs(MAX));
        let shown = humantime::format_duration;
        if time < least {
            return Err(format!("“{}” is too short: the least is {}", visible(text), shown(least)));
        }
        if time > most {
            return Err(format!("“{}” is too long: the most is {}", visible(text), shown(most)));
        }
        Ok(Self(time))
    }
}

const DAY: u64 = 24 * 60 * 60;
/// Longer than this, "none" is meant.
const LONGEST: u64 = 3650 * DAY;

pub(crate) type WallTime = Time<1, LONGEST>;
/// A sandbox whose monitor is being replaced needs a moment; one that is unwatched for a day is abandoned.
pub(crate) type GraceTime = Time<1, DAY>;
pub(crate) type AnyTime = Time<0, LONGEST>;

/// A value, or the word `none`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OrNone<T> {
    None,
    Some(T),
}

impl<T: FromText> FromText for OrNone<T> {
    fn accepts() -> Cow<'static, str> {
        format!("{}, or \"none\"", T::accepts()).into()
    }

    fn from_text(text: &str) -> Result<Self, String> {
        if text == "none" { Ok(Self::None) } else { T::from_text(text).map(Self::Some) }
    }
}

written_as_text!(
    MemorySize, TmpfsSize, ShmSize, AnySize, WallTime, GraceTime, AnyTime,
    OrNone<WallTime>, OrNone<AnyTime>, OrNone<AnySize>,
);

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count<const MIN: u64, const MAX: u64>(pub(crate) u64);

struct CountVisitor<const MIN: u64, const MAX: u64>;

impl<const MIN: u64, const MAX: u64> Visitor<'_> for CountVisitor<MIN, MAX> {
    type Value = Count<MIN, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {MIN} to {MAX}")
    }

    fn visit_u64<E: de::Error>(self, n: u64) -> Result<Self::Value, E> {
        if (MIN..=MAX).contains(&n) {
            Ok(Count(n))
        } else {
            Err(E::invalid_value(de::Unexpected::Unsigned(n), &self))
        }
    }

    fn visit_i64<E: de::Error>(self, n: i64) -> Result<Self::Value, E> {
        match u64::try_from(n) {
            Ok(n) => self.visit_u64(n),
            Err(_) => Err(E::invalid_value(de::Unexpected::Signed(n), &self)),
        }
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Count<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(CountVisitor)
    }
}

impl<const MIN: u64, const MAX: u64> schemars::JsonSchema for Count<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Count{MIN}To{MAX}").into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// The version of the format.
pub(crate) type FormatVersion = Count<1, 1>;
/// Fewer than eight don't hold a shell and one pipeline; the kernel knows 4,194,304 process ids.
pub(crate) type ProcessCount = Count<8, 4_194_304>;
/// fs.nr_open, as kernels ship it.
pub(crate) type OpenFiles = Count<64, 1_048_576>;
pub(crate) type AnyCount = Count<0, 1_000_000>;

/// Processors, in thousandths.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cpus(pub(crate) u32);

struct CpusVisitor;

impl Visitor<'_> for CpusVisitor {
    type Value = Cpus;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of processors from 0.01 to 1024, such as 1.5")
    }

    fn visit_f64<E: de::Error>(self, n: f64) -> Result<Cpus, E> {
        if !(0.01..=1024.0).contains(&n) {
            return Err(E::invalid_value(de::Unexpected::Float(n), &self));
        }
        // In range, so the cast can't cut.
        Ok(Cpus((n * 1000.0).round() as u32))
    }

    fn visit_i64<E: de::Error>(self, n: i64) -> Result<Cpus, E> {
        match u16::try_from(n) {
            Ok(small @ 1..=1024) => self.visit_f64(f64::from(small)),
            _ => Err(E::invalid_value(de::Unexpected::Signed(n), &self)),
        }
    }
}

impl<'de> Deserialize<'de> for Cpus {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(CpusVisitor)
    }
}

impl schemars::JsonSchema for Cpus {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Cpus".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number", "minimum": 0.01, "maximum": 1024 })
    }
}
