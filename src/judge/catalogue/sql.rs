//! What in a piece of SQL can't be taken back. It is no parser: it splits statements, leaves out comments and what
//! stands in quotes, and looks at the words.

use serde::Deserialize;

/// More is not looked at: every word is looked at once.
const MOST: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Drop,
    Truncate,
    /// DELETE without WHERE, or with one that is always true.
    DeleteAll,
    UpdateAll,
    Grant,
    /// ALTER TABLE … DROP
    AlterDrop,
    /// Reads or writes files, or runs programs.
    File,
    /// Stops or changes the server.
    Admin,
}

/// The kinds of all its statements.
pub(super) fn kinds(text: &[u8]) -> Vec<Kind> {
    let text = text.get(..MOST.min(text.len())).unwrap_or_default();
    statements(text).iter().filter_map(|words| kind(words)).collect()
}

/// Upper-case words and signs of each statement.
fn statements(text: &[u8]) -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    let mut word = String::new();
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.' || byte >= 0x80 {
            word.push(byte.to_ascii_uppercase().into());
            continue;
        }
        end_word(&mut all, &mut word);
        match byte {
            b';' => all.push(Vec::new()),
            b'-' if bytes.peek() == Some(&b'-') => while bytes.next_if(|&b| b != b'\n').is_some() {},
            // `/*!50000 DROP …*/` runs in MySQL, so what stands in it counts.
            b'/' if bytes.peek() == Some(&b'*') => {
                bytes.next();
                if bytes.next_if_eq(&b'!').is_some() {
                    while bytes.next_if(u8::is_ascii_digit).is_some() {}
                } else {
                    let mut last = 0;
                    for b in bytes.by_ref() {
                        if last == b'*' && b == b'/' {
                            break;
                        }
                        last = b;
                    }
                }
            }
            b'\'' => {
                while bytes.next_if(|&b| b != b'\'').is_some() {}
                bytes.next();
                push(&mut all, "''".to_owned());
            }
            b'*' if bytes.next_if_eq(&b'/').is_some() => {}
            b'=' | b'<' | b'>' | b'*' | b'(' | b'\\' | b'!' => push(&mut all, char::from(byte).to_string()),
            _ => {}
        }
    }
    end_word(&mut all, &mut word);
    all
}

fn push(all: &mut [Vec<String>], word: String) {
    if let Some(last) = all.last_mut() {
        last.push(word);
    }
}

fn end_word(all: &mut [Vec<String>], word: &mut String) {
    if !word.is_empty() {
        push(all, std::mem::take(word));
    }
}

fn kind(words: &[String]) -> Option<Kind> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let has = |word: &str| words.contains(&word);
    let pair = |one: &str, other: &[&str]| {
        words.windows(2).any(|two| matches!(two, [a, b] if *a == one && other.contains(b)))
    };
    const THINGS: &[&str] = &[
        "TABLE",
        "DATABASE",
        "SCHEMA",
        "VIEW",
        "INDEX",
        "USER",
        "ROLE",
        "KEYSPACE",
        "COLLECTION",
        "SEQUENCE",
        "FUNCTION",
        "TRIGGER",
        "PROCEDURE",
        "TABLESPACE",
        "EXTENSION",
        "OWNED",
        "MATERIALIZED",
        "TYPE",
        "WAREHOUSE",
        "STAGE",
        "PIPELINE",
        "MEASUREMENT",
        "SERIES",
        "BUCKET",
        "POLICY",
        "PARTITION",
        "DICTIONARY",
        "PUBLICATION",
        "SUBSCRIPTION",
        "SERVER",
        "LOGIN",
        "FOREIGN",
    ];
    if pair("ALTER", &["SYSTEM"]) || words.first() == Some(&"SHUTDOWN") {
        return Some(Kind::Admin);
    }
    if words.iter().any(|word| {
        word.starts_with("PG_TERMINATE_BACKEND")
            || word.starts_with("PG_RELOAD_CONF")
            || word.starts_with("XP_CMDSHELL")
    }) || pair("SET", &["GLOBAL", "PERSIST"])
        || pair("RESET", &["MASTER", "SLAVE", "REPLICA"])
        || (words.first() == Some(&"KILL") && words.len() == 2)
        || (words.first() == Some(&"PURGE") && has("LOGS"))
    {
        return Some(Kind::Admin);
    }
    if (has("COPY") && has("PROGRAM"))
        || (has("INTO") && (has("OUTFILE") || has("DUMPFILE")))
        || words.iter().any(|word| {
            [
                "LOAD_FILE",
                "PG_READ_FILE",
                "PG_READ_BINARY_FILE",
                "LO_IMPORT",
                "LO_EXPORT",
                "PG_LS_DIR",
                "LOAD_EXTENSION",
                "WRITEFILE",
            ]
            .contains(word)
        })
        || pair("\\", &["!"])
        || (pair("LOAD", &["DATA"]) && has("INFILE"))
    {
        return Some(Kind::File);
    }
    if has("ALTER") && has("DROP") {
        return Some(Kind::AlterDrop);
    }
    if pair("DROP", THINGS) {
        return Some(Kind::Drop);
    }
    // As a statement, or in front of a table's name after EXPLAIN and the like; not as a function or a column.
    if words.first() == Some(&"TRUNCATE") && words.get(1).is_some_and(|next| *next != "(")
        || pair("TRUNCATE", &["TABLE"])
    {
        return Some(Kind::Truncate);
    }
    if pair("DELETE", &["FROM"]) && narrow(&words).is_none() {
        return Some(Kind::DeleteAll);
    }
    if words.first() == Some(&"UPDATE") && has("SET") && narrow(&words).is_none() {
        return Some(Kind::UpdateAll);
    }
    if (words.first() == Some(&"GRANT") || words.first() == Some(&"REVOKE")) && words.len() > 2
        || (pair("ALTER", &["USER", "ROLE", "LOGIN"]) || pair("CREATE", &["USER", "ROLE", "LOGIN"]))
    {
        return Some(Kind::Grant);
    }
    None
}

