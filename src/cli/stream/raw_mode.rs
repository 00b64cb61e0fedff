//! The terminal's raw mode, put back on every way out: return, error, panic, signal.

use std::cell::Cell;
use std::io::{self, Stdin};
use std::sync::{Mutex, Once, PoisonError};

use nix::errno::Errno;
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};

/// The modes to go back to while stdin is raw. Global, for the panic hook.
static COOKED: Mutex<Option<Termios>> = Mutex::new(None);

/// Stdin is raw while this lives.
#[derive(Debug)]
pub(crate) struct RawMode {
    stdin: Stdin,
    cooked: Termios,
}

impl RawMode {
    pub(crate) fn enter() -> io::Result<Self> {
        restore_on_panic();
        let stdin = io::stdin();
        let cooked = patiently(|| tcgetattr(&stdin))?;
        let mode = Self { stdin, cooked };
        mode.resume()?;
        Ok(mode)
    }

    /// Back to the modes that were found: before we are stopped, and for good.
    pub(crate) fn suspend(&self) {
        restore();
    }

    /// Raw again: after we were stopped, when a shell may have set its own.
    pub(crate) fn resume(&self) -> io::Result<()> {
        let mut raw = self.cooked.clone();
        cfmakeraw(&mut raw);
        *COOKED.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.cooked.clone());
        // Not "drain": that waits for a terminal that may not be read.
        Ok(patiently(|| tcsetattr(&self.stdin, SetArg::TCSANOW, &raw))?)
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    let cooked = COOKED.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(cooked) = cooked {
        // A terminal that has gone needs no modes.
        let _ = patiently(|| tcsetattr(io::stdin(), SetArg::TCSANOW, &cooked));
    }
}

/// A message printed in raw mode is a staircase, so the modes are put back before it.
fn restore_on_panic() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if UNREPORTED.get() {
                return;
            }
            restore();
            report(info);
        }));
    });
}

thread_local! {
    /// A panic of this thread's is caught, and concerns nobody.
    static UNREPORTED: Cell<bool> = const { Cell::new(false) };
}

/// Does what catches its panics by itself, which then leave the terminal alone.
pub(crate) fn unreported<T>(caught: impl FnOnce() -> T) -> T {
    UNREPORTED.set(true);
    let result = caught();
    UNREPORTED.set(false);
    result
}

/// Stopped in the background, we are continued in the middle of the call.
fn patiently<T>(call: impl Fn() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            other => return other,
        }
    }
}
