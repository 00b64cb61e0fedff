//! Expansions: `$x`, `${x…}` and braces.

use tree_sitter::Node;

use super::state::State;
use super::walk::Walk;
use super::words::named;
use crate::judge::command::{UNKNOWN, wild};

/// The longest value that `#` and `%` are worked out for: each of its ends is tried.
const TRIMMED_MAX: usize = 128;
/// Words that one brace may stand for.
const BRACES: usize = 64;

impl Walk<'_, '_, '_> {
    /// The values of `$x` or `${x…}`: one, or several for `$@` and arrays.
    pub(super) fn expansion(&mut self, node: Node<'_>) -> Vec<Vec<u8>> {
        // Commands in it run, whatever its value is.
        for child in named(node) {
            if child.kind() != "variable_name" && child.kind() != "special_variable_name" {
                self.commands_within(child);
            }
        }
        let raw = self.raw(node).to_vec();
        self.comes_from_variable(&raw);
        expansion_of(self.state, &raw)
    }

    /// A variable that holds what programs have printed: the command that uses it has their output in its words.
    pub(super) fn comes_from_variable(&mut self, raw: &[u8]) {
        if self.state.origins.is_empty() {
            return;
        }
        let name: Vec<u8> = raw
            .iter()
            .copied()
            .skip_while(|byte| matches!(byte, b'$' | b'{'))
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .collect();
        let origin = self.state.origins.get(&name).cloned();
        self.state.from.extend(origin.into_iter().flatten());
    }
}

/// A piece of a word without quotes.
pub(super) enum Part<'a> {
    Text(&'a [u8]),
    Expansion(&'a [u8]),
}

/// The pieces of a word in which nothing is quoted or substituted: the grammar takes `-r$x/y` apart in wrong places.
pub(super) fn plain_parts(raw: &[u8]) -> Option<Vec<Part<'_>>> {
    if !raw.contains(&b'$')
        || raw.iter().any(|byte| matches!(byte, b'\'' | b'"' | b'`' | b'\\' | b'(' | b'<' | b'>'))
    {
        return None;
    }
    let mut parts = Vec::new();
    let mut rest = raw;
    while !rest.is_empty() {
        let dollar = rest.iter().position(|&byte| byte == b'$').unwrap_or(rest.len());
        let (text, from) = rest.split_at(dollar);
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        let length = match from {
            [] => break,
            [_, b'{', ..] => from.iter().position(|&byte| byte == b'}')? + 1,
            [_, b'@' | b'*' | b'?' | b'!' | b'#' | b'$' | b'-' | b'0'..=b'9', ..] => 2,
            _ => {
                1 + from
                    .iter()
                    .skip(1)
                    .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                    .count()
            }
        };
        let (expansion, after) = from.split_at_checked(length)?;
        parts.push(if length == 1 { Part::Text(expansion) } else { Part::Expansion(expansion) });
        rest = after;
    }
    Some(parts)
}

pub(super) fn expansion_of(state: &State, raw: &[u8]) -> Vec<Vec<u8>> {
    let body = raw.strip_prefix(b"$").unwrap_or(raw);
    match body.strip_prefix(b"{").and_then(|body| body.strip_suffix(b"}")) {
        Some(body) => braced(state, body),
        None => value_of(state, body),
    }
}

/// A variable's values. One that is not known is unknown; it may also be empty, which rules on paths consider.
fn value_of(state: &State, name: &[u8]) -> Vec<Vec<u8>> {
    match name {
        b"@" | b"*" => state.parameters.clone(),
        b"0" => vec![state.zero.clone().unwrap_or_else(|| b"bash".to_vec())],
        b"PWD" => vec![state.cwd.as_deref().map_or_else(|| vec![UNKNOWN], <[u8]>::to_vec)],
        [b'1'..=b'9'] => {
            let at = usize::from(name.first().copied().unwrap_or(b'1') - b'1');
            vec![state.parameters.get(at).cloned().unwrap_or_else(|| vec![UNKNOWN])]
        }
        _ => match state.variables.get(name) {
            Some(values) => values.iter().take(1).cloned().collect(),
            None => vec![vec![UNKNOWN]],
        },
    }
}

