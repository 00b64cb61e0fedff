//! The policy: what a sandbox may do. A TOML file and its layers in, one resolved [`Policy`] out.

pub(crate) mod model;
pub(crate) mod resolve_stub;
pub(crate) mod size;

pub(crate) use model::Policy;
