//! One rule: from its text to something that can be asked of a command.

use std::borrow::Cow;
use std::cell::OnceCell;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

use super::CatalogueRule;
use super::expression::Expression;
use super::flags::{Flag, Options, operands};
use super::grams::Grams;
use super::source::{RuleSource, TableSource, Text};
use super::sql::{self, Kind};
use crate::judge::command::{Command, wild};
use crate::judge::place::{Class, Classes, Place};

/// All that must hold together. Nearly all of its texts lie in the binary itself.
#[derive(Debug)]
pub(super) struct Table {
    programs: Box<[Bytes]>,
    subs: Box<[Vec<Bytes>]>,
    flags: Box<[Flag]>,
    without: Box<[Flag]>,
    operands: Box<[Expression]>,
    no_operands: bool,
    args: Box<[Expression]>,
    text: Option<Expression>,
    input: Option<Expression>,
    sql: Box<[Kind]>,
    paths: Option<Classes>,
    from: Box<[Bytes]>,
    to: Box<[Bytes]>,
    env: Box<[Bytes]>,
}

type Bytes = Cow<'static, [u8]>;

impl CatalogueRule {
    pub(super) fn new(source: RuleSource<'static>, category: &'static str) -> Result<Self, String> {
        if !source.id.0.strip_prefix(category).is_some_and(|rest| rest.starts_with('.')) {
            return Err(format!("it does not begin with “{category}.”"));
        }
        let texts = |texts: Vec<Text<'static>>| texts.into_iter().map(|text| text.0).collect();
        Ok(Self {
            id: source.id.0,
            category,
            severity: named(&source.severity.0)?,
            reason: source.reason.0,
            instead: source.instead.0,
            hit: texts(source.hit),
            miss: texts(source.miss),
            when: source.when.into_iter().map(Table::new).collect::<Result<_, _>>()?,
        })
    }
}

impl Table {
    fn new(source: TableSource<'static>) -> Result<Self, String> {
        let all = |texts: Vec<Text<'static>>| texts.into_iter().map(|text| bytes(text.0)).collect();
        let flags = |flags: Vec<Text<'static>>| {
            let flag = |text: Text<'static>| Flag::new(&text.0).ok_or_else(|| format!("no flag: {}", text.0));
            flags.into_iter().map(flag).collect::<Result<Box<[_]>, _>>()
        };
        let mut made = source.needs.into_iter().zip(source.programs);
        let mut expression = |text: Text<'static>| {
            let (needs, program) = made.next().ok_or_else(|| format!("{} has no program", text.0))?;
            let needs = needs.into_iter().map(|text| bytes(text.0)).collect();
            Ok::<_, String>(Expression::new(text.0, needs, program.0))
        };
        let operands = source.operands.into_iter().map(&mut expression).collect::<Result<_, _>>()?;
        let args = source.args.into_iter().map(&mut expression).collect::<Result<_, _>>()?;
        let text = source.text.map(&mut expression).transpose()?;
        let input = source.input.map(&mut expression).transpose()?;
        let paths: Vec<Class> = source.paths.iter().map(|name| named(&name.0)).collect::<Result<_, _>>()?;
        Ok(Self {
            programs: all(source.program),
            subs: source.sub.into_iter().map(|sub| words(sub.0)).collect(),
            flags: flags(source.flags)?,
            without: flags(source.without)?,
            operands,
            no_operands: source.no_operands,
            args,
            text,
            input,
            sql: source.sql.iter().map(|name| named(&name.0)).collect::<Result<_, _>>()?,
            paths: (!paths.is_empty()).then(|| Classes::of(&paths)),
            from: all(source.from),
            to: all(source.to),
            env: all(source.env),
        })
    }
}

/// Of very many words the first and the last: nobody writes a thousand of them by hand.
fn looked_at<T>(words: &[T]) -> impl Iterator<Item = &T> {
    const HEAD: usize = 800;
    const TAIL: usize = 200;
    let head = words.len().min(HEAD);
    let (head, rest) = words.split_at(head);
    head.iter().chain(rest.iter().skip(rest.len().saturating_sub(TAIL)))
}

/// One of an enumeration, by the name that files use.
fn named<T: DeserializeOwned>(name: &str) -> Result<T, String> {
    let name: StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
    T::deserialize(name).map_err(|e| e.to_string())
}

