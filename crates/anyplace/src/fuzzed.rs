//! What the fuzzer calls (`fuzz/`): every decoder of bytes and texts that others make, by who makes them. Whatever comes,
//! nothing may panic, hang or take memory for what was only announced; and what is understood reads the same when it is
//! written again.

use crate::wire::beside::Apart;
use crate::wire::peer::{self, Greeting, objects, share, tasks, topic};
use crate::wire::{FromWorker, Inbox, Order, ToWorker, admission, files, plain, reply};
use crate::{Address, duration, keys, net};
use std::fmt::Debug;
use std::str::FromStr;

/// What strangers say before they are known: the least that can be believed, so it is looked at alone.
pub fn strangers(bytes: &[u8]) {
    let said = admission::Hello::read(bytes).map(|hello| hello.bytes());
    let said = said.or_else(|_| admission::Answer::read(bytes).map(|answer| answer.bytes()));
    // Its length stands before it, in two bytes.
    assert!(said.is_err() || said.is_ok_and(|said| said[2..] == *bytes));
    drop(Greeting::read(bytes));
}

/// Frames of a conversation between two hosts, and all that stands in them.
pub fn peers(bytes: &[u8]) {
    let mut inbox = Inbox::default();
    inbox.feed(bytes);
    while let Ok(Some((_, body))) = inbox.next() {
        of_peers(body);
    }
    of_peers(bytes);
}

fn of_peers(body: &[u8]) {
    drop((Greeting::read(body), topic::Wish::read(body), topic::Offered::read(body)));
    drop((tasks::Run::read(body), tasks::read_ended(body), tasks::read_fates(body)));
    drop((tasks::read_resume(body), tasks::read_heard(body), tasks::read_end(body)));
    drop((objects::Call::read(body, &mut Vec::new()), objects::read_answer_bytes(body)));
    let _ = (objects::read_node(body), objects::read_hold(body), objects::read_withdraw(body));
    drop((objects::read_release(body), share::read(body), share::read_answer(body)));
    drop((peer::read_bye(body), peer::read_answer(body)));
}

/// Frames between a place and its workers: a worker runs what others wrote, and is not believed.
pub fn workers(bytes: &[u8]) {
    let mut inbox = Inbox::default();
    inbox.feed(bytes);
    while let Ok(Some((kind, body))) = inbox.next() {
        drop((ToWorker::read(kind, body), FromWorker::read(kind, body)));
    }
    drop((Order::read(bytes, &mut Vec::new(), &Apart), reply::read(bytes, &Apart)));
    drop((reply::read_error_bytes(bytes), plain::check(bytes)));
}

/// What those say who send and receive files.
pub fn parcels(bytes: &[u8]) {
    drop((files::Says::read(bytes), files::Answers::read(bytes)));
}

/// Addresses, tickets and the tables of keys.
pub fn texts(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    reads::<Address>(text, Address::reveal);
    reads::<net::Endpoint>(text, ToString::to_string);
    keys::fuzzed(text);
    drop(duration::parse(text));
}

/// What reads as something prints as a text that reads the same.
fn reads<T: FromStr + Debug + PartialEq>(text: &str, print: impl Fn(&T) -> String) {
    if let Ok(value) = text.parse::<T>() {
        let printed = print(&value);
        assert_eq!(printed.parse::<T>().ok().as_ref(), Some(&value), "{printed}");
    }
}
