//! Encodings behind which commands are hidden.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Base64 of either alphabet, white space ignored; `None`: it is none.
pub(in crate::judge::reader) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let packed: Vec<u8> = text
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .collect();
    GeneralPurpose::new(&alphabet::STANDARD, config).decode(packed).ok()
}

pub(in crate::judge::reader) fn base32(text: &[u8]) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut plain) = (0_u32, 0_u32, Vec::new());
    for byte in text.iter().filter(|byte| !byte.is_ascii_whitespace() && **byte != b'=') {
        let value = match byte.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5) | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            plain.push(u8::try_from((bits >> count) & 0xff).unwrap_or_default());
        }
    }
    Some(plain)
}

/// Hexadecimal digits, everything else ignored.
pub(in crate::judge::reader) fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .iter()
        .filter_map(|byte| char::from(*byte).to_digit(16))
        .filter_map(|digit| u8::try_from(digit).ok())
        .collect();
    (!digits.is_empty()).then(|| {
        digits
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0_u8, |byte, digit| byte.wrapping_mul(16).wrapping_add(*digit)))
            .collect()
    })
}

pub(in crate::judge::reader) fn rot13(text: &[u8]) -> Vec<u8> {
    let turn = |byte: u8, first: u8| (byte - first + 13) % 26 + first;
    text.iter()
        .map(|&byte| match byte {
            b'a'..=b'z' => turn(byte, b'a'),
            b'A'..=b'Z' => turn(byte, b'A'),
            other => other,
        })
        .collect()
}

/// `tr FROM TO`, with ranges.
pub(in crate::judge::reader) fn translated(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (from, to) = (ranges(from), ranges(to));
    text.iter()
        .map(|byte| match from.iter().position(|known| known == byte) {
            Some(at) => to.get(at).or(to.last()).copied().unwrap_or(*byte),
            None => *byte,
        })
        .collect()
}

pub(in crate::judge::reader) fn ranges(set: &[u8]) -> Vec<u8> {
    let set = match set {
        [b'[', inner @ .., b']'] if inner.len() > 2 && !inner.starts_with(b":") => inner,
        set => set,
    };
    let mut all = Vec::new();
    let mut rest = set;
    loop {
        match rest {
            [first, b'-', last, after @ ..] if first <= last => {
                all.extend(*first..=*last);
                rest = after;
            }
            [first, after @ ..] => {
                all.push(*first);
                rest = after;
            }
            [] => return all,
        }
    }
}

/// The escapes of `$'…'`, printf and `echo -e`. With `octal_zero`, octal numbers begin with `\0` as in echo.
pub(in crate::judge::reader) fn escapes(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'\\' {
            plain.push(byte);
            rest = after;
            continue;
        }
        let Some((&kind, after)) = after.split_first() else {
            plain.push(b'\\');
            break;
        };
        let number = |digits: &[u8], radix: u32, most: usize| {
            let count =
                digits.iter().take(most).take_while(|byte| char::from(**byte).is_digit(radix)).count();
            let value = digits.iter().take(count).fold(0_u32, |value, digit| {
                value.wrapping_mul(radix).wrapping_add(char::from(*digit).to_digit(radix).unwrap_or_default())
            });
            (value, count)
        };
        let (value, used) = match kind {
            b'n' => (Some(u32::from(b'\n')), 0),
            b't' => (Some(u32::from(b'\t')), 0),
            b'r' => (Some(u32::from(b'\r')), 0),
            b'a' => (Some(7), 0),
            b'b' => (Some(8), 0),
            b'e' | b'E' => (Some(27), 0),
            b'f' => (Some(12), 0),
            b'v' => (Some(11), 0),
            b'\\' | b'\'' | b'"' | b'?' => (Some(u32::from(kind)), 0),
            b'x' => {
                let (value, count) = number(after, 16, 2);
                ((count > 0).then_some(value), count)
            }
            b'u' | b'U' => {
                let (value, count) = number(after, 16, if kind == b'u' { 4 } else { 8 });
                ((count > 0).then_some(value), count)
            }
            b'0'..=b'7' => {
                let most = if kind == b'0' { 3 } else { 2 };
                let (value, count) = number(after, 8, most);
                let first = if kind == b'0' { 0 } else { u32::from(kind - b'0') };
                (Some(first * 8_u32.pow(u32::try_from(count).unwrap_or(0)) + value), count)
            }
            _ => (None, 0),
        };
        match value {
            Some(value) => match (u8::try_from(value), kind) {
                (Ok(byte), b'x' | b'0'..=b'7') => plain.push(byte),
                _ => {
                    let mut buffer = [0; 4];
                    let letter = char::from_u32(value).unwrap_or('\u{fffd}');
                    plain.extend_from_slice(letter.encode_utf8(&mut buffer).as_bytes());
                }
            },
            None => plain.extend([b'\\', kind]),
        }
        rest = after.get(used..).unwrap_or_default();
    }
    plain
}
