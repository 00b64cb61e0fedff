//! Which texts make a policy, and in which order: built-in defaults, the user's config, what a policy extends, the
//! policy itself, the command line. Each wins over those before it.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::build::build;
use super::diagnostic::{Diagnostic, visible};
use super::model::Policy;
use super::node::Node;
use super::presets;
use super::settings::Settings;
use super::source::{Source, SourceName};
use super::trust::{Standing, Subject, Trusted};
use crate::paths::Paths;

/// What a project's own policy is called.
pub(crate) const FILE_NAME: &str = "creel.toml";
/// Policies that extend policies that extend ….
const MAX_DEPTH: usize = 16;
const MAX_SIZE: u64 = 1 << 20;

/// What is wanted.
pub(crate) struct Request<'a> {
    /// `--policy`
    pub(crate) file: Option<&'a Path>,
    /// `--preset`; `none` for the bare defaults.
    pub(crate) preset: Option<&'a str>,
    /// The program that will run, which may have a preset.
    pub(crate) command: Option<&'a str>,
    pub(crate) cwd: &'a Path,
    pub(crate) home: &'a Path,
    pub(crate) paths: &'a Paths,
    pub(crate) command_line: CommandLine,
}

/// The topmost layer.
#[derive(Debug, Default)]
pub(crate) struct CommandLine {
    sources: Vec<Source>,
}

impl CommandLine {
    /// An option that stands for a key.
    pub(crate) fn option(&mut self, option: &str, key: &str, value: impl Into<toml::Value>) {
        let text = format!("{key} = {}", value.into());
        self.sources.push(Source { name: SourceName::Option(option.to_owned()), text });
    }

    /// `--set KEY=VALUE`: the value as TOML, or else as a string without its quotes.
    pub(crate) fn set(&mut self, text: &str) {
        let typed = Source { name: SourceName::Set, text: text.to_owned() };
        let quoted = text
            .split_once('=')
            .map(|(key, value)| format!("{key} = {}", toml::Value::String(value.trim().to_owned())));
        let source = match quoted {
            Some(text) if Node::parse(&typed).is_err() => Source { name: SourceName::Set, text },
            _ => typed,
        };
        self.sources.push(source);
    }
}

/// A policy in force, and how it came about.
pub(crate) struct Resolved {
    pub(crate) policy: Policy,
    /// SHA-256, hex, of the policy as JSON.
    pub(crate) hash: String,
    /// For a person: which policy was taken where none was named.
    pub(crate) notice: Option<String>,
    /// The texts that count, for the record.
    pub(crate) sources: Vec<String>,
    pub(crate) settings: Settings,
}

/// Why there is no policy.
#[derive(Debug)]
pub(crate) enum PolicyError {
    /// Everything that is wrong with the texts.
    Invalid(Vec<Diagnostic>),
    /// A file was found that nobody has agreed to.
    Untrusted {
        subject: Subject,
        standing: Standing,
    },
    Other(anyhow::Error),
}

impl std::error::Error for PolicyError {}

impl From<anyhow::Error> for PolicyError {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(faults) => {
                let count = match faults.len() {
                    1 => "one error".to_owned(),
                    more => format!("{more} errors"),
                };
                writeln!(f, "the policy is not valid: {count}")?;
                faults.iter().try_for_each(|fault| write!(f, "{fault}"))
            }
            Self::Untrusted { subject, standing } => {
                let file = visible(&subject.file.to_string_lossy());
                let what = match standing {
                    Standing::Changed => "has changed since you trusted it",
                    _ => "was found here, and you have not said that you trust it",
                };
                write!(
                    f,
                    "{file} {what}\nlook at it, then say so: creel policy trust\nor name it for this run alone: --policy {file}"
                )
            }
            Self::Other(error) => write!(f, "{error:#}"),
        }
    }
}

/// What was found where nothing was named.
pub(crate) enum Found {
    File(PathBuf),
    Nothing,
}

