//! Questions in the terminal that runs the workload.

mod support;

use std::ffi::OsString;
use std::fs;
use std::num::NonZeroU16;
use std::process::Command;

use support::pty::Terminal;
use support::{Creel, PATIENCE, eventually};

const POLICY: &str = r#"
[[commands.rule]]
id = "ask-me"
program = "tac"
verdict = "ask"
reason = "turns things around"
"#;

/// A person at a terminal that shows what a terminal shows.
struct Person {
    terminal: Terminal,
    screen: vt100::Parser,
    seen: usize,
}

impl Person {
    /// A shell whose prompt has come.
    fn in_a_shell(creel: &Creel, rows: u16, columns: u16) -> Self {
        let mut person = Self::at(creel, rows, columns, creel.run_args(["bash", "--norc", "-i"]));
        person.types("PS1='re''ady> '\n");
        person.sees("ready> ");
        person
    }

    fn at(creel: &Creel, rows: u16, columns: u16, args: Vec<OsString>) -> Self {
        let terminal = Terminal::sized(&mut creel.command(args), rows, columns);
        Self { terminal, screen: emulator(rows, columns), seen: 0 }
    }

    fn types(&mut self, keys: &str) {
        self.terminal.types(keys);
    }

    fn look(&mut self) -> &vt100::Screen {
        let new = self.terminal.bytes(self.seen);
        self.seen += new.len();
        self.screen.process(&new);
        self.screen.screen()
    }

    fn text(&mut self) -> String {
        self.look().contents()
    }

    #[track_caller]
    fn sees(&mut self, text: &str) {
        self.sees_that(text, |person| person.text().contains(text));
    }

    #[track_caller]
    fn sees_that(&mut self, what: &str, holds: impl Fn(&mut Self) -> bool) {
        let seen = eventually(PATIENCE, || holds(self));
        assert!(seen, "{what:?} is not seen, but:\n{}", self.text());
    }

    /// Waits for the question, and for its keys.
    #[track_caller]
    fn is_asked(&mut self) {
        self.sees_that("a question", |person| {
            let text = person.text();
            text.contains("creel: ") && text.contains("n deny")
        });
    }

    #[track_caller]
    fn is_not_asked(&mut self) {
        self.sees_that("no question", |person| !person.text().contains("n deny"));
    }

    /// The code that is on the screen.
    fn code(&mut self) -> String {
        let text = self.text();
        let (_, code) = text.rsplit_once("code: ").expect("a code");
        code.chars().take(2).collect()
    }

    /// Says yes as a person does: once what the first key leads to is there.
    fn allows(&mut self, kind: &str) {
        self.types(kind);
        self.sees("typed: _");
        let code = self.code();
        self.types(&code);
        self.is_not_asked();
    }

    fn resizes(&mut self, rows: u16, columns: u16) {
        // What is under way was drawn for the size before.
        self.look();
        let size = |number| NonZeroU16::new(number).expect("not 0");
        self.screen.set_size(size(rows), size(columns));
        self.terminal.resize(rows, columns);
    }

    fn ends(self) -> Option<i32> {
        self.terminal.ends()
    }
}

fn emulator(rows: u16, columns: u16) -> vt100::Parser {
    let size = |number| NonZeroU16::new(number).expect("not 0");
    vt100::Parser::new(size(rows), size(columns), 0)
}

#[test]
fn a_yes_takes_the_code_and_the_output_waits() {
    let creel = Creel::new().policy(POLICY);
    let mut person = Person::in_a_shell(&creel, 24, 80);
    person.types("i=0; while :; do echo tick $((i++)); sleep 0.05; done &\n");
    person.sees("tick 3");
    person.types("tac /etc/hostname; echo co''de $?\n");
    person.is_asked();
    for part in ["1 of 1", "tac /etc/hostname", "turns things around", "ask-me", "1 waits", "a always"] {
        person.sees(part);
    }
    assert!(!person.text().contains("tick"), "{}", person.text());
    let at = person.seen;
    person.types("y");
    person.sees("y is not enough");
    person.types("yes\r\n\x1b");
    // The clock goes on, and nothing else.
    let left = |person: &mut Person| person.text().split_once(" s left").map(|(text, _)| text.to_owned());
    let before = left(&mut person);
    person.sees_that("a clock", |person| left(person) != before);
    person.is_asked();
    let drawn = String::from_utf8_lossy(&person.terminal.bytes(at)).into_owned();
    assert!(!drawn.contains("tick"), "{drawn}");
    person.types("ozz");
    person.sees("not the code");
    person.types("\x1b");
    person.sees("e show everything");
    person.allows("o");
    person.sees("code 0");
    person.types("kill %1; ex''it 3\nexit 3\n");
    let shown = person.terminal.shown();
    assert_eq!(person.ends(), Some(3));
    let ticks: Vec<u32> = shown
        .split("tick ")
        .filter_map(|part| part.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok())
        .collect();
    assert!(ticks.iter().zip(0..).all(|(tick, wanted)| *tick == wanted), "{ticks:?}");
}

