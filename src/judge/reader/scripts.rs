//! Scripts of other languages: `python -c`, `perl -e`, `node -e`, a file, or what comes in. What they run through a
//! shell is read as shell text, and what they do to files becomes the command that does the same.

use super::Reader;
use super::interpreter::{Language, Token, tokens};
use super::requests;
use super::shell::{State, decode};
use crate::judge::command::{Command, UNKNOWN, wild};

pub(super) fn unwrap(reader: &mut Reader<'_>, command: &Command, state: &State) {
    let Some((language, inline)) = language(&command.name) else {
        if matches!(command.name.as_slice(), b"awk" | b"gawk" | b"mawk" | b"nawk") {
            awk(reader, command, state);
        }
        return;
    };
    let mut codes: Vec<Vec<u8>> = Vec::new();
    let mut file: Option<&Vec<u8>> = None;
    let mut args = command.args.iter();
    while let Some(arg) = args.next() {
        let attached = inline.iter().find_map(|option| arg.strip_prefix(option.as_bytes()));
        match (arg.as_slice(), attached) {
            (_, Some(b"")) => codes.extend(args.next().cloned()),
            (_, Some([b'=', code @ ..])) => codes.push(code.to_vec()),
            ([b'-', letters @ ..], _)
                if !letters.starts_with(b"-")
                    && letters
                        .last()
                        .is_some_and(|last| inline.iter().any(|o| o.as_bytes() == [b'-', *last])) =>
            {
                codes.extend(args.next().cloned());
            }
            ([b'-', b'-', ..], Some(_)) => {}
            (_, Some(code)) => codes.push(code.to_vec()),
            (b"-m", None) => return,
            ([b'-', _, ..], None) => {}
            _ => {
                file = Some(arg);
                break;
            }
        }
    }
    match file {
        Some(path) if codes.is_empty() && path.as_slice() != b"-" => codes.extend(reader.script(path, state)),
        _ if codes.is_empty() => codes.extend(command.input.as_deref().map(<[u8]>::to_vec)),
        _ => {}
    }
    for code in codes {
        // Rules look at both ends of so long a text: what lies between counts by its words.
        if code.len() > LONG {
            reader.is_unclear(&code);
        }
        read(reader, &code, language, command, state);
    }
}

fn language(name: &[u8]) -> Option<(Language, &'static [&'static str])> {
    let is = |glob: &str| wild(glob.as_bytes(), name);
    if is("python*") || is("pypy*") || name == b"ipython" {
        Some((Language::Python, &["-c"]))
    } else if is("perl*") {
        Some((Language::Perl, &["-e", "-E"]))
    } else if is("ruby*") || name == b"jruby" {
        Some((Language::Ruby, &["-e"]))
    } else if matches!(name, b"node" | b"nodejs" | b"bun" | b"deno" | b"tsx" | b"ts-node") {
        Some((Language::JavaScript, &["-e", "--eval", "-p", "--print", "eval"]))
    } else if is("php*") {
        Some((Language::Php, &["-r"]))
    } else {
        None
    }
}

/// Code that is longer than this is not looked at as a whole by rules.
const LONG: usize = 16 * 1024;

/// Calls that run a program or a shell: the last part of the name, and whether words follow as arguments of their own.
const RUN: &[&str] = &[
    "system",
    "popen",
    "popen2",
    "popen3",
    "popen4",
    "call",
    "run",
    "check_call",
    "check_output",
    "getoutput",
    "getstatusoutput",
    "Popen",
    "spawn",
    "spawnSync",
    "exec",
    "execSync",
    "execFile",
    "execFileSync",
    "execv",
    "execve",
    "execvp",
    "execvpe",
    "execl",
    "execlp",
    "execle",
    "spawnl",
    "spawnv",
    "spawnlp",
    "spawnvp",
    "shell_exec",
    "passthru",
    "proc_open",
    "pcntl_exec",
    "capture2",
    "capture2e",
    "capture3",
    "pipeline",
    "create_subprocess_shell",
    "create_subprocess_exec",
    "posix_spawn",
    "IO.popen",
    "execa",
    "execaSync",
    "execaCommand",
    "Command",
    "sh",
    "shell",
    "startfile",
    "posix_spawnp",
    "$",
];
/// Calls that delete a tree, and those that delete a file.
const DELETE_TREE: &[&str] = &[
    "rmtree",
    "removedirs",
    "rm",
    "rmSync",
    "rmdirSync",
    "rimraf",
    "rimrafSync",
    "rm_rf",
    "rm_r",
    "remove_tree",
    "remove_dir",
    "removeSync",
    "emptyDirSync",
    "remove_entry_secure",
    "remove_entry",
    "deleteSync",
    "delete_tree",
    "rmtree_p",
];
const DELETE: &[&str] = &["unlink", "remove", "unlinkSync", "delete", "rmdir", "rm_f", "safe_unlink"];
const WRITE: &[&str] = &[
    "writeFileSync",
    "writeFile",
    "appendFileSync",
    "appendFile",
    "file_put_contents",
    "write_text",
    "write_bytes",
    "createWriteStream",
    "write",
    "outputFileSync",
    "copyFileSync",
    "symlink",
    "truncateSync",
    "writeTextFile",
    "binwrite",
];
const READ: &[&str] = &[
    "readFileSync",
    "readFile",
    "file_get_contents",
    "read_text",
    "read_bytes",
    "createReadStream",
    "readlines",
    "readfile",
    "foreach",
    "readTextFile",
    "binread",
];

