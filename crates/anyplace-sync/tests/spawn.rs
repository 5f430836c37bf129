//! What starting a program promises.
#![cfg(all(target_os = "linux", not(loom)))]

use anyplace_sync::spawn::{Guard, Program, Spawner};
use rustix::process::{WaitId, WaitIdOptions, waitid};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};

fn words(words: &[&str]) -> Vec<CString> {
    words.iter().map(|word| CString::new(*word).unwrap()).collect()
}

fn null() -> OwnedFd {
    File::open("/dev/null").unwrap().into()
}

/// Runs a script of `sh` and gives what it printed and its exit code.
fn sh(script: &str, environment: &[&str], folder: Option<&CStr>) -> (String, Option<i32>) {
    let (ours, theirs) = std::io::pipe().unwrap();
    let null = null();
    let program = Program {
        candidates: &words(&["/no/such/sh", "/bin/sh"]),
        argv: &words(&["sh", "-c", script]),
        environment: &words(environment),
        folder,
        streams: [null.as_fd(), theirs.as_fd(), null.as_fd()],
    };
    let started = Spawner::new().start(&program).unwrap();
    drop(theirs);
    let mut printed = String::new();
    File::from(OwnedFd::from(ours)).read_to_string(&mut printed).unwrap();
    let status = waitid(WaitId::PidFd(started.pidfd.as_fd()), WaitIdOptions::EXITED).unwrap().unwrap();
    (printed, status.exit_status())
}

#[test]
fn a_program_gets_its_words_environment_and_folder() {
    let (printed, code) = sh("echo $NAME; pwd; exit 3", &["NAME=value"], Some(c"/usr"));
    assert_eq!((printed.as_str(), code), ("value\n/usr\n", Some(3)));
}

#[test]
fn a_program_leads_a_process_group_of_its_own() {
    let (printed, _) = sh("read -r _ _ _ _ group _ < /proc/$$/stat; echo $(($$ - group))", &[], None);
    assert_eq!(printed, "0\n");
}

#[test]
fn what_cannot_be_executed_is_told_and_leaves_no_process() {
    let null = null();
    let mut spawner = Spawner::new();
    let mut error = |candidates: &[&str]| {
        let program = Program {
            candidates: &words(candidates),
            argv: &words(&["x"]),
            environment: &[],
            folder: None,
            streams: [null.as_fd(), null.as_fd(), null.as_fd()],
        };
        spawner.start(&program).unwrap_err().kind()
    };
    assert_eq!(error(&["/no/such"]), ErrorKind::NotFound);
    // What is there and cannot be executed says more than what is not there.
    assert_eq!(error(&["/etc/passwd", "/no/such"]), ErrorKind::PermissionDenied);
}

#[test]
fn a_guard_is_gone_when_it_is_dropped() {
    let children = || std::fs::read_to_string("/proc/thread-self/children").unwrap();
    let guard = Guard::start().unwrap();
    assert_ne!(children(), "");
    drop(guard);
    assert_eq!(children(), "");
}

#[test]
fn a_guard_keeps_no_file_open() {
    let (ours, theirs) = std::io::pipe().unwrap();
    let guard = Guard::start().unwrap();
    drop(theirs);
    let mut nothing = String::new();
    // Ends only when nobody can write any more.
    File::from(OwnedFd::from(ours)).read_to_string(&mut nothing).unwrap();
    assert_eq!(nothing, "");
    drop(guard);
}