fn bytes(text: Cow<'static, str>) -> Bytes {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

fn words(text: Cow<'static, str>) -> Vec<Bytes> {
    match text {
        Cow::Borrowed(text) => text.split(' ').map(|word| Cow::Borrowed(word.as_bytes())).collect(),
        Cow::Owned(text) => text.split(' ').map(|word| Cow::Owned(word.as_bytes().to_vec())).collect(),
    }
}

/// A command, and what of it is worked out at most once.
pub(super) struct Subject<'a> {
    place: &'a Place,
    command: &'a Command,
    options: Option<&'a Options>,
    operands: OnceCell<Vec<&'a [u8]>>,
    grams: OnceCell<Grams>,
    text: OnceCell<Vec<u8>>,
    paths: OnceCell<Vec<Classes>>,
    sql: OnceCell<Vec<Kind>>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(place: &'a Place, command: &'a Command, options: Option<&'a Options>) -> Self {
        Self {
            place,
            command,
            options,
            operands: OnceCell::new(),
            grams: OnceCell::new(),
            text: OnceCell::new(),
            paths: OnceCell::new(),
            sql: OnceCell::new(),
        }
    }

    fn operands(&self) -> &[&'a [u8]] {
        self.operands.get_or_init(|| operands(&self.command.args, self.options))
    }

    /// Of all arguments: an operand's and the whole text's are among them.
    fn grams(&self) -> &Grams {
        self.grams.get_or_init(|| Grams::of(self.command.args.iter().map(Vec::as_slice)))
    }

    fn text(&self) -> &[u8] {
        self.text.get_or_init(|| self.command.args.join(&b' '))
    }

    fn paths(&self) -> &[Classes] {
        self.paths.get_or_init(|| {
            let cwd = self.command.cwd.as_deref();
            let words = self.command.args.iter().flat_map(|arg| {
                let value = arg.iter().position(|&byte| byte == b'=').and_then(|at| arg.get(at + 1..));
                let whole = (!arg.starts_with(b"-")).then_some(arg.as_slice());
                whole.into_iter().chain(value)
            });
            words.map(|word| self.place.classes(cwd, word)).collect()
        })
    }

    fn sql(&self) -> &[Kind] {
        self.sql.get_or_init(|| {
            let input = self.command.input.as_deref();
            self.command.args.iter().map(Vec::as_slice).chain(input).flat_map(sql::kinds).collect()
        })
    }
}

impl Table {
    pub(super) fn programs(&self) -> &[Bytes] {
        &self.programs
    }

    pub(super) fn holds(&self, subject: &Subject<'_>) -> bool {
        let command = subject.command;
        let args = &command.args;
        let any_of = |globs: &[Bytes], names: &[Vec<u8>]| {
            globs.is_empty() || names.iter().any(|name| globs.iter().any(|glob| wild(glob, name)))
        };
        let Some(after_sub) = self.after_sub(subject) else { return false };
        let mut searched = self.operands.iter().chain(&self.args).chain(&self.text);
        if !searched.all(|regex| regex.may_find(subject.grams())) {
            return false;
        }
        let operands = || subject.operands().get(after_sub..).unwrap_or_default();
        any_of(&self.from, &command.from)
            && any_of(&self.to, &command.to)
            && any_of(&self.env, &command.env)
            && self.flags.iter().all(|flag| flag.is_in(args, subject.options))
            && !self.without.iter().any(|flag| flag.is_in(args, subject.options))
            && (!self.no_operands || operands().is_empty())
            && self.paths.is_none_or(|paths| subject.paths().iter().any(|classes| classes.meet(paths)))
            && self.operands.iter().all(|regex| looked_at(operands()).any(|operand| regex.finds(operand)))
            && self.args.iter().all(|regex| looked_at(args).any(|arg| regex.finds(arg)))
            && self.text.as_ref().is_none_or(|regex| regex.finds(subject.text()))
            && self
                .input
                .as_ref()
                .is_none_or(|regex| command.input.as_deref().is_some_and(|input| regex.finds(input)))
            && (self.sql.is_empty() || subject.sql().iter().any(|kind| self.sql.contains(kind)))
    }

    /// How many operands the subcommand takes up; `None`: it is another one.
    fn after_sub(&self, subject: &Subject<'_>) -> Option<usize> {
        if self.subs.is_empty() {
            return Some(0);
        }
        let operands = subject.operands();
        let fits = |sub: &&Vec<Bytes>| {
            sub.len() <= operands.len() && sub.iter().zip(operands).all(|(glob, word)| wild(glob, word))
        };
        self.subs.iter().filter(fits).map(Vec::len).max()
    }
}

#[cfg(test)]
impl CatalogueRule {
    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.when
            .iter()
            .flat_map(|table| table.operands.iter().chain(&table.args).chain(&table.text).chain(&table.input))
    }
}
