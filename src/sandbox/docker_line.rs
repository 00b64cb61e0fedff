//! `--dry-run`: a plan as the `docker` commands that it stands for. They are made from the very bodies that would
//! be sent; a field that has no flag here is an error, so that what is shown can't fall behind what is done.

use std::fmt::Write;

use bollard::models::ContainerCreateBody;
use serde_json::{Map, Value};

use super::engine::ApiVersion;
use super::plan::{ContainerPlan, Plan};

/// A body that can't be shown in full must not be shown at all.
#[derive(Debug, thiserror::Error)]
#[error("the engine would be sent {0}, for which docker's command line has no flag that creel knows")]
pub(crate) struct NoFlag(String);

/// Everything that a run would do to the engine.
pub(crate) fn render(plan: &Plan) -> Result<String, NoFlag> {
    let api = plan.facts.api;
    let (gate, workload) = (&plan.gate, &plan.workload);
    let mut text = String::new();
    let mut say = |line: &str| _ = writeln!(text, "{line}");
    say("# What creel would ask of the Docker Engine; nothing has been done.");
    say(&format!(
        "# {} is an empty image that creel imports once: folders and links alone.",
        plan.base.reference()
    ));
    if plan.image.unknown {
        say(
            "# The image is not on this machine: its ENTRYPOINT, CMD, USER, WORKDIR and VOLUMEs are not known yet.",
        );
        say(&command(&["docker".into(), "pull".into(), plan.image.reference.clone()]));
    }
    for note in &plan.notes {
        say(&format!("# {note}"));
    }
    say("# No network and no volume is made. The gate: trusted, supervises the workload.");
    say(&create(gate, api)?);
    say("# The workload: untrusted, in the gate's PID and network namespaces.");
    say(&create(workload, api)?);
    say("# The gate first; the workload's first exec waits until the gate supervises it.");
    say(&command(&["docker".into(), "start".into(), gate.name.clone()]));
    say(&command(&["docker".into(), "start".into(), "--attach".into(), workload.name.clone()]));
    say("# At the end:");
    let remove = ["docker", "rm", "--force", "--volumes", &workload.name, &gate.name].map(String::from);
    say(&command(&remove));
    Ok(text)
}

/// One container, a flag a line.
pub(crate) fn create(container: &ContainerPlan, api: ApiVersion) -> Result<String, NoFlag> {
    let Line { flags, image, arguments, comments } = Line::of(&container.body, api)?;
    let mut text = comments.iter().map(|comment| format!("# {comment}\n")).collect::<String>();
    text += &format!("docker create --name {}", quoted(&container.name));
    for flag in flags {
        text += &format!(" \\\n  {flag}");
    }
    text += &format!(" \\\n  {}", quoted(&image));
    if !arguments.is_empty() {
        text += &format!(" \\\n  {}", command(&arguments));
    }
    Ok(text)
}

#[derive(Default)]
struct Line {
    flags: Vec<String>,
    image: String,
    arguments: Vec<String>,
    comments: Vec<String>,
}

impl Line {
    fn of(body: &ContainerCreateBody, api: ApiVersion) -> Result<Self, NoFlag> {
        let mut line = Self::default();
        let fields = object(serde_json::to_value(body).map_err(|error| NoFlag(error.to_string()))?);
        let open = is_true(fields.get("OpenStdin"));
        for (key, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
            match (key.as_str(), value) {
                ("HostConfig", Value::Object(host)) => line.host(host, api)?,
                ("Image", value) => line.image = text(value)?,
                ("Cmd", value) => line.arguments = texts(value)?,
                ("Entrypoint", value) => match texts(value)?.as_slice() {
                    [one] => line.flag("entrypoint", one),
                    _ => return Err(NoFlag(format!("Entrypoint {value}"))),
                },
                ("Env", value) => line.flag_each("env", &texts(value)?),
                ("Labels", Value::Object(labels)) => line.flag_each("label", &pairs(labels, "=")?),
                ("Healthcheck", value) if value.get("Test") == Some(&Value::from(vec!["NONE"])) => {
                    line.flags.push("--no-healthcheck".into());
                }
                ("Hostname", value) => line.flag("hostname", &text(value)?),
                ("User", value) => line.flag("user", &text(value)?),
                ("WorkingDir", value) => line.flag("workdir", &text(value)?),
                ("Tty", Value::Bool(true)) => line.flags.push("--tty".into()),
                ("OpenStdin", Value::Bool(true)) => line.flags.push("--interactive".into()),
                ("StdinOnce", Value::Bool(false)) if open => {
                    line.comments
                        .push("Its stdin outlives the first client, as with docker run --detach.".into());
                }
                // docker create attaches to what is open.
                ("AttachStdin" | "AttachStdout" | "AttachStderr" | "StdinOnce" | "Tty" | "OpenStdin", _) => {}
                (key, value) => return Err(NoFlag(format!("{key} = {value}"))),
            }
        }
        Ok(line)
    }

