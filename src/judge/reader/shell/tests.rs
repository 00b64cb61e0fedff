use crate::judge::place::Place;
use crate::judge::reader::read_text;

/// The commands in a text, a line each; what is only noticed about files is left out.
fn commands(text: &str) -> Vec<String> {
    let place = Place { home: b"/home/dev".to_vec(), workspace: b"/workspace".to_vec() };
    let reading = read_text(&place, text.as_bytes(), Some(b"/workspace"), &|_| None);
    let lines = reading.commands.iter().filter(|command| command.name != b"<" && command.name != b">");
    lines.map(|command| String::from_utf8_lossy(&command.line()).into_owned()).collect()
}

#[test]
fn a_hidden_rm_is_found() {
    let mut missed = Vec::new();
    for text in [
        "rm -rf /srv",
        "r''m -rf /srv",
        "\\rm -rf /srv",
        "\"r\"m -r\"f\" '/srv'",
        "/bin/rm -rf /srv",
        "/proc/self/root/bin/rm -rf /srv",
        "a=r; b=m; $a$b -rf /srv",
        "x='rm -rf /srv'; $x",
        "x='rm -rf /srv'; eval $x",
        "eval 'rm -rf /srv'",
        "eval \"$(printf '\\162\\155') -rf /srv\"",
        "$(echo rm) -rf /srv",
        "`echo rm` -rf /srv",
        "$'\\x72\\x6d' -rf /srv",
        "$(printf '\\x72\\x6d') -rf /srv",
        "rm$IFS-rf$IFS/srv",
        "rm${IFS}-rf${IFS}/srv",
        "{rm,-rf,/srv}",
        "echo cm0gLXJmIC9zcnYK | base64 -d | sh",
        "sh -c \"$(echo cm0gLXJmIC9zcnYK | base64 -d)\"",
        "bash <<< 'rm -rf /srv'",
        "bash <<EOF\nrm -rf /srv\nEOF",
        "cat <<'EOF' | sh\nrm -rf /srv\nEOF",
        "echo 'rm -rf /srv' > /tmp/x; sh /tmp/x",
        "cat > x.sh <<'EOF'\nrm -rf /srv\nEOF\nchmod +x x.sh && ./x.sh",
        "printf 'rm -r' > s; printf 'f /srv\\n' >> s; . ./s",
        "f() { rm -rf \"$1\"; }; f /srv",
        "alias x='rm -rf'; x /srv",
        "for d in /srv; do rm -rf \"$d\"; done",
        "if true; then rm -rf /srv; fi",
        "true && rm -rf /srv || echo no",
        "(cd / && rm -rf /srv)",
        "rm -rf /srv &",
        "! rm -rf /srv",
        "echo $(rm -rf /srv)",
        "echo \"`rm -rf /srv`\"",
        "cat <(rm -rf /srv)",
        "set -- rm -rf /srv; \"$@\"",
        "c=(rm -rf /srv); \"${c[@]}\"",
        "x=xrm; ${x:1} -rf /srv",
        "trap 'rm -rf /srv' EXIT",
        "rev <<< 'vrs/ fr- mr' | bash",
        "echo vrs/ fr- mr | rev | bash",
        "echo 'EZ -es /fei' | tr 'A-Za-z' 'N-ZA-Mn-za-m' | tr RZ rm | sh; rm -rf /srv",
        "command rm -rf /srv",
        "exec -a ls rm -rf /srv",
        "sudo -u root rm -rf /srv",
        "env -i X=1 rm -rf /srv",
        "env -S 'rm -rf /srv'",
        "nohup nice -n 5 timeout 10 rm -rf /srv",
        "busybox rm -rf /srv",
        "xargs -I{} rm -rf {} <<< /srv",
        "echo /srv | xargs rm -rf",
        "find /x -name y -exec rm -rf /srv \\;",
        "find /srv -delete",
        "bash -lc 'rm -rf /srv'",
        "bash -c 'source /tmp/s && eval \"rm -rf /srv\" < /dev/null && pwd -P >| /tmp/c'",
        "ssh host 'rm -rf /srv'",
        "git -c alias.x='!rm -rf /srv' x",
        "python3 -c \"import os; os.system('rm -rf /srv')\"",
        "python3 -c \"import shutil; shutil.rmtree('/srv')\"",
        "python3 -c \"import subprocess as s; s.run(['rm', '-rf', '/srv'])\"",
        "perl -e 'system(\"rm -rf /srv\")'",
        "perl -e '`rm -rf /srv`'",
        "ruby -e 'system \"rm\", \"-rf\", \"/srv\"'",
        "node -e \"require('child_process').execSync('rm -rf /srv')\"",
        "node -e \"require('child_process').spawn('rm', ['-rf', '/srv'])\"",
        "node -e \"require('fs').rmSync('/srv', {recursive: true})\"",
        "python3 <<'EOF'\nimport os\nos.system('rm -rf /srv')\nEOF",
        "/lib64/ld-linux-x86-64.so.2 /bin/rm -rf /srv",
        "docker exec -it db rm -rf /srv",
        "kubectl exec -n prod pod -- rm -rf /srv",
        "awk 'BEGIN { system(\"rm -rf /srv\") }'",
        "while true; do rm -rf /srv; done",
        "case x in x) rm -rf /srv;; esac",
        "r\\\nm -rf /srv",
    ] {
        if !commands(text).iter().any(|line| line == "rm -rf /srv") {
            missed.push(format!("{text}\n    {:?}", commands(text)));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn text_that_is_only_spoken_of_is_no_command() {
    for text in [
        "echo 'rm -rf /srv'",
        "git commit -m 'rm -rf /srv'",
        "grep -rn 'rm -rf /srv' .",
        "cat > notes.md <<'EOF'\nrm -rf /srv\nEOF",
        "# rm -rf /srv",
        "x='rm -rf /srv'",
        "printf '%s\\n' 'rm -rf /srv'",
        "python3 -c \"print('rm -rf /srv')\"",
    ] {
        assert!(!commands(text).iter().any(|line| line.starts_with("rm ")), "{text}\n{:#?}", commands(text));
    }
}

#[test]
fn the_folder_is_followed() {
    let place = Place { home: b"/home/dev".to_vec(), workspace: b"/workspace".to_vec() };
    let cwd = |text: &str| {
        let reading = read_text(&place, text.as_bytes(), Some(b"/workspace"), &|_| None);
        reading.commands.last().and_then(|command| command.cwd.as_deref().map(<[u8]>::to_vec))
    };
    assert_eq!(cwd("cd / && ls"), Some(b"/".to_vec()));
    assert_eq!(cwd("cd src && cd .. && ls"), Some(b"/workspace".to_vec()));
    assert_eq!(cwd("(cd /); ls"), Some(b"/workspace".to_vec()));
    assert_eq!(cwd("cd \"$X\"; ls"), None);
    assert_eq!(cwd("cd; ls"), Some(b"/home/dev".to_vec()));
}

proptest::proptest! {
    #[test]
    fn any_text_is_taken(text in "[ -~\n]{0,200}") {
        commands(&text);
    }

    #[test]
    fn any_bytes_are_taken(text in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let place = Place { home: b"/h".to_vec(), workspace: b"/w".to_vec() };
        read_text(&place, &text, None, &|_| None);
    }
}