fn read(reader: &mut Reader<'_>, code: &[u8], language: Language, command: &Command, state: &State) {
    let tokens = decoded(tokens(code, language));
    for (at, token) in tokens.iter().enumerate() {
        if !reader.step() {
            return;
        }
        match token {
            Token::Run(text) => reader.text_apart(text, command, state),
            Token::Name(name) => {
                let after = tokens.get(at + 1..).unwrap_or_default();
                call(reader, name, arguments(after), command, state);
            }
            Token::Text(path) => {
                // Python's Path('x').unlink() and its like.
                if let Some([Token::Sign(b')'), Token::Name(method)]) = tokens.get(at + 1..at + 3) {
                    let method = method.strip_prefix(b".").unwrap_or(method);
                    call(reader, method, vec![vec![path.clone()]], command, state);
                }
            }
            Token::Sign(_) => {}
        }
    }
}

/// The strings among a call's arguments; those of one list are together.
fn arguments(after: &[Token]) -> Vec<Vec<Vec<u8>>> {
    let mut found: Vec<Vec<Vec<u8>>> = Vec::new();
    let (mut depth, mut list) = (0_u32, false);
    let mut opened = false;
    for token in after.iter().take(64) {
        match token {
            Token::Sign(b'(') => {
                depth += 1;
                opened = true;
            }
            Token::Sign(b'[') => {
                list = true;
                found.push(Vec::new());
            }
            Token::Sign(b']') => list = false,
            Token::Sign(b')') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            }
            Token::Sign(b';' | b'}') if depth == 0 => break,
            Token::Text(text) => match found.last_mut() {
                Some(last) if list => last.push(text.clone()),
                _ => found.push(vec![text.clone()]),
            },
            // What a name stands for is not known, where it is an argument itself.
            Token::Name(name) if depth == 1 || !opened => {
                if is_home(name) {
                    found.push(vec![b"~".to_vec()]);
                } else if !opened && found.is_empty() && !matches!(token, Token::Text(_)) {
                    // `system "x"` has no bracket, but `a = b` has no call.
                    break;
                }
            }
            _ => {}
        }
    }
    found.retain(|words| !words.is_empty());
    found
}

/// The method of a client's call: `requests.delete(url)`, `axios.put(url)`.
fn http_method(call: &[u8]) -> Option<&'static [u8]> {
    match call {
        b"delete" => Some(b"DELETE"),
        b"put" => Some(b"PUT"),
        b"patch" => Some(b"PATCH"),
        b"post" => Some(b"POST"),
        _ => None,
    }
}

fn is_home(name: &[u8]) -> bool {
    matches!(
        name,
        b"os.homedir" | b"homedir" | b"Path.home" | b"Dir.home" | b"process.env.HOME" | b"pathlib.Path.home"
    )
}

