//! SECURITY.md names the tests that try to break each guarantee. They are there, and so are the files it names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What stands between backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The functions of every test in a folder of sources.
fn tests(folder: &Path, found: &mut BTreeSet<String>) {
    for path in fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            tests(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("a source");
            let functions = source
                .lines()
                .filter_map(|line| line.trim().strip_prefix("fn ").or(line.trim().strip_prefix("async fn ")));
            found.extend(functions.filter_map(|line| line.split('(').next()).map(str::to_owned));
        }
    }
}

#[test]
fn every_test_and_file_that_it_names_is_there() {
    let text = fs::read_to_string(root().join("SECURITY.md")).expect("SECURITY.md");
    let mut all = BTreeSet::new();
    tests(&root().join("tests"), &mut all);
    tests(&root().join("src"), &mut all);
    let (mut named, mut files) = (0, 0);
    for word in quoted(&text) {
        if word.contains('/')
            && (word.starts_with("src/") || word.starts_with("tests/") || word.starts_with("scripts/"))
        {
            assert!(root().join(word).exists(), "{word} is named, and not there");
            files += 1;
        } else if word.matches('_').count() >= 2
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        {
            assert!(all.contains(word), "the test {word} is named, and not there");
            named += 1;
        }
    }
    assert!(named >= 40 && files >= 15, "{named} tests and {files} files");
}

#[test]
fn every_test_of_ways_out_and_races_is_named() {
    let text = fs::read_to_string(root().join("SECURITY.md")).expect("SECURITY.md");
    for file in ["ways_out.rs", "races.rs", "supervision.rs", "crash.rs", "limits.rs"] {
        let source = fs::read_to_string(root().join("tests").join(file)).expect("a source");
        let mut lines = source.lines();
        while let Some(line) = lines.next() {
            if line.trim() == "#[test]"
                && let Some(name) = lines.next().and_then(|line| line.strip_prefix("fn ")?.split('(').next())
            {
                assert!(text.contains(&format!("`{name}`")), "{file}: {name} is not in SECURITY.md");
            }
        }
    }
}
