//! What a run promises while it runs and when it is interrupted: real signals, real pipes, real clocks.
#![allow(clippy::disallowed_methods, reason = "each test is a real run of the real command")]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

fn anyplace(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anyplace"));
    command.args(arguments).stdin(Stdio::null()).env_remove("ANYPLACE");
    command
}

fn output(arguments: &[&str]) -> Output {
    anyplace(arguments).output().unwrap()
}

fn start(arguments: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let mut child = anyplace(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    (child, stdout)
}

fn send(child: &Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

fn send_if_alive(child: &Child, signal: &str) {
    let mut kill = Command::new("kill");
    let status = kill.args([signal, &child.id().to_string()]).stderr(Stdio::null()).status();
    assert!(status.is_ok(), "kill is installed");
}

/// Waits for an event that another process brings about, and never longer than a test may hang.
fn until(mut event: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !event() {
        assert!(begun.elapsed() < PATIENCE, "it did not happen");
        std::thread::yield_now();
    }
}

fn is_alive(pid: &str) -> bool {
    // A zombie is dead, only not yet reaped by whoever inherited it.
    fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|stat| !stat.contains(") Z "))
}

/// The words that jobs leave in a folder, each a file that appears complete.
fn words(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|e| e == "pid"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

/// A job that says who it is, then waits for a long time.
fn long_job(folder: &Path) -> String {
    let folder = folder.display();
    format!("echo $$ > {folder}/{{}}.new; mv {folder}/{{}}.new {folder}/{{}}.pid; sleep 60; echo never")
}

/// What it has made for itself: the pages of the program's file, which are many with debug information, don't count.
fn own_kilobytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Runs to the end while watching how much memory of its own it holds at most.
fn peak_while(child: &mut Child, mut stdout: impl Read + Send + 'static) -> (u64, u64) {
    let counter = std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()).unwrap());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(own_kilobytes(child.id()).unwrap_or(0));
        std::thread::yield_now();
    }
    (peak, counter.join().unwrap())
}

