use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::Head;
use crate::audit::record::{Bytes, Cut, Entry, Event, Exec, Gap, RunEnd, RunStart};

/// Appends the record's line to `out`, without its newline.
pub(crate) fn encode(out: &mut Vec<u8>, head: &Head, entry: &Entry) {
    let Head { seq, sandbox, run, src, prev } = head;
    // No name, id or place has a byte that JSON escapes. Writing to memory can't fail.
    let _ = write!(
        out,
        r#"{{"v":1,"seq":{seq},"ts":"{:.6}","sandbox":"{sandbox}","run":"{run}","src":"{src}""#,
        timestamp(entry.ts_us)
    );
    let mut object = Object(out);
    object.text("kind", entry.event.kind().name());
    object.text("verdict", entry.outcome.name());
    object.maybe("rule", entry.rule.as_deref(), Object::text);
    object.maybe("by", entry.by.map(|by| by.name()), Object::text);
    match &entry.event {
        Event::RunStart(event) => run_start(&mut object, event),
        Event::RunEnd(event) => run_end(&mut object, event),
        Event::Exec(event) => exec(&mut object, event),
        Event::Gap(Gap { count, reason }) => {
            object.maybe("count", *count, Object::number);
            object.text("reason", reason);
        }
    }
    object.key("prev");
    out.push(b'"');
    for byte in prev {
        let _ = write!(out, "{byte:02x}");
    }
    out.extend_from_slice(b"\"}");
}

/// A time that no calendar has comes from a broken gate: the record is worth more than its time.
pub(super) fn timestamp(us: u64) -> Timestamp {
    i64::try_from(us).ok().and_then(|us| Timestamp::from_microsecond(us).ok()).unwrap_or(Timestamp::MAX)
}

fn run_start(object: &mut Object<'_>, event: &RunStart) {
    object.list("argv", &event.argv, Object::bytes_value);
    object.text("policy", &event.policy);
    object.list("policy_sources", &event.policy_sources, |object, source| object.text_value(source));
    object.text("image", &event.image);
    object.text("image_id", &event.image_id);
    object.text("creel", &event.creel);
    object.text("engine", &event.engine);
    object.text("kernel", &event.kernel);
}

fn run_end(object: &mut Object<'_>, event: &RunEnd) {
    object.text("cause", event.cause.name());
    object.number("exit_code", event.exit_code);
    object.maybe("message", event.message.as_deref(), Object::text);
    object.maybe("memory_peak", event.memory_peak, Object::number);
    object.maybe("oom_kills", event.oom_kills, Object::number);
    object.maybe("pids_denied", event.pids_denied, Object::number);
    object.maybe("cpu_us", event.cpu_us, Object::number);
    object.number("wall_ms", event.wall_ms);
    object.number("execs", event.execs);
}

fn exec(object: &mut Object<'_>, event: &Exec) {
    object.number("pid", event.pid);
    object.number("ppid", event.ppid);
    object.number("start", event.start);
    object.number("uid", event.uid);
    object.bytes("exe", &event.exe);
    object.maybe("file", event.file.as_ref(), Object::bytes);
    object.list("argv", &event.argv, Object::bytes_value);
    object.maybe("argv_cut", event.argv_cut.as_ref(), Object::cut);
    object.bytes("cwd", &event.cwd);
    if !event.env.is_empty() {
        object.list("env", &event.env, |object, (name, value)| {
            object.0.push(b'[');
            object.bytes_value(name);
            object.0.push(b',');
            match value {
                Some(value) => object.bytes_value(value),
                None => object.0.extend_from_slice(b"null"),
            }
            object.0.push(b']');
        });
    }
    object.maybe("env_cut", event.env_cut.as_ref(), Object::cut);
    object.maybe("reason", event.reason.as_deref(), Object::text);
}

/// A JSON object that already has a first field.
struct Object<'a>(&'a mut Vec<u8>);

impl Object<'_> {
    fn key(&mut self, key: &str) {
        self.0.extend_from_slice(b",\"");
        self.0.extend_from_slice(key.as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    fn maybe<T>(&mut self, key: &str, value: Option<T>, write: impl FnOnce(&mut Self, &str, T)) {
        if let Some(value) = value {
            write(self, key, value);
        }
    }

    fn number(&mut self, key: &str, value: impl Into<i128>) {
        self.key(key);
        let _ = write!(self.0, "{}", value.into());
    }

    fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        self.text_value(value);
    }

    fn bytes(&mut self, key: &str, value: &Bytes) {
        self.key(key);
        self.bytes_value(value);
    }

    fn cut(&mut self, key: &str, cut: &Cut) {
        self.key(key);
        let _ = write!(self.0, r#"{{"bytes":{},"sha256":"#, cut.bytes);
        self.text_value(&cut.sha256);
        self.0.push(b'}');
    }

    fn list<T>(&mut self, key: &str, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.key(key);
        self.0.push(b'[');
        for (n, item) in items.iter().enumerate() {
            if n > 0 {
                self.0.push(b',');
            }
            write(self, item);
        }
        self.0.push(b']');
    }

    fn bytes_value(&mut self, value: &Bytes) {
        match std::str::from_utf8(&value.0) {
            Ok(text) => self.text_value(text),
            Err(_) => {
                let _ = write!(self.0, r#"{{"base64":"{}"}}"#, STANDARD.encode(&value.0));
            }
        }
    }

    /// Escapes what JSON must, and every other control character and line separator besides: a log that is
    /// printed as it is (`cat`, `tail -f`) neither drives the terminal nor breaks a line in two.
    fn text_value(&mut self, text: &str) {
        self.0.push(b'"');
        let mut rest = text;
        while let Some(at) = rest.as_bytes().iter().position(|&byte| SUSPECT[usize::from(byte)]) {
            let Some((plain, tail)) = rest.split_at_checked(at) else { break };
            self.0.extend_from_slice(plain.as_bytes());
            let mut chars = tail.chars();
            let Some(c) = chars.next() else { break };
            self.escaped(c);
            rest = chars.as_str();
        }
        self.0.extend_from_slice(rest.as_bytes());
        self.0.push(b'"');
    }

    fn escaped(&mut self, c: char) {
        let short = match c {
            '"' => b'"',
            '\\' => b'\\',
            '\n' => b'n',
            '\t' => b't',
            '\r' => b'r',
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                let _ = write!(self.0, "\\u{:04x}", u32::from(c));
                return;
            }
            c => {
                let mut utf8 = [0; 4];
                self.0.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
                return;
            }
        };
        self.0.extend_from_slice(&[b'\\', short]);
    }
}

/// Bytes that a character to be escaped begins with: C0, DEL, quote and backslash, and the first bytes of C1
/// (U+0080..) and of U+2028.
const SUSPECT: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = byte < 0x20 || matches!(byte, 0x22 | 0x5c | 0x7f | 0xc2 | 0xe2);
        byte += 1;
    }
    table
};
