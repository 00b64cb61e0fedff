//! The policy that a set of settings makes. All of them were checked when they were laid in; what is missing or of
//! another kind here is a defect of creel's, and stops it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::capability;
use super::kind::cpu_millis;
use super::model::{
    ApprovalsPolicy, AuditPolicy, CommandRule, CommandsPolicy, Durability, ImageChoice, Limits, Policy,
    RecoveryPolicy, SandboxPolicy, UserChoice, WithoutTerminal, WorkspaceMode, WorkspacePolicy,
    WorkspaceTarget,
};
use super::node::{Node, Value};
use super::settings::Settings;
use super::size::ByteSize;
use crate::judge::Verdict;

/// `cwd` is what a relative path counts from where no file says it; `home` is `~`.
pub(super) fn build(settings: &Settings, cwd: &Path, home: &Path) -> Result<Policy> {
    let read = Reader { settings, cwd, home };
    Ok(Policy {
        sandbox: read.sandbox()?,
        workspace: WorkspacePolicy {
            path: read.path_here("workspace.path")?,
            target: match read.text("workspace.target")? {
                "same" => WorkspaceTarget::Same,
                path => WorkspaceTarget::At(path.into()),
            },
            mode: WorkspaceMode::Bind,
        },
        limits: read.limits()?,
        commands: CommandsPolicy {
            default: verdict(read.text("commands.default")?)?,
            dangerous: verdict(read.text("commands.dangerous")?)?,
            categories: read.verdicts("commands.categories.")?,
            catalogue_rules: read.verdicts("commands.rules.")?,
            rules: settings.rules().map(rule).collect::<Result<_>>()?,
        },
        approvals: ApprovalsPolicy {
            timeout: humantime::parse_duration(read.text("approvals.timeout")?)?,
            without_terminal: match read.text("approvals.without_terminal")? {
                "wait" => WithoutTerminal::Wait,
                _ => WithoutTerminal::Deny,
            },
            hook: read.texts("approvals.hook")?,
            tell_workload: read.flag("approvals.tell_workload")?,
        },
        audit: AuditPolicy {
            commands: read.flag("audit.commands")?,
            durability: match read.text("audit.durability")? {
                "async" => Durability::Async,
                "synced" => Durability::Synced,
                _ => Durability::Written,
            },
        },
        recovery: RecoveryPolicy { grace: humantime::parse_duration(read.text("recovery.grace")?)? },
    })
}

struct Reader<'a> {
    settings: &'a Settings,
    cwd: &'a Path,
    home: &'a Path,
}

impl<'a> Reader<'a> {
    fn sandbox(&self) -> Result<SandboxPolicy> {
        Ok(SandboxPolicy {
            image: match self.text("sandbox.image")? {
                "host" => ImageChoice::Host,
                reference => ImageChoice::Reference(reference.to_owned()),
            },
            user: user(self.text("sandbox.user")?)?,
            env: self
                .settings
                .variables()
                .map(|(name, node)| (name.to_owned(), node.text().unwrap_or_default().to_owned()))
                .collect(),
            env_from_host: self.texts("sandbox.env_from_host")?,
            read_only_paths: self.paths("sandbox.read_only_paths")?,
            read_write_paths: self.paths("sandbox.read_write_paths")?,
            home: self.size("sandbox.home")?,
            tmp: self.size("sandbox.tmp")?,
            shm: self.size("sandbox.shm")?,
            capabilities: self
                .texts("sandbox.capabilities")?
                .iter()
                .map(|name| capability::parse(name).map_err(anyhow::Error::msg))
                .collect::<Result<_>>()?,
            debugging: self.flag("sandbox.debugging")?,
            best_effort: self.texts("sandbox.best_effort")?,
            runtime: self.text("sandbox.runtime")?.to_owned(),
        })
    }

