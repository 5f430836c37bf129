//! `cargo xtask callgrind`: counts the instructions of the hot paths and holds them to what `bench/instructions.toml`
//! says. A count does not depend on how fast the machine is, or on what else it does.

use crate::Result;
use crate::site::Site;
use crate::trials::Trials;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A call may cost this much more than what was committed: compilers differ a little.
const MORE: f64 = 1.03;
/// Where a call costs this much less, the committed number would let the gain be lost again unseen.
const LESS: f64 = 0.90;
/// How often the program calls what is counted; its own `TIMES`.
const TIMES: f64 = 500.0;

/// Counts every path that the file names.
pub(crate) fn check(site: &Site) -> Result<bool> {
    let mut trials = Trials::default();
    for (name, committed) in committed(&read(&numbers(site))?)? {
        trials.add(name, count(site, name).and_then(|found| judge(found, committed)));
    }
    Ok(trials.finish())
}

/// Writes what is counted now.
pub(crate) fn update(site: &Site) -> Result<bool> {
    let text = read(&numbers(site))?;
    let mut new: String =
        text.lines().take_while(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    for (name, before) in committed(&text)? {
        let found = count(site, name)?;
        println!("{name}: {before} -> {found}");
        writeln!(new, "{name} = {found}").expect("text takes every line");
    }
    std::fs::write(numbers(site), new).map_err(|error| error.to_string())?;
    Ok(true)
}

fn numbers(site: &Site) -> PathBuf {
    site.root.join("bench/instructions.toml")
}

/// The lines `name = instructions`.
fn committed(text: &str) -> Result<Vec<(&str, f64)>> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let pair = |line| {
        let (name, number) = str::split_once(line, " = ")?;
        Some((name, number.parse().ok()?))
    };
    lines.map(|line| pair(line).ok_or_else(|| format!("`{line}` is not `name = instructions`"))).collect()
}

fn judge(found: f64, committed: f64) -> Result<()> {
    let percent = (found / committed - 1.0) * 100.0;
    if found > committed * MORE {
        return Err(format!("{found} instructions instead of {committed}: {percent:.0} % more"));
    }
    if found < committed * LESS {
        let ask = "keep the gain: `cargo xtask callgrind --update`";
        return Err(format!("{found} instructions instead of {committed}: {percent:.0} %; {ask}"));
    }
    println!("{found} instructions ({percent:+.1} %)");
    Ok(())
}

/// The instructions of one call: those inside the program's function of that name.
fn count(site: &Site, name: &str) -> Result<f64> {
    let counts = site.empty_folder("callgrind")?.join("counts");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", &format!("--toggle-collect=instructions::{name}*")]);
    valgrind.arg(format!("--callgrind-out-file={}", counts.display()));
    let output = valgrind.arg(site.target.join("counted/instructions")).arg(name).output();
    let output = output.map_err(|error| format!("valgrind: {error}"))?;
    if !output.status.success() {
        return Err(format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    total(&read(&counts)?).ok_or_else(|| format!("callgrind saw no call of `{name}`"))
}

/// What callgrind's file says of the whole program; nothing if nothing was counted.
fn total(counts: &str) -> Option<f64> {
    let total: f64 = counts.lines().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()?;
    (total > 0.0).then(|| (total / TIMES).round())
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_become_a_little_dearer_and_no_gain_is_lost() {
        assert!(judge(103.0, 100.0).is_ok() && judge(91.0, 100.0).is_ok());
        assert_eq!(judge(110.0, 100.0).unwrap_err(), "110 instructions instead of 100: 10 % more");
        assert!(judge(80.0, 100.0).unwrap_err().ends_with("--update`"));
    }

    #[test]
    fn numbers_are_read_beside_comments() {
        assert_eq!(committed("# a\nboard_post = 193\n").unwrap(), [("board_post", 193.0)]);
        assert!(committed("board_post: 193").is_err());
    }

    #[test]
    fn the_sum_of_all_calls_is_divided() {
        assert_eq!(total("events: Ir\ntotals: 1000\n"), Some(2.0));
        assert_eq!(total("totals: 0\n"), None);
    }
}
