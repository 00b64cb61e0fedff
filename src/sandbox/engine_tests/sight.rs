//! What a process in the workload's container sees, may write, and may not.

use std::os::unix::fs::symlink;

use super::lab::Lab;
use crate::policy::model::ImageChoice;
use crate::policy::size::ByteSize;
use crate::sandbox::installation::Installation;
use crate::sandbox::launch::{self, LaunchError};

#[tokio::test]
async fn the_host_image_runs_the_hosts_tools_and_shows_none_of_its_secrets() {
    let lab = Lab::new().await;
    std::fs::write(lab.project.join("seen"), "text").expect("written");
    let mut plan = lab.plan(&lab.spec()).await.expect("a plan");
    Lab::play(
        &mut plan,
        r#"set -e
        /bin/sh -c 'test "$(cat /workspace/seen)" = text'
        test "$(pwd)" = /workspace
        /usr/bin/env true
        getent passwd "$USER" >/dev/null || grep -q "$USER" /etc/passwd
        for d in /tmp "$HOME" /dev/shm /workspace; do echo x > $d/probe; done
        for d in / /usr /etc /.creel /var /opt; do if (echo x > $d/probe) 2>/dev/null; then echo "wrote $d"; fi; done
        for f in /etc/shadow /etc/sudoers /etc/ssl/private /root/.ssh /var/lib/docker /run/docker.sock /var/run/docker.sock; do
            if test -e $f; then echo "sees $f"; fi
        done
        test "$(stat -c %a "$HOME")" = 700
        test "$(stat -c %a /tmp)" = 1777
        echo done"#,
    );
    let (output, code) = lab.run(&plan).await;
    assert_eq!((output.as_str(), code), ("done\n", 0));
    assert!(lab.project.join("probe").exists(), "bind mode is live");
}

#[tokio::test]
async fn every_writable_place_has_its_size() {
    let lab = Lab::new().await;
    let mut spec = lab.spec();
    spec.policy.sandbox.tmp = ByteSize::mib(2);
    spec.policy.sandbox.home = ByteSize::mib(3);
    spec.policy.sandbox.shm = ByteSize::mib(4);
    let mut plan = lab.plan(&spec).await.expect("a plan");
    Lab::play(
        &mut plan,
        r#"for d in /tmp "$HOME" /dev/shm; do
            dd if=/dev/zero of=$d/f bs=64k 2>/dev/null; stat -c %s $d/f
        done"#,
    );
    let (output, _) = lab.run(&plan).await;
    let sizes: Vec<u64> = output.lines().filter_map(|line| line.parse().ok()).collect();
    assert_eq!(sizes, [2 << 20, 3 << 20, 4 << 20], "{output}");
}

#[tokio::test]
async fn folders_on_the_way_to_a_bind_in_home_belong_to_the_workload() {
    let lab = Lab::new().await;
    let tool = lab.home.join("tools/one");
    std::fs::create_dir_all(&tool).expect("made");
    let mut spec = lab.spec();
    spec.invoker.home = lab.home.clone();
    spec.policy.sandbox.read_only_paths = vec![tool.clone()];
    let mut plan = lab.plan(&spec).await.expect("a plan");
    Lab::play(
        &mut plan,
        "echo x > $HOME/tools/mine && ls $HOME/tools; (echo x > $HOME/tools/one/f) 2>/dev/null || echo refused",
    );
    let (output, _) = lab.run(&plan).await;
    assert!(output.starts_with("mine\none\n") && output.ends_with("refused\n"), "{output}");
    assert!(!lab.home.join("tools/mine").exists());
}

#[tokio::test]
async fn a_folder_swapped_for_a_link_after_the_check_is_caught_before_anything_runs() {
    let lab = Lab::new().await;
    let (inner, secret) = (lab.project.join("inner"), lab.home.join("secret"));
    for folder in [&inner, &secret] {
        std::fs::create_dir(folder).expect("made");
    }
    let mut spec = lab.spec();
    spec.policy.workspace.path = inner.clone();
    let mut plan = lab.plan(&spec).await.expect("a plan");
    Lab::play(&mut plan, "sleep 60");
    std::fs::rename(&inner, lab.project.join("moved")).expect("moved");
    symlink(&secret, &inner).expect("linked");
    let created = launch::raise(&lab.engine, &plan).await.expect("the engine follows the link");
    launch::start_workload(&lab.engine, &created.workload).await.expect("started");
    let pid =
        launch::host_pid(&lab.engine, crate::sandbox::container::Role::Workload, &created.workload).await;
    let checked = launch::check_mounts(&plan, pid.expect("running"));
    lab.remove(&created).await;
    assert!(matches!(checked, Err(LaunchError::Swapped { .. })), "{checked:?}");
}

#[tokio::test]
async fn pids_are_translated_and_all_is_found_and_removed() {
    let lab = Lab::new().await;
    let mut plan = lab.plan(&lab.spec()).await.expect("a plan");
    Lab::play(&mut plan, "sleep 60");
    let created = launch::raise(&lab.engine, &plan).await.expect("raised");
    launch::start_workload(&lab.engine, &created.workload).await.expect("started");
    let role = crate::sandbox::container::Role::Workload;
    let pid = launch::host_pid(&lab.engine, role, &created.workload).await.expect("running");
    launch::check_mounts(&plan, pid).expect("all as checked");
    let inner = launch::ns_pid(pid).expect("translated");
    assert!(inner > 1 && inner < 100, "{inner}: the gate is 1, and few come after");

    let installation = Installation::of(&lab.paths).expect("kept");
    let both = [(created.gate.clone(), true), (created.workload.clone(), true)];
    assert_eq!(lab.ours(&installation).await, both);

    lab.remove(&created).await;
    lab.remove(&created).await;
    assert_eq!(lab.ours(&installation).await, []);
}

#[tokio::test]
async fn an_images_root_is_read_only_and_home_is_not_the_images_own() {
    let lab = Lab::new().await;
    let image = lab.image(&["ENV PATH=/bin"]);
    let mut spec = lab.spec();
    spec.policy.sandbox.image = ImageChoice::Reference(image);
    spec.invoker.home = "/root".into();
    let mut plan = lab.plan(&spec).await.expect("a plan");
    Lab::play(
        &mut plan,
        r#"B=/bin/busybox; echo $HOME $PATH; $B touch $HOME/f /tmp/f && $B touch /bin/f 2>/dev/null || $B echo kept"#,
    );
    let (output, _) = lab.run(&plan).await;
    assert_eq!(output, "/home/creel /bin\nkept\n");
}