    fn host(&mut self, host: &Map<String, Value>, api: ApiVersion) -> Result<(), NoFlag> {
        for (key, value) in host.iter().filter(|(_, value)| !value.is_null()) {
            let plain = match key.as_str() {
                "CgroupnsMode" => "cgroupns",
                "CpuShares" => "cpu-shares",
                "IpcMode" => "ipc",
                "Memory" => "memory",
                "MemorySwap" => "memory-swap",
                "NetworkMode" => "network",
                "OomScoreAdj" => "oom-score-adj",
                "PidMode" => "pid",
                "PidsLimit" => "pids-limit",
                "Runtime" => "runtime",
                "ShmSize" => "shm-size",
                _ => "",
            };
            match (key.as_str(), value) {
                (_, value) if !plain.is_empty() => self.flag(plain, &text(value)?),
                ("CapAdd", value) => self.flag_each("cap-add", &texts(value)?),
                ("CapDrop", value) => self.flag_each("cap-drop", &texts(value)?),
                ("SecurityOpt", value) => self.flag_each("security-opt", &texts(value)?),
                ("Tmpfs", Value::Object(mounts)) => self.flag_each("tmpfs", &pairs(mounts, ":")?),
                ("ReadonlyRootfs", Value::Bool(true)) => self.flags.push("--read-only".into()),
                ("RestartPolicy", value) => {
                    self.flag("restart", &text(value.get("Name").unwrap_or(&Value::Null))?)
                }
                ("NanoCpus", value) => self.flag("cpus", &cpus(value)?),
                ("LogConfig", value) => self.log(value)?,
                ("Mounts", Value::Array(mounts)) => {
                    for mount in mounts {
                        let fields = mount_fields(mount, api)?;
                        self.flag("mount", &fields);
                    }
                }
                ("Ulimits", Value::Array(limits)) => {
                    for limit in limits {
                        let field = |key: &str| text(limit.get(key).unwrap_or(&Value::Null));
                        let (name, soft, hard) = (field("Name")?, field("Soft")?, field("Hard")?);
                        self.flag("ulimit", &format!("{name}={soft}:{hard}"));
                    }
                }
                // docker's client sends the size of the terminal that it runs in.
                ("ConsoleSize", _) => {}
                (key, value) => return Err(NoFlag(format!("HostConfig.{key} = {value}"))),
            }
        }
        Ok(())
    }

    fn log(&mut self, value: &Value) -> Result<(), NoFlag> {
        self.flag("log-driver", &text(value.get("Type").unwrap_or(&Value::Null))?);
        if let Some(Value::Object(options)) = value.get("Config") {
            self.flag_each("log-opt", &pairs(options, "=")?);
        }
        Ok(())
    }

    fn flag(&mut self, name: &str, value: &str) {
        self.flags.push(format!("--{name} {}", quoted(value)));
    }

    fn flag_each(&mut self, name: &str, values: &[String]) {
        values.iter().for_each(|value| self.flag(name, value));
    }
}

