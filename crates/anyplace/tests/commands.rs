//! What a place promises about commands.

use anyplace::Finished;
use anyplace::work::{Command, Work};
use anyplace::{Exit, Kind, Place, TaskOptions, Value};
use std::io::Write;
use std::time::{Duration, Instant};

fn place() -> Place {
    anyplace::open("processes:2").unwrap()
}

fn run(command: Command, options: TaskOptions) -> anyplace::Result<Value> {
    place().submit_work(Work::Command(command), options)?.wait()
}

fn sh(script: &str) -> Command {
    Command::new(["sh", "-c", script])
}

fn finished(script: &str) -> Finished {
    match run(sh(script), TaskOptions::default()).unwrap() {
        Value::Command(finished) => finished,
        other => panic!("a command gives what it left, not {other:?}"),
    }
}

fn within(timeout: Duration) -> TaskOptions {
    TaskOptions { timeout: Some(timeout), ..TaskOptions::default() }
}

fn text(bytes: std::io::Result<Vec<u8>>) -> String {
    String::from_utf8(bytes.unwrap()).unwrap()
}

fn is_alive(pid: &str) -> bool {
    // A zombie is dead, only not yet reaped by whoever inherited it.
    std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn both_streams_are_kept_apart() {
    let left = finished("echo out; echo err >&2; echo more");
    assert_eq!(text(left.stdout.to_vec()), "out\nmore\n");
    assert_eq!(text(left.stderr.to_vec()), "err\n");
    assert_eq!(left.exit, Exit::Code(0));
}

#[test]
fn a_bad_exit_is_a_failure_that_keeps_the_output() {
    let error = run(sh("echo gone; echo why >&2; exit 3"), TaskOptions::default()).unwrap_err();
    assert_eq!((error.kind(), error.exit()), (Kind::TaskFailed, Some(Exit::Code(3))));
    assert_eq!(error.log_tail(), Some("why\n"));
    assert_eq!(text(Finished::of(&error).unwrap().stdout.to_vec()), "gone\n");
}

#[test]
fn death_by_a_signal_is_told_as_such() {
    let error = run(sh("kill -9 $$"), TaskOptions::default()).unwrap_err();
    assert_eq!(error.exit(), Some(Exit::Signal(9)));
}

#[test]
fn a_program_that_cannot_start_is_named_with_the_reason() {
    let error = |argv: &[&str]| run(Command::new(argv.iter().copied()), TaskOptions::default()).unwrap_err();
    insta::assert_snapshot!(error(&["no-such-program"]), @"there is no program `no-such-program` in PATH");
    assert_eq!(error(&["no-such-program"]).kind(), Kind::NotFound);
    assert_eq!(error(&["/etc/passwd"]).kind(), Kind::PermissionDenied);
    assert_eq!(error(&["true", &"x".repeat(200_000)]).kind(), Kind::ResourceExhausted);
    assert_eq!(error(&[]).kind(), Kind::ConfigInvalid);
}

#[test]
fn input_environment_and_folder_are_the_commands_own() {
    let command = Command {
        env: vec![("GREETING".into(), "hello".into())],
        cwd: Some("/usr".into()),
        stdin: Some(b"from here".to_vec()),
        ..sh("cat; echo $GREETING; pwd")
    };
    let Value::Command(left) = run(command, TaskOptions::default()).unwrap() else { panic!("a command") };
    assert_eq!(text(left.stdout.to_vec()), "from herehello\n/usr\n");
}

#[test]
fn without_input_a_command_reads_an_empty_file() {
    assert!(finished("cat").stdout.is_empty());
}

#[test]
fn a_program_starts_with_the_signals_of_a_fresh_process() {
    let status = text(finished("exec cat /proc/self/status").stdout.to_vec());
    let mask = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap()
    };
    assert_eq!(mask("SigBlk"), 0);
    let sigpipe = 1 << 12;
    assert_eq!(mask("SigIgn") & sigpipe, 0);
    assert_eq!(mask("SigCgt"), 0);
}

