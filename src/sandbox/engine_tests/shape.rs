//! What the engine makes of our bodies.

use std::process::Command;

use serde_json::{Value, json};

use super::lab::{Lab, docker, inspect};
use crate::policy::model::{Capability, ImageChoice, UserChoice};
use crate::sandbox::{docker_line, launch};

#[tokio::test]
async fn both_containers_are_hardened_as_the_engine_sees_them() {
    let lab = Lab::new().await;
    let plan = lab.plan(&lab.spec()).await.expect("a plan");
    let created = launch::create_both(&lab.engine, &plan).await.expect("made");
    let (gate, workload) = (inspect(&created.gate), inspect(&created.workload));
    lab.remove(&created).await;

    for container in [&gate, &workload] {
        let host = |key: &str| container.pointer(&format!("/HostConfig/{key}")).cloned().unwrap_or_default();
        assert_eq!(host("CapDrop"), json!(["ALL"]));
        assert_eq!(host("Privileged"), json!(false));
        assert_eq!(host("ReadonlyRootfs"), json!(true));
        assert_eq!(host("IpcMode"), json!("private"));
        assert_eq!(host("CgroupnsMode"), json!("private"));
        assert_eq!(host("SecurityOpt"), json!(["no-new-privileges:true"]));
        assert_eq!(host("Memory"), host("MemorySwap"));
        assert!(host("PidsLimit").as_i64().is_some_and(|limit| limit > 0));
        assert!(host("MaskedPaths").as_array().is_some_and(|paths| paths.len() > 5), "the engine's own");
        assert_eq!(host("LogConfig/Type"), json!("json-file"));
        assert!(host("LogConfig/Config/max-size").is_string());
        assert!(host("Devices").as_array().is_none_or(Vec::is_empty));
        assert!(host("Binds").as_array().is_none_or(Vec::is_empty), "binds are mounts");
        let mounts = host("Mounts");
        for mount in mounts.as_array().expect("mounts") {
            assert_eq!(mount.pointer("/BindOptions/NonRecursive"), Some(&json!(true)), "{mount}");
            let source = mount["Source"].as_str().expect("a source");
            assert!(!source.contains("docker.sock") && !source.contains(".ssh"), "{source}");
        }
    }
    assert_eq!(gate.pointer("/HostConfig/NetworkMode"), Some(&json!("none")));
    let joined = json!(format!("container:{}", created.gate));
    assert_eq!(workload.pointer("/HostConfig/NetworkMode"), Some(&joined));
    assert!(
        workload.pointer("/HostConfig/PidMode").is_some_and(|mode| mode.to_string().contains("container:"))
    );
    assert_eq!(workload.pointer("/HostConfig/CapAdd"), Some(&Value::Null));
    assert_eq!(workload.pointer("/Config/Healthcheck/Test"), Some(&json!(["NONE"])));
    assert_eq!(workload["Path"], json!("/.creel/creel"));
    let readable: Vec<&Value> = gate.pointer("/HostConfig/Mounts").into_iter().collect();
    assert!(readable.iter().all(|mounts| !mounts.to_string().contains("\"ReadOnly\":false")));
}

#[tokio::test]
async fn the_printed_docker_lines_make_the_same_containers() {
    let lab = Lab::new().await;
    let odd = lab.home.join("a:b,c \"d\" 'e'");
    std::fs::create_dir(&odd).expect("made");
    let mut spec = lab.spec();
    spec.policy.sandbox.capabilities = vec![Capability::Chown, Capability::Setuid];
    spec.policy.limits.cpu_millis = 1500;
    spec.policy.limits.ulimits = vec![("stack".into(), 1 << 20, 1 << 23)];
    spec.env.insert("TEXT".into(), "two\nlines and 'quotes'".into());
    spec.labels.insert("team".into(), "a b".into());
    spec.tmpfs.insert("/scratch".into(), "size=1m,mode=0700".into());
    spec.command = vec!["sh".into(), "-c".into(), "echo \"$HOME\"".into()];
    spec.binds.push(crate::sandbox::spec::BindSpec {
        source: odd,
        target: "/odd,place".into(),
        read_only: true,
    });
    (spec.tty, spec.stdin) = (true, true);

    let plan = lab.plan(&spec).await.expect("a plan");
    let created = launch::create_both(&lab.engine, &plan).await.expect("made");
    let sent = [inspect(&created.gate), inspect(&created.workload)].map(comparable);
    lab.remove(&created).await;

    for container in [&plan.gate, &plan.workload] {
        let line = docker_line::create(container, lab.engine.api()).expect("shown");
        let made = Command::new("/bin/sh").args(["-c", &line]).output().expect("a shell");
        assert!(made.status.success(), "{line}\n{}", String::from_utf8_lossy(&made.stderr));
    }
    let printed = [&plan.gate.name, &plan.workload.name].map(|name| comparable(inspect(name)));
    docker(&["rm", "-fv", &plan.workload.name, &plan.gate.name]);
    let [(gate, workload), (printed_gate, printed_workload)] = [sent.into(), printed.into()];
    assert_eq!(gate, printed_gate);
    assert_eq!(workload, printed_workload);
    assert!(docker_line::render(&plan).expect("shown").contains("docker start"));
}

