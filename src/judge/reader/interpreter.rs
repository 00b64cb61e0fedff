//! The words of a script in Python, Perl, Ruby, JavaScript or PHP, as far as it takes to see what it calls with
//! which strings. It is no parser of any of them.

use crate::judge::command::UNKNOWN;

/// More of a script is not looked at.
const MOST: usize = 64 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name with its dots and colons: `os.system`, `File::delete`.
    Name(Vec<u8>),
    /// A string's content, with `\0` for what is put in when it runs.
    Text(Vec<u8>),
    /// A string that a shell runs as it stands: backticks in Perl, Ruby and PHP, `qx`, `%x`.
    Run(Vec<u8>),
    Sign(u8),
}

/// How a language writes things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Python,
    Perl,
    Ruby,
    JavaScript,
    Php,
}

pub(super) fn tokens(code: &[u8], language: Language) -> Vec<Token> {
    let mut lexer = Lexer {
        code: code.get(..MOST.min(code.len())).unwrap_or_default(),
        at: 0,
        language,
        found: Vec::new(),
    };
    while lexer.next() {}
    joined(lexer.found)
}

struct Lexer<'a> {
    code: &'a [u8],
    at: usize,
    language: Language,
    found: Vec<Token>,
}

impl Lexer<'_> {
    fn rest(&self) -> &[u8] {
        self.code.get(self.at..).unwrap_or_default()
    }

    fn next(&mut self) -> bool {
        let Some(&byte) = self.rest().first() else { return false };
        match byte {
            b'#' if self.language != Language::JavaScript => self.skip_line(),
            b'/' if self.language == Language::JavaScript && self.rest().starts_with(b"//") => {
                self.skip_line()
            }
            b'\'' | b'"' => self.string(byte),
            b'`' => self.string(byte),
            _ if byte == b'_' || byte == b'$' || byte == b'@' || byte.is_ascii_alphabetic() => self.name(),
            _ if byte.is_ascii_whitespace() => self.at += 1,
            _ => {
                self.found.push(Token::Sign(byte));
                self.at += 1;
            }
        }
        true
    }

    fn skip_line(&mut self) {
        let line = self.rest().iter().position(|&byte| byte == b'\n');
        self.at += line.unwrap_or(self.rest().len()).max(1);
    }

    fn name(&mut self) {
        let is_part = |byte: &u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'$' | b'@' | b'!')
        };
        let length = self.rest().iter().take_while(|byte| is_part(byte)).count().max(1);
        let name = self.rest().get(..length).unwrap_or_default().to_vec();
        self.at += length;
        // Python's prefixes of strings; Perl's and Ruby's quotes of their own.
        let next = self.rest().first().copied();
        let quote = matches!(next, Some(b'\'' | b'"'));
        match (self.language, name.as_slice()) {
            (
                Language::Python,
                b"r" | b"b" | b"f" | b"u" | b"rb" | b"br" | b"fr" | b"rf" | b"R" | b"B" | b"F",
            ) if quote => {}
            (Language::Perl, b"q" | b"qq" | b"qw" | b"qx") => self.own_quote(name == b"qx"),
            (Language::Ruby, b"x" | b"q" | b"Q" | b"w") if self.found.last() == Some(&Token::Sign(b'%')) => {
                self.found.pop();
                self.own_quote(name == b"x");
            }
            _ => self.found.push(Token::Name(name)),
        }
    }

    fn own_quote(&mut self, runs: bool) {
        let spaces = self.rest().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.at += spaces;
        let Some(&open) = self.rest().first() else { return };
        let close = match open {
            b'(' => b')',
            b'{' => b'}',
            b'[' => b']',
            b'<' => b'>',
            open => open,
        };
        let body = self.rest().get(1..).unwrap_or_default();
        let length = body.iter().position(|&byte| byte == close).unwrap_or(body.len());
        let text = body.get(..length).unwrap_or_default().to_vec();
        self.at += length + 2;
        self.found.push(if runs { Token::Run(text) } else { Token::Text(text) });
    }

    fn string(&mut self, quote: u8) {
        let triple = [quote; 3];
        let is_triple = self.language == Language::Python && self.rest().starts_with(&triple);
        self.at += if is_triple { 3 } else { 1 };
        let mut text = Vec::new();
        while let Some(&byte) = self.rest().first() {
            if is_triple && self.rest().starts_with(&triple) {
                self.at += 3;
                break;
            }
            if !is_triple && byte == quote {
                self.at += 1;
                break;
            }
            if byte == b'\\' {
                self.escape(&mut text);
                continue;
            }
            if self.is_filled_in(byte, quote) {
                self.skip_filled_in();
                text.push(UNKNOWN);
                continue;
            }
            text.push(byte);
            self.at += 1;
        }
        let runs =
            quote == b'`' && self.language != Language::JavaScript && self.language != Language::Python;
        self.found.push(if runs { Token::Run(text) } else { Token::Text(text) });
    }

    fn escape(&mut self, text: &mut Vec<u8>) {
        let (byte, length) = match self.rest() {
            [_, b'x', a, b, ..] => (hex(*a, *b), 4),
            [_, b'n', ..] => (Some(b'\n'), 2),
            [_, b't', ..] => (Some(b'\t'), 2),
            [_, a @ b'0'..=b'7', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
                ((a - b'0').checked_mul(64).and_then(|high| high.checked_add((b - b'0') * 8 + (c - b'0'))), 4)
            }
            [_, byte, ..] => (Some(*byte), 2),
            _ => (None, 2),
        };
        text.extend(byte);
        self.at += length;
    }

    /// `#{x}`, `${x}`, `$x`: what Ruby, JavaScript, Perl and PHP put into a string.
    fn is_filled_in(&self, byte: u8, quote: u8) -> bool {
        let next = self.rest().get(1).copied().unwrap_or_default();
        match self.language {
            Language::Ruby => byte == b'#' && next == b'{' && quote != b'\'',
            Language::JavaScript => byte == b'$' && next == b'{' && quote == b'`',
            Language::Perl | Language::Php => {
                quote != b'\'' && byte == b'$' && (next == b'{' || next == b'_' || next.is_ascii_alphabetic())
            }
            Language::Python => false,
        }
    }

    fn skip_filled_in(&mut self) {
        if self.rest().get(1) == Some(&b'{') {
            let end = self.rest().iter().position(|&byte| byte == b'}');
            self.at += end.map_or(self.rest().len(), |end| end + 1);
        } else {
            let name =
                self.rest().iter().skip(1).take_while(|b| **b == b'_' || b.is_ascii_alphanumeric()).count();
            self.at += 1 + name;
        }
    }
}

fn hex(a: u8, b: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(a)? * 16 + digit(b)?).ok()
}

/// Puts together strings that stand beside each other, or with `+` or `.` between them.
fn joined(tokens: Vec<Token>) -> Vec<Token> {
    let mut result: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let Token::Text(text) = token else {
            result.push(token);
            continue;
        };
        let plus = matches!(result.as_slice(), [.., Token::Text(_), Token::Sign(b'+' | b'.')]);
        if plus {
            result.pop();
        }
        match result.last_mut() {
            Some(Token::Text(before)) => before.extend_from_slice(&text),
            _ => result.push(Token::Text(text)),
        }
    }
    result
}
