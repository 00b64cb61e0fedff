//! What well-known programs do to files: each file that one reads or writes becomes a command of the pseudo-programs
//! `<` and `>`, so that a rule about a file need not know every program.

use crate::judge::command::{Command, file_name};

/// Reads and writes of a command, by its words.
pub(super) fn of(command: &Command) -> Vec<Command> {
    let mut effects = Effects { around: command, all: Vec::new() };
    effects.find(command);
    effects.all
}

struct Effects<'a> {
    around: &'a Command,
    all: Vec<Command>,
}

impl Effects<'_> {
    fn reads(&mut self, path: &[u8]) {
        if self.all.len() < 64 {
            self.all.push(self.around.pseudo("<", vec![path.to_vec()]));
        }
    }

    fn writes(&mut self, path: &[u8]) {
        if self.all.len() < 64 {
            self.all.push(self.around.pseudo(">", vec![path.to_vec()]));
        }
    }

    fn read_all<'b>(&mut self, paths: impl IntoIterator<Item = &'b Vec<u8>>) {
        paths.into_iter().for_each(|path| self.reads(path));
    }

    fn find(&mut self, command: &Command) {
        let args = &command.args;
        let operands: Vec<&Vec<u8>> = operands(args, values_of(&command.name)).collect();
        match command.name.as_slice() {
            b"cat" | b"tac" | b"less" | b"more" | b"most" | b"head" | b"tail" | b"nl" | b"bat"
            | b"batcat" | b"strings" | b"xxd" | b"od" | b"hexdump" | b"base64" | b"base32" | b"basenc"
            | b"sort" | b"uniq" | b"cut" | b"paste" | b"rev" | b"fold" | b"fmt" | b"pr" | b"column"
            | b"diff" | b"cmp" | b"comm" | b"join" | b"gzip" | b"bzip2" | b"xz" | b"zstd" | b"view"
            | b"vim" | b"vi" | b"nano" | b"emacs" | b"pico" | b"micro" | b"split" | b"csplit" | b"iconv"
            | b"uuencode" | b"gpg" | b"age" | b"wc" | b"shuf" | b"zcat" | b"dos2unix" | b"expand"
            | b"readarray" | b"mapfile" | b"cpio" | b"qrencode" | b"xclip" | b"pbcopy" | b"look" | b"ul"
            | b"zip2john" | b"ssh2john" | b"gpg2john" | b"pandoc" | b"code" | b"subl" | b"open"
            | b"xdg-open" => self.read_all(operands),
            b"grep" | b"egrep" | b"fgrep" | b"rg" | b"ag" | b"ack" | b"zgrep" => {
                let has_pattern = args
                    .iter()
                    .any(|arg| matches!(arg.as_slice(), b"-e" | b"-f") || arg.starts_with(b"--regexp"));
                self.read_all(operands.into_iter().skip(usize::from(!has_pattern)));
            }
            b"awk" | b"gawk" | b"mawk" | b"nawk" | b"jq" | b"yq" | b"perl" => {
                self.read_all(operands.into_iter().skip(1));
            }
            b"sed" | b"gsed" => {
                let script = args
                    .iter()
                    .any(|arg| matches!(arg.as_slice(), b"-e" | b"-f") || arg.starts_with(b"--expression"));
                let files: Vec<_> = operands.into_iter().skip(usize::from(!script)).collect();
                let in_place = args.iter().any(|arg| {
                    arg.starts_with(b"-i") || arg.starts_with(b"--in-place") || is_bundle_with(arg, b'i')
                });
                for file in files {
                    self.reads(file);
                    if in_place {
                        self.writes(file);
                    }
                }
            }
            b"ed" | b"ex" => operands.into_iter().for_each(|file| self.writes(file)),
            b"tee" | b"sponge" | b"truncate" | b"touch" | b"fallocate" => {
                operands.into_iter().for_each(|file| self.writes(file))
            }
            b"cp" | b"mv" | b"install" | b"ln" | b"rsync" | b"scp" | b"gcp" | b"rcp" | b"pscp" => {
                self.copies(command, &operands)
            }
            b"dd" | b"dcfldd" | b"ddrescue" => {
                for arg in args {
                    if let Some(path) = arg.strip_prefix(b"of=") {
                        self.writes(path);
                    }
                    if let Some(path) = arg.strip_prefix(b"if=") {
                        self.reads(path);
                    }
                }
            }
            b"curl" | b"curlie" => self.curl(args),
            b"wget" => {
                for path in values(args, &[b"-O", b"--output-document", b"-o", b"--output-file"]) {
                    self.writes(path);
                }
                for path in values(args, &[b"--post-file", b"--body-file"]) {
                    self.reads(path);
                }
            }
            b"git" if args.iter().any(|arg| arg == b"--no-index") => {
                self.read_all(operands.into_iter().skip(1));
            }
            b"tar" | b"gtar" | b"bsdtar" => self.tar(args, &operands),
            b"zip" | b"7z" | b"7za" | b"rar" => self.read_all(operands.into_iter().skip(1)),
            b"openssl" => {
                for path in values(args, &[b"-in", b"-inkey"]) {
                    self.reads(path);
                }
                for path in values(args, &[b"-out"]) {
                    self.writes(path);
                }
            }
            b"http" | b"https" | b"xh" | b"xhs" => {
                for arg in args {
                    if let Some(at) = arg.iter().position(|&byte| byte == b'@')
                        && !arg.starts_with(b"-")
                        && !arg.starts_with(b"http")
                    {
                        self.reads(arg.get(at + 1..).unwrap_or_default());
                    }
                }
            }
            _ => {}
        }
    }

    /// The last operand is written, or what is below it; the others are read.
    fn copies(&mut self, command: &Command, operands: &[&Vec<u8>]) {
        let folder = values(&command.args, &[b"-t", b"--target-directory"]).first().map(|path| path.to_vec());
        let (target, sources) = match (&folder, operands.split_last()) {
            (Some(folder), _) => (folder.as_slice(), operands),
            (None, Some((target, sources))) => (target.as_slice(), sources),
            (None, None) => return,
        };
        let links = command.name == b"ln";
        for source in sources {
            if !links {
                self.reads(source);
            }
            if !is_remote(target) {
                self.writes(&[target.strip_suffix(b"/").unwrap_or(target), b"/", file_name(source)].concat());
            }
        }
        // A link's own name is new: nothing is written through it.
        if !is_remote(target) && !sources.is_empty() {
            self.writes(target);
        }
        if command.name == b"mv" {
            sources
                .iter()
                .for_each(|source| self.all.push(self.around.pseudo("mv-from", vec![source.to_vec()])));
        }
    }

    fn curl(&mut self, args: &[Vec<u8>]) {
        for path in values(args, &[b"-o", b"--output", b"-D", b"--dump-header", b"-c", b"--cookie-jar"]) {
            self.writes(path);
        }
        for path in values(args, &[b"-T", b"--upload-file", b"-K", b"--config", b"--netrc-file"]) {
            self.reads(path);
        }
        for data in values(args, &[b"-d", b"--data", b"--data-binary", b"--data-ascii", b"--json"]) {
            if let Some(path) = data.strip_prefix(b"@") {
                self.reads(path);
            }
        }
        for data in values(args, &[b"--data-urlencode", b"-F", b"--form", b"--url-query"]) {
            let at = data.iter().position(|&byte| matches!(byte, b'@' | b'<'));
            if let Some(at) = at {
                let path = data.get(at + 1..).unwrap_or_default();
                self.reads(path.split(|&byte| byte == b';').next().unwrap_or_default());
            }
        }
        for url in args.iter().filter_map(|arg| arg.strip_prefix(b"file://")) {
            self.reads(url);
        }
    }

    fn tar(&mut self, args: &[Vec<u8>], operands: &[&Vec<u8>]) {
        let first = args.first().map_or(&b""[..], Vec::as_slice);
        let letters = first.strip_prefix(b"-").unwrap_or(first);
        let creates = args.iter().any(|arg| arg == b"--create" || is_bundle_with(arg, b'c'))
            || (!first.starts_with(b"--") && letters.contains(&b'c') && !letters.contains(&b'/'));
        if creates {
            let bare = usize::from(!first.starts_with(b"-"));
            operands.iter().skip(bare).for_each(|member| self.reads(member));
        }
    }
}

