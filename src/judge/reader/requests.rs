//! HTTP requests, whichever program makes them: each becomes a command of the pseudo-program `request` (to another
//! machine) or `local-request`, with its method, its address and its body, so that a rule about a service need not
//! know every program.

use crate::judge::command::{Command, UNKNOWN};

/// Requests of one command that are shown.
const MOST: usize = 16;

/// The requests of a command, by its words.
pub(super) fn of(command: &Command) -> Vec<Command> {
    let request = match command.name.as_slice() {
        b"curl" | b"curlie" => curl(&command.args),
        b"wget" | b"wget2" => wget(&command.args),
        b"http" | b"https" | b"xh" | b"xhs" | b"httpie" | b"ht" | b"restish" => httpie(command),
        b"Invoke-RestMethod" | b"Invoke-WebRequest" | b"irm" | b"iwr" => powershell(&command.args),
        _ => return Vec::new(),
    };
    request.commands(command)
}

/// One request of a script.
pub(super) fn one(around: &Command, method: &[u8], url: &[u8]) -> Command {
    let request = Request { method: Some(method.to_vec()), urls: vec![url.to_vec()], body: Vec::new() };
    request.commands(around).pop().unwrap_or_default()
}

#[derive(Debug, Default)]
struct Request {
    method: Option<Vec<u8>>,
    urls: Vec<Vec<u8>>,
    body: Vec<Vec<u8>>,
}

impl Request {
    fn commands(self, around: &Command) -> Vec<Command> {
        let method = self.method.unwrap_or_else(|| b"GET".to_vec()).to_ascii_uppercase();
        let body = self.body.join(&b' ');
        let command = |url: Vec<u8>| {
            let name = if is_local(&url) { "local-request" } else { "request" };
            let mut args = vec![method.clone(), url];
            if !body.is_empty() {
                args.push(body.clone());
            }
            around.pseudo(name, args)
        };
        self.urls.into_iter().take(MOST).map(command).collect()
    }

    /// What sends a body is a POST where nothing else is said.
    fn sends(&mut self, method: &[u8], body: &[u8]) {
        self.method.get_or_insert_with(|| method.to_vec());
        self.body.push(body.to_vec());
    }
}

/// curl's one-letter options that take a value.
const CURL_LETTERS: &[u8] = b"XHdoFuAebcTmwxKECrDzPQtyYU";
/// Its long ones without a value, of those that matter: all others that are followed by a word are taken to have one
/// unless the word looks like an address.
const CURL_FLAGS: &[&[u8]] = &[
    b"--silent",
    b"--show-error",
    b"--fail",
    b"--location",
    b"--insecure",
    b"--verbose",
    b"--compressed",
    b"--include",
    b"--head",
    b"--get",
    b"--fail-with-body",
    b"--globoff",
    b"--remote-name",
    b"--http2",
    b"--http1.1",
    b"--no-progress-meter",
    b"--progress-bar",
    b"--ipv4",
    b"--ipv6",
    b"--no-buffer",
    b"--location-trusted",
    b"--negotiate",
    b"--netrc",
    b"--tlsv1.2",
];

fn curl(args: &[Vec<u8>]) -> Request {
    let mut request = Request::default();
    let (mut explicit, mut get) = (None, false);
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match word.as_slice() {
            [b'-', b'-', ..] => {
                let at = word.iter().position(|&byte| byte == b'=');
                let (name, attached) = match at {
                    Some(at) => (word.get(..at).unwrap_or_default(), word.get(at + 1..)),
                    None => (word.as_slice(), None),
                };
                if name == b"--get" {
                    get = true;
                }
                if CURL_FLAGS.contains(&name) || name.starts_with(b"--no-") {
                    if name == b"--head" {
                        request.method.get_or_insert_with(|| b"HEAD".to_vec());
                    }
                    continue;
                }
                let Some(value) = attached.or_else(|| words.next().map(Vec::as_slice)) else { continue };
                curl_option(&mut request, &mut explicit, name, value);
            }
            [b'-', letters @ ..] if !letters.is_empty() => {
                for (at, letter) in letters.iter().enumerate() {
                    match letter {
                        b'I' => drop(request.method.get_or_insert_with(|| b"HEAD".to_vec())),
                        b'G' => get = true,
                        _ => {}
                    }
                    if CURL_LETTERS.contains(letter) {
                        let rest = letters.get(at + 1..).filter(|rest| !rest.is_empty());
                        let value = rest.or_else(|| words.next().map(Vec::as_slice)).unwrap_or_default();
                        curl_option(&mut request, &mut explicit, &[b'-', *letter], value);
                        break;
                    }
                }
            }
            url => request.urls.push(url.to_vec()),
        }
    }
    if let Some(method) = explicit {
        request.method = Some(method);
    } else if get {
        request.method = Some(b"GET".to_vec());
    }
    request
}