impl Found {
    /// Looks for a project's policy, from `cwd` upwards.
    pub(crate) fn above(cwd: &Path) -> Self {
        let files = cwd.ancestors().map(|folder| folder.join(FILE_NAME));
        match files.into_iter().find(|file| file.symlink_metadata().is_ok()) {
            Some(file) => Self::File(file),
            None => Self::Nothing,
        }
    }
}

/// The policy in force.
pub(crate) fn resolve(request: &Request<'_>) -> Result<Resolved, PolicyError> {
    let mut reading = Reading::default();
    let built_in = Source { name: SourceName::BuiltIn, text: presets::DEFAULTS.to_owned() };
    reading.source(built_in, 0)?;
    let user = request.paths.user_policy();
    if user.symlink_metadata().is_ok() {
        reading.file(&user, &user, 0)?;
    }
    let mut notice = None;
    match (request.file, request.preset) {
        (Some(file), _) => reading.file(&request.cwd.join(file), file, 0)?,
        (None, Some("none")) => {}
        (None, Some(name)) => reading.preset(name)?,
        (None, None) => match Found::above(request.cwd) {
            Found::File(file) => {
                reading.found(&file, request.paths)?;
                notice = Some(format!("the policy is {}", visible(&file.to_string_lossy())));
            }
            Found::Nothing => {
                if let Some(preset) = request.command.and_then(presets::for_command) {
                    reading.preset(preset.name)?;
                    notice =
                        Some(format!("the policy is the preset {} (--preset none for none)", preset.name));
                }
            }
        },
    }
    for source in request.command_line.sources.clone() {
        reading.text(source);
    }
    let Reading { settings, faults, .. } = reading;
    if !faults.is_empty() {
        return Err(PolicyError::Invalid(faults));
    }
    let policy = build(&settings, request.cwd, request.home)?;
    let json = serde_json::to_vec(&policy).context("the policy can't be written as JSON")?;
    let hash = crate::audit::hex(&Sha256::digest(&json));
    let names = settings.sources().iter().map(|source| source.name.to_string());
    let mut sources: Vec<String> = names.filter(|name| name != "built in").collect();
    sources.dedup();
    Ok(Resolved { policy, hash, notice, sources, settings })
}

/// A text by itself, over the defaults.
#[cfg(feature = "fuzzing")]
pub(crate) fn resolve_text(text: &str) -> Result<Policy, PolicyError> {
    let mut reading = Reading::default();
    let built_in = Source { name: SourceName::BuiltIn, text: presets::DEFAULTS.to_owned() };
    reading.source(built_in, 0)?;
    reading.source(Source { name: SourceName::Set, text: text.to_owned() }, 0)?;
    if !reading.faults.is_empty() {
        return Err(PolicyError::Invalid(reading.faults));
    }
    Ok(build(&reading.settings, Path::new("/workspace"), Path::new("/home/dev"))?)
}

/// What a person would agree to: a file with all that it extends.
pub(crate) fn check_file(file: &Path, cwd: &Path) -> Result<Subject, PolicyError> {
    let mut reading = Reading::default();
    let path = real(&cwd.join(file))?;
    reading.file(&path, file, 0)?;
    if !reading.faults.is_empty() {
        return Err(PolicyError::Invalid(reading.faults));
    }
    Ok(Subject::of(&path, reading.settings.sources()))
}

fn real(file: &Path) -> Result<PathBuf> {
    file.canonicalize()
        .with_context(|| format!("could not find the policy {}", visible(&file.to_string_lossy())))
}

/// Texts on their way in.
#[derive(Default)]
struct Reading {
    settings: Settings,
    faults: Vec<Diagnostic>,
    /// Files that are being read, outermost first.
    open: Vec<PathBuf>,
}

