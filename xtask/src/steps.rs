//! THE list of steps of the test command.

use crate::line::Line;
use crate::site::Site;

/// Commands that show one thing that must hold.
#[derive(Debug)]
pub(crate) struct Step {
    /// How it is called: `cargo xtask test NAME` runs it alone.
    pub(crate) name: &'static str,
    /// What runs, one after the other, until one fails.
    pub(crate) lines: Vec<Line>,
    /// The steps that make what it needs: if one of them failed, this one cannot tell anything.
    pub(crate) needs: &'static [&'static str],
}

/// Python packages with the code that is checked by types and by style.
const PYTHON: &str = "crates/anyplace-python/python";
const PYTHON_TESTS: &str = "crates/anyplace-python/tests";
const JUDGE: &str = "crates/anyplace-python/tests/judge";

/// Every step, cheap ones first.
pub(crate) fn all(site: &Site) -> Vec<Step> {
    [before(), rust(site), python(site), documents()].into_iter().flatten().collect()
}

fn before() -> Vec<Step> {
    vec![
        step("tools", [itself("tools")]),
        step("fmt", [Line::of("cargo fmt --all --check")]),
        step("house", [itself("house")]),
        step("clippy", [Line::of("cargo clippy --workspace --all-targets -- -D warnings")]),
    ]
}

/// All of them select the whole workspace, so that cargo builds every dependency once, with the same features.
fn rust(site: &Site) -> Vec<Step> {
    let models = |name: &str, tests: &str, flags: &str| {
        Line::of(&format!("cargo test -p anyplace-sync --release {tests}"))
            .env("CARGO_TARGET_DIR", site.short(&site.target.join(name)))
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("RUSTFLAGS", flags)
    };
    let exhaustive = "--test loom --test loom_board --test loom_queue --test loom_share";
    let loom = models("loom", exhaustive, "--cfg loom");
    let shuttle = models("shuttle", "--test shuttle", "--cfg loom --cfg shuttle");
    let instructions = Line::of("cargo build --profile counted --package bench --bin instructions")
        .env("CARGO_INCREMENTAL", "0");
    vec![
        step(
            "rust",
            [Line::of(
                "cargo test --workspace --no-fail-fast --exclude anyplace-testkit --lib --bins --tests",
            )],
        ),
        step("behaviours", [Line::of("cargo test --workspace --no-fail-fast --test behaviours")]),
        step("doctests", [Line::of("cargo test --workspace --no-fail-fast --doc")]),
        step("docs", [Line::of("cargo doc --workspace --no-deps --lib").env("RUSTDOCFLAGS", "-D warnings")]),
        step("loom", [loom]),
        step("shuttle", [shuttle]),
        step("release", [Line::of("cargo build --release")]),
        step("callgrind", [instructions, itself("callgrind")]).after(&["tools"]),
        step("fuzz", [itself("fuzz")]),
    ]
}

fn python(site: &Site) -> Vec<Step> {
    let in_venv = |words: &str| Line::program(site.short(&site.python()), words);
    let make = Line::of("python3 -m venv").arg(site.short(&site.venv()));
    let requirements = in_venv("-m pip install --quiet --requirement xtask/requirements.txt");
    let pytest = in_venv(&format!("-m pytest -ra {PYTHON_TESTS} --ignore {JUDGE}"));
    let types = in_venv(&format!("-m mypy --strict {PYTHON}"));
    let types_of_users = in_venv("-m mypy --strict bench examples xtask");
    let stubs = in_venv("-m mypy.stubtest anyplace._core");
    let lint = in_venv(&format!("-m ruff check {PYTHON} {PYTHON_TESTS} bench examples xtask"));
    let format = in_venv(&format!("-m ruff format --check {PYTHON} {PYTHON_TESTS} bench examples xtask"));
    vec![
        step("venv", [make, requirements]).after(&["tools"]),
        step("wheel", [in_venv("-m pip install .")]).after(&["venv"]),
        step("pytest", [pytest]).after(&["wheel"]),
        step("judge", [in_venv(&format!("-m pytest -ra {JUDGE}"))]).after(&["wheel"]),
        step("types", [types, types_of_users, stubs]).after(&["wheel"]),
        step("ruff", [lint, format]).after(&["venv"]),
    ]
}

fn documents() -> Vec<Step> {
    vec![
        step("readme", [itself("readme")]).after(&["release", "wheel"]),
        step("machines", [itself("machines")]).after(&["tools", "release", "wheel"]),
        step("examples", [Line::of("cargo build --workspace --bins --tests"), itself("examples")])
            .after(&["release", "wheel"]),
    ]
}

fn itself(word: &str) -> Line {
    Line::of("cargo xtask").arg(word)
}

fn step<const N: usize>(name: &'static str, lines: [Line; N]) -> Step {
    Step { name, lines: lines.into(), needs: &[] }
}

impl Step {
    fn after(mut self, needs: &'static [&'static str]) -> Self {
        self.needs = needs;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_needs_only_steps_before_it() {
        let steps = all(&Site::here());
        for (index, step) in steps.iter().enumerate() {
            let before = |name: &&str| steps[..index].iter().any(|other| other.name == *name);
            assert!(step.needs.iter().all(before), "{} needs {:?}", step.name, step.needs);
        }
    }
}