#[test]
fn no_descriptor_of_ours_reaches_a_program() {
    let listed = text(finished("exec ls /proc/self/fd").stdout.to_vec());
    // Those that whoever started us lets everybody inherit.
    let is_inherited = |number: &i32| {
        let about = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap_or_default();
        let flags = about.lines().find_map(|line| line.strip_prefix("flags:")).map(str::trim);
        let close_on_exec = 0o2_000_000;
        flags.is_some_and(|flags| u32::from_str_radix(flags, 8).unwrap() & close_on_exec == 0)
    };
    let mut wanted: Vec<i32> = [0, 1, 2].into_iter().chain((3..1024).filter(is_inherited)).collect();
    // The folder that ls reads takes the first free number.
    wanted.extend((0..).find(|number| !wanted.contains(number)));
    let mut listed: Vec<i32> = listed.lines().map(|line| line.parse().unwrap()).collect();
    listed.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(listed, wanted);
}

#[test]
fn long_output_is_complete_and_not_in_memory() {
    let left = finished("seq 1000000; seq 300000 >&2");
    assert_eq!(left.stdout.in_memory(), None);
    let wanted: String = (1..=1_000_000).map(|n| format!("{n}\n")).collect();
    assert!(text(left.stdout.to_vec()) == wanted);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"before").unwrap();
    left.stderr.send_to(&mut file).unwrap();
    assert_eq!(file.metadata().unwrap().len(), 6 + left.stderr.len());
    assert_eq!(left.stderr.tail(7), "300000\n");
}

#[test]
fn a_time_limit_ends_the_command_and_what_it_started() {
    let begun = Instant::now();
    let error = run(sh("echo begun; sleep 30 & echo $!; wait"), within(Duration::from_secs(1))).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(error.kind(), Kind::Timeout);
    let printed = text(Finished::of(&error).unwrap().stdout.to_vec());
    let grandchild = printed.strip_prefix("begun\n").unwrap();
    assert!(!is_alive(grandchild), "{grandchild}");
}

#[test]
fn a_command_that_ignores_term_is_killed_after_a_grace() {
    let begun = Instant::now();
    let error =
        run(sh("trap '' TERM; while :; do sleep 1; done"), within(Duration::from_millis(300))).unwrap_err();
    assert_eq!((error.kind(), error.exit()), (Kind::Timeout, Some(Exit::Signal(9))));
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_command_that_is_asked_to_end_may_say_goodbye() {
    let script = "trap 'echo bye; exit 0' TERM; echo ready; sleep 30 & wait";
    let error = run(sh(script), within(Duration::from_secs(1))).unwrap_err();
    assert_eq!(text(Finished::of(&error).unwrap().stdout.to_vec()), "ready\nbye\n");
}

#[test]
fn what_a_command_leaves_running_does_not_delay_its_result() {
    let begun = Instant::now();
    let left = finished("echo done; sleep 30 & echo $!");
    assert!(begun.elapsed() < Duration::from_secs(5));
    let printed = text(left.stdout.to_vec());
    let pid = printed.lines().nth(1).unwrap();
    assert!(is_alive(pid), "it was left on purpose");
    run(sh(&format!("kill {pid}")), TaskOptions::default()).unwrap();
}

#[test]
fn what_a_command_leaves_printing_does_not_delay_its_result() {
    let begun = Instant::now();
    let left = finished("echo $$; exec 2>&1; yes & exit");
    assert!(begun.elapsed() < Duration::from_secs(5));
    let mut first = [0; 16];
    left.stdout.read_at(&mut first, 0).unwrap();
    let group = String::from_utf8_lossy(&first).lines().next().unwrap().to_owned();
    // Nobody reads its pipe any more, so it ends by itself or by this.
    drop(run(sh(&format!("kill -9 -{group}")), TaskOptions::default()));
}

#[test]
fn killing_a_handle_ends_its_command() {
    let place = place();
    let handle = place.submit_work(Work::Command(sh("sleep 30")), TaskOptions::default()).unwrap();
    assert!(handle.kill());
    assert_eq!(handle.wait().unwrap_err().kind(), Kind::Cancelled);
}

#[test]
fn closing_a_place_leaves_no_process() {
    let place = place();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let script = format!("echo $$ > {0}.new; mv {0}.new {0}; exec sleep 30", file.display());
    let handle = place.submit_work(Work::Command(sh(&script)), TaskOptions::default()).unwrap();
    while !file.exists() {
        std::thread::yield_now();
    }
    place.close_within(Duration::ZERO).unwrap();
    assert_eq!(handle.wait().unwrap_err().kind(), Kind::Cancelled);
    assert!(!is_alive(&std::fs::read_to_string(&file).unwrap()));
}