fn is_remote(path: &[u8]) -> bool {
    let colon = path.iter().position(|&byte| byte == b':');
    colon.is_some_and(|at| !path.get(..at).unwrap_or_default().contains(&b'/'))
}

fn is_bundle_with(arg: &[u8], letter: u8) -> bool {
    matches!(arg, [b'-', letters @ ..] if !letters.starts_with(b"-") && letters.iter().all(u8::is_ascii_alphabetic) && letters.contains(&letter))
}

/// Values of options: `-o x`, `-ox`, `--out x`, `--out=x`.
fn values<'a>(args: &'a [Vec<u8>], options: &[&[u8]]) -> Vec<&'a [u8]> {
    let mut found = Vec::new();
    for (at, arg) in args.iter().enumerate() {
        for option in options {
            if arg == option {
                found.extend(args.get(at + 1).map(Vec::as_slice));
            } else if let Some(rest) = arg.strip_prefix(*option) {
                if let Some(value) = rest.strip_prefix(b"=") {
                    found.push(value);
                } else if option.len() == 2 {
                    found.push(rest);
                }
            } else if option.len() == 2
                && option
                    .last()
                    .is_some_and(|letter| is_bundle_with(arg, *letter) && arg.last() == Some(letter))
            {
                found.extend(args.get(at + 1).map(Vec::as_slice));
            }
        }
    }
    found
}