#[test]
fn a_no_takes_one_key_and_the_shell_goes_on() {
    let creel = Creel::new().policy(POLICY);
    let mut person = Person::in_a_shell(&creel, 24, 80);
    for (name, key) in [("one", "n"), ("two", "\x03")] {
        person.types(&format!("tac {name}; echo co''de $? {name}\n"));
        person.is_asked();
        person.types(key);
        person.sees(&format!("code 126 {name}"));
    }
    person.types("echo f > three; tac three; echo co''de $? three\n");
    person.is_asked();
    person.types("e");
    person.sees("Esc back");
    person.sees("digest");
    person.types("\x1b");
    person.sees("e show everything");
    // Now and for the rest of the session.
    person.allows("s");
    person.sees("code 0 three");
    person.types("tac three; echo ag''ain $?\n");
    person.sees("again 0");
    person.types("tac four; echo co''de $? four\n");
    person.is_asked();
    person.types("q");
    assert!(person.ends().is_some());
}

/// Asks over a full-screen program, and compares the screens.
fn over(program: &str, quit: &str) {
    let lines: String = (0..200).map(|line| format!("{line} some \t text é漢\n")).collect();
    let creel = Creel::new().policy(POLICY).file("notes", lines);
    let mut person = Person::in_a_shell(&creel, 24, 80);
    person.types("(until [ -e go ]; do sleep 0.05; done; tac notes >turned; echo $? >code) &\n");
    person.types(&format!("{program} notes\n"));
    person.sees("10 some");
    person.types("\x06jj");
    person.sees("30 some");
    // It has painted all that it is going to.
    person.sees_that("a screen that rests", |person| {
        let now = person.look().state_formatted();
        std::thread::sleep(std::time::Duration::from_millis(300));
        person.look().state_formatted() == now
    });
    let before = person.look().state_formatted();
    let place = person.look().cursor_position();
    fs::write(creel.project().join("go"), "").expect("a file");
    person.is_asked();
    assert!(!person.text().contains("30 some"));
    person.allows("o");
    person.sees_that("the screen as it was", |person| person.look().state_formatted() == before);
    assert_eq!(person.look().cursor_position(), place);
    let code = || fs::read_to_string(creel.project().join("code")).unwrap_or_default();
    assert!(eventually(PATIENCE, || code() == "0\n"));
    person.types(quit);
    person.sees("ready> ");
    person.types("exit 2\n");
    assert_eq!(person.ends(), Some(2));
}

#[test]
fn over_less_the_screen_is_put_back() {
    over("less", "q");
}

#[test]
fn over_vim_the_screen_is_put_back() {
    over("vim -N -u NONE -i NONE", ":q\n");
}

#[test]
fn a_small_window_scrolls() {
    let creel = Creel::new().policy(POLICY);
    let mut person = Person::in_a_shell(&creel, 10, 40);
    person.types("tac /etc/hostname $(seq 1000 1030) ; echo co''de $?\n");
    person.is_asked();
    person.types("o");
    person.sees("read it to its end");
    for _ in 0..10 {
        person.types(" ");
    }
    person.sees("the end");
    person.sees("ask-me");
    person.allows("o");
    person.sees("code 1");
    person.types("exit 2\n");
    assert_eq!(person.ends(), Some(2));
}

#[test]
fn the_window_may_change_while_a_question_is_open() {
    let creel = Creel::new().policy(POLICY);
    let mut person = Person::in_a_shell(&creel, 24, 80);
    person.types("tac /etc/hostname; echo co''de $?; stty size\n");
    person.is_asked();
    person.resizes(10, 40);
    person.is_asked();
    person.sees("q stop all");
    person.resizes(30, 100);
    person.is_asked();
    person.sees("e show everything");
    person.allows("o");
    person.sees("code 0");
    person.sees("30 100");
    person.types("exit 2\n");
    assert_eq!(person.ends(), Some(2));
}