fn curl_option(request: &mut Request, explicit: &mut Option<Vec<u8>>, name: &[u8], value: &[u8]) {
    match name {
        b"-X" | b"--request" => *explicit = Some(value.to_vec()),
        b"--url" => request.urls.push(value.to_vec()),
        // A file, as `@` says elsewhere.
        b"-T" | b"--upload-file" => request.sends(b"PUT", &[b"@", value].concat()),
        b"-F" | b"-d" | b"--json" => request.sends(b"POST", value),
        _ if name.starts_with(b"--data") || name.starts_with(b"--form") => request.sends(b"POST", value),
        // An option without a value that is not in the list.
        _ if name.starts_with(b"--")
            && value.windows(3).any(|three| three == b"://")
            && !matches!(name, b"--proxy" | b"--referer" | b"--preproxy") =>
        {
            request.urls.push(value.to_vec());
        }
        _ => {}
    }
}

fn wget(args: &[Vec<u8>]) -> Request {
    let mut request = Request::default();
    let mut words = args.iter();
    let mut method = None;
    while let Some(word) = words.next() {
        let at = word.iter().position(|&byte| byte == b'=');
        let (name, attached) = match at {
            Some(at) if word.starts_with(b"--") => (word.get(..at).unwrap_or_default(), word.get(at + 1..)),
            _ => (word.as_slice(), None),
        };
        let mut value = || attached.or_else(|| words.next().map(Vec::as_slice)).unwrap_or_default();
        match name {
            b"--method" => method = Some(value().to_vec()),
            b"--post-data" | b"--body-data" => request.sends(b"POST", value()),
            b"--post-file" | b"--body-file" => {
                let file = [b"@", value()].concat();
                request.sends(b"POST", &file);
            }
            b"-O"
            | b"-P"
            | b"-o"
            | b"-U"
            | b"-t"
            | b"-T"
            | b"-e"
            | b"-i"
            | b"--header"
            | b"--user"
            | b"--password"
            | b"--user-agent"
            | b"--output-document"
            | b"--directory-prefix" => {
                value();
            }
            [b'-', _, ..] => {}
            url => request.urls.push(url.to_vec()),
        }
    }
    request.method = method.or(request.method);
    request
}

fn httpie(command: &Command) -> Request {
    let args = &command.args;
    let mut request = Request::default();
    let takes_value: &[&[u8]] = &[
        b"-a",
        b"--auth",
        b"-A",
        b"--auth-type",
        b"-o",
        b"--output",
        b"--session",
        b"--timeout",
        b"--bearer",
    ];
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let is_method = !word.is_empty()
            && word.iter().all(u8::is_ascii_alphabetic)
            && [b"GET".as_slice(), b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS", b"PURGE"]
                .contains(&word.to_ascii_uppercase().as_slice());
        if takes_value.contains(&word.as_slice()) {
            words.next();
        } else if word.starts_with(b"-") {
        } else if request.urls.is_empty() && is_method {
            request.method = Some(word.clone());
        } else if request.urls.is_empty() {
            request.urls.push(word.clone());
        } else if word.contains(&b'=') || word.contains(&b'@') {
            // A header is `Name:value`, a query `name==value`: no body.
            if !word.windows(2).any(|two| two == b"==") {
                request.sends(b"POST", word);
            }
        }
    }
    // What comes in is sent.
    if command.input.is_some() || !command.from.is_empty() {
        request.method.get_or_insert_with(|| b"POST".to_vec());
    }
    request
}

