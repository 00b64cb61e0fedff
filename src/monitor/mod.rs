//! The monitor: the host process of one sandbox, with the invoking user's rights. It makes and unmakes the
//! containers, tells the gate whom to supervise, chains the audit log, and answers the command line.

mod approvals;
mod begin;
pub(crate) mod client;
mod clients;
pub(crate) mod clock;
mod denials;
mod finish;
mod follow_usage;
mod gate_link;
mod happening;
pub(crate) mod line;
mod process;
mod pull;
mod recorder;
mod run;
mod service;
mod socket;
pub(crate) mod state;
mod takeover;
mod usage;
mod watch;

pub(crate) use process::main;

/// The word that makes creel a monitor: `creel __monitor NAME`.
pub(crate) const ROLE: &str = "__monitor";

/// Where a monitor listens, in the sandbox's runtime folder.
const MONITOR_SOCKET: &str = "monitor.sock";
