//! Open files that travel.

use crate::{pairs, soon, tcp, unix};
use anyplace::Kind;
use rustix::fs::{MemfdFlags, fstat, memfd_create};
use rustix::io::{FdFlags, fcntl_getfd};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;

fn memory(text: &[u8]) -> File {
    let file = File::from(memfd_create("net", MemfdFlags::CLOEXEC).unwrap());
    file.write_all_at(text, 0).unwrap();
    file
}

#[test]
fn an_open_file_travels_through_a_unix_socket() {
    let (here, there) = unix();
    here.send_fd(memory(b"in memory").as_fd(), soon()).unwrap();
    let file = File::from(there.recv_fd(soon()).unwrap());
    let mut text = [0; 9];
    file.read_exact_at(&mut text, 0).unwrap();
    assert_eq!(&text, b"in memory");
    assert!(fcntl_getfd(&file).unwrap().contains(FdFlags::CLOEXEC));
}

#[test]
fn as_many_travel_at_once_as_the_kernel_takes_and_no_more() {
    let (here, there) = unix();
    let file = memory(b"");
    let fds = vec![file.as_fd(); 253];
    here.send_fds(b"all of them", &fds, soon()).unwrap();
    let mut bytes = [0; 99];
    let (read, taken) = there.recv_fds(&mut bytes, soon()).unwrap();
    assert_eq!((&bytes[..read], taken.len()), (&b"all of them"[..], 253));
    let same = |taken: &OwnedFd| fstat(taken).unwrap().st_ino == fstat(&file).unwrap().st_ino;
    assert!(taken.iter().all(same));
    let too_many: Vec<BorrowedFd<'_>> = vec![file.as_fd(); 254];
    assert_eq!(here.send_fds(b"x", &too_many, soon()).unwrap_err().kind(), Kind::ConfigInvalid);
    assert_eq!(here.send_fds(b"", &fds, soon()).unwrap_err().kind(), Kind::ConfigInvalid);
}

#[test]
fn bytes_without_a_descriptor_are_no_descriptor() {
    let (here, there) = unix();
    here.write(b"x", soon()).unwrap();
    assert!(there.recv_fd(soon()).unwrap_err().message().contains("no descriptor came"));
    drop(here);
    assert_eq!(there.recv_fds(&mut [0; 9], soon()).unwrap().0, 0);
}

#[test]
fn open_files_do_not_travel_between_machines() {
    let (here, there) = tcp();
    assert_eq!(here.send_fd(memory(b"").as_fd(), soon()).unwrap_err().kind(), Kind::Unsupported);
    assert_eq!(there.recv_fd(soon()).unwrap_err().kind(), Kind::Unsupported);
}

#[test]
fn a_part_of_a_file_goes_out_and_comes_in() {
    for (here, there) in pairs() {
        let text: Vec<u8> = (0..=255).cycle().take(64 << 20).collect();
        let (from, to) = (memory(&text), memory(b"head"));
        let receiver = std::thread::spawn(move || {
            let received = there.recv_file(&to, 4, u64::MAX - 4, soon()).unwrap();
            (received, to)
        });
        let sent = here.send_file(&from, 1, u64::MAX - 1, soon()).unwrap();
        assert_eq!(sent, text.len() as u64 - 1);
        here.finish(soon()).unwrap();
        let (received, to) = receiver.join().unwrap();
        assert_eq!(received, sent);
        let mut copy = vec![0; text.len() + 3];
        to.read_exact_at(&mut copy, 0).unwrap();
        assert!(copy[..4] == *b"head" && copy[4..] == text[1..]);
    }
}

#[test]
fn no_more_of_a_file_is_received_than_was_asked_for() {
    for (here, there) in pairs() {
        let (from, to) = (memory(b"0123456789"), memory(b""));
        assert_eq!(here.send_file(&from, 2, 4, soon()).unwrap(), 4);
        here.write(b"rest", soon()).unwrap();
        assert_eq!(there.recv_file(&to, 0, 4, soon()).unwrap(), 4);
        let mut copy = [0; 4];
        to.read_exact_at(&mut copy, 0).unwrap();
        assert_eq!(&copy, b"2345");
        assert_eq!(there.read_until(b"rest", 9, soon()).unwrap(), b"rest");
    }
}

/// What the kernel cannot send by itself is copied.
#[test]
fn a_file_of_any_kind_goes_out() {
    for (here, there) in pairs() {
        let status = File::open("/proc/self/status").unwrap();
        assert!(here.send_file(&status, 0, u64::MAX, soon()).unwrap() > 0);
        here.finish(soon()).unwrap();
        let text = there.read_to_end(1 << 20, soon()).unwrap();
        assert!(text.starts_with(b"Name:"));
    }
}
