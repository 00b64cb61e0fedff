//! Docker: the two containers that a sandbox is made of, hardened; their making, finding and unmaking.
//!
//! [`engine`] finds the engine and says what it is; [`plan`] turns a [`spec::SandboxSpec`] into the very bodies
//! that are sent; [`launch`] sends them; [`teardown`] unmakes.

pub(crate) mod base_image;
pub(crate) mod binary;
pub(crate) mod container;
pub(crate) mod control;
pub(crate) mod engine;
pub(crate) mod facts;
pub(crate) mod gate;
pub(crate) mod host_image;
pub(crate) mod image;
pub(crate) mod installation;
pub(crate) mod launch;
pub(crate) mod mounts;
pub(crate) mod plan;
mod private;
pub(crate) mod requirements;
pub(crate) mod spec;
mod stale;
pub(crate) mod teardown;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod workload;
