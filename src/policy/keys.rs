//! Every key that a policy has: one row each. What is read, shown, explained and described by the JSON Schema
//! comes from this table.

use super::diagnostic::visible;
use super::kind::{Kind, Text, VERDICT};
use super::{capability, env};
use crate::judge::Catalogue;

/// One row.
pub(super) struct KeyRow {
    /// Dotted: `limits.memory`.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) state: State,
    /// One line, for the schema and the manual page.
    pub(super) about: &'static str,
}

/// Whether the part of creel that enforces a key is there.
#[derive(Clone, Copy)]
pub(super) enum State {
    Built,
    /// Taken only with this value (as TOML), which is how things are without the part; `""`: with none.
    /// Then what the part is.
    Later(&'static str, &'static str),
    /// A part of the value is not built: these words are refused.
    Partly(&'static [&'static str], &'static str),
}

const MIB: u64 = 1 << 20;
const DAY: u64 = 24 * 60 * 60;
/// Longer than this, "none" is meant.
const LONGEST: u64 = 3650 * DAY;

const NETWORK: &str = "the network (a sandbox has none until then)";
const OVERLAY: &str = "the copy-on-write workspace";
const FILES: &str = "the record of file access";
const RETENTION: &str = "sealing and expiring the log";
const RECOVERY: &str = "restarting what crashes";
const SECRETS: &str = "the vault of secrets";
const DOCKER: &str = "the filtered Docker socket";

const fn built(name: &'static str, kind: Kind, about: &'static str) -> KeyRow {
    KeyRow { name, kind, state: State::Built, about }
}

const fn later(name: &'static str, only: &'static str, part: &'static str) -> KeyRow {
    KeyRow { name, kind: Kind::Whatever, state: State::Later(only, part), about: "Not built yet." }
}

const PATH: Text = Text::Form("an absolute path, or one that begins with \"~/\"", absolute_path);
const ANY_PATH: Text = Text::Form("a path", path);

