//! `cargo xtask bench local`: builds what is measured, then lets the bench crate measure.

use crate::line::Line;
use crate::site::Site;
use crate::{Result, tools};

/// Measures with the options `--quick` and `--suite NAME`.
pub(crate) fn local(site: &Site, options: &[&str]) -> Result<bool> {
    if !tools::check_peers() {
        return Ok(false);
    }
    for line in lines(site, options) {
        println!("$ {line}");
        if let Some(why) = line.run().failure {
            return Err(format!("`{line}`: {why}"));
        }
    }
    Ok(true)
}

fn lines(site: &Site, options: &[&str]) -> Vec<Line> {
    let folder = site.short(&site.target);
    let environment = Line::of("cargo xtask test tools venv wheel");
    let measure = Line::of("cargo run --release --quiet --package bench --")
        .env("ANYPLACE_BENCH_COMMAND", site.command())
        .env("ANYPLACE_BENCH_PYTHON", site.python())
        .env("CARGO_TARGET_DIR", folder);
    let measure = options.iter().fold(measure, Line::arg);
    vec![Line::of("cargo build --release"), environment, measure]
}
