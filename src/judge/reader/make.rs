//! make, where the text itself has written the makefile: its recipes are shell text.

use super::Reader;
use super::shell::State;
use crate::judge::command::Command;

/// Lines of recipes that are read.
const LINES: usize = 64;

pub(super) fn unwrap(reader: &mut Reader<'_>, command: &Command, state: &State) {
    if !matches!(command.name.as_slice(), b"make" | b"gmake" | b"bmake") {
        return;
    }
    let value = |short: &[u8], long: &[u8]| {
        let at = command.args.iter().position(|arg| arg == short || arg == long);
        at.and_then(|at| command.args.get(at + 1)).cloned()
    };
    let folder = value(b"-C", b"--directory");
    let in_folder = |name: &[u8]| match &folder {
        Some(folder) if !name.starts_with(b"/") => [folder.as_slice(), b"/", name].concat(),
        _ => name.to_vec(),
    };
    let written = |name: &[u8]| {
        let path = reader.place.absolute(state.cwd.as_deref(), &in_folder(name))?;
        state.file(&path)
    };
    let makefile = match value(b"-f", b"--file").as_deref() {
        Some(b"-" | b"/dev/stdin") => command.input.as_deref().map(<[u8]>::to_vec),
        Some(name) => written(name),
        None => [b"GNUmakefile".as_slice(), b"makefile", b"Makefile"].into_iter().find_map(written),
    };
    for line in recipes(&makefile.unwrap_or_default()) {
        reader.text_apart(&line, command, state);
    }
}

/// The lines that a shell would get.
fn recipes(makefile: &[u8]) -> Vec<Vec<u8>> {
    let recipe = |line: &[u8]| {
        let text = match line.strip_prefix(b"\t") {
            Some(text) => text,
            // `target: ; recipe`
            None => {
                let colon = line.iter().position(|&byte| byte == b':')?;
                let rest = line.get(colon..)?;
                rest.get(rest.iter().position(|&byte| byte == b';')? + 1..)?
            }
        };
        let text = text.iter().copied().skip_while(|byte| matches!(byte, b'@' | b'-' | b'+' | b' '));
        Some(text.collect::<Vec<u8>>())
    };
    makefile.split(|&byte| byte == b'\n').filter_map(recipe).take(LINES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipes_are_what_follows_a_tab_or_a_semicolon() {
        let makefile = b"A := 1\nall: b ; @rm -rf x\nb:\n\t-echo a; echo b\n# c: d\n";
        assert_eq!(recipes(makefile), [b"rm -rf x".to_vec(), b"echo a; echo b".to_vec()]);
    }
}
