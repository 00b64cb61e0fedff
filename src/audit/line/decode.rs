use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};

use super::{Hash, Head, Record};
use crate::audit::record::{Entry, Event, Kind};

/// Why a line is no record.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadLine(#[from] serde_json::Error);

impl BadLine {
    /// It is not even JSON, as after a crash in the middle of a write; otherwise something meant it so.
    pub(crate) fn is_torn(&self) -> bool {
        !self.0.is_data()
    }
}

/// Reads a line without its newline.
pub(crate) fn decode(line: &[u8]) -> Result<Record, BadLine> {
    Ok(serde_json::from_slice(line)?)
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RecordVisitor)
    }
}

struct RecordVisitor;

impl<'de> Visitor<'de> for RecordVisitor {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an audit record")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Record, A::Error> {
        let mut fields = Fields { map, key: None };
        let version: u32 = fields.required("v")?;
        if version != 1 {
            let message = format_args!("version {version}: this creel reads version 1");
            return Err(A::Error::custom(message));
        }
        let seq = fields.required("seq")?;
        let ts: Timestamp = fields.parsed("ts")?;
        let ts_us = u64::try_from(ts.as_microsecond()).map_err(|_| A::Error::custom("a time before 1970"))?;
        let sandbox = fields.parsed("sandbox")?;
        let run = fields.parsed("run")?;
        let src = fields.parsed("src")?;
        let kind: &str = fields.required("kind")?;
        let outcome = fields.required("verdict")?;
        let rule = fields.optional("rule")?;
        let by = fields.optional("by")?;
        let event = match Kind::named(kind) {
            Some(Kind::RunStart) => Event::RunStart(fields.body()?),
            Some(Kind::RunEnd) => Event::RunEnd(fields.body()?),
            Some(Kind::Exec) => Event::Exec(fields.body()?),
            Some(Kind::Gap) => Event::Gap(fields.body()?),
            None => return Err(A::Error::custom(format_args!("unknown kind “{}”", kind.escape_debug()))),
        };
        let prev = unhex(fields.required("prev")?).ok_or_else(|| A::Error::custom("“prev” is no SHA-256"))?;
        if let Some(key) = fields.peek()? {
            return Err(A::Error::custom(format_args!("“{}” after “prev”", key.escape_debug())));
        }
        let entry = Entry { ts_us, outcome, rule, by, event };
        Ok(Record { head: Head { seq, sandbox, run, src, prev }, entry })
    }
}

/// An object's fields, taken in their order.
struct Fields<'de, A> {
    map: A,
    /// Read, and its value not yet asked for.
    key: Option<&'de str>,
}

impl<'de, A: MapAccess<'de>> Fields<'de, A> {
    fn peek(&mut self) -> Result<Option<&'de str>, A::Error> {
        if self.key.is_none() {
            self.key = self.map.next_key()?;
        }
        Ok(self.key)
    }

    fn optional<T: Deserialize<'de>>(&mut self, name: &str) -> Result<Option<T>, A::Error> {
        if self.peek()? != Some(name) {
            return Ok(None);
        }
        self.key = None;
        self.map.next_value().map(Some)
    }

    fn required<T: Deserialize<'de>>(&mut self, name: &'static str) -> Result<T, A::Error> {
        match self.optional(name)? {
            Some(value) => Ok(value),
            None => Err(match self.key {
                Some(found) => {
                    A::Error::custom(format_args!("expected “{name}”, found “{}”", found.escape_debug()))
                }
                None => A::Error::missing_field(name),
            }),
        }
    }

    fn parsed<T: FromStr<Err: fmt::Display>>(&mut self, name: &'static str) -> Result<T, A::Error> {
        let text: &str = self.required(name)?;
        text.parse().map_err(|error| A::Error::custom(format_args!("“{name}”: {error}")))
    }

    /// The fields of one kind: all up to `prev`.
    fn body<T: Deserialize<'de>>(&mut self) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(Body(self)))
    }
}

struct Body<'a, 'de, A>(&'a mut Fields<'de, A>);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Body<'_, 'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.0.peek()? {
            None | Some("prev") => Ok(None),
            Some(key) => {
                self.0.key = None;
                seed.deserialize(key.into_deserializer()).map(Some)
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.0.map.next_value_seed(seed)
    }
}

fn unhex(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if text.len() != 2 * hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let [high, low] = pair else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(hash)
}
