//! A category as its file has it. build.rs reads the files, and puts them into the binary in a form that is loaded
//! without a copy; so this file is compiled twice.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// One file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CategorySource<'a> {
    #[serde(borrow)]
    pub(super) category: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) about: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) rule: Vec<RuleSource<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleSource<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) severity: Text<'a>,
    #[serde(borrow)]
    pub(super) reason: Text<'a>,
    #[serde(borrow)]
    pub(super) instead: Text<'a>,
    #[serde(borrow)]
    pub(super) when: Vec<TableSource<'a>>,
    #[serde(borrow)]
    pub(super) hit: Vec<Text<'a>>,
    #[serde(borrow)]
    pub(super) miss: Vec<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableSource<'a> {
    #[serde(borrow)]
    pub(super) program: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) sub: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) flags: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) without: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) operands: Vec<Text<'a>>,
    #[serde(default)]
    pub(super) no_operands: bool,
    #[serde(borrow, default)]
    pub(super) args: Vec<Text<'a>>,
    #[serde(borrow)]
    pub(super) text: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) input: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) sql: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) paths: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) from: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) to: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) env: Vec<Text<'a>>,
    /// Not in the files: what a match of each expression needs, in the order of `operands`, `args`, `text`, `input`.
    #[serde(borrow, default)]
    pub(super) needs: Vec<Vec<Text<'a>>>,
    /// Not in the files either: the expressions' programs (compile.rs), in the same order.
    #[serde(borrow, default)]
    pub(super) programs: Vec<Code<'a>>,
}

/// Within a list, serde borrows only what is marked so.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// A program.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Code<'a>(#[serde(borrow)] pub(super) Cow<'a, [u8]>);