/// In the order of the example.
pub(super) const KEYS: &[KeyRow] = &[
    built("version", Kind::Count(1, 1), "The version of the format."),
    built(
        "extends",
        Kind::List(Text::Form("a preset or a file", not_empty)),
        "Presets or files that this one goes on from; what stands here wins.",
    ),
    built(
        "sandbox.image",
        Kind::Text(Text::Form("\"host\", or the name of an image", image)),
        "The host's own tools, read-only (\"host\"), or any image.",
    ),
    built(
        "sandbox.user",
        Kind::Text(Text::Form("\"invoker\", \"image\" or numbers such as \"1000:1000\"", user)),
        "Who the workload runs as.",
    ),
    built("sandbox.env", Kind::Variables, "Variables that are set."),
    built(
        "sandbox.env_from_host",
        Kind::List(Text::Form(
            "the name of a variable of the host, or a glob such as \"LC_*\"",
            env::check_host_variable,
        )),
        "Names of the host's variables that are handed on.",
    ),
    built("sandbox.read_only_paths", Kind::List(PATH), "More of the host, read-only."),
    built("sandbox.read_write_paths", Kind::List(PATH), "More of the host, writable."),
    built("sandbox.home", Kind::Text(Text::Size(MIB)), "Size of $HOME, which is thrown away at the end."),
    later("sandbox.keep_home", "\"\"", "keeping $HOME between runs"),
    built("sandbox.tmp", Kind::Text(Text::Size(MIB)), "Size of /tmp."),
    built(
        "sandbox.capabilities",
        Kind::List(Text::Form("the name of a capability", capability::check)),
        "Capabilities that are given back, from a short list.",
    ),
    built(
        "sandbox.debugging",
        Kind::Flag,
        "gdb, strace and LeakSanitizer work inside; a traced task may then not exec.",
    ),
    built("sandbox.shm", Kind::Text(Text::Size(64 << 10)), "Size of /dev/shm."),
    built(
        "sandbox.best_effort",
        Kind::List(Text::Form("a line of the policy", best_effort)),
        "Lines that may go unenforced where engine or kernel can't.",
    ),
    built(
        "sandbox.runtime",
        Kind::Text(Text::Form("the name of an OCI runtime", not_empty)),
        "An OCI runtime that the engine knows.",
    ),
    later("sandbox.ports", "[]", NETWORK),
    built("workspace.path", Kind::Text(ANY_PATH), "The project."),
    built(
        "workspace.target",
        Kind::Text(Text::Form("\"same\", or an absolute path", target)),
        "Where it is seen in the sandbox.",
    ),
    KeyRow {
        name: "workspace.mode",
        kind: Kind::Text(Text::Word(&["overlay", "bind", "none"])),
        state: State::Partly(&["overlay", "none"], OVERLAY),
        about: "bind: the project itself is seen and changed.",
    },
    later("workspace.guarded", "[]", OVERLAY),
    later("workspace.read_only", "[]", OVERLAY),
    later("workspace.hidden", "[]", OVERLAY),
    built("limits.memory", Kind::Text(Text::Size(16 * MIB)), "Memory, swap included."),
    built("limits.cpus", Kind::Cpus, "Processors."),
    // Fewer than eight don't hold a shell and one pipeline; the kernel knows 4,194,304 process ids.
    built("limits.processes", Kind::Count(8, 4_194_304), "Processes and threads."),
    later("limits.disk", "", "the cap on disk space"),
    // The most is fs.nr_open, as kernels ship it.
    built("limits.open_files", Kind::Count(64, 1_048_576), "Open files of each process."),
    built("limits.time", Kind::Text(Text::Time(1, LONGEST, true)), "Wall time of the whole run."),
    KeyRow {
        name: "network.default",
        kind: Kind::Text(Text::Word(&["deny", "ask", "allow"])),
        state: State::Partly(&["ask", "allow"], NETWORK),
        about: "What becomes of connections that no entry names.",
    },
    later("network.allow", "[]", NETWORK),
    later("network.deny", "[]", NETWORK),
    later("network.package_managers", "[]", NETWORK),
    later("network.dns", "[]", NETWORK),
    later("network.max_upload", "\"none\"", NETWORK),
    later("network.rule", "[]", NETWORK),
    later("network.http", "[]", NETWORK),
    built("commands.default", Kind::Text(VERDICT), "What becomes of commands that no rule names."),
    built(
        "commands.dangerous",
        Kind::Text(VERDICT),
        "What becomes of commands that the catalogue calls dangerous.",
    ),
    built(
        "commands.categories",
        Kind::Verdicts(|name| known(name, "category", catalogue_categories())),
        "The same for a category of the catalogue, over commands.dangerous.",
    ),
    built(
        "commands.rules",
        Kind::Verdicts(|name| known(name, "rule", catalogue_rules())),
        "The same for a rule of the catalogue, over both.",
    ),
    built("commands.rule", Kind::Rules, "Your own rules, tried in order."),
    built(
        "approvals.timeout",
        Kind::Text(Text::Time(1, DAY, false)),
        "How long a question stays open; then it is denied.",
    ),
    built(
        "approvals.without_terminal",
        Kind::Text(Text::Word(&["deny", "wait"])),
        "What becomes of a question when nobody is there: denied, or kept for creel approve.",
    ),
    built(
        "approvals.hook",
        Kind::List(Text::Form("a program or an argument", argument)),
        "A command that answers in a person's place, by JSON.",
    ),
    built("approvals.tell_workload", Kind::Flag, "A denied command gets one line on its stderr."),
    built("audit.commands", Kind::Flag, "Allowed commands are recorded; denied ones always are."),
    later("audit.network", "false", NETWORK),
    later("audit.files", "\"off\"", FILES),
    built(
        "audit.durability",
        Kind::Text(Text::Word(&["async", "written", "synced"])),
        "How safe a record is before its action goes on.",
    ),
    later("audit.retention", "", RETENTION),
    later("audit.max_size", "", RETENTION),
    later("audit.redact", "[]", RETENTION),
    later("recovery.restart", "\"never\"", RECOVERY),
    later("recovery.health", "[]", RECOVERY),
    later("recovery.interval", "", RECOVERY),
    later("recovery.failures", "", RECOVERY),
    later("recovery.restarts", "", RECOVERY),
    later("recovery.redeploys", "", RECOVERY),
    built(
        "recovery.grace",
        Kind::Text(Text::Time(1, DAY, false)),
        "How long a sandbox may live without its monitor.",
    ),
    later("secrets", "{}", SECRETS),
    later("docker.enabled", "false", DOCKER),
    later("docker.images", "", DOCKER),
    later("docker.build", "false", DOCKER),
    later("docker.containers", "", DOCKER),
    later("docker.rule", "[]", DOCKER),
];

