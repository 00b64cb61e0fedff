//! Docker: the containers that a sandbox is made of, hardened; their making, finding and unmaking.

pub(crate) mod spec;