/// `${…}`: what stands in the braces.
fn braced(state: &State, body: &[u8]) -> Vec<Vec<u8>> {
    let unknown = || vec![vec![UNKNOWN]];
    if let Some(name) = body.strip_prefix(b"!") {
        let target = value_of(state, name).into_iter().next().unwrap_or_default();
        return if is_name(&target) { value_of(state, &target) } else { unknown() };
    }
    if body.starts_with(b"#") {
        return vec![b"0".to_vec()];
    }
    let length = body.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let length = if length == 0 { usize::from(!body.is_empty()) } else { length };
    let (name, operator) = body.split_at(length);
    if let Some(index) = operator.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")) {
        return element(state, name, index);
    }
    let is_set = state.variables.contains_key(name) || name.iter().all(u8::is_ascii_digit);
    let value = || value_of(state, name).into_iter().next().unwrap_or_default();
    match operator {
        [] => value_of(state, name),
        // Where this script lies is not known.
        _ if name == b"0" && state.zero.is_none() => unknown(),
        [b':', b'-' | b'=', default @ ..] | [b'-' | b'=', default @ ..] => {
            if is_set {
                value_of(state, name)
            } else {
                vec![plain_or_unknown(state, default)]
            }
        }
        [b':', b'+', other @ ..] | [b'+', other @ ..] => {
            if is_set {
                vec![plain_or_unknown(state, other)]
            } else {
                vec![Vec::new()]
            }
        }
        [b':', b'?', ..] | [b'?', ..] => value_of(state, name),
        [b':', range @ ..] => vec![part(&value(), range)],
        [b'/', rest @ ..] => vec![replaced(&value(), rest)],
        [b'^', ..] => vec![value().to_ascii_uppercase()],
        [b',', ..] => vec![value().to_ascii_lowercase()],
        [b'#', pattern @ ..] => vec![without_start(&value(), pattern)],
        [b'%', pattern @ ..] => vec![without_end(&value(), pattern)],
        [b'@', ..] => value_of(state, name),
        _ => unknown(),
    }
}

fn is_name(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

fn element(state: &State, name: &[u8], index: &[u8]) -> Vec<Vec<u8>> {
    let Some(values) = state.variables.get(name) else { return vec![vec![UNKNOWN]] };
    match index {
        b"@" | b"*" => values.clone(),
        index => {
            let at = std::str::from_utf8(index).ok().and_then(|index| index.parse::<usize>().ok());
            vec![at.and_then(|at| values.get(at)).cloned().unwrap_or_else(|| vec![UNKNOWN])]
        }
    }
}

/// A default's text, where nothing in it has to be worked out.
fn plain_or_unknown(state: &State, text: &[u8]) -> Vec<u8> {
    let text = match text {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        text => text,
    };
    if let Some(name) = text.strip_prefix(b"$").filter(|name| is_name(name)) {
        return value_of(state, name).concat();
    }
    if text.iter().any(|byte| matches!(byte, b'$' | b'`')) { vec![UNKNOWN] } else { text.to_vec() }
}

/// `OFFSET` or `OFFSET:LENGTH`
fn part(value: &[u8], range: &[u8]) -> Vec<u8> {
    let number =
        |text: &[u8]| std::str::from_utf8(text).ok().and_then(|text| text.trim().parse::<i64>().ok());
    let mut numbers = range.split(|&byte| byte == b':').map(number);
    let Some(Some(offset)) = numbers.next() else { return vec![UNKNOWN] };
    let count = i64::try_from(value.len()).unwrap_or(i64::MAX);
    let clamp = |at: i64| usize::try_from(at.clamp(0, count)).unwrap_or(0);
    let from = if offset < 0 { count + offset } else { offset };
    let to = match numbers.next() {
        None => count,
        Some(Some(length)) if length >= 0 => from.saturating_add(length),
        Some(Some(length)) => count + length,
        Some(None) => return vec![UNKNOWN],
    };
    value.get(clamp(from)..clamp(to)).unwrap_or_default().to_vec()
}

/// `a/b`, `/a/b`, `a`: the first, every, and nothing in its place.
fn replaced(value: &[u8], rest: &[u8]) -> Vec<u8> {
    let (every, rest) = match rest.strip_prefix(b"/") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let slash = rest.iter().position(|&byte| byte == b'/').unwrap_or(rest.len());
    let (pattern, with) = rest.split_at(slash);
    let with = with.strip_prefix(b"/").unwrap_or(with);
    if pattern.is_empty() || pattern.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'$')) {
        return if pattern.is_empty() { value.to_vec() } else { vec![UNKNOWN] };
    }
    let mut result = Vec::new();
    let mut left = value;
    let mut done = false;
    while !left.is_empty() {
        match left.strip_prefix(pattern) {
            Some(after) if every || !done => {
                result.extend_from_slice(with);
                left = after;
                done = true;
            }
            _ => {
                result.extend(left.first());
                left = left.get(1..).unwrap_or_default();
            }
        }
    }
    result
}