#[test]
fn hostile_text_is_only_text() {
    let creel = Creel::new().policy(POLICY);
    let mut person = Person::in_a_shell(&creel, 24, 80);
    person.types("tac $'\\e[2J\\e[1;1Hsafe' $'a\\nb' $'\\u202egnp.x' $'\\x9b31m' ''; echo co''de $?\n");
    person.is_asked();
    let text = person.text();
    for part in ["\\x1b[2J\\x1b[1;1Hsafe", "a\\nb", "\\u202egnp", "\\x9b31m"] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    person.types("n");
    person.sees("code 126");
    person.types("exit 2\n");
    assert_eq!(person.ends(), Some(2));
}

#[test]
fn what_was_typed_before_is_the_programs_and_what_is_typed_at_the_question_is_not() {
    let creel = Creel::new().policy(POLICY);
    let mut person = Person::in_a_shell(&creel, 24, 80);
    person.types("tac x & read one; read two; echo got-$one-$two\nwords\n");
    person.is_asked();
    person.types("z\rz\r");
    person.types("y");
    person.sees("y is not enough");
    person.types("n");
    person.is_not_asked();
    person.types("more\n");
    person.sees("got-words-more");
    person.types("exit 2\n");
    assert_eq!(person.ends(), Some(2));
}

#[test]
fn what_the_terminal_sends_is_no_answer() {
    let creel = Creel::new().policy(POLICY);
    let mut person = Person::in_a_shell(&creel, 24, 80);
    person.types(
        "printf '\\e[6n\\e[c\\e[>c\\e[?1004h\\e[?1003h\\e[?2004$p\\e]11;?\\a'; tac x; echo co''de $?\n",
    );
    person.is_asked();
    for reply in [
        "\x1b[24;80R",
        "\x1b[?1;2c",
        "\x1b[>0;276;0c",
        "\x1b[0n",
        "\x1b[?2004;2$y",
        "\x1b]11;rgb:nnnn/qqqq/0000\x1b\\",
        "\x1bP1$r0 qn\x1b\\",
        "\x1b[I\x1b[O",
        "\x1b[M nq\x1b[<0;3;4M",
        "\x1b[200~n q\r\n\x03\x1b[201~",
        "\x1b[110;1u",
    ] {
        // However it is cut up.
        for part in reply.as_bytes().chunks(3) {
            person.types(std::str::from_utf8(part).expect("ASCII"));
        }
    }
    person.types("y");
    person.sees("y is not enough");
    person.types("n");
    person.sees("code 126");
    person.types("printf '\\e[?1003l\\e[?1004l'; exit 2\n");
    assert_eq!(person.ends(), Some(2));
}

#[test]
fn the_look_of_a_question_can_be_copied_and_is_no_use() {
    let creel = Creel::new().policy(POLICY);
    let mut person = Person::in_a_shell(&creel, 24, 80);
    // Half a sequence, odd modes, colours that hide: nothing of it is in force.
    let look =
        "\\e[?1049h\\e[H creel: a command waits for your answer\\n\\n  and then the code: zz\\n n deny";
    person.types(&format!(
        "printf '{look}\\e[5;9r\\e[?6h\\e[8m\\e(0\\016\\e[4h\\e[?25l\\e]4;7;#000000\\a\\e]0;half'; tac x; echo co''de $?\n"
    ));
    person.sees("ask-me");
    let text = person.text();
    assert!(!text.contains("code: zz") && text.contains("e show everything"), "{text}");
    person.types("n");
    person.sees_that("the end", |person| person.terminal.shown().contains("code 126"));
    person.types("\x07printf '\\e[?1049l\\ec'; exit 2\n");
    assert_eq!(person.ends(), Some(2));
}

#[test]
fn a_question_that_is_settled_elsewhere_goes_away() {
    let policy = format!("{POLICY}\n[approvals]\ntimeout = \"3s\"");
    let creel = Creel::new().policy(&policy);
    let mut person = Person::in_a_shell(&creel, 24, 80);
    person.types("tac /etc/hostname; echo co''de $?\n");
    person.is_asked();
    person.sees("code 126");
    person.is_not_asked();
    // The workload ends while one is open.
    person.types("tac /etc/passwd & sleep 0.5; exit 4\n");
    person.is_asked();
    assert_eq!(person.terminal.ends(), Some(4));
}

#[test]
fn the_terminal_is_whole_when_the_workload_ends_under_a_question() {
    let creel = Creel::new().policy(POLICY);
    let mut person = Person::in_a_shell(&creel, 24, 80);
    person.types("tac /etc/hostname & until [ -e go ]; do sleep 0.05; done; exit 4\n");
    person.is_asked();
    fs::write(creel.project().join("go"), "").expect("a file");
    person.sees_that("the first screen", |person| !person.look().alternate_screen());
    assert!(!person.look().hide_cursor() && !person.look().bracketed_paste());
    assert_eq!(person.ends(), Some(4));
}

