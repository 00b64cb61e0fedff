//! What every command that meets sandboxes needs: where things are, and the engine.

use std::future::Future;

use anyhow::{Context as _, Result};

use super::stream::RawEngine;
use crate::monitor::client;
use crate::paths::Paths;
use crate::sandbox::engine::{Address, Engine};

/// creel's folders, as this process's environment has them.
pub(crate) fn paths() -> Result<Paths> {
    Ok(Paths::from_env(|key| std::env::var_os(key))?)
}

/// Runs a command's asynchronous part. One thread is enough to pass bytes on.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("could not start the asynchronous runtime")?;
    let result = runtime.block_on(future);
    // Nothing that still waits there is waited for.
    runtime.shutdown_background();
    result
}

/// The local engine.
pub(crate) async fn engine() -> Result<Engine> {
    let address = Address::from_env(|key| std::env::var_os(key))?;
    Ok(Engine::connect(&address).await?)
}

/// The engine's raw streams.
pub(crate) fn raw(engine: &Engine) -> RawEngine {
    let api = engine.api();
    RawEngine { socket: engine.socket().to_owned(), version: (api.major, api.minor) }
}

/// Sandboxes whose monitor died get a new one; what that costs is one lock a sandbox. Within a runtime. A failure
/// is no reason not to do what was asked for.
pub(crate) fn adopt_orphans(paths: &Paths) {
    if let Err(e) = client::adopt_orphans(paths) {
        super::failure::say(&format!("a sandbox without its monitor could not be taken over: {e:#}"));
    }
}