    fn limits(&self) -> Result<Limits> {
        Ok(Limits {
            memory: self.size("limits.memory")?,
            cpu_millis: cpu_millis(self.node("limits.cpus")?).context("limits.cpus is no number")?,
            processes: u32::try_from(self.count("limits.processes")?)?,
            open_files: self.count("limits.open_files")?,
            ulimits: Vec::new(),
            time: match self.text("limits.time")? {
                "none" => None,
                time => Some(humantime::parse_duration(time)?),
            },
        })
    }

    fn node(&self, key: &str) -> Result<&'a Node> {
        self.settings.get(key).with_context(|| format!("creel has no default for {key}; this is a defect"))
    }

    fn text(&self, key: &str) -> Result<&'a str> {
        self.node(key)?.text().with_context(|| format!("{key} is no string; this is a defect"))
    }

    fn texts(&self, key: &str) -> Result<Vec<String>> {
        let items = self.node(key)?.items();
        Ok(items.iter().filter_map(Node::text).map(str::to_owned).collect())
    }

    fn size(&self, key: &str) -> Result<ByteSize> {
        Ok(self.text(key)?.parse()?)
    }

    fn flag(&self, key: &str) -> Result<bool> {
        match self.node(key)?.value {
            Value::Flag(flag) => Ok(flag),
            _ => anyhow::bail!("{key} is no flag; this is a defect"),
        }
    }

    fn count(&self, key: &str) -> Result<u64> {
        match self.node(key)?.value {
            Value::Integer(number) => Ok(u64::try_from(number)?),
            _ => anyhow::bail!("{key} is no number; this is a defect"),
        }
    }

    fn verdicts(&self, prefix: &str) -> Result<BTreeMap<String, Verdict>> {
        let entry =
            |(name, node): (&str, &Node)| Ok((name.to_owned(), verdict(node.text().unwrap_or_default())?));
        self.settings.entries(prefix).map(entry).collect()
    }

    fn paths(&self, key: &str) -> Result<Vec<PathBuf>> {
        Ok(self.texts(key)?.iter().map(|path| self.expanded(path)).collect())
    }

    /// A relative path counts from the folder of the file that says it, or else from where creel is called.
    fn path_here(&self, key: &str) -> Result<PathBuf> {
        let path = self.expanded(self.text(key)?);
        let folder = self.settings.source_of(key).and_then(|source| source.name.folder());
        // `components` drops the dots that a join leaves.
        Ok(self.cwd.join(folder.unwrap_or(Path::new(""))).join(path).components().collect())
    }

    fn expanded(&self, path: &str) -> PathBuf {
        match path.strip_prefix('~') {
            Some(rest) => self.home.join(rest.trim_start_matches('/')),
            None => path.into(),
        }
    }
}

fn user(text: &str) -> Result<UserChoice> {
    Ok(match text {
        "invoker" => UserChoice::Invoker,
        "image" => UserChoice::Image,
        numbers => match numbers.split_once(':') {
            Some((uid, gid)) => UserChoice::Ids { uid: uid.parse()?, gid: Some(gid.parse()?) },
            None => UserChoice::Ids { uid: numbers.parse()?, gid: None },
        },
    })
}

fn verdict(text: &str) -> Result<Verdict> {
    match text {
        "allow" => Ok(Verdict::Allow),
        "ask" => Ok(Verdict::Ask),
        "deny" => Ok(Verdict::Deny),
        other => anyhow::bail!("“{other}” is no verdict; this is a defect"),
    }
}

fn rule(node: &Node) -> Result<CommandRule> {
    let text = |key: &str| node.get(key).and_then(Node::text);
    let needed = |key: &str| text(key).map(str::to_owned).with_context(|| format!("a rule has no {key}"));
    let args = node.get("args").map(Node::items).unwrap_or_default();
    Ok(CommandRule {
        id: needed("id")?,
        program: needed("program")?,
        args: args.iter().filter_map(Node::text).map(str::to_owned).collect(),
        verdict: verdict(&needed("verdict")?)?,
        reason: text("reason").map(str::to_owned),
    })
}
