//! A terminal of the test's own: what is typed goes in, what is shown comes out.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use nix::pty::{Winsize, openpty};
use nix::sys::termios::{Termios, tcgetattr};

use super::{PATIENCE, eventually};

/// A program at a terminal, which is its controlling one.
pub struct Terminal {
    pub child: Child,
    master: File,
    /// Held open: the settings can be read after the program has gone.
    slave: OwnedFd,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    pub fn new(command: &mut Command) -> Self {
        Self::sized(command, 24, 80)
    }

    pub fn sized(command: &mut Command, rows: u16, columns: u16) -> Self {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(Some(&size), None).expect("a terminal");
        let stream = || Stdio::from(pty.slave.try_clone().expect("a descriptor"));
        command.stdin(stream()).stdout(stream()).stderr(stream()).env("TERM", "xterm");
        // SAFETY: the calls between fork and exec are async-signal-safe.
        unsafe {
            command.pre_exec(|| {
                nix::unistd::setsid()?;
                if libc_ioctl_controlling_terminal() < 0 {
                    return Err(std::io::Error::last_os_error());
                }
                Ok(())
            });
        }
        let child = command.spawn().expect("it starts");
        let master = File::from(pty.master);
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (mut reader, to) = (master.try_clone().expect("a descriptor"), Arc::clone(&shown));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(size) = reader.read(&mut buffer) {
                to.lock().expect("not poisoned").extend_from_slice(&buffer[..size]);
            }
        });
        Self { child, master, slave: pty.slave, shown }
    }

    pub fn types(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).expect("the terminal takes it");
    }

    /// Everything that was shown so far.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().expect("not poisoned")).into_owned()
    }

    /// As bytes, from `from` on.
    pub fn bytes(&self, from: usize) -> Vec<u8> {
        self.shown.lock().expect("not poisoned").get(from..).unwrap_or_default().to_vec()
    }

    /// Waits until `text` is shown.
    #[track_caller]
    pub fn sees(&self, text: &str) {
        let seen = eventually(PATIENCE, || self.shown().contains(text));
        assert!(seen, "{text:?} was never shown, but:\n{}", self.shown());
    }

    pub fn resize(&self, rows: u16, columns: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        set_size(&self.master, &size);
    }

    pub fn settings(&self) -> Termios {
        tcgetattr(&self.slave).expect("its settings")
    }

    /// The exit code.
    #[track_caller]
    pub fn ends(mut self) -> Option<i32> {
        let ended = eventually(PATIENCE, || self.child.try_wait().expect("waited for").is_some());
        assert!(ended, "it goes on, and shows:\n{}", self.shown());
        self.child.wait().expect("waited for").code()
    }
}

nix::ioctl_write_int_bad!(controlling, nix::libc::TIOCSCTTY);
nix::ioctl_write_ptr_bad!(window_size, nix::libc::TIOCSWINSZ, Winsize);

fn libc_ioctl_controlling_terminal() -> i32 {
    // SAFETY: standard input is the terminal, and the request takes a number.
    unsafe { controlling(0, 0) }.unwrap_or(-1)
}

fn set_size(terminal: &File, size: &Winsize) {
    // SAFETY: the request reads one structure.
    unsafe { window_size(terminal.as_raw_fd(), size) }.expect("a size");
}
