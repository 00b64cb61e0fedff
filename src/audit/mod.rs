//! The audit log: what happened, in an order that can't be rewritten unseen. A record enters through the
//! [`spool`], is chained into the log by the sandbox's monitor, and is read by `creel audit`.

pub(crate) mod record;
