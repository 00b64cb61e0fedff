//! Simple commands, as rules see them: resolved from an argv or from shell text, wrappers taken off.

use std::rc::Rc;

/// What stands in a word for what could not be known: the value of a variable, the output of a command.
pub(crate) const UNKNOWN: u8 = 0;

/// One simple command, or one of the pseudo-programs that stand for what a command does to files (`>`, `<`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Command {
    /// The program's file name, without its folder.
    pub(crate) name: Vec<u8>,
    /// What follows the name.
    pub(crate) args: Vec<Vec<u8>>,
    /// `None`: not known.
    pub(crate) cwd: Option<Rc<[u8]>>,
    /// Names of variables that are set for it alone.
    pub(crate) env: Vec<Vec<u8>>,
    /// What it reads from its standard input, where that is known.
    pub(crate) input: Option<Rc<[u8]>>,
    /// Programs that stand before it in its pipeline, and after it.
    pub(crate) from: Vec<Vec<u8>>,
    pub(crate) to: Vec<Vec<u8>>,
}

impl Command {
    /// A command of these words, in the same place as `self`. No words, no command.
    pub(crate) fn with_words(&self, words: &[Vec<u8>]) -> Option<Self> {
        let (program, args) = words.split_first()?;
        Some(Self { name: file_name(program).to_vec(), args: args.to_vec(), ..self.clone() })
    }

    /// A pseudo-program's command: nothing stands around it.
    pub(crate) fn pseudo(&self, name: &str, args: Vec<Vec<u8>>) -> Self {
        Self { name: name.into(), args, cwd: self.cwd.clone(), ..Self::default() }
    }

    /// As one line, for a person.
    pub(crate) fn line(&self) -> Vec<u8> {
        let mut line = self.name.clone();
        for arg in &self.args {
            line.push(b' ');
            line.extend_from_slice(arg);
        }
        line
    }
}

/// The part after the last `/`.
pub(crate) fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

/// Whether `text` matches a glob of `*` and `?` alone. Linear but for the last star's retries; no input is long.
pub(crate) fn wild(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(&c) if c == b'?' || text.get(t) == Some(&c) => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    p = star + 1;
                    t = from + 1;
                    retry = Some((star, t));
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_of_stars() {
        for (pattern, text, expected) in [
            ("mkfs.*", "mkfs.ext4", true),
            ("mkfs.*", "mkfs", false),
            ("*", "", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("delete-?", "delete-x", true),
            ("delete-?", "delete-", false),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(wild(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }
}