#[test]
fn a_result_appears_while_the_input_is_still_open() {
    let mut child = anyplace(&["map", "echo"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut results = BufReader::new(child.stdout.take().unwrap()).lines();
    for word in ["first", "second"] {
        writeln!(input, "{word}").unwrap();
        // No more input comes before this line is read.
        assert_eq!(results.next().unwrap().unwrap(), word);
    }
    drop(input);
    assert!(results.next().is_none());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_fifo_is_read_as_it_fills() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let (mut child, stdout) = start(&["map", "echo", "::::", fifo.to_str().unwrap()]);
    let mut results = stdout.lines();
    let mut input = File::options().write(true).open(&fifo).unwrap();
    writeln!(input, "early").unwrap();
    assert_eq!(results.next().unwrap().unwrap(), "early");
    writeln!(input, "late").unwrap();
    drop(input);
    assert_eq!(results.next().unwrap().unwrap(), "late");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_run_quietly() {
    let script =
        format!("yes | {} map echo | head -1; echo ${{PIPESTATUS[1]}}", env!("CARGO_BIN_EXE_anyplace"));
    let output = Command::new("bash").arg("-c").arg(script).stdin(Stdio::null()).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "y\n141\n");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn long_output_passes_through_little_memory() {
    let (mut child, stdout) =
        start(&["map", "--progress", "none", "head -c 200000000 /dev/zero; : {}", ":::", "1"]);
    let (peak, bytes) = peak_while(&mut child, stdout);
    assert_eq!(bytes, 200_000_000);
    assert!(peak < 4 * 1024, "{peak} KiB");
}

#[test]
fn many_inputs_pass_through_little_memory() {
    let mut child =
        anyplace(&["map", "--dry-run", "true"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let line = [b'x'; 100];
        for _ in 0..300_000 {
            input.write_all(&line).unwrap();
            input.write_all(b"\n").unwrap();
        }
    });
    let stdout = child.stdout.take().unwrap();
    let (peak, bytes) = peak_while(&mut child, stdout);
    writer.join().unwrap();
    assert_eq!(bytes, 300_000 * ("true ".len() as u64 + 101));
    assert!(peak < 4 * 1024, "{peak} KiB");
}

#[test]
fn many_jobs_pass_through_little_memory() {
    let inputs: Vec<String> = (0..2000).map(|n| n.to_string()).collect();
    let arguments: Vec<&str> =
        ["map", "-k", "echo", ":::"].into_iter().chain(inputs.iter().map(String::as_str)).collect();
    let (mut child, stdout) = start(&arguments);
    let (peak, bytes) = peak_while(&mut child, stdout);
    assert_eq!(bytes, 10 * 2 + 90 * 3 + 900 * 4 + 1000 * 5);
    assert!(peak < 4 * 1024, "{peak} KiB");
}

#[test]
fn a_job_is_tried_again_while_as_many_results_as_may_be_held_wait_for_it() {
    let folder = tempfile::tempdir().unwrap();
    // So many results with long output may wait; each other job leaves a mark when its output is complete.
    let first =
        "until [ $(ls | wc -l) -ge 128 ]; do sleep 0.05; done; test -e again || { touch again; exit 1; }";
    let job = format!("if [ {{}} = 1 ]; then {first}; else head -c 300000 /dev/zero; touch {{}}; fi");
    let mut command = anyplace(&["map", "-j2", "-k", "--retries", "2", "--progress", "none", &job]);
    let inputs: String = (1..=160).map(|number| format!("{number}\n")).collect();
    let file = folder.path().with_extension("inputs");
    fs::write(&file, inputs).unwrap();
    command.current_dir(folder.path()).stdin(File::open(&file).unwrap()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    until(|| child.try_wait().unwrap().is_some());
    fs::remove_file(file).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn ctrl_c_ends_the_jobs_and_the_run_by_the_same_signal() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, mut stdout) = start(&["map", "-j2", &long_job(folder.path()), ":::", "1", "2", "3"]);
    until(|| words(folder.path()).len() == 2);
    let begun = Instant::now();
    send(&child, "-INT");
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(2));
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(words(folder.path()).len(), 2, "no job was started after the signal");
    assert!(words(folder.path()).iter().all(|pid| !is_alive(pid)));
    let mut printed = String::new();
    stdout.read_to_string(&mut printed).unwrap();
    assert_eq!(printed, "");
}

#[test]
fn a_second_ctrl_c_kills_jobs_that_do_not_listen() {
    let folder = tempfile::tempdir().unwrap();
    let job = format!(
        "trap '' TERM INT; {}",
        long_job(folder.path()).replace("sleep 60", "while :; do sleep 1; done")
    );
    let (mut child, _stdout) = start(&["map", &job, ":::", "1"]);
    until(|| words(folder.path()).len() == 1);
    send(&child, "-INT");
    send(&child, "-TERM");
    assert!(child.wait().unwrap().signal().is_some());
    assert!(words(folder.path()).iter().all(|pid| !is_alive(pid)));
}

#[test]
fn a_third_ctrl_c_ends_a_run_that_nobody_reads() {
    let folder = tempfile::tempdir().unwrap();
    // The first result fills the pipe, which this test does not read.
    let job = format!("head -c 300000 /dev/zero; [ {{}} = 1 ] || {{{{ {}; }}}}", long_job(folder.path()));
    let job = job.replace("{{", "{").replace("}}", "}");
    let (mut child, _unread) = start(&["map", "-j2", "-k", &job, ":::", "1", "2"]);
    until(|| words(folder.path()).len() == 1);
    // A signal that is still waiting swallows the next of its kind, so each is sent until it has had its effect.
    until(|| {
        send_if_alive(&child, "-INT");
        child.try_wait().unwrap().is_some()
    });
    assert_eq!(child.wait().unwrap().signal(), Some(2));
    until(|| words(folder.path()).iter().all(|pid| !is_alive(pid)));
}

#[test]
fn without_inputs_a_terminal_is_not_waited_for() {
    let (mut child, keys) = on_terminal("map echo");
    let mut shown = String::new();
    child.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
    assert!(shown.contains("there are no inputs, and standard input is a terminal"), "{shown}");
    assert_eq!(child.wait().unwrap().code(), Some(2));
    drop(keys);
}

#[test]
fn hangup_lets_the_running_jobs_finish() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("go");
    let job = format!(
        "echo begun > {0}{{}}; until [ -e {0} ]; do sleep 0.05; done; echo done {{}}",
        file.display()
    );
    let (mut child, mut stdout) = start(&["map", "-j1", &job, ":::", "1", "2"]);
    until(|| folder.path().join("go1").exists());
    send(&child, "-HUP");
    send(&child, "-USR1");
    // It has answered, so it has heard both.
    let mut told = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut told).unwrap();
    assert!(told.starts_with("running for ") && told.contains("echo done 1"), "{told}");
    File::create(&file).unwrap();
    let mut printed = String::new();
    stdout.read_to_string(&mut printed).unwrap();
    assert_eq!(printed, "done 1\n");
    assert!(child.wait().unwrap().success());
    // The second job may have begun before the signal was heard only if the first had ended.
    assert!(!folder.path().join("go2").exists());
}