/// `--mount` is a line of comma-separated values, in the quoting of such.
fn mount_fields(mount: &Value, api: ApiVersion) -> Result<String, NoFlag> {
    let unknown = || NoFlag(format!("the mount {mount}"));
    let Value::Object(fields) = mount else { return Err(unknown()) };
    let mut parts = Vec::new();
    for (key, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        match (key.as_str(), value) {
            ("Type", Value::String(kind)) => parts.insert(0, format!("type={kind}")),
            ("Source", Value::String(path)) => parts.push(format!("source={path}")),
            ("Target", Value::String(path)) => parts.push(format!("target={path}")),
            ("ReadOnly", Value::Bool(true)) => parts.push("readonly".into()),
            ("ReadOnly", Value::Bool(false)) => {}
            ("BindOptions", options) if *options == serde_json::json!({ "NonRecursive": true }) => {
                // The flag's name changed with Docker 25.
                let new = (api.major, api.minor) >= (1, 44);
                parts.push(if new { "bind-recursive=disabled" } else { "bind-nonrecursive=true" }.into());
            }
            _ => return Err(unknown()),
        }
    }
    let field = |part: &String| {
        if part.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", part.replace('"', "\"\""))
        } else {
            part.clone()
        }
    };
    Ok(parts.iter().map(field).collect::<Vec<_>>().join(","))
}

fn cpus(value: &Value) -> Result<String, NoFlag> {
    let nano = value.as_u64().ok_or_else(|| NoFlag(format!("NanoCpus {value}")))?;
    let digits = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
    Ok(digits.trim_end_matches('0').trim_end_matches('.').to_owned())
}

fn is_true(value: Option<&Value>) -> bool {
    value == Some(&Value::Bool(true))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn text(value: &Value) -> Result<String, NoFlag> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(NoFlag(other.to_string())),
    }
}

fn texts(value: &Value) -> Result<Vec<String>, NoFlag> {
    value.as_array().ok_or_else(|| NoFlag(value.to_string()))?.iter().map(text).collect()
}

fn pairs(map: &Map<String, Value>, between: &str) -> Result<Vec<String>, NoFlag> {
    let mut all = Vec::new();
    for (key, value) in map {
        all.push(format!("{key}{between}{}", text(value)?));
    }
    all.sort();
    Ok(all)
}

fn command(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// For a POSIX shell.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard::models::HostConfig;
    use proptest::prelude::*;

    const API: ApiVersion = ApiVersion { major: 1, minor: 41 };

    #[test]
    fn a_field_without_a_flag_is_an_error_and_not_left_out() {
        let privileged = HostConfig { privileged: Some(true), ..Default::default() };
        let body = ContainerCreateBody { host_config: Some(privileged), ..Default::default() };
        let container = ContainerPlan { name: "x".into(), body };
        let error = create(&container, API).expect_err("not shown").to_string();
        assert!(error.contains("HostConfig.Privileged = true"), "{error}");
    }

    #[test]
    fn separators_in_paths_survive_the_mount_syntax() {
        let mount = serde_json::json!({
            "Type": "bind", "Source": "/a,b\"c", "Target": "/t", "ReadOnly": true,
            "BindOptions": { "NonRecursive": true },
        });
        let line = mount_fields(&mount, API).expect("shown");
        assert_eq!(line, "type=bind,bind-nonrecursive=true,readonly,\"source=/a,b\"\"c\",target=/t");
    }

    #[test]
    fn cpus_are_written_as_people_do() {
        for (nano, text) in
            [(1_000_000_000_u64, "1"), (1_500_000_000, "1.5"), (10_000_000_000, "10"), (1, "0.000000001")]
        {
            assert_eq!(cpus(&nano.into()).expect("a number"), text);
        }
    }

    proptest! {
        #[test]
        fn the_shell_reads_back_what_was_quoted(word in "[^\0]*") {
            let output = std::process::Command::new("/bin/sh")
                .args(["-c", &format!("printf %s {}", quoted(&word))])
                .output()
                .expect("a shell");
            prop_assert_eq!(String::from_utf8(output.stdout).expect("text"), word);
        }
    }
}
