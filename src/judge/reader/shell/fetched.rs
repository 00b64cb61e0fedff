//! Files that the text itself fetches from the network, so that running one of them is seen for what it is.

use super::walk::Walk;
use crate::judge::command::{Command, file_name};
use crate::judge::reader::{effects, is_shell};

pub(in crate::judge::reader) fn is_fetcher(name: &[u8]) -> bool {
    matches!(
        name,
        b"curl" | b"wget" | b"wget2" | b"aria2c" | b"axel" | b"fetch" | b"lynx" | b"http" | b"https" | b"xh"
    )
}

/// Programs that run the file they are given first, and wrappers around one.
fn runs_a_file(name: &[u8]) -> bool {
    let stem: Vec<u8> =
        name.iter().copied().take_while(|byte| !byte.is_ascii_digit() && *byte != b'.').collect();
    is_shell(name)
        || name == b"."
        || matches!(
            stem.as_slice(),
            b"source"
                | b"python"
                | b"perl"
                | b"node"
                | b"ruby"
                | b"php"
                | b"deno"
                | b"bun"
                | b"pwsh"
                | b"sudo"
                | b"nohup"
                | b"env"
                | b"timeout"
                | b"setsid"
                | b"exec"
                | b"nice"
        )
}

impl Walk<'_, '_, '_> {
    /// Remembers what this command fetches into files.
    pub(super) fn fetches(&mut self, command: &Command) {
        if command.name == b"git" && command.args.iter().any(|arg| arg == b"clone") {
            return self.clones(command);
        }
        let fetches = is_fetcher(&command.name);
        let keeps = command.name == b"tee" && command.from.iter().any(|name| is_fetcher(name));
        if !(fetches || keeps) {
            return;
        }
        let mut paths: Vec<Vec<u8>> = effects::of(command)
            .into_iter()
            .filter(|effect| effect.name == b">")
            .filter_map(|effect| effect.args.into_iter().next())
            .collect();
        let after = |names: &[&[u8]]| {
            let at = command.args.iter().position(|arg| names.contains(&arg.as_slice()))?;
            command.args.get(at + 1).cloned()
        };
        let folder = after(&[b"-P", b"--directory-prefix", b"--output-dir", b"-d", b"--dir"]);
        let named_by_url = fetches
            && (command.name != b"curl"
                || command.args.iter().any(|arg| {
                    arg == b"--remote-name"
                        || arg.starts_with(b"-") && !arg.starts_with(b"--") && arg.contains(&b'O')
                }));
        if named_by_url {
            for url in command.args.iter().filter(|arg| arg.contains(&b'/') && !arg.starts_with(b"-")) {
                let name = file_name(url.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or(url));
                paths.push(match &folder {
                    Some(folder) => [folder.as_slice(), b"/", name].concat(),
                    None => name.to_vec(),
                });
            }
        }
        for path in paths {
            self.is_fetched(&path);
        }
    }

    /// The folder that `git clone` makes.
    fn clones(&mut self, command: &Command) {
        let operands = command.args.iter().skip_while(|arg| *arg != b"clone").skip(1);
        let operands: Vec<&Vec<u8>> = operands.filter(|arg| !arg.starts_with(b"-")).collect();
        let Some(at) = operands.iter().position(|word| word.contains(&b'/')) else { return };
        let (Some(url), folder) = (operands.get(at), operands.get(at + 1)) else { return };
        let named = file_name(url.strip_suffix(b".git").unwrap_or(url));
        let folder = folder.map_or(named, |folder| folder.as_slice());
        self.is_fetched(folder);
    }

    pub(super) fn is_fetched(&mut self, path: &[u8]) {
        if path == b"-" || path.starts_with(b"/dev/") {
            return;
        }
        if let Some(path) = self.reader.place.absolute(self.state.cwd.as_deref(), path) {
            self.state.set_fetched(path);
        }
    }

    /// Shows the run of a fetched file as the pseudo-program `fetched`.
    pub(super) fn runs_fetched(&mut self, name: &[u8], command: &Command) {
        if !self.state.has_fetched() {
            return;
        }
        let called = Some(name).filter(|name| name.contains(&b'/'));
        let given =
            runs_a_file(&command.name).then(|| command.args.iter().find(|arg| !arg.starts_with(b"-")));
        for path in called.into_iter().chain(given.flatten().map(Vec::as_slice)) {
            let absolute = self.reader.place.absolute(self.state.cwd.as_deref(), path);
            if absolute.is_some_and(|path| self.is_from_the_network(&path)) {
                self.reader.give_out(command.pseudo("fetched", vec![path.to_vec()]));
            }
        }
    }

    /// The file itself, or one that sets things up in a repository that was cloned just now.
    fn is_from_the_network(&self, path: &[u8]) -> bool {
        if self.state.is_fetched(path) {
            return true;
        }
        let name = file_name(path);
        let sets_up = [b"install".as_slice(), b"setup", b"bootstrap", b"init", b"deploy", b"run."]
            .iter()
            .any(|word| name.starts_with(word));
        let mut folders = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        sets_up && folders.any(|at| path.get(..at).is_some_and(|folder| self.state.is_fetched(folder)))
    }
}
