//! `cargo xtask fuzz`: lets a fuzzer that sees which branches it reaches look for bytes that a decoder does not stand. The
//! same bytes each time, so that a run says something of the code and not of luck; `fuzz/README.md` says how to look for longer.

use crate::Result;
use crate::line::Line;
use crate::site::Site;
use crate::trials::Trials;
use std::process::Command;

/// Who reads what others make, with how many inputs each takes in about three seconds.
const DECODERS: &[(&str, u32)] = &[
    ("strangers", 4_000_000),
    ("peers", 500_000),
    ("workers", 800_000),
    ("parcels", 3_000_000),
    ("texts", 250_000),
];

/// What the compiler adds for the fuzzer: counters of branches and of what is compared, in our code and what it calls.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

/// Builds the fuzzers and runs each.
pub(crate) fn check(site: &Site) -> Result<bool> {
    let (target, host) = (site.target.join("fuzz"), host()?);
    // For a named target, programs that only build others are built without the flags.
    let build = Line::of("cargo build --release --package fuzz --features fuzzer --target")
        .arg(&host)
        .env("RUSTFLAGS", FLAGS)
        .env("CARGO_TARGET_DIR", site.short(&target))
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
        .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true");
    if let Some(why) = build.run().failure {
        return Err(format!("`{build}`: {why}"));
    }
    let mut trials = Trials::default();
    trials.add("every fuzzer is run", all_are_listed(site));
    for (name, inputs) in DECODERS {
        let program = target.join(&host).join("release").join(name);
        let words = format!("-seed=1 -runs={inputs} -max_len=2048 -rss_limit_mb=512 -timeout=5");
        let kept = format!("-artifact_prefix={}/{name}-", target.display());
        let ran = Line::program(&program, &format!("{words} -verbosity=0")).arg(kept).run();
        trials.add(*name, ran.failure.map_or(Ok(()), Err));
    }
    Ok(trials.finish())
}

/// Whether each program of `fuzz/` stands in the list.
fn all_are_listed(site: &Site) -> Result<()> {
    let folder = std::fs::read_dir(site.root.join("fuzz")).map_err(|error| format!("fuzz: {error}"))?;
    for entry in folder.flatten() {
        let path = entry.path();
        let is_listed = |stem: &str| DECODERS.iter().any(|(name, _)| *name == stem);
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
        if path.extension().is_some_and(|extension| extension == "rs") && !is_listed(stem) {
            return Err(format!("`{}` is not among those that are run", path.display()));
        }
    }
    Ok(())
}

/// What this machine is called by the compiler.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().map_err(|error| format!("rustc: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not say what this machine is".to_owned())
}