/// The keys of one `[[commands.rule]]`.
pub(super) const RULE_KEYS: &[KeyRow] = &[
    built(
        "id",
        Kind::Text(Text::Form("a name of a-z, 0-9, \"-\", \"_\" and \".\"", rule_id)),
        "Its name, as the log and the workload see it.",
    ),
    built(
        "program",
        Kind::Text(Text::Form("a program's name or path, which may be a glob", program)),
        "A bare name matches the file name, one with “/” the whole path.",
    ),
    built("args", Kind::List(Text::Form("a glob", argument)), "Globs; all must occur, each in any place."),
    built("verdict", Kind::Text(VERDICT), "What becomes of a command that matches."),
    built("reason", Kind::Text(Text::Form("a sentence", sentence)), "Why, for whoever meets it."),
];

pub(super) fn row(name: &str) -> Option<&'static KeyRow> {
    KEYS.iter().find(|row| row.name == name)
}

/// Whether a dotted name is a table that holds keys.
pub(super) fn is_section(name: &str) -> bool {
    KEYS.iter().any(|row| row.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

/// The key that was probably meant.
pub(super) fn nearest<'a>(name: &str, among: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    among
        .map(|known| {
            // In the wrong section, or in the right one and misspelt.
            let distance = strsim::damerau_levenshtein(name, known);
            let moved = usize::from(last(known) != last(name)) * 100 + 1;
            (distance.min(moved), known)
        })
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, known)| *distance <= 1 + known.len().min(name.len()) / 4)
        .map(|(_, known)| known)
}

fn no_control(value: &str) -> Result<(), String> {
    if value.contains(char::is_control) {
        return Err(format!("“{}” holds a control character", visible(value)));
    }
    Ok(())
}

fn not_empty(value: &str) -> Result<(), String> {
    if value.trim().is_empty() {
        return Err("this is empty".to_owned());
    }
    no_control(value)
}

fn sentence(value: &str) -> Result<(), String> {
    not_empty(value)?;
    if value.chars().count() > 400 {
        return Err("a reason is one sentence, of at most 400 characters".to_owned());
    }
    Ok(())
}

fn image(value: &str) -> Result<(), String> {
    not_empty(value)?;
    if value.contains(char::is_whitespace) || value.starts_with('-') {
        return Err(format!(
            "“{}” is no image's name: write one as `docker run` takes it, or \"host\"",
            visible(value)
        ));
    }
    Ok(())
}

fn user(value: &str) -> Result<(), String> {
    let number = |text: &str| text.parse::<u32>().is_ok_and(|id| id < u32::MAX);
    let numbers = match value.split_once(':') {
        Some((uid, gid)) => number(uid) && number(gid),
        None => number(value),
    };
    if numbers || matches!(value, "invoker" | "image") {
        return Ok(());
    }
    Err(format!(
        "“{}” is no user here: write \"invoker\", \"image\", or numbers such as \"1000:1000\"",
        visible(value)
    ))
}

