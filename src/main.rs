//! One binary, four roles: see [`creel::main`].

fn main() -> std::process::ExitCode {
    creel::main()
}
