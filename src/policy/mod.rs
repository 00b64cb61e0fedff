//! The policy: what a sandbox may do. TOML and its layers in, one resolved [`Policy`] out, or every error with its
//! place.
//!
//! [`keys`] is the table of all keys; [`kind`] what their values are; [`load`] finds the texts that count and puts
//! them in order; [`settings`] lays them over each other; [`build`] makes the [`model`] of what came out.

mod build;
mod capability;
mod diagnostic;
pub(crate) mod env;
mod explain;
mod keys;
mod kind;
mod load;
pub(crate) mod model;
mod node;
pub(crate) mod presets;
mod schema;
mod settings;
mod show;
pub(crate) mod size;
mod source;
pub(crate) mod trust;

pub(crate) use explain::{Explained, explain};
#[cfg(feature = "fuzzing")]
pub(crate) use load::resolve_text;
pub(crate) use load::{CommandLine, Found, PolicyError, Request, Resolved, check_file, resolve};
pub(crate) use model::Policy;
pub(crate) use schema::schema;