#[test]
fn several_questions_come_one_after_the_other() {
    let creel = Creel::new().policy(POLICY);
    let mut person = Person::in_a_shell(&creel, 24, 80);
    person.types("for i in 1 2 3; do tac x$i; echo co''de $? $i; done & (tac y; echo co''de $? y) &\n");
    for _ in 0..4 {
        person.is_asked();
        let text = person.text();
        person.types("n");
        // The clock alone is no other question.
        person.sees_that("another", |person| command_of(&person.text()) != command_of(&text));
    }
    for code in ["code 126 1", "code 126 2", "code 126 3", "code 126 y"] {
        person.sees(code);
    }
    person.types("exit 2\n");
    assert_eq!(person.ends(), Some(2));
}

fn command_of(text: &str) -> Option<String> {
    text.lines().find(|line| line.starts_with("command")).map(str::to_owned)
}

#[test]
fn stopping_creel_gives_the_screen_back_and_takes_it_again() {
    let creel = Creel::new().policy(POLICY);
    let mut person = Person::in_a_shell(&creel, 24, 80);
    person.types("tac /etc/hostname; echo co''de $?\n");
    person.is_asked();
    let at = person.seen;
    let pid = person.terminal.child.id().to_string();
    assert!(Command::new("kill").args(["-TSTP", &pid]).status().expect("kill").success());
    // No shell could continue it, so the kernel lets it go on at once.
    person.sees_that("the first screen and back", |person| {
        let drawn = String::from_utf8_lossy(&person.terminal.bytes(at)).into_owned();
        drawn.contains("\x1b[?1049l") && drawn.contains("\x1b[?1049h")
    });
    person.is_asked();
    person.allows("o");
    person.sees("code 0");
    person.types("exit 2\n");
    assert_eq!(person.ends(), Some(2));
}

#[test]
fn the_next_monitor_asks_again() {
    let creel = Creel::new().policy(POLICY).option("--name=twice");
    let mut person = Person::in_a_shell(&creel, 24, 80);
    person.types("tac /etc/hostname; echo co''de $?\n");
    person.is_asked();
    let cli = i32::try_from(person.terminal.child.id()).expect("a pid");
    let monitor = creel.processes().into_iter().find(|pid| *pid != cli).expect("a monitor");
    assert!(Command::new("kill").args(["-9", &monitor.to_string()]).status().expect("kill").success());
    person.sees_that("the first screen and back", |person| {
        person.terminal.shown().matches("\x1b[?1049h").count() == 2
    });
    person.is_asked();
    person.allows("o");
    person.sees("code 0");
    person.types("exit 2\n");
    assert_eq!(person.ends(), Some(2));
}

#[test]
fn who_attaches_is_asked() {
    let creel = Creel::new().policy(POLICY).option("--name=back").option("-dit");
    creel.run(["bash", "--norc", "-i"]).ok();
    let mut person = Person::at(&creel, 24, 80, ["attach", "back"].map(OsString::from).to_vec());
    person.types("tac /etc/hostname; echo co''de $?\n");
    person.is_asked();
    person.allows("o");
    person.sees("code 0");
    person.types("tac /etc/passwd\n");
    person.is_asked();
    person.types("n");
    person.is_not_asked();
    person.types("exit 2\n");
    assert_eq!(person.ends(), Some(2));
    creel.creel(["rm", "-f", "back"]);
}

#[test]
fn a_signal_to_creel_leaves_a_whole_terminal() {
    let creel = Creel::new().policy(POLICY);
    let mut person = Person::in_a_shell(&creel, 24, 80);
    person.types("tac /etc/hostname; echo co''de $?\n");
    person.is_asked();
    let pid = person.terminal.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
    person.is_not_asked();
    let screen = person.look();
    assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
    assert_eq!(person.ends(), Some(143));
}

#[test]
fn an_always_that_can_not_be_kept_is_said() {
    let creel = Creel::new().policy(POLICY);
    // Where its folder would be is a file.
    fs::write(creel.path("config/creel"), "").expect("a file");
    let mut person = Person::in_a_shell(&creel, 24, 80);
    person.types("tac /etc/hostname; echo co''de $?\n");
    person.is_asked();
    person.allows("a");
    person.sees("code 0");
    person.types("exit 2\n");
    person.sees("about an answer of yours: ");
    assert_eq!(person.ends(), Some(2));
}
