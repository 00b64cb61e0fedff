//! The JSON Schema of a policy file, for editors: made from the table of keys.

use serde_json::{Map, Value, json};

use super::keys::{KEYS, KeyRow, RULE_KEYS, State};
use super::kind::{Kind, Text, VERDICT};

/// JSON Schema, draft 2020-12.
pub(crate) fn schema() -> Value {
    let mut properties = Map::new();
    for row in KEYS {
        let property = of_row(row);
        match row.name.split_once('.') {
            None => drop(properties.insert(row.name.to_owned(), property)),
            Some((section, key)) => {
                let section = properties.entry(section).or_insert_with(
                    || json!({ "type": "object", "additionalProperties": false, "properties": {} }),
                );
                section["properties"][key] = property;
            }
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A creel policy",
        "type": "object",
        "additionalProperties": false,
        "required": ["version"],
        "properties": properties,
    })
}

fn of_row(row: &KeyRow) -> Value {
    let mut schema = match row.state {
        State::Later(only, _) => match toml::from_str::<toml::Table>(&format!("only = {only}")) {
            Ok(table) => json!({ "const": table.get("only") }),
            // Not even the value that is in force may be written.
            Err(_) => json!({ "not": {} }),
        },
        State::Built => of_kind(&row.kind),
        State::Partly(missing, _) => match row.kind {
            Kind::Text(Text::Word(words)) => {
                let words: Vec<_> = words.iter().filter(|word| !missing.contains(word)).collect();
                json!({ "enum": words })
            }
            ref kind => of_kind(kind),
        },
    };
    let about = match row.state {
        State::Later(_, part) => format!("{} It needs {part}.", row.about),
        _ => row.about.to_owned(),
    };
    schema["description"] = about.into();
    schema
}

fn of_kind(kind: &Kind) -> Value {
    match kind {
        Kind::Text(text) => of_text(text),
        Kind::List(text) => json!({ "type": "array", "items": of_text(text) }),
        Kind::Count(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Cpus => json!({ "type": "number", "minimum": 0.01, "maximum": 1024 }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Variables => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        Kind::Verdicts(_) => json!({ "type": "object", "additionalProperties": of_text(&VERDICT) }),
        Kind::Whatever => json!({}),
        Kind::Rules => {
            let properties: Map<String, Value> =
                RULE_KEYS.iter().map(|row| (row.name.to_owned(), of_row(row))).collect();
            let rule = json!({
                "type": "object",
                "additionalProperties": false,
                "required": ["id", "program", "verdict"],
                "properties": properties,
            });
            json!({ "type": "array", "items": rule })
        }
    }
}

fn of_text(text: &Text) -> Value {
    match text {
        Text::Word(words) => json!({ "enum": words }),
        Text::Form(what, _) => json!({ "type": "string", "title": what }),
        Text::Size(_) => json!({ "type": "string", "pattern": "^[0-9]+ ?([kKmMgGtT]i?[bB]?|[bB])?$" }),
        Text::Time(..) => json!({ "type": "string", "title": text.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_described() {
        let schema = schema();
        for row in KEYS {
            let pointer = format!("/properties/{}", row.name.replacen('.', "/properties/", 1));
            let described = schema.pointer(&pointer).unwrap_or_else(|| panic!("{}", row.name));
            assert!(described["description"].as_str().is_some_and(|text| !text.is_empty()), "{}", row.name);
        }
    }
}