#[test]
fn killing_the_run_leaves_no_process() {
    let folder = tempfile::tempdir().unwrap();
    let job = format!(
        "sleep 60 & echo $! > {0}/{{}}.new; mv {0}/{{}}.new {0}/{{}}.pid; wait",
        folder.path().display()
    );
    let (mut child, _stdout) = start(&["map", "-j2", &job, ":::", "1", "2"]);
    until(|| words(folder.path()).len() == 2);
    send(&child, "-KILL");
    child.wait().unwrap();
    until(|| words(folder.path()).iter().all(|pid| !is_alive(pid)));
}

#[test]
fn a_time_limit_ends_what_a_job_started_too() {
    let folder = tempfile::tempdir().unwrap();
    let job = format!("sleep 60 & echo $! > {}/{{}}.pid; wait; echo never", folder.path().display());
    let output = output(&["map", "--timeout", "500ms", &job, ":::", "1"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
    assert!(words(folder.path()).iter().all(|pid| !is_alive(pid)));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("error: an argument after :::, `1`: `sh` was ended")
    );
}

#[test]
fn every_exit_code_has_its_meaning() {
    let code = |arguments: &[&str]| output(arguments).status.code();
    assert_eq!(code(&["map", "true", ":::", "1"]), Some(0));
    assert_eq!(code(&["map", "exit {}", ":::", "0", "3", "9"]), Some(2));
    assert_eq!(code(&["map", "no-such-program", ":::", "1"]), Some(1));
    assert_eq!(code(&["map", "--halt", "soon,fail=1", "no-such-program", ":::", "1"]), Some(127));
    assert_eq!(code(&["map", "-j1", "--halt", "now,fail=1", "kill -9 $$; : {}", ":::", "1"]), Some(137));
    assert_eq!(code(&["map", "--halt", "soon,success=1", "exit {}", ":::", "0"]), Some(0));
    assert_eq!(code(&["map"]), Some(2));
    assert_eq!(code(&["map", "--on", "nowhere:", "true", ":::", "1"]), Some(2));
    assert_eq!(code(&["map", "-a", "/no/such/file", "true"]), Some(255));
    assert_eq!(code(&["no-such-command"]), Some(2));
    assert_eq!(code(&["--version"]), Some(0));
}

#[test]
fn json_lines_hold_everything_about_a_job() {
    let output =
        output(&["map", "-k", "--json", "echo {}; echo e >&2; printf '\\377'; exit {}", ":::", "0", "3"]);
    let lines = String::from_utf8(output.stdout).unwrap();
    let items: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(items.len(), 2);
    let item = &items[1];
    assert_eq!(
        (&item["v"], &item["number"], &item["ok"], &item["exit"]),
        (&1.into(), &2.into(), &false.into(), &3.into())
    );
    assert_eq!(item["values"], serde_json::json!(["3"]));
    assert_eq!(item["stdout"], serde_json::json!({"base64": "Mwr/"}));
    assert_eq!(item["stderr"], "e\n");
    assert!(item["seconds"].as_f64().unwrap() > 0.0);
    assert!(items[0]["error"].is_null());
}

#[test]
fn options_are_read_from_the_environment_too() {
    let output = anyplace(&["map", "echo", ":::", "b", "a"])
        .env("ANYPLACE", "processes:1")
        .env("ANYPLACE_TAG", "1")
        .env("ANYPLACE_KEEP_ORDER", "yes")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "b\tb\na\ta\n");
}