fn path(value: &str) -> Result<(), String> {
    not_empty(value)?;
    if value.starts_with('~') && value != "~" && !value.starts_with("~/") {
        return Err(format!(
            "“{}”: another user's home is not looked up; write the whole path",
            visible(value)
        ));
    }
    Ok(())
}

fn absolute_path(value: &str) -> Result<(), String> {
    path(value)?;
    if value.starts_with(['/', '~']) {
        return Ok(());
    }
    Err(format!("“{}” depends on where creel is called: write it from \"/\" or \"~/\" on", visible(value)))
}

fn target(value: &str) -> Result<(), String> {
    if value == "same" {
        return Ok(());
    }
    not_empty(value)?;
    if value.starts_with('/') && value != "/" && !value.split('/').any(|part| part == "..") {
        return Ok(());
    }
    Err(format!(
        "“{}” is no place in the sandbox: write \"same\", or an absolute path below \"/\"",
        visible(value)
    ))
}

/// What a machine may lack, and a person may do without.
const BEST_EFFORT: &[&str] = &["commands", "limits.memory", "limits.cpus", "limits.processes"];

fn best_effort(value: &str) -> Result<(), String> {
    if BEST_EFFORT.contains(&value) {
        return Ok(());
    }
    Err(match row(value) {
        Some(_) => format!(
            "{value} is always enforced, so it can't be left out; only these can: {}",
            BEST_EFFORT.join(", ")
        ),
        None => {
            format!("“{}” is no line of a policy; known here: {}", visible(value), BEST_EFFORT.join(", "))
        }
    })
}

fn rule_id(value: &str) -> Result<(), String> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    if value.is_empty() || value.len() > 64 || !value.chars().all(good) {
        return Err(format!(
            "“{}” is no rule's name: use 1 to 64 of a-z, 0-9, “-”, “_” and “.”",
            visible(value)
        ));
    }
    if value == "creel" || value.starts_with("creel.") {
        return Err("names that begin with “creel.” are creel's own rules".to_owned());
    }
    Ok(())
}

fn program(value: &str) -> Result<(), String> {
    not_empty(value)?;
    crate::judge::rule::check_program(value).map_err(|e| format!("“{}”: {e}", visible(value)))
}

fn argument(value: &str) -> Result<(), String> {
    crate::judge::rule::check_arg(value).map_err(|e| format!("“{}”: {e}", visible(value)))
}

fn catalogue_categories() -> Vec<&'static str> {
    Catalogue::built_in()
        .map(|catalogue| catalogue.categories().map(|(name, _)| name).collect())
        .unwrap_or_default()
}

fn catalogue_rules() -> Vec<&'static str> {
    let rules = Catalogue::built_in().map(Catalogue::rules).unwrap_or_default();
    rules.iter().map(|rule| &*rule.id).collect()
}

/// A name of the catalogue.
fn known(name: &str, what: &str, names: Vec<&'static str>) -> Result<(), String> {
    if names.contains(&name) {
        return Ok(());
    }
    let nearest = names
        .iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .min()
        .filter(|(distance, known)| *distance <= known.len() / 3 + 1)
        .map(|(_, known)| format!("; the nearest is “{known}”"))
        .unwrap_or_default();
    Err(format!("“{}” is no {what} of the catalogue (creel rules list){nearest}", visible(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_hand_find_their_key() {
        let near = |name: &str| nearest(name, KEYS.iter().map(|row| row.name));
        assert_eq!(near("limits.memroy"), Some("limits.memory"));
        assert_eq!(near("limit.memory"), Some("limits.memory"));
        assert_eq!(near("memory"), Some("limits.memory"));
        assert_eq!(near("sandbox.envs"), Some("sandbox.env"));
        assert_eq!(near("frobnicate.x"), None);
    }

    #[test]
    fn no_key_is_there_twice() {
        for (at, row) in KEYS.iter().enumerate() {
            assert!(KEYS.iter().skip(at + 1).all(|other| other.name != row.name), "{}", row.name);
        }
    }
}