/// Where a WHERE (or LIMIT, USING) narrows it: a condition that is always true does not.
fn narrow(words: &[&str]) -> Option<usize> {
    let at = words.iter().position(|word| ["WHERE", "LIMIT", "USING"].contains(word))?;
    let condition = words.get(at + 1..).unwrap_or_default();
    let is_always = matches!(condition, ["TRUE" | "1", ..] if condition.len() == 1)
        || matches!(condition, [a, "=", b] if a == b && a.bytes().all(|byte| byte.is_ascii_digit() || byte == b'\''))
        || matches!(condition, [a, "=", b, "OR" | "AND", ..] if a == b && *a != "''");
    (!is_always).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<Kind> {
        kinds(text.as_bytes())
    }

    #[test]
    fn statements_that_lose_something() {
        for (text, expected) in [
            ("DROP TABLE users", Kind::Drop),
            ("select 1; drop database if exists app;", Kind::Drop),
            ("/* x */ DrOp /**/ table a", Kind::Drop),
            ("/*!50000 DROP TABLE a */", Kind::Drop),
            ("truncate users, orders restart identity", Kind::Truncate),
            ("DELETE FROM users", Kind::DeleteAll),
            ("delete from users where 1=1", Kind::DeleteAll),
            ("delete from users where true;", Kind::DeleteAll),
            ("UPDATE users SET admin = true", Kind::UpdateAll),
            ("GRANT ALL ON *.* TO 'x'@'%'", Kind::Grant),
            ("ALTER TABLE a DROP COLUMN b", Kind::AlterDrop),
            ("COPY (SELECT '') TO PROGRAM 'sh'", Kind::File),
            ("SELECT 1 INTO OUTFILE '/tmp/x'", Kind::File),
            ("ALTER SYSTEM SET x = 1", Kind::Admin),
            ("select pg_terminate_backend(1)", Kind::Admin),
        ] {
            assert!(of(text).contains(&expected), "{text}: {:?}", of(text));
        }
    }

    #[test]
    fn everyday_statements_are_none() {
        for text in [
            "SELECT * FROM drops",
            "DELETE FROM users WHERE id = 3",
            "UPDATE users SET a = 1 WHERE id = 3",
            "INSERT INTO log VALUES ('DROP TABLE users')",
            "-- DROP TABLE users\nSELECT 1",
            "SELECT date_trunc('day', t), truncate(x, 2) FROM a",
            "CREATE TABLE a (b int)",
            "delete from x where id = 1 or name = 'a'",
        ] {
            assert!(of(text).is_empty(), "{text}: {:?}", of(text));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(text in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..256)) {
            kinds(&text);
        }
    }
}
