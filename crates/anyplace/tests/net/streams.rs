//! What is read, written, ended and broken off.

use crate::{pairs, shortly, soon, tcp, unix};
use anyplace::Kind;
use anyplace::net::{Endpoint, Incomplete, connect, listen};
use std::error::Error as _;
use std::io::{IoSlice, Read, Write};
use std::thread;

#[test]
fn what_is_written_is_read() {
    for (here, there) in pairs() {
        here.write(b"hello", soon()).unwrap();
        let mut bytes = [0; 16];
        assert_eq!(there.read(&mut bytes, soon()).unwrap(), 5);
        assert_eq!(&bytes[..5], b"hello");
    }
}

#[test]
fn slices_go_one_after_the_other_whatever_fits_at_once() {
    for (here, there) in pairs() {
        let parts = [vec![1; 3], vec![], vec![2; 3 << 20], vec![3; 5]];
        let reader = thread::spawn(move || there.read_to_end(4 << 20, soon()).unwrap());
        let mut slices: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
        here.write_vectored(&mut slices, soon()).unwrap();
        here.finish(soon()).unwrap();
        assert!(reader.join().unwrap() == parts.concat());
    }
}

#[test]
fn who_has_finished_still_reads() {
    for (here, there) in pairs() {
        here.write(b"question", soon()).unwrap();
        here.finish(soon()).unwrap();
        assert_eq!(there.read_to_end(99, soon()).unwrap(), b"question");
        there.write(b"answer", soon()).unwrap();
        there.finish(soon()).unwrap();
        assert_eq!(here.read_to_end(99, soon()).unwrap(), b"answer");
    }
}

#[test]
fn a_read_that_is_late_has_taken_nothing() {
    for (here, there) in pairs() {
        here.write(b"abc", soon()).unwrap();
        let late = there.read_exact(&mut [0; 5], shortly()).unwrap_err();
        assert_eq!(late.kind(), Kind::Timeout);
        let late = there.read_until(b"\n", 99, shortly()).unwrap_err();
        assert_eq!(late.kind(), Kind::Timeout);
        let late = there.read_to_end(99, shortly()).unwrap_err();
        assert_eq!(late.kind(), Kind::Timeout);
        here.write(b"de", soon()).unwrap();
        let mut bytes = [0; 5];
        there.read_exact(&mut bytes, soon()).unwrap();
        assert_eq!(&bytes, b"abcde");
    }
}

#[test]
fn an_end_that_comes_too_early_says_how_much_came() {
    for (here, there) in pairs() {
        here.write(b"abc", soon()).unwrap();
        here.finish(soon()).unwrap();
        let mut bytes = [0; 8];
        let error = there.read_exact(&mut bytes, soon()).unwrap_err();
        assert_eq!(error.kind(), Kind::ConnectionLost);
        assert!(error.message().ends_with("it ended after 3 of 8 bytes"), "{error}");
        let incomplete = error.source().unwrap().downcast_ref::<Incomplete>().unwrap();
        assert_eq!((incomplete.read, incomplete.wanted), (3, 8));
        assert_eq!(&bytes[..3], b"abc");
    }
}

#[test]
fn lines_are_read_one_by_one_and_the_rest_stays() {
    for (here, there) in pairs() {
        here.write(b"one\r\ntwo\r\nrest", soon()).unwrap();
        assert_eq!(there.read_until(b"\r\n", 99, soon()).unwrap(), b"one\r\n");
        assert_eq!(there.read_until(b"\r\n", 5, soon()).unwrap(), b"two\r\n");
        let mut bytes = [0; 2];
        assert_eq!(there.read(&mut bytes, soon()).unwrap(), 2);
        here.finish(soon()).unwrap();
        assert_eq!(there.read_until(b"\r\n", 99, soon()).unwrap(), b"st");
        assert_eq!(there.read_until(b"\r\n", 99, soon()).unwrap(), b"");
    }
}

#[test]
fn a_line_that_is_too_long_stays_in_the_stream() {
    for (here, there) in pairs() {
        here.write(b"0123456789\n", soon()).unwrap();
        let error = there.read_until(b"\n", 10, soon()).unwrap_err();
        assert_eq!(error.kind(), Kind::ResourceExhausted);
        assert_eq!(there.read_until(b"\n", 11, soon()).unwrap(), b"0123456789\n");
        here.write(b"0123456789", soon()).unwrap();
        here.finish(soon()).unwrap();
        assert_eq!(there.read_to_end(9, soon()).unwrap_err().kind(), Kind::ResourceExhausted);
        assert_eq!(there.read_to_end(10, soon()).unwrap(), b"0123456789");
    }
}

#[test]
fn a_write_that_is_cut_off_is_the_last() {
    for (here, there) in pairs() {
        let much = vec![7; 64 << 20];
        assert_eq!(here.write(&much, shortly()).unwrap_err().kind(), Kind::Timeout);
        let error = here.write(b"more", soon()).unwrap_err();
        assert_eq!(error.kind(), Kind::ConnectionLost);
        assert!(error.message().contains("half-way"), "{error}");
        there.write(b"heard", soon()).unwrap();
        assert_eq!(here.read(&mut [0; 9], soon()).unwrap(), 5);
    }
}

