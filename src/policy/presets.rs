//! The policies that ship with creel.

/// A preset and the programs that it is for.
pub(crate) struct Preset {
    pub(crate) name: &'static str,
    pub(crate) programs: &'static [&'static str],
    pub(crate) text: &'static str,
}

pub(crate) const PRESETS: [Preset; 6] = [
    Preset { name: "openclaw", programs: &["openclaw"], text: include_str!("presets/openclaw.toml") },
    Preset { name: "claude-code", programs: &["claude"], text: include_str!("presets/claude-code.toml") },
    Preset { name: "codex", programs: &["codex"], text: include_str!("presets/codex.toml") },
    Preset { name: "gemini-cli", programs: &["gemini"], text: include_str!("presets/gemini-cli.toml") },
    Preset { name: "aider", programs: &["aider"], text: include_str!("presets/aider.toml") },
    Preset { name: "strict", programs: &[], text: include_str!("presets/strict.toml") },
];

/// What lies below everything.
pub(super) const DEFAULTS: &str = include_str!("presets/defaults.toml");

pub(super) fn named(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// The preset for a command, by its program's file name.
pub(super) fn for_command(command: &str) -> Option<&'static Preset> {
    let program = command.rsplit('/').next().unwrap_or_default();
    PRESETS.iter().find(|preset| preset.programs.contains(&program))
}

/// `openclaw, claude-code, …`
pub(crate) fn names() -> String {
    PRESETS.map(|preset| preset.name).join(", ")
}