fn call(
    reader: &mut Reader<'_>,
    name: &[u8],
    arguments: Vec<Vec<Vec<u8>>>,
    command: &Command,
    state: &State,
) {
    let last = name.rsplit(|byte| matches!(byte, b'.' | b':')).next().unwrap_or(name);
    let is = |names: &[&str]| names.iter().any(|known| known.as_bytes() == last);
    let Some(first) = arguments.first() else { return };
    let path = first.first().cloned().unwrap_or_default();
    if let Some(method) = http_method(last)
        && path.starts_with(b"http")
    {
        reader.give_out(requests::one(command, method, &path));
    }
    if is(RUN) {
        run(reader, first, &arguments, command, state);
    }
    if is(DELETE_TREE) {
        reader.words(command, &[b"rm".to_vec(), b"-rf".to_vec(), path], state);
    } else if is(DELETE) {
        if looks_like_path(&path) {
            reader.words(command, &[b"rm".to_vec(), path], state);
        }
    } else if is(WRITE) {
        reader.give_out(command.pseudo(">", vec![path]));
    } else if is(READ) {
        reader.give_out(command.pseudo("<", vec![path]));
    } else if matches!(last, b"open" | b"openSync" | b"fopen" | b"new") {
        let mode = arguments.get(1).and_then(|words| words.first()).map_or(&b"r"[..], Vec::as_slice);
        let writes = mode.iter().any(|byte| matches!(byte, b'w' | b'a' | b'x' | b'+' | b'>'));
        reader.give_out(command.pseudo(if writes { ">" } else { "<" }, vec![path]));
    } else if matches!(last, b"chmod" | b"chmodSync") && looks_like_path(&path) {
        reader.words(command, &[b"chmod".to_vec(), vec![UNKNOWN], path], state);
    }
}

/// `system("text")`, `run(["a", "b"])`, `spawn("a", ["b"])`, `system("a", "b")`.
fn run(
    reader: &mut Reader<'_>,
    first: &[Vec<u8>],
    arguments: &[Vec<Vec<u8>>],
    command: &Command,
    state: &State,
) {
    let Some(text) = first.first() else { return };
    if first.len() > 1 {
        return reader.words(command, first, state);
    }
    if text.iter().any(u8::is_ascii_whitespace) || arguments.len() == 1 {
        return reader.text_apart(text, command, state);
    }
    let words: Vec<Vec<u8>> = arguments.iter().flatten().cloned().collect();
    reader.words(command, &words, state);
    if let [program, words] = arguments
        && program.len() == 1
        && words.first() == program.first()
    {
        // execvp("rm", ["rm", "-rf"]) says the name twice.
        reader.words(command, words, state);
    }
}

fn looks_like_path(text: &[u8]) -> bool {
    text.contains(&b'/') || text.starts_with(b"~") || text.starts_with(b".")
}

/// Strings that are decoded where they stand: `b64decode('…')`, `atob("…")`, `unhex`.
fn decoded(tokens: Vec<Token>) -> Vec<Token> {
    let mut result: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let Token::Text(text) = &token else {
            result.push(token);
            continue;
        };
        let kind = match result.as_slice() {
            [.., Token::Name(name), Token::Sign(b'(')] => {
                name.rsplit(|byte| *byte == b'.').next().unwrap_or_default().to_vec()
            }
            [.., Token::Name(name)] => name.clone(),
            _ => Vec::new(),
        };
        let plain = match kind.as_slice() {
            b"b64decode"
            | b"atob"
            | b"decode_base64"
            | b"base64_decode"
            | b"strict_decode64"
            | b"decode64"
            | b"from"
            | b"standard_b64decode"
            | b"urlsafe_b64decode" => decode::base64(text),
            b"fromhex" | b"unhexlify" | b"hex2bin" | b"a2b_hex" => decode::hex(text),
            b"strrev" => Some(text.iter().rev().copied().collect()),
            b"str_rot13" => Some(decode::rot13(text)),
            _ => None,
        };
        match plain {
            Some(plain) => {
                // The call falls away, so that what it gives is its caller's argument.
                result.pop();
                result.push(Token::Text(plain));
            }
            None => result.push(token),
        }
    }
    result
}

/// awk's system() and pipes.
fn awk(reader: &mut Reader<'_>, command: &Command, state: &State) {
    let Some(program) = command.args.iter().find(|arg| arg.contains(&b'{')) else { return };
    let tokens = tokens(program, Language::JavaScript);
    for (at, token) in tokens.iter().enumerate() {
        let Token::Text(text) = token else { continue };
        let before = at.checked_sub(2).and_then(|from| tokens.get(from..at)).unwrap_or_default();
        let is_system = matches!(before, [Token::Name(name), Token::Sign(b'(')] if name == b"system");
        let is_pipe = matches!(before, [.., Token::Sign(b'|')])
            || matches!(tokens.get(at + 1), Some(Token::Sign(b'|')));
        if is_system || is_pipe {
            reader.text_apart(text, command, state);
        }
        if matches!(before, [.., Token::Sign(b'>')]) {
            reader.give_out(command.pseudo(">", vec![text.clone()]));
        }
    }
}