fn values_of(name: &[u8]) -> &'static [&'static [u8]] {
    match name {
        b"head" | b"tail" => &[b"-n", b"-c"],
        b"cut" => &[b"-d", b"-f", b"-c", b"-b"],
        b"sort" => &[b"-k", b"-t", b"-o", b"-S", b"-T"],
        b"grep" | b"egrep" | b"fgrep" | b"rg" | b"zgrep" => &[
            b"-A",
            b"-B",
            b"-C",
            b"-m",
            b"-e",
            b"-f",
            b"-g",
            b"-t",
            b"-T",
            b"--include",
            b"--exclude",
            b"--glob",
            b"--type",
        ],
        b"awk" | b"gawk" | b"mawk" => &[b"-F", b"-v"],
        b"jq" | b"yq" => &[b"--arg", b"--argjson", b"--indent"],
        b"sed" | b"gsed" => &[b"-e", b"-f"],
        b"rsync" | b"scp" => {
            &[b"-e", b"-i", b"-P", b"-p", b"-o", b"-F", b"-l", b"-J", b"--exclude", b"--include", b"--rsh"]
        }
        b"cp" | b"mv" | b"ln" => &[b"-t", b"-S"],
        b"install" => &[b"-m", b"-o", b"-g", b"-t", b"-S"],
        b"tar" | b"gtar" | b"bsdtar" => &[
            b"-f",
            b"-C",
            b"--exclude",
            b"-X",
            b"--file",
            b"--directory",
            b"-czf",
            b"-cf",
            b"-cvf",
            b"-cvzf",
            b"-czvf",
            b"-cjf",
            b"-cJf",
        ],
        b"truncate" => &[b"-s", b"--size", b"-r"],
        b"touch" => &[b"-t", b"-d", b"-r", b"--date", b"--reference"],
        b"gpg" => &[b"-r", b"--recipient", b"-o", b"--output", b"--passphrase", b"--homedir", b"-u"],
        b"split" | b"xxd" | b"od" | b"base64" | b"fold" => {
            &[b"-b", b"-n", b"-l", b"-w", b"-s", b"-A", b"-t", b"-c"]
        }
        b"diff" => &[b"-U", b"-I", b"--label"],
        _ => &[],
    }
}

/// Words that are no options, nor values of these ones.
fn operands<'a>(args: &'a [Vec<u8>], values: &'static [&'static [u8]]) -> impl Iterator<Item = &'a Vec<u8>> {
    let mut is_value = false;
    let mut only = false;
    args.iter().filter(move |arg| {
        if std::mem::take(&mut is_value) {
            return false;
        }
        if only {
            return true;
        }
        if arg.as_slice() == b"--" {
            only = true;
            return false;
        }
        is_value = values.contains(&arg.as_slice());
        !(arg.len() > 1 && arg.starts_with(b"-"))
    })
}
