//! A terminal's size: ioctl_tty(2). Its modes are nix's termios(3), which is safe.

use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;

/// Rows and columns of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) rows: u16,
    pub(crate) columns: u16,
}

/// The window's size as the terminal reports it; `None` where it has none to report (a serial line, a new pty).
pub(crate) fn window_size(terminal: impl AsFd) -> Result<Option<Size>, Errno> {
    let mut window = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCGWINSZ writes one winsize through the pointer, which is valid for the length of the call.
    let done = unsafe { libc::ioctl(terminal.as_fd().as_raw_fd(), libc::TIOCGWINSZ, &raw mut window) };
    Errno::result(done)?;
    let size = Size { rows: window.ws_row, columns: window.ws_col };
    Ok((size.rows > 0 && size.columns > 0).then_some(size))
}