#[test]
fn the_command_line_wins_over_the_environment() {
    let printed = |name: &str, value: &str, arguments: &[&str]| {
        let output = anyplace(arguments).env(name, value).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(printed("ANYPLACE_JSON", "1", &["map", "--tag", "echo", ":::", "a"]), "a\ta\n");
    assert_eq!(printed("ANYPLACE_SHELL", "sh", &["map", "--no-shell", "echo", "$0", ":::", "a"]), "$0 a\n");
    assert_eq!(printed("ANYPLACE_NO_SHELL", "1", &["map", "--shell", "echo {}{}", ":::", "a"]), "aa\n");
    assert_eq!(printed("ANYPLACE_CALL", "m:f", &["map", "echo", ":::", "a"]), "a\n");
    assert_eq!(printed("ANYPLACE_JOBS", "many", &["map", "-j", "1", "echo", ":::", "a"]), "a\n");
}

#[test]
fn a_wrong_value_of_the_environment_is_told_with_its_variable() {
    let table = [
        ("ANYPLACE", "nowhere:"),
        ("ANYPLACE_JOBS", "many"),
        ("ANYPLACE_HALT", "x"),
        ("ANYPLACE_TIMEOUT", "x"),
        ("ANYPLACE_RETRIES", "0"),
        ("ANYPLACE_PROGRESS", "x"),
        ("ANYPLACE_COLOR", "x"),
    ];
    for (name, value) in table {
        let output = anyplace(&["map", "echo", ":::", "a"]).env(name, value).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}");
        let is_named = said.lines().any(|line| line.ends_with(&format!("variable {name}")))
            || said.starts_with(&format!("error: {name}: "));
        assert!(is_named, "{name}: {said}");
    }
    let output =
        anyplace(&["map", "-j", "few", "echo", ":::", "a"]).env("ANYPLACE_JOBS", "2").output().unwrap();
    assert!(!String::from_utf8(output.stderr).unwrap().contains("ANYPLACE_JOBS"));
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    for arguments in [
        &["map", "echo", ":::", "a"][..],
        &["map", "--dry-run", "echo", ":::", "a"],
        &["places"],
        &["completions", "bash"],
        &["man"],
        &["--help"],
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = anyplace(arguments).stdout(full).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(255), "{arguments:?}");
        assert!(said.starts_with("error: standard output cannot be written: "), "{arguments:?}: {said}");
    }
}

