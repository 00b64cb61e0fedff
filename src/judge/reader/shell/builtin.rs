//! The shell's own commands that change what follows.

use std::rc::Rc;

use tree_sitter::Node;

use super::output;
use super::walk::{Io, Walk};
use super::words::named;
use crate::judge::command::{Command, UNKNOWN};

impl Walk<'_, '_, '_> {
    pub(super) fn builtin_words(&mut self, node: Node<'_>, name: &[u8]) -> Option<Vec<u8>> {
        let words = named(node).into_iter().flat_map(|word| self.fields(word)).collect();
        let command = Command { name: name.to_vec(), args: words, ..self.state.command() };
        self.reader.give_out(command);
        Some(Vec::new())
    }

    /// The shell's own commands that change what follows. `None`: it is none of these.
    #[expect(
        clippy::option_option,
        reason = "the outer one says whether it was ours, the inner whether its output is known"
    )]
    pub(super) fn builtin(
        &mut self,
        name: &[u8],
        args: &[Vec<u8>],
        command: &Command,
        io: &Io,
    ) -> Option<Option<Vec<u8>>> {
        match name {
            b"cd" | b"pushd" => {
                self.reader.give_out(command.clone());
                let target = args.iter().find(|arg| !matches!(arg.as_slice(), b"-P" | b"-L" | b"--" | b"-e"));
                let target = target.map_or(&b"~"[..], Vec::as_slice);
                self.state.cwd = self
                    .reader
                    .place
                    .absolute(self.state.cwd.as_deref(), target)
                    .filter(|path| !path.contains(&UNKNOWN))
                    .map(Rc::from);
                if target.first() == Some(&UNKNOWN) || target == b"-" {
                    self.state.cwd = None;
                }
                Some(Some(Vec::new()))
            }
            b"eval" => {
                let args = args.strip_prefix(&[b"--".to_vec()]).unwrap_or(args);
                let text = args.join(&b' ');
                self.reader.give_out(command.clone());
                Some(if text == [UNKNOWN] { None } else { self.text_here(&text) })
            }
            b"source" | b"." => {
                self.reader.give_out(command.clone());
                let from_input = |path: &Vec<u8>| {
                    matches!(path.as_slice(), b"/dev/stdin" | b"/dev/fd/0" | b"/proc/self/fd/0" | b"-")
                };
                let text = match args.first() {
                    Some(path) if from_input(path) => io.input.as_deref().map(<[u8]>::to_vec),
                    path => path.and_then(|path| self.reader.script(path, self.state)),
                };
                Some(text.and_then(|text| self.text_here(&text)))
            }
            b"command" | b"builtin" | b"exec" | b"nohup" | b"time" | b"noglob" | b"nocorrect" | b"coproc"
            | b"!"
                if !args.first().is_some_and(|arg| arg == b"-v" || arg == b"-V") =>
            {
                self.reader.give_out(command.clone());
                let skip = match args {
                    [option, ..] if option == b"-a" => 2,
                    args => args.iter().take_while(|arg| arg.starts_with(b"-")).count(),
                };
                let mut rest = args.get(skip..).unwrap_or_default().to_vec();
                // The grammar knows no `coproc NAME { …; }`.
                if name == b"coproc"
                    && let Some(at) = rest.iter().take(2).position(|word| word == b"{")
                {
                    rest.drain(..=at);
                }
                Some(self.words_run(rest, command.env.clone(), io))
            }
            b"alias" => {
                self.reader.give_out(command.clone());
                for arg in args {
                    if let Some(at) = arg.iter().position(|&byte| byte == b'=')
                        && self.state.aliases.len() < 64
                    {
                        let (name, value) = arg.split_at(at);
                        self.state.aliases.insert(name.to_vec(), value.get(1..).unwrap_or_default().to_vec());
                    }
                }
                Some(Some(Vec::new()))
            }
            b"trap" => {
                self.reader.give_out(command.clone());
                if let Some(text) = args.iter().find(|arg| !arg.starts_with(b"-")) {
                    self.apart(|walk| walk.text_here(text));
                }
                Some(Some(Vec::new()))
            }
            b"set" => {
                self.reader.give_out(command.clone());
                if let Some(at) = args.iter().position(|arg| arg == b"--") {
                    self.state.parameters = args.get(at + 1..).unwrap_or_default().to_vec();
                }
                Some(Some(Vec::new()))
            }
            b"shift" => {
                if !self.state.parameters.is_empty() {
                    self.state.parameters.remove(0);
                }
                Some(Some(Vec::new()))
            }
            b"read" | b"readarray" | b"mapfile" => {
                self.reader.give_out(command.clone());
                let line = io
                    .input
                    .as_deref()
                    .map(|input| input.split(|&byte| byte == b'\n').next().unwrap_or_default().to_vec());
                let names: Vec<Vec<u8>> = args.iter().filter(|arg| !arg.starts_with(b"-")).cloned().collect();
                if name != b"read"
                    && let (Some(array), Some(input)) = (names.first(), &io.input)
                {
                    let lines = input.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
                    let lines: Vec<Vec<u8>> = lines.take(64).map(<[u8]>::to_vec).collect();
                    self.state.variables.insert(array.clone(), lines);
                    return Some(Some(Vec::new()));
                }
                let mut words = line
                    .as_deref()
                    .unwrap_or(&[UNKNOWN])
                    .splitn(names.len().max(1), |byte| byte.is_ascii_whitespace())
                    .map(<[u8]>::to_vec)
                    .collect::<Vec<_>>()
                    .into_iter();
                for name in names {
                    self.state.set(&name, words.next().unwrap_or_default());
                }
                Some(Some(Vec::new()))
            }
            b"printf" if args.first().is_some_and(|arg| arg == b"-v") => {
                let rest = Command { args: args.get(2..).unwrap_or_default().to_vec(), ..command.clone() };
                let text = output::of(&rest, &|_| None).unwrap_or_else(|| vec![UNKNOWN]);
                if let Some(name) = args.get(1) {
                    self.state.set(name, text);
                }
                Some(Some(Vec::new()))
            }
            _ => None,
        }
    }
}
