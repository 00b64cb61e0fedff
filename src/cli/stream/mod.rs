//! The terminal: a workload's streams joined to ours as `docker run` joins them. Raw mode, window size, signals,
//! detach keys, pipes; binary-clean both ways. [`choice`] decides what a command gets, [`Session`] does it.

pub(crate) mod choice;
mod engine;
mod frames;
mod keys;
mod output;
mod pumps;
mod raw_mode;
mod session;
mod signals;
mod stdio;

pub(crate) use engine::RawEngine;
pub(crate) use frames::{Channel, Frames};
pub(crate) use keys::DetachKeys;
pub(crate) use output::Output;
pub(crate) use pumps::{Route, Typed};
pub(crate) use raw_mode::unreported;
pub(crate) use session::{Event, Session, Shared, Wiring, terminal_size};
pub(crate) use stdio::StdoutWriter;
