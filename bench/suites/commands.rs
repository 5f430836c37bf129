//! `anyplace map` of commands against `xargs -P` and GNU parallel: rate, start, memory.

use crate::Result;
use crate::effort::Effort;
use crate::record::Record;
use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Enough for a second or more of each; GNU parallel is slower and gets a tenth.
const ITEMS: usize = 10_000;

struct Runner {
    who: &'static str,
    share: usize,
    words: fn(command: &str) -> Vec<&str>,
}

const RUNNERS: &[Runner] = &[
    Runner { who: "anyplace", share: 1, words: ours },
    Runner { who: "xargs", share: 1, words: xargs },
    Runner {
        who: "parallel",
        share: 10,
        words: |command| [vec!["parallel", "-j2"], command.split(' ').collect()].concat(),
    },
];

fn ours(command: &str) -> Vec<&str> {
    let words: Vec<&str> = command.split(' ').collect();
    let value: &[&str] = if words.len() == 1 { &["{}"] } else { &[] };
    [&["anyplace", "map", "-j2"], words.as_slice(), value].concat()
}

fn xargs(command: &str) -> Vec<&str> {
    let words: Vec<&str> = command.split(' ').collect();
    let options: &[&str] =
        if words.len() == 1 { &["xargs", "-P2", "-n1"] } else { &["xargs", "-P2", "-I{}"] };
    [options, words.as_slice()].concat()
}

/// A program that costs next to nothing itself: what is left is the runner. (Of a run of `true`, nine tenths of the
/// time is the loader's and the kernel's work for `true`.)
const NOTHING: &str = r#"void _start(void) { __asm__ volatile("mov $60, %eax; xor %edi, %edi; syscall"); }"#;

/// Compiles [`NOTHING`]; gives its path.
fn nothing() -> Result<String> {
    let program = std::env::temp_dir().join("anyplace-bench-nothing");
    let source = program.with_extension("c");
    std::fs::write(&source, NOTHING).map_err(|error| format!("{}: {error}", source.display()))?;
    let mut compiler = Command::new("cc");
    compiler.args(["-static", "-nostdlib", "-O1", "-o"]).arg(&program).arg(&source);
    let status = compiler.status().map_err(|error| format!("cc: {error}; install gcc"))?;
    if status.success() { Ok(program.display().to_string()) } else { Err(format!("cc: {status}")) }
}

pub(crate) fn run(effort: Effort, record: &mut Record) -> Result<()> {
    let nothing = nothing()?;
    for (case, command) in [("true", "true"), ("echo {}", "echo {}"), ("nothing", nothing.as_str())] {
        for _ in 0..effort.rounds() {
            for runner in RUNNERS {
                let items = effort.items(ITEMS) / runner.share;
                record.add(case, runner.who, rate(&(runner.words)(command), items)?, "items/s");
            }
        }
    }
    for _ in 0..effort.rounds() * 3 {
        record.add("start of one", "anyplace", start(&["anyplace", "map", "true", "{}", ":::", "1"])?, "ms");
        record.add("start of one", "xargs", start(&["sh", "-c", "echo 1 | xargs -n1 true"])?, "ms");
        record.add("start of one", "parallel", start(&["parallel", "true", ":::", "1"])?, "ms");
    }
    for _ in 0..effort.rounds() {
        record.add("peak memory", "anyplace", peak(&ours("echo {}"), effort.items(ITEMS))?, "MB");
        record.add(
            "peak memory",
            "parallel",
            peak(&["parallel", "-j2", "echo"], effort.items(ITEMS) / 10)?,
            "MB",
        );
    }
    Ok(())
}

/// Items a second, with `seq` as input and a file as output.
fn rate(words: &[&str], items: usize) -> Result<f64> {
    let began = Instant::now();
    finish(words, begin(words, items)?)?;
    Ok(items as f64 / began.elapsed().as_secs_f64())
}

fn start(words: &[&str]) -> Result<f64> {
    let began = Instant::now();
    finish(words, begin(words, 0)?)?;
    Ok(began.elapsed().as_secs_f64() * 1e3)
}

/// The most memory that was resident at any time, in MB. Linux keeps the peak while the process lives, so the last
/// look before the end has it.
fn peak(words: &[&str], items: usize) -> Result<f64> {
    let mut child = begin(words, items)?;
    let mut peak = 0.0_f64;
    while child.try_wait().map_err(|error| error.to_string())?.is_none() {
        peak = peak.max(high_water(child.id()).unwrap_or(0.0));
        #[allow(clippy::disallowed_methods)] // There is no event for "uses more memory".
        std::thread::sleep(Duration::from_millis(2));
    }
    finish(words, child)?;
    Ok(peak)
}

fn high_water(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes / 1024.0)
}

fn begin(words: &[&str], items: usize) -> Result<Child> {
    let file = |error: std::io::Error| format!("files of the comparison: {error}");
    let folder = std::env::temp_dir();
    let (input, output) = (folder.join("anyplace-bench.in"), folder.join("anyplace-bench.out"));
    let numbers: String = (1..=items).map(|number| format!("{number}\n")).collect();
    std::fs::write(&input, numbers).map_err(file)?;
    let mut command = Command::new(program(words[0]));
    command.args(&words[1..]).stdin(File::open(&input).map_err(file)?);
    command.stdout(File::create(&output).map_err(file)?).stderr(Stdio::inherit());
    command.spawn().map_err(|error| format!("{}: {error}", words[0]))
}

fn program(name: &str) -> String {
    match std::env::var("ANYPLACE_BENCH_COMMAND") {
        Ok(built) if name == "anyplace" => built,
        _ => name.into(),
    }
}

fn finish(words: &[&str], mut child: Child) -> Result<()> {
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("{}: {status}", words.join(" "))) }
}
