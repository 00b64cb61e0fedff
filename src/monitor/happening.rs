//! What a monitor wakes up for. Every source is a small task that sends one of these; the run's own loop is the
//! only place that acts on them.

use crate::approval::hook::{HookError, HookVerdict};
use crate::audit::record::Cause;
use crate::wire::{ClientRequest, GateFrame};

use super::clients::Client;
use super::gate_link::GateLink;
use super::usage::Usage;
use super::watch::Exit;

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Happening {
    /// A command line connected, or asks for something.
    Connected(Client),
    Request(ClientId, ClientRequest),
    /// A command line's connection has ended.
    Hangup(ClientId),
    Gate(GateLink, GateFrame),
    GateClosed(GateLink),
    /// An exec that a client asked for exists (or does not).
    ExecMade(ClientId, anyhow::Result<String>),
    /// An exec of ours runs: its pid in the gate's PID namespace.
    ExecRuns(ClientId, anyhow::Result<i32>),
    /// The workload's container has ended.
    WorkloadExited(Result<Exit, String>),
    /// Somebody started an exec in the workload: perhaps us.
    ExecSeen {
        exec: String,
        command: String,
    },
    /// It is time to end the run for this reason.
    End(Cause),
    /// After a takeover: is the command line of a foreground run back?
    CheckForeground,
    /// What the workload has used so far.
    Used(Usage),
    /// A hook has answered question `number`, or failed to.
    HookSaid(u32, Result<HookVerdict, HookError>),
    /// A question may have been open for too long.
    QuestionsExpire,
    /// After a takeover: whoever has not come back by now does not.
    ApproversLate,
    /// Nothing that the loop has to act on.
    Nothing,
}

/// One command line's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ClientId(pub(crate) u64);
