//! creel: runs an AI agent in a Docker container that is safe for production. The binary is one call of
//! [`main`]; the library exists so that benches and fuzz targets reach the pure parts.

mod approval;
mod audit;
mod cli;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod gate;
mod judge;
mod monitor;
mod names;
mod paths;
mod policy;
mod sandbox;
mod shim;
mod sys;
mod visible;
mod wire;

use std::process::ExitCode;

/// Which role am I? creel starts its own parts by a hidden first word; everything else is the command line.
pub fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    match args.next().as_deref().and_then(std::ffi::OsStr::to_str) {
        Some(monitor::ROLE) => monitor::main(args.next().as_deref().and_then(std::ffi::OsStr::to_str)),
        Some(gate::ROLE) => gate::main(args),
        Some(shim::ROLE) => shim::main(args),
        _ => cli::main(),
    }
}