impl Reading {
    /// A file that nobody named counts if it is trusted.
    fn found(&mut self, file: &Path, paths: &Paths) -> Result<(), PolicyError> {
        let subject = check_file(file, Path::new("/"))?;
        match Trusted::read(paths)?.standing(&subject) {
            Standing::Trusted => {}
            standing => return Err(PolicyError::Untrusted { subject, standing }),
        }
        let before = self.settings.sources().len();
        self.file(&subject.file, file, 0)?;
        // Read twice: what counts must be what was agreed to.
        let read = self.settings.sources().get(before..).unwrap_or_default();
        if Subject::of(&subject.file, read) != subject {
            return Err(PolicyError::Untrusted { subject, standing: Standing::Changed });
        }
        Ok(())
    }

    fn preset(&mut self, name: &str) -> Result<(), PolicyError> {
        let Some(preset) = presets::named(name) else {
            let known = presets::names();
            return Err(anyhow::anyhow!(
                "there is no preset “{}”: choose from {known}, or none",
                visible(name)
            )
            .into());
        };
        let name = SourceName::Preset(preset.name.to_owned());
        self.source(Source { name, text: preset.text.to_owned() }, 0)
    }

    fn file(&mut self, path: &Path, shown: &Path, depth: usize) -> Result<(), PolicyError> {
        let path = real(path)?;
        let text = read(&path)
            .with_context(|| format!("could not read the policy {}", visible(&shown.to_string_lossy())))?;
        self.open.push(path.clone());
        let read =
            self.source(Source { name: SourceName::File { path, shown: shown.to_owned() }, text }, depth);
        self.open.pop();
        read
    }

    /// A text, after those that it extends.
    fn source(&mut self, source: Source, depth: usize) -> Result<(), PolicyError> {
        let root = match Node::parse(&source) {
            Ok(root) => root,
            Err(faults) => {
                self.faults.extend(faults);
                return Ok(());
            }
        };
        if root.get("version").is_none() {
            let fault = Diagnostic::new(&source, 0..0, "the policy does not say which version it is of");
            self.faults.push(fault.help("begin it with: version = 1"));
        }
        for item in root.get("extends").map(Node::items).unwrap_or_default() {
            if let Some(name) = item.text()
                && let Err(e) = self.extended(name, &source, depth)
            {
                let message = match e {
                    PolicyError::Other(error) => format!("{error:#}"),
                    other => other.to_string(),
                };
                self.faults.push(Diagnostic::new(&source, item.span.clone(), message));
            }
        }
        self.faults.extend(self.settings.lay(source, &root));
        Ok(())
    }

    fn extended(&mut self, name: &str, by: &Source, depth: usize) -> Result<(), PolicyError> {
        let folder = by.name.folder();
        if !name.contains('/') && !name.ends_with(".toml") {
            return self.preset(name);
        }
        let Some(folder) = folder else {
            return Err(anyhow::anyhow!("only a policy in a file can extend another file").into());
        };
        let path = real(&folder.join(name))?;
        if self.open.contains(&path) {
            return Err(
                anyhow::anyhow!("“{}” extends this policy, directly or over others", visible(name)).into()
            );
        }
        if depth >= MAX_DEPTH {
            return Err(anyhow::anyhow!("policies extend each other more than {MAX_DEPTH} deep").into());
        }
        self.file(&path, &folder.join(name), depth + 1)
    }

    /// An option's text: one line, which extends nothing.
    fn text(&mut self, source: Source) {
        match Node::parse(&source) {
            Ok(root) => self.faults.extend(self.settings.lay(source, &root)),
            Err(faults) => self.faults.extend(faults),
        }
    }
}

/// A policy is a short text in a regular file.
fn read(path: &Path) -> Result<String> {
    // A fifo would wait for a writer, which nobody may be.
    if !std::fs::metadata(path)?.is_file() {
        anyhow::bail!("it is no regular file");
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_SIZE {
        anyhow::bail!("it is larger than {} KiB, and so no policy", MAX_SIZE >> 10);
    }
    String::from_utf8(bytes).map_err(|e| {
        let line =
            e.as_bytes().iter().take(e.utf8_error().valid_up_to()).filter(|&&byte| byte == b'\n').count() + 1;
        anyhow::anyhow!("line {line} is not UTF-8")
    })
}
