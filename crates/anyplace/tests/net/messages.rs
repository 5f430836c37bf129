//! Whole messages.

use crate::{pairs, shortly, soon};
use anyplace::Kind;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::thread;

const LIMIT: usize = 8 << 20;

#[test]
fn a_message_is_received_as_it_was_sent() {
    for (here, there) in pairs() {
        let sizes = [0, 1, 3, 4, 5, 16_383, 16_384, 16_385, 100_000, 5 << 20];
        let sender = thread::spawn(move || {
            for size in sizes {
                here.send(&vec![size as u8; size], soon()).unwrap();
            }
            here.finish(soon()).unwrap();
        });
        for size in sizes {
            assert!(there.recv(LIMIT, soon()).unwrap().unwrap() == vec![size as u8; size], "{size}");
        }
        assert_eq!(there.recv(LIMIT, soon()).unwrap(), None);
        sender.join().unwrap();
    }
}

#[test]
fn a_receive_that_is_late_has_taken_nothing() {
    for (here, there) in pairs() {
        here.write(&[0, 0, 0, 5, b'h', b'e'], soon()).unwrap();
        assert_eq!(there.recv(LIMIT, shortly()).unwrap_err().kind(), Kind::Timeout);
        here.write(b"llo", soon()).unwrap();
        assert_eq!(there.recv(LIMIT, soon()).unwrap().unwrap(), b"hello");
    }
}

#[test]
fn a_message_that_was_given_up_still_arrives_whole() {
    for (here, there) in pairs() {
        let much = vec![7; 6 << 20];
        assert_eq!(here.send(&much, shortly()).unwrap_err().kind(), Kind::Timeout);
        let sender = thread::spawn(move || here.send(b"next", soon()).unwrap());
        assert!(there.recv(LIMIT, soon()).unwrap().unwrap() == much);
        assert_eq!(there.recv(LIMIT, soon()).unwrap().unwrap(), b"next");
        sender.join().unwrap();
    }
}

#[test]
fn a_message_beyond_the_limit_is_refused_before_it_takes_memory() {
    for (here, there) in pairs() {
        here.write(&[0xff; 9], soon()).unwrap();
        let error = there.recv(LIMIT, soon()).unwrap_err();
        assert_eq!(error.kind(), Kind::ResourceExhausted);
    }
}

#[test]
fn a_stream_that_ends_within_a_message_is_lost() {
    for (here, there) in pairs() {
        here.write(&[0, 0, 0, 9, 1, 2], soon()).unwrap();
        here.finish(soon()).unwrap();
        assert_eq!(there.recv(LIMIT, soon()).unwrap_err().kind(), Kind::ConnectionLost);
    }
}

#[test]
fn many_threads_send_and_receive_whole_messages_at_once() {
    const SENT: u32 = 2000;
    for (here, there) in pairs() {
        let senders: Vec<_> = (0..4_u32)
            .map(|sender| {
                let here = here.clone();
                thread::spawn(move || {
                    for number in 0..SENT {
                        let name = (sender * SENT + number).to_be_bytes();
                        let length = 4 + (number as usize * 37) % 3000;
                        let message: Vec<_> = name.iter().copied().cycle().take(length).collect();
                        here.send(&message, soon()).unwrap();
                    }
                })
            })
            .collect();
        let receivers: Vec<_> = (0..4)
            .map(|_| {
                let there = there.clone();
                thread::spawn(move || {
                    let mut heard = vec![];
                    while let Some(message) = there.recv(LIMIT, soon()).unwrap() {
                        assert!(
                            message.iter().zip(message[..4].iter().cycle()).all(|(one, other)| one == other)
                        );
                        heard.push(u32::from_be_bytes(message[..4].try_into().unwrap()));
                    }
                    heard
                })
            })
            .collect();
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        here.finish(soon()).unwrap();
        let heard: Vec<u32> = receivers.into_iter().flat_map(|receiver| receiver.join().unwrap()).collect();
        assert_eq!(heard.len(), 4 * SENT as usize);
        assert_eq!(heard.into_iter().collect::<HashSet<_>>().len(), 4 * SENT as usize);
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Reading {
    at: (f64, f64),
    names: Vec<String>,
}

#[test]
fn a_value_is_received_as_it_was_sent() {
    for (here, there) in pairs() {
        let reading = Reading { at: (1.5, -2.0), names: vec!["a".into(), "b".into()] };
        here.send_value(&reading, soon()).unwrap();
        here.send_value("no reading", soon()).unwrap();
        here.finish(soon()).unwrap();
        assert_eq!(there.recv_value::<Reading>(LIMIT, soon()).unwrap(), Some(reading));
        let error = there.recv_value::<Reading>(LIMIT, soon()).unwrap_err();
        assert_eq!(error.kind(), Kind::NotSerializable);
        assert_eq!(there.recv_value::<Reading>(LIMIT, soon()).unwrap(), None);
    }
}
