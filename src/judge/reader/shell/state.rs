//! What a shell knows while it runs.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::judge::command::Command;
use crate::judge::place::Place;
use crate::judge::reader::Variables;

/// Variables, functions, aliases, its folder, and the files that the text itself has written.
#[derive(Clone, Debug, Default)]
pub(in crate::judge::reader) struct State {
    pub(in crate::judge::reader) variables: Variables,
    pub(in crate::judge::reader) parameters: Vec<Vec<u8>>,
    /// `$0`, where it was given.
    pub(in crate::judge::reader) zero: Option<Vec<u8>>,
    pub(in crate::judge::reader) functions: HashMap<Vec<u8>, Rc<[u8]>>,
    pub(in crate::judge::reader) aliases: HashMap<Vec<u8>, Vec<u8>>,
    /// Files that this text and its parts have written: shared by all shells that it starts.
    files: Rc<RefCell<HashMap<Vec<u8>, Vec<u8>>>>,
    /// `None`: not known.
    pub(in crate::judge::reader) cwd: Option<Rc<[u8]>>,
    pub(in crate::judge::reader) from: Vec<Vec<u8>>,
    pub(in crate::judge::reader) to: Vec<Vec<u8>>,
    /// Programs whose output a variable holds, where that output is not known.
    pub(in crate::judge::reader) origins: HashMap<Vec<u8>, Vec<Vec<u8>>>,
    /// Files that the text has fetched from the network.
    fetched: Rc<RefCell<Vec<Vec<u8>>>>,
}

/// Files that are kept in mind, and the longest of them.
const FILES: usize = 32;
const FILE_MAX: usize = 64 * 1024;

impl State {
    pub(in crate::judge::reader) fn new(place: &Place, cwd: Option<&[u8]>) -> Self {
        let mut state = Self { cwd: cwd.map(Rc::from), ..Self::default() };
        state.set(b"HOME", place.home.clone());
        state.set(b"IFS", b" \t\n".to_vec());
        let user = place.home.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        state.set(b"USER", user.to_vec());
        state.set(b"LOGNAME", user.to_vec());
        state.set(b"SHELL", b"/bin/bash".to_vec());
        state.set(b"TMPDIR", b"/tmp".to_vec());
        state
    }

    /// Sets a variable to one value.
    pub(in crate::judge::reader) fn set(&mut self, name: &[u8], value: Vec<u8>) {
        if self.variables.len() < 512 || self.variables.contains_key(name) {
            self.variables.insert(name.to_vec(), vec![value]);
        }
    }

    /// An empty command in this place.
    pub(in crate::judge::reader) fn command(&self) -> Command {
        Command { cwd: self.cwd.clone(), from: self.from.clone(), to: self.to.clone(), ..Command::default() }
    }

    /// A shell that `command` starts here. It has our variables, exported or not: more is seen so, not less.
    pub(in crate::judge::reader) fn child(&self, command: &Command) -> Self {
        let mut child = self.clone();
        child.functions.clear();
        child.aliases.clear();
        child.parameters.clear();
        child.zero = None;
        child.from.clone_from(&command.from);
        child.to.clone_from(&command.to);
        child
    }

    /// The text has written a file, or more of one.
    pub(in crate::judge::reader) fn write(&self, path: Vec<u8>, content: &[u8], appends: bool) {
        let mut files = self.files.borrow_mut();
        if files.len() >= FILES && !files.contains_key(&path) {
            return;
        }
        let file = files.entry(path).or_default();
        if !appends {
            file.clear();
        }
        if file.len() + content.len() <= FILE_MAX {
            file.extend_from_slice(content);
        }
    }

    /// What the text has written there.
    pub(in crate::judge::reader) fn file(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.files.borrow().get(path).cloned()
    }

    pub(in crate::judge::reader) fn set_fetched(&self, path: Vec<u8>) {
        let mut fetched = self.fetched.borrow_mut();
        if fetched.len() < FILES {
            fetched.push(path);
        }
    }

    /// Whether it came from the network, by itself or with a folder above it.
    pub(in crate::judge::reader) fn is_fetched(&self, path: &[u8]) -> bool {
        self.fetched.borrow().iter().any(|fetched| fetched == path)
    }

    pub(in crate::judge::reader) fn has_fetched(&self) -> bool {
        !self.fetched.borrow().is_empty()
    }
}
