//! The catalogue of dangerous commands: rules as data (see README.md here), compiled once, asked about each command.

#[cfg(test)]
mod compile;
mod expression;
mod flags;
mod grams;
mod rule;
mod source;
mod sql;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::command::{Command, wild};
use super::place::Place;
use flags::Options;
use rule::Table;
use source::CategorySource;

/// The files of this folder, as build.rs has packed them.
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/catalogue.bin"));

/// How bad it is when the rule is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    Medium,
    High,
    Critical,
}

impl Severity {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// A rule, as a person reads it.
#[derive(Debug)]
pub(crate) struct CatalogueRule {
    pub(crate) id: Cow<'static, str>,
    pub(crate) category: &'static str,
    pub(crate) severity: Severity,
    pub(crate) reason: Cow<'static, str>,
    pub(crate) instead: Cow<'static, str>,
    /// Commands that it is about, and near-misses.
    pub(crate) hit: Vec<Cow<'static, str>>,
    pub(crate) miss: Vec<Cow<'static, str>>,
    when: Vec<Table>,
}

/// All rules, found by the program that they are about.
#[derive(Debug)]
pub(crate) struct Catalogue {
    rules: Vec<CatalogueRule>,
    abouts: BTreeMap<&'static str, Cow<'static, str>>,
    by_name: HashMap<Cow<'static, [u8]>, Vec<Entry>>,
    /// Those with a star or a question mark in their names, by the byte that they begin with; `None`: any.
    by_glob: HashMap<Option<u8>, Vec<Glob>>,
    options: HashMap<Vec<u8>, Options>,
}

/// A rule and one of its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    rule: usize,
    table: usize,
}

/// A glob, and the rules of programs of such a name.
#[derive(Debug)]
struct Glob {
    glob: Cow<'static, [u8]>,
    entries: Vec<Entry>,
}

/// The built-in files are wrong: a defect, which tests find.
#[derive(Debug, thiserror::Error)]
#[error("the built-in catalogue is broken: {0}")]
pub(crate) struct BadCatalogue(String);

impl Catalogue {
    /// The one that is built in.
    pub(crate) fn built_in() -> Result<&'static Self, BadCatalogue> {
        static CATALOGUE: OnceLock<Result<Catalogue, String>> = OnceLock::new();
        let loaded = CATALOGUE.get_or_init(|| Catalogue::load(PACKED).map_err(|e| e.0));
        loaded.as_ref().map_err(|e| BadCatalogue(e.clone()))
    }

    fn load(packed: &'static [u8]) -> Result<Self, BadCatalogue> {
        let options = flags::table(include_str!("options.toml"))
            .map_err(|e| BadCatalogue(format!("options.toml: {e}")))?;
        let mut catalogue = Self {
            rules: Vec::new(),
            abouts: BTreeMap::new(),
            by_name: HashMap::new(),
            by_glob: HashMap::new(),
            options,
        };
        let categories: Vec<CategorySource<'static>> =
            postcard::from_bytes(packed).map_err(|e| BadCatalogue(e.to_string()))?;
        for category in categories {
            let Cow::Borrowed(name) = category.category else { continue };
            catalogue.abouts.insert(name, category.about);
            for source in category.rule {
                let id = source.id.0.clone();
                let rule =
                    CatalogueRule::new(source, name).map_err(|e| BadCatalogue(format!("{id}: {e}")))?;
                catalogue.add(rule);
            }
        }
        Ok(catalogue)
    }

    fn add(&mut self, rule: CatalogueRule) {
        let index = self.rules.len();
        for (at, table) in rule.when.iter().enumerate() {
            let entry = Entry { rule: index, table: at };
            for program in table.programs() {
                if program.iter().any(|byte| matches!(byte, b'*' | b'?')) {
                    let first = program.first().copied().filter(|byte| !matches!(byte, b'*' | b'?'));
                    let globs = self.by_glob.entry(first).or_default();
                    match globs.iter_mut().find(|known| known.glob == *program) {
                        Some(known) => known.entries.push(entry),
                        None => globs.push(Glob { glob: program.clone(), entries: vec![entry] }),
                    }
                } else {
                    self.by_name.entry(program.clone()).or_default().push(entry);
                }
            }
        }
        self.rules.push(rule);
    }

    pub(crate) fn rules(&self) -> &[CatalogueRule] {
        &self.rules
    }

    pub(crate) fn rule(&self, id: &str) -> Option<&CatalogueRule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// Categories, and what each is about.
    pub(crate) fn categories(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.abouts.iter().map(|(name, about)| (*name, &**about))
    }

    /// The rules that this command trips, each once.
    pub(crate) fn matching(&self, place: &Place, command: &Command) -> Vec<&CatalogueRule> {
        let subject = rule::Subject::new(place, command, self.options.get(&command.name));
        let named = self.by_name.get(command.name.as_slice()).into_iter().flatten();
        let mut found: Vec<&CatalogueRule> = Vec::new();
        for entry in named.copied().chain(self.globbed(&command.name)) {
            let Some(rule) = self.rules.get(entry.rule) else { continue };
            if found.last().is_some_and(|last| last.id == rule.id) {
                continue;
            }
            if rule.when.get(entry.table).is_some_and(|table| table.holds(&subject)) {
                found.push(rule);
            }
        }
        found
    }

    /// What is about a program of this name by a glob, in the rules' order.
    fn globbed(&self, name: &[u8]) -> Vec<Entry> {
        let firsts = name.first().map(|first| Some(*first)).into_iter().chain([None]);
        let globs = firsts.filter_map(|first| self.by_glob.get(&first)).flatten();
        let fitting = globs.filter(|glob| wild(&glob.glob, name));
        let mut entries: Vec<Entry> = fitting.flat_map(|glob| &glob.entries).copied().collect();
        entries.sort_unstable();
        entries
    }
}

#[cfg(test)]
mod tests;