fn without_start(value: &[u8], pattern: &[u8]) -> Vec<u8> {
    if value.len() > TRIMMED_MAX || pattern.len() > TRIMMED_MAX {
        return vec![UNKNOWN];
    }
    let (longest, pattern) = match pattern.strip_prefix(b"#") {
        Some(pattern) => (true, pattern),
        None => (false, pattern),
    };
    let fits = |end: &usize| wild(pattern, value.get(..*end).unwrap_or_default());
    let all = 0..=value.len();
    let end = if longest { all.rev().find(fits) } else { all.into_iter().find(fits) };
    value.get(end.unwrap_or(0)..).unwrap_or_default().to_vec()
}

fn without_end(value: &[u8], pattern: &[u8]) -> Vec<u8> {
    if value.len() > TRIMMED_MAX || pattern.len() > TRIMMED_MAX {
        return vec![UNKNOWN];
    }
    let (longest, pattern) = match pattern.strip_prefix(b"%") {
        Some(pattern) => (true, pattern),
        None => (false, pattern),
    };
    let fits = |start: &usize| wild(pattern, value.get(*start..).unwrap_or_default());
    let all = 0..=value.len();
    let start = if longest { all.into_iter().find(fits) } else { all.rev().find(fits) };
    value.get(..start.unwrap_or(value.len())).unwrap_or_default().to_vec()
}

/// `a{b,c}d` and `{1..3}`, as raw words; quotes and `${` are left alone.
pub(super) fn braces(raw: &[u8]) -> Vec<Vec<u8>> {
    let Some((open, close, commas)) = first_brace(raw) else { return vec![raw.to_vec()] };
    let prefix = raw.get(..open).unwrap_or_default();
    let suffix = raw.get(close + 1..).unwrap_or_default();
    let mut inner: Vec<Vec<u8>> = Vec::new();
    if commas.is_empty() {
        inner = sequence(raw.get(open + 1..close).unwrap_or_default());
    } else {
        let mut from = open + 1;
        for comma in commas.into_iter().chain([close]) {
            inner.push(raw.get(from..comma).unwrap_or_default().to_vec());
            from = comma + 1;
        }
    }
    let mut all = Vec::new();
    for middle in inner {
        if all.len() >= BRACES {
            break;
        }
        for word in braces(&[prefix, &middle, suffix].concat()) {
            if all.len() < BRACES {
                all.push(word);
            }
        }
    }
    all
}

/// The first brace that stands for something: where it opens and closes, and its commas.
fn first_brace(raw: &[u8]) -> Option<(usize, usize, Vec<usize>)> {
    let (mut depth, mut open, mut commas, mut quote) = (0_u32, 0, Vec::new(), None);
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        match (quote, byte) {
            (Some(q), b) if q == b => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'\\') => at += 1,
            (None, b'$') if raw.get(at + 1) == Some(&b'{') => {
                at += raw.get(at..)?.iter().position(|&b| b == b'}')?;
            }
            (None, b'{') => {
                if depth == 0 {
                    open = at;
                    commas.clear();
                }
                depth += 1;
            }
            (None, b',') if depth == 1 => commas.push(at),
            (None, b'}') if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    let is_sequence =
                        raw.get(open..at).is_some_and(|inner| inner.windows(2).any(|two| two == b".."));
                    if !commas.is_empty() || is_sequence {
                        return Some((open, at, commas));
                    }
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

fn sequence(text: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(text);
    let Some((from, to)) = text.split_once("..") else { return vec![text.as_bytes().to_vec()] };
    let to = to.split("..").next().unwrap_or(to);
    match (from.parse::<i64>(), to.parse::<i64>(), from.as_bytes(), to.as_bytes()) {
        (Ok(from), Ok(to), ..) if from <= to => {
            (from..=to).take(BRACES).map(|number| number.to_string().into_bytes()).collect()
        }
        (_, _, [from], [to]) if from <= to => (*from..=*to).take(BRACES).map(|byte| vec![byte]).collect(),
        _ => vec![[b"{", text.as_bytes(), b"\\}"].concat()],
    }
}