/// Without what differs between any two containers; an absent list and an empty one are the same.
fn comparable(mut container: Value) -> Value {
    let id = container["HostConfig"]["NetworkMode"].as_str().map(str::to_owned);
    let fields = container.as_object_mut().expect("an object");
    for key in [
        "Id",
        "Created",
        "State",
        "HostnamePath",
        "HostsPath",
        "LogPath",
        "ResolvConfPath",
        "GraphDriver",
        "NetworkSettings",
    ] {
        fields.remove(key);
    }
    let joins = id.as_deref().is_some_and(|mode| mode.starts_with("container:"));
    // The engine makes one up until the container starts, and takes the gate's then.
    if joins && let Some(config) = container.get_mut("Config").and_then(Value::as_object_mut) {
        config.remove("Hostname");
    }
    if let Some(host) = container.get_mut("HostConfig").and_then(Value::as_object_mut) {
        // The gate's id, which is another each time.
        if joins {
            host.insert("NetworkMode".into(), json!("container"));
            host.insert("PidMode".into(), json!("container"));
        }
        host.remove("ConsoleSize");
    }
    sorted(container)
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(sorted).collect();
            items.sort_by_key(Value::to_string);
            if items.is_empty() { Value::Null } else { Value::Array(items) }
        }
        Value::Object(fields) => {
            let kept: serde_json::Map<_, _> = fields
                .into_iter()
                .map(|(key, value)| (key, sorted(value)))
                .filter(|(_, value)| !value.is_null())
                .collect();
            if kept.is_empty() { Value::Null } else { Value::Object(kept) }
        }
        Value::String(text) if text.is_empty() => Value::Null,
        Value::Bool(false) => Value::Null,
        Value::Number(number) if number.as_i64() == Some(0) => Value::Null,
        other => other,
    }
}

#[tokio::test]
async fn an_images_own_settings_are_honoured() {
    let lab = Lab::new().await;
    let image = lab.image(&[
        "ENTRYPOINT [\"/bin/busybox\",\"env\"]",
        "CMD [\"/bin/busybox\",\"id\"]",
        "USER agent",
        "WORKDIR /app/sub",
        "ENV FROM_IMAGE=yes",
        "VOLUME /data",
        "HEALTHCHECK CMD /bin/busybox true",
    ]);
    let mut spec = lab.spec();
    spec.policy.sandbox.image = ImageChoice::Reference(image);
    spec.policy.sandbox.user = UserChoice::Image;
    spec.command.clear();
    let plan = lab.plan(&spec).await.expect("a plan");
    let command = plan.workload.body.cmd.clone().expect("a command");
    let own =
        command.iter().position(|arg| arg == "--").and_then(|end| command.get(end + 1..)).expect("a command");
    assert_eq!(own, ["/bin/busybox", "env", "/bin/busybox", "id"]);
    assert_eq!(plan.env.get("FROM_IMAGE").map(String::as_str), Some("yes"));
    assert!(plan.notes.iter().any(|note| note.contains("VOLUME /data")), "{:?}", plan.notes);
    assert!(plan.notes.iter().any(|note| note.contains("HEALTHCHECK")), "{:?}", plan.notes);

    let before = docker(&["volume", "ls", "-q"]).lines().count();
    let created = launch::create_both(&lab.engine, &plan).await.expect("made");
    let workload = inspect(&created.workload);
    let after = docker(&["volume", "ls", "-q"]).lines().count();
    lab.remove(&created).await;
    assert_eq!(workload.pointer("/Config/User"), Some(&json!("agent")));
    assert_eq!(workload.pointer("/Config/WorkingDir"), Some(&json!("/app/sub")));
    assert_eq!(workload.pointer("/Config/Healthcheck/Test"), Some(&json!(["NONE"])));
    let mounts = workload["Mounts"].to_string();
    assert!(!mounts.contains("\"volume\""), "{mounts}");
    assert_eq!(before, after, "no volume was made");

    let mut running = plan.clone();
    Lab::play(
        &mut running,
        "/bin/busybox id -u; /bin/busybox pwd; echo x > /data/f && echo x > $HOME/f && echo wrote",
    );
    let (output, code) = lab.run(&running).await;
    assert_eq!((output.as_str(), code), ("77\n/app/sub\nwrote\n", 0));
}

#[tokio::test]
async fn entrypoint_and_command_combine_as_docker_run_does() {
    let lab = Lab::new().await;
    let image = lab.image(&["ENTRYPOINT [\"/bin/busybox\"]", "CMD [\"id\"]"]);
    let mut spec = lab.spec();
    spec.policy.sandbox.image = ImageChoice::Reference(image.clone());
    for (entrypoint, command, expected) in [
        (None, vec![], Some(vec!["/bin/busybox", "id"])),
        (None, vec!["pwd"], Some(vec!["/bin/busybox", "pwd"])),
        (Some("/bin/sh"), vec![], Some(vec!["/bin/sh"])),
        (Some("/bin/sh"), vec!["-c", "true"], Some(vec!["/bin/sh", "-c", "true"])),
        (Some(""), vec!["/bin/sh"], Some(vec!["/bin/sh"])),
        (Some(""), vec![], None),
    ] {
        spec.entrypoint = entrypoint.map(str::to_owned);
        spec.command = command.iter().map(|word| word.to_string()).collect();
        let plan = lab.plan(&spec).await;
        let Some(expected) = expected else {
            assert!(plan.expect_err("nothing to run").to_string().contains("names no command"));
            continue;
        };
        let argv = plan.expect("a plan").workload.body.cmd.expect("a command");
        let own: Vec<&str> = argv.iter().skip_while(|arg| *arg != "--").skip(1).map(String::as_str).collect();
        assert_eq!(own, expected, "{entrypoint:?} {command:?}");
    }
    spec.policy.sandbox.image = ImageChoice::Reference("creel-no-such-image:1".into());
    let error = lab.plan(&spec).await.expect_err("not there").to_string();
    assert!(error.contains("--pull never"), "{error}");
}
