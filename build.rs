//! Puts the catalogue of dangerous commands into the binary: checked once here, and loaded there without reading TOML.

use std::path::Path;
use std::{env, fs};

#[path = "src/judge/catalogue/compile.rs"]
mod compile;
#[path = "src/judge/catalogue/needs.rs"]
mod needs;
#[path = "src/judge/catalogue/source.rs"]
mod source;

const FOLDER: &str = "src/judge/catalogue";

fn main() {
    println!("cargo::rerun-if-changed={FOLDER}");
    let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let mut files: Vec<_> = fs::read_dir(FOLDER)
        .expect("the catalogue's folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        // How programs take their options: no category.
        .filter(|path| !path.ends_with("options.toml"))
        .collect();
    files.sort();
    let texts: Vec<String> = files.iter().map(|path| fs::read_to_string(path).expect("readable")).collect();
    let categories: Vec<source::CategorySource<'_>> = files
        .iter()
        .zip(&texts)
        .map(|(path, text)| {
            let mut category: source::CategorySource<'_> =
                toml::from_str(text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            assert_eq!(
                Some(&*category.category),
                stem,
                "{}: the category is the file's name",
                path.display()
            );
            add_needs(&mut category);
            category
        })
        .collect();
    let bytes = postcard::to_stdvec(&categories).expect("it can be written");
    fs::write(Path::new(&out).join("catalogue.bin"), bytes).expect("OUT_DIR can be written");
}

fn add_needs(category: &mut source::CategorySource<'_>) {
    for rule in &mut category.rule {
        for table in &mut rule.when {
            let expressions =
                || table.operands.iter().chain(&table.args).chain(&table.text).chain(&table.input);
            let programs = expressions()
                .map(|expression| {
                    let program = compile::program(&expression.0);
                    source::Code(program.unwrap_or_else(|e| panic!("{}: {e}", rule.id.0)).into())
                })
                .collect();
            table.needs = expressions()
                .map(|expression| {
                    let needs = needs::of(&expression.0).unwrap_or_else(|e| panic!("{}: {e}", rule.id.0));
                    needs.into_iter().map(|text| source::Text(text.into())).collect()
                })
                .collect();
            table.programs = programs;
        }
    }
}