#[test]
fn what_went_wrong_is_said_once_with_the_next_step() {
    let said = |arguments: &[&str]| String::from_utf8(output(arguments).stderr).unwrap();
    insta::assert_snapshot!(said(&["map", "-k", "no-such-program", ":::", "1", "2", "3"]), @r"
    error: an argument after :::, `1`: there is no program `no-such-program` in PATH
     help: check its spelling, or give its path; what only a shell knows needs a shell
    error: the same for 2 more inputs
    ");
    insta::assert_snapshot!(said(&["map", "echo", "{3}", ":::", "1"]), @r"
    error: {3} asks for a source that is not there: there is one source
     help: each ::: and each -a FILE is a source; {1} is the first, {-1} the last
    ");
    insta::assert_snapshot!(said(&["map", "-j", "many", "echo", ":::", "1"]), @r"
    error: invalid value 'many' for '--jobs <N>': `many` is no number of jobs; it is such as 8, 150%, +2, -1, or 0

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(said(&["map", "--bar", "echo", ":::", "1"]), @r"
    error: unexpected argument '--bar' found

      tip: to pass '--bar' as a value, use '-- --bar'

    Usage: anyplace map [OPTIONS] WHAT... [::: INPUTS...]

    For more information, try '--help'.
     help: what GNU parallel or xargs call --bar is here `--progress bar`
    ");
    insta::assert_snapshot!(said(&["map", "--call", "photos", ":::", "1"]), @r"
    error: `photos` names no Python function
     help: write module:function, such as --call mypackage.photos:shrink
    ");
}

#[test]
fn help_begins_with_examples() {
    let help = |arguments: &[&str]| String::from_utf8(output(arguments).stdout).unwrap();
    insta::assert_snapshot!("help", help(&["--help"]));
    insta::assert_snapshot!("help_map", help(&["map", "--help"]));
}

#[test]
fn completions_and_the_manual_page_are_made() {
    for shell in ["bash", "zsh", "fish"] {
        let made = output(&["completions", shell]);
        assert!(made.status.success());
        assert!(String::from_utf8(made.stdout).unwrap().contains("keep-order"), "{shell}");
    }
    let page = |arguments: &[&str]| String::from_utf8(output(arguments).stdout).unwrap();
    assert!(page(&["man"]).contains("anyplace\\-map(1)"));
    let map = page(&["man", "map"]);
    assert!(map.contains(".TH anyplace-map 1") && map.contains("keep\\-order"), "{map}");
    assert_eq!(output(&["man", "mop"]).status.code(), Some(2));
}

#[test]
fn places_are_told_with_what_they_can_do() {
    let table = String::from_utf8(output(&["places"]).stdout).unwrap();
    assert!(table.lines().any(|line| line.starts_with("processes:") && line.ends_with("works")), "{table}");
    let lines = String::from_utf8(output(&["places", "--json"]).stdout).unwrap();
    for line in lines.lines() {
        let kind: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(kind["v"], 1);
        assert!(kind["works"].is_boolean() && kind["families"].is_array());
    }
}

/// A run in front of a terminal, by util-linux's `script`; it gives what the screen shows.
fn on_terminal(command: &str) -> (Child, std::process::ChildStdin) {
    let line = format!("{} {command}", env!("CARGO_BIN_EXE_anyplace"));
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).env_remove("CI").env("TERM", "xterm");
    let mut child =
        script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let keys = child.stdin.take().unwrap();
    (child, keys)
}

#[test]
fn a_terminal_shows_a_bar_that_makes_way_for_results() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let job = format!("until [ -e {} ]; do sleep 0.05; done; echo result {{}}", go.display());
    let (mut child, keys) = on_terminal(&format!("map -j2 '{job}' ::: 1 2 3"));
    let mut screen = child.stdout.take().unwrap();
    let mut shown = String::new();
    let mut block = [0; 1024];
    let bar = format!("\r\x1b[K[{}] 0 of 3 done", ".".repeat(30));
    while !shown.contains(&bar) {
        let length = screen.read(&mut block).unwrap();
        assert!(length > 0, "{shown:?}");
        shown.push_str(std::str::from_utf8(&block[..length]).unwrap());
    }
    File::create(&go).unwrap();
    screen.read_to_string(&mut shown).unwrap();
    assert!(child.wait().unwrap().success());
    drop(keys);
    let (_, after) = shown.split_once(&bar).unwrap();
    assert!(after.contains("\r\x1b[Kresult "), "a result begins on a line of its own: {after:?}");
    assert!(after.trim_end().contains("3 of 3 done"), "{after:?}");
}

#[test]
fn ctrl_c_on_a_terminal_says_what_happens() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, mut keys) =
        on_terminal(&format!("map \"{}\" ::: 1", long_job(folder.path()).replace('$', "\\$")));
    until(|| words(folder.path()).len() == 1);
    keys.write_all(b"\x03").unwrap();
    keys.flush().unwrap();
    let mut shown = String::new();
    child.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
    assert!(shown.contains("ending the job that runs; press Ctrl-C again to kill"), "{shown:?}");
    // 128 and SIGINT, as every shell tells it.
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(words(folder.path()).iter().all(|pid| !is_alive(pid)));
}
