use super::*;

fn is(word: &str, class: Class) -> bool {
    let place = Place { home: b"/home/dev".to_vec(), workspace: b"/workspace".to_vec() };
    place.classes(Some(b"/workspace/app"), word.as_bytes()).meet(Classes::of(&[class]))
}

#[test]
fn each_class_has_its_places() {
    for (class, yes, no) in [
        (Class::Root, "/ /* /. // /../.. /proc/self/root ~/../../*", "/x . *"),
        (Class::Home, "~ ~/ ~/* /home /home/dev/.* /root /home/\0 ~root", "~/x /home/dev/x /homes"),
        (
            Class::Workspace,
            "/workspace /workspace/* .. ../* / ../../workspace",
            "/workspace/app . * ./x /work",
        ),
        (
            Class::Outside,
            "/ ~ ~/x /etc/x /data ../../x /dev/sda",
            "x ../y /tmp/x /var/tmp /dev/null ~/.cache/x",
        ),
        (Class::System, "/etc/x /usr /var/lib /boot/*", "/tmp /var/tmp/x /home/dev x"),
        (
            Class::Device,
            "/dev/sda /dev/nvme0n1p1 /dev/mapper/x",
            "/dev/null /dev/stdout /dev/fd/3 /dev/tcp/x/1 /dev",
        ),
        (Class::Git, ".git ./.git/config ../.git/", ".gitignore git .github/x"),
        (
            Class::Credential,
            "~/.ssh/id_rsa ~/.aws/credentials /etc/shadow /proc/1/environ server.key x.pem ~/.kube/config \0/.ssh/id_rsa",
            "~/.ssh/id_rsa.pub ~/.ssh/known_hosts cert.pem tests/server.key x.keys .npmrc",
        ),
        (Class::Dotenv, ".env .env.production ../.env .envrc", ".env.example .environment env .env.sample"),
        (
            Class::Startup,
            "~/.bashrc ~/.ssh/authorized_keys /etc/cron.d/x ../.git/hooks/pre-commit ~/.zshrc \0/.bashrc",
            "bashrc .git/hooks.md ~/.ssh/known_hosts .git/hooks/x.sample",
        ),
        (Class::Log, "/var/log/syslog ~/.bash_history", "log/x history"),
        (Class::UnsetRoot, "\0/ \0/* \0//", "\0 \0/x x/* \0x/*"),
    ] {
        for word in yes.split(' ') {
            assert!(is(word, class), "{} is {class:?}", word.escape_debug());
        }
        for word in no.split(' ') {
            assert!(!is(word, class), "{} is not {class:?}", word.escape_debug());
        }
    }
}

#[test]
fn a_path_that_is_not_known_has_no_place() {
    let place = Place { home: b"/home/dev".to_vec(), workspace: b"/workspace".to_vec() };
    assert_eq!(place.absolute(None, b"x"), None);
    assert_eq!(place.absolute(None, b"/x/../y/"), Some(b"/y".to_vec()));
}

proptest::proptest! {
    #[test]
    fn any_word_is_taken(word in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..64)) {
        let place = Place { home: b"/h".to_vec(), workspace: b"/w".to_vec() };
        place.classes(Some(b"/w"), &word);
        place.classes(None, &word);
    }
}
