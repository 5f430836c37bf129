//! `cargo xtask bench`: builds what is measured, in an environment with its peers, then lets it be measured.

use crate::line::Line;
use crate::site::Site;
use crate::{Result, tools};

/// Does what the words after `bench` say.
pub(crate) fn dispatch(site: &Site, words: &[&str]) -> Result<bool> {
    match words {
        ["local", options @ ..] => local(site, options),
        ["crashes"] => crashes(site, &["matrix.py", "killed.py"]),
        ["crashes", "pools"] => crashes(site, &["matrix.py"]),
        ["crashes", "sharing"] => crashes(site, &["killed.py"]),
        ["tables"] => run_all([itself(site).arg("tables")]),
        _ => Err("say what to do: `bench local`, `bench crashes [pools|sharing]` or `bench tables`".into()),
    }
}

/// Measures with the options `--quick` and `--suite NAME`.
fn local(site: &Site, options: &[&str]) -> Result<bool> {
    if !tools::check_peers() {
        return Ok(false);
    }
    let measure = itself(site)
        .env("ANYPLACE_BENCH_COMMAND", site.command())
        .env("ANYPLACE_BENCH_PYTHON", site.peers_python());
    let measure = options.iter().fold(measure, Line::arg);
    let programs = ["--package anyplace-cli", "--package bench --bin bench --bin echo"];
    let build = programs.map(|which| Line::of(&format!("cargo build --release {which}")));
    run_all(build.into_iter().chain(environment(site)).chain([measure]))
}

/// Lets tasks crash in every pool, and processes die with something shared in their hands.
fn crashes(site: &Site, scripts: &[&str]) -> Result<bool> {
    let python = site.peers_python();
    let matrix =
        |script| Line::program(site.short(&python), &format!("bench/crashes/{script} --keep bench/runs"));
    run_all(environment(site).into_iter().chain(scripts.iter().map(matrix)))
}

/// The bench crate's program.
fn itself(site: &Site) -> Line {
    Line::of("cargo run --release --quiet --package bench --")
        .env("CARGO_TARGET_DIR", site.short(&site.target))
}

/// An environment of its own: the peers, pinned, and the wheel of this very tree.
fn environment(site: &Site) -> [Line; 3] {
    let pip = |words: &str| {
        let words = format!("-m pip install --quiet --disable-pip-version-check {words}");
        Line::program(site.short(&site.peers_python()), &words)
    };
    [
        Line::of("python3 -m venv").arg(site.short(&site.peers())),
        pip("--requirement bench/requirements.txt"),
        pip("."),
    ]
}

fn run_all(lines: impl IntoIterator<Item = Line>) -> Result<bool> {
    for line in lines {
        println!("$ {line}");
        if let Some(why) = line.run().failure {
            return Err(format!("`{line}`: {why}"));
        }
    }
    Ok(true)
}
