//! Ordinary images, made here of busybox: what they say of themselves is honoured, and opens nothing.

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use support::{Creel, docker};

/// An image that goes when the test does.
struct Image(String);

impl Drop for Image {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["image", "rm", "--force", &self.0]).output();
    }
}

/// Busybox, an account `app`, and these further lines of a Dockerfile.
fn image(name: &str, lines: &str) -> Image {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("root");
    for dir in ["bin", "etc", "srv", "data", "home/app"] {
        fs::create_dir_all(root.join(dir)).expect("a folder");
    }
    fs::copy("/bin/busybox", root.join("bin/busybox")).expect("busybox, which is static");
    for applet in ["sh", "echo", "id", "cat", "grep", "sleep", "touch", "true", "ls", "env"] {
        symlink("busybox", root.join("bin").join(applet)).expect("a link");
    }
    fs::write(root.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\napp:x:1234:1234::/home/app:/bin/sh\n")
        .expect("a file");
    fs::write(root.join("etc/group"), "root:x:0:\napp:x:1234:\n").expect("a file");
    fs::write(folder.path().join("Dockerfile"), format!("FROM scratch\nCOPY root/ /\n{lines}\n"))
        .expect("a file");
    let tag = format!("creel-test/{name}:{}", std::process::id());
    let build = Command::new("docker").args(["build", "--quiet", "--tag", &tag]).arg(folder.path()).output();
    let build = build.expect("docker runs");
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    Image(tag)
}

#[test]
fn entrypoint_command_folder_environment_and_user_are_the_images() {
    let image = image(
        "settings",
        "ENV A=from-image\nWORKDIR /srv\nUSER app\nENTRYPOINT [\"/bin/echo\", \"entry\"]\nCMD [\"command\"]",
    );
    let creel = Creel::new().option(format!("--image={}", image.0));
    let no_command: [&str; 0] = [];
    creel.run(no_command).ok().stdout("entry command\n");
    creel.run(["mine"]).ok().stdout("entry mine\n");
    let script = "pwd; echo $A; id -u; id -g";
    let sh = |options: &[&str]| {
        let image = format!("--image={}", image.0);
        let args = [&["run", &image, "--entrypoint=/bin/sh"], options, &["--", "-c", script]].concat();
        creel.creel(args).ok().out()
    };
    assert_eq!(sh(&["--set=sandbox.user=image"]), "/srv\nfrom-image\n1234\n1234\n");
    assert_eq!(sh(&["--user=77:78", "-e", "A=mine"]), "/srv\nmine\n77\n78\n");
    let start = creel.records().into_iter().find(|record| record["kind"] == "run.start").expect("a start");
    assert_eq!(start["image"], image.0.as_str());
    assert!(start["image_id"].as_str().is_some_and(|id| id.starts_with("sha256:")));
    creel.verified();
}

#[test]
fn a_volume_of_an_image_is_capped_and_leaves_nothing() {
    let image = image("volume", "VOLUME /data");
    let volumes = || docker(["volume", "ls", "--quiet"]);
    let before = volumes();
    let creel = Creel::new().option(format!("--image={}", image.0)).option("--user=0:0");
    let out = creel.run(["/bin/sh", "-c", "touch /data/x && grep ' /data ' /proc/mounts"]).ok().out();
    assert!(out.starts_with("tmpfs /data tmpfs rw") && out.contains("size="), "{out}");
    assert_eq!(volumes(), before);
}

#[test]
fn a_health_check_is_not_run_behind_the_supervisors_back() {
    let image = image("health", "HEALTHCHECK --interval=1s CMD touch /workspace/checked");
    let creel = Creel::new().option(format!("--image={}", image.0));
    creel.run(["/bin/sleep", "3"]).ok();
    assert!(!creel.project().join("checked").exists());
    assert!(creel.records().iter().all(|record| record["kind"] != "gap"));
}

#[test]
fn an_image_that_is_not_there_is_said_to_be_so() {
    let creel = Creel::new();
    creel
        .creel(["run", "--image=creel-test/none:none", "--pull=never", "--", "true"])
        .code(125)
        .stderr_has("creel-test/none:none");
    assert!(creel.containers().is_empty());
}