#[test]
fn a_write_that_has_not_begun_may_be_tried_again() {
    for (here, there) in pairs() {
        let mut sent = 0;
        while let Ok(count) = here.try_write(&[IoSlice::new(&[1; 4096])]) {
            sent += count;
        }
        assert_eq!(here.write(b"end", shortly()).unwrap_err().kind(), Kind::Timeout);
        let reader = thread::spawn(move || there.read_to_end(usize::MAX, soon()).unwrap().len());
        here.write(b"end", soon()).unwrap();
        here.finish(soon()).unwrap();
        assert_eq!(reader.join().unwrap(), sent + 3);
    }
}

#[test]
fn a_silent_peer_costs_no_more_than_the_deadline() {
    for (here, _there) in pairs() {
        assert_eq!(here.read(&mut [0; 9], shortly()).unwrap_err().kind(), Kind::Timeout);
    }
}

#[test]
fn an_abort_wakes_who_reads_in_another_thread() {
    for (here, _there) in pairs() {
        let reader = here.clone();
        let (tell, told) = std::sync::mpsc::channel();
        let reading = thread::spawn(move || {
            tell.send(()).unwrap();
            reader.read(&mut [0; 9], soon())
        });
        told.recv().unwrap();
        here.abort();
        let error = reading.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), Kind::ConnectionLost);
        assert_eq!(here.read(&mut [0; 9], soon()).unwrap_err().kind(), Kind::ConnectionLost);
    }
}

#[test]
fn the_other_end_of_a_connection_learns_of_an_abort() {
    let (here, there) = tcp();
    here.write(b"some", soon()).unwrap();
    assert_eq!(there.read(&mut [0; 9], soon()).unwrap(), 4);
    here.abort();
    let error = there.read(&mut [0; 9], soon()).unwrap_err();
    assert_eq!(error.kind(), Kind::ConnectionLost);
}

#[test]
fn what_was_sent_before_a_close_arrives() {
    for (here, there) in pairs() {
        // Unread bytes at our end: without hearing them out, the kernel would take back what we send.
        there.write(&[1; 100_000], soon()).unwrap();
        let closing = {
            let here = here.clone();
            here.write(b"last words", soon()).unwrap();
            thread::spawn(move || here.close(soon()).unwrap())
        };
        there.write(&[1; 100_000], soon()).unwrap();
        assert_eq!(there.read_to_end(99, soon()).unwrap(), b"last words");
        drop(there);
        closing.join().unwrap();
        assert_eq!(here.write(b"x", soon()).unwrap_err().kind(), Kind::ConnectionLost);
        assert!(here.read(&mut [0; 1], soon()).unwrap_err().message().contains("closed here"));
    }
}

#[test]
fn a_close_waits_no_longer_than_it_may_for_who_does_not_end() {
    for (here, there) in pairs() {
        here.write(b"bye", soon()).unwrap();
        here.close(shortly()).unwrap();
        assert_eq!(there.read_to_end(99, soon()).unwrap(), b"bye");
    }
}

#[test]
fn a_stream_is_also_a_reader_and_a_writer_of_the_standard_library() {
    for (mut here, there) in pairs() {
        writeln!(here, "{} and {}", 1, 2).unwrap();
        here.flush().unwrap();
        here.finish(soon()).unwrap();
        let mut text = String::new();
        (&there).read_to_string(&mut text).unwrap();
        assert_eq!(text, "1 and 2\n");
    }
}

#[test]
fn both_ends_know_each_others_address() {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let (here, there) = crate::ends_of(&listener);
    assert_eq!(here.peer().unwrap().as_ref(), Some(listener.endpoint()));
    assert_eq!(here.local().unwrap(), there.peer().unwrap());
    assert!(here.credentials().unwrap().is_none());
    let (here, there) = unix();
    assert_eq!(there.peer().unwrap(), None);
    assert_eq!(here.peer().unwrap().as_ref(), Some(there.endpoint()));
}

#[test]
fn the_kernel_says_who_is_at_the_other_end_of_a_unix_socket() {
    let (here, there) = unix();
    for end in [here, there] {
        let credentials = end.credentials().unwrap().unwrap();
        assert_eq!(credentials.pid, std::process::id());
        assert_eq!(credentials.uid, rustix::process::geteuid().as_raw());
    }
}

#[test]
fn ipv6_is_an_address_like_any_other() {
    let listener = listen("tcp://[::1]:0").unwrap();
    let (here, there) = crate::ends_of(&listener);
    assert!(matches!(here.peer().unwrap().unwrap(), Endpoint::Tcp { host, .. } if host == "::1"));
    here.write(b"six", soon()).unwrap();
    assert_eq!(there.read(&mut [0; 9], soon()).unwrap(), 3);
    assert!(connect("tcp://[::1%lo]:1", soon()).is_err());
}