fn powershell(args: &[Vec<u8>]) -> Request {
    let mut request = Request::default();
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match word.to_ascii_lowercase().as_slice() {
            b"-method" => request.method = words.next().cloned(),
            b"-uri" => request.urls.extend(words.next().cloned()),
            b"-body" => {
                let body = words.next().cloned().unwrap_or_default();
                request.body.push(body);
            }
            [b'-', ..] => drop(words.next()),
            _ => request.urls.push(word.clone()),
        }
    }
    request
}

/// Whether an address is this machine's, or one that only a test has (RFC 6761). One that is not known is not.
fn is_local(url: &[u8]) -> bool {
    let rest = match url.windows(3).position(|three| three == b"://") {
        Some(at) => url.get(at + 3..).unwrap_or_default(),
        None => url,
    };
    let authority = rest.split(|byte| matches!(byte, b'/' | b'?' | b'#')).next().unwrap_or_default();
    let host = authority.rsplit(|&byte| byte == b'@').next().unwrap_or_default();
    let host = match host {
        [b'[', rest @ ..] => rest.split(|&byte| byte == b']').next().unwrap_or_default(),
        host => host.split(|&byte| byte == b':').next().unwrap_or_default(),
    };
    if host.contains(&UNKNOWN) {
        return false;
    }
    let host = host.to_ascii_lowercase();
    let is_v4_loopback = host.starts_with(b"127.") && host.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    let ends = |end: &[u8]| host.ends_with(end);
    host.is_empty()
        || is_v4_loopback
        || matches!(host.as_slice(), b"localhost" | b"0.0.0.0" | b"::1" | b"::" | b"host.docker.internal")
        || ends(b".localhost")
        || ends(b".local") && !ends(b".cluster.local")
        || ends(b".test")
        || ends(b".invalid")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(line: &str) -> Vec<String> {
        let mut words = line.split(' ').map(|word| word.as_bytes().to_vec());
        let command =
            Command { name: words.next().expect("a program"), args: words.collect(), ..Command::default() };
        let lines = of(&command).into_iter().map(|request| request.line());
        lines.map(|line| String::from_utf8_lossy(&line).into_owned()).collect()
    }

    #[test]
    fn requests_of_every_client() {
        for (line, expected) in [
            ("curl https://x.io/a", "request GET https://x.io/a"),
            ("curl -sXDELETE x.io/a", "request DELETE x.io/a"),
            ("curl -s -X delete https://x.io -H a:b", "request DELETE https://x.io"),
            ("curl --request=PUT --url https://x.io", "request PUT https://x.io"),
            ("curl -d a=b https://x.io", "request POST https://x.io a=b"),
            ("curl -G -d a=b https://x.io", "request GET https://x.io a=b"),
            ("curl --some-new-flag https://x.io", "request GET https://x.io"),
            ("curl -fsSL -o out http://localhost:80/x", "local-request GET http://localhost:80/x"),
            ("wget --method=DELETE https://x.io", "request DELETE https://x.io"),
            ("wget -qO- --post-data a https://x.io", "request POST https://x.io a"),
            ("http DELETE x.io/a", "request DELETE x.io/a"),
            ("http x.io/a b=c", "request POST x.io/a b=c"),
            ("http PUT :8000/a b=c", "local-request PUT :8000/a b=c"),
            ("xh get app.localhost", "local-request GET app.localhost"),
            ("irm -Method Delete -Uri https://x.io", "request DELETE https://x.io"),
            ("curl https://127.0.0.1.evil.io", "request GET https://127.0.0.1.evil.io"),
            ("curl http://user@[::1]:80/", "local-request GET http://user@[::1]:80/"),
        ] {
            assert_eq!(requests(line), [expected], "{line}");
        }
        assert_eq!(requests("curl a.io b.io").len(), 2);
        assert!(requests("curl --version").is_empty());
    }
}
