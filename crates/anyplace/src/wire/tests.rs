//! What is written is read back the same, and no bytes, whoever made them, do harm.

use super::*;
use crate::context::Context;
use crate::error::{Error, Exit, Kind as ErrorKind, Remote, Retry};
use crate::outcome::{Outcome, Value};
use crate::work::{Arguments, Encoding, Function, Payload};
use proptest::option;
use proptest::prelude::*;

/// Takes a frame as a socket would that takes at most `most` bytes at a time.
fn taken(mut frame: Frame<'_>, most: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !frame.is_sent() {
        let next: Vec<u8> =
            frame.slices().iter().flat_map(|slice| slice.iter().copied()).take(most).collect();
        assert!(!next.is_empty());
        frame.advance(next.len());
        bytes.extend(next);
    }
    bytes
}

fn bytes_of(frame: Frame<'_>) -> Vec<u8> {
    taken(frame, usize::MAX)
}

fn to_worker(frame: Frame<'_>) -> ToWorker {
    let mut inbox = Inbox::default();
    inbox.feed(&bytes_of(frame));
    let (kind, body) = inbox.next().unwrap().unwrap();
    ToWorker::read(kind, body).unwrap()
}

fn from_worker(frame: Frame<'_>) -> FromWorker {
    let mut inbox = Inbox::default();
    inbox.feed(&bytes_of(frame));
    let (kind, body) = inbox.next().unwrap().unwrap();
    FromWorker::read(kind, body).unwrap()
}

fn payload() -> impl Strategy<Value = Payload> {
    let encoding = prop_oneof![Just(Encoding::Postcard), Just(Encoding::Pickle), Just(Encoding::Json)];
    // Large ones are sent in another way than small ones.
    let bytes = prop_oneof![9 => 0..100_usize, 1 => 4000..9000_usize];
    (encoding, bytes, any::<u8>())
        .prop_map(|(encoding, length, byte)| Payload { encoding, bytes: vec![byte; length].into() })
}

fn arguments() -> impl Strategy<Value = Arguments> {
    prop_oneof![
        payload().prop_map(Arguments::One),
        prop::collection::vec(payload(), 0..20).prop_map(Arguments::Each),
    ]
}

fn context() -> impl Strategy<Value = Context> {
    (any::<u64>(), any::<u64>(), any::<u32>(), any::<usize>(), any::<usize>(), any::<u64>()).prop_map(
        |(task, index, attempt, worker, workers, root_seed)| Context {
            task,
            index,
            attempt,
            worker,
            workers,
            root_seed,
        },
    )
}

fn remote() -> impl Strategy<Value = Remote> {
    let text = || any::<String>();
    (text(), text(), text(), option::of(any::<Vec<u8>>())).prop_map(
        |(type_name, message, traceback, payload)| Remote { type_name, message, traceback, payload },
    )
}

fn exit() -> impl Strategy<Value = Exit> {
    prop_oneof![any::<i32>().prop_map(Exit::Code), any::<i32>().prop_map(Exit::Signal)]
}

type Details = (Option<String>, Option<String>, Option<String>, Option<Remote>, Option<Exit>, Option<String>);

fn error() -> impl Strategy<Value = Error> {
    let kind = prop::sample::select(ErrorKind::ALL.to_vec());
    let retry = prop::sample::select(vec![Retry::Never, Retry::Safe, Retry::MayRepeat]);
    let text = || option::of(".+");
    let details = (text(), text(), text(), option::of(remote()), option::of(exit()), text());
    (kind, any::<String>(), any::<u32>(), retry, details, text()).prop_map(
        |(kind, message, attempt, retry, details, source)| {
            let error = detailed(Error::new(kind, message).on_attempt(attempt).with_retry(retry), details);
            match source {
                Some(source) => error.with_source(std::io::Error::other(source)),
                None => error,
            }
        },
    )
}

fn detailed(mut error: Error, (help, place, operation, remote, exit, tail): Details) -> Error {
    if let Some(help) = help {
        error = error.with_help(help);
    }
    if let Some(place) = place {
        error = error.at(place);
    }
    if let Some(operation) = operation {
        error = error.during(operation);
    }
    if let Some(remote) = remote {
        error = error.with_remote(remote);
    }
    if let Some(exit) = exit {
        error = error.with_exit(exit);
    }
    error.with_log_tail(tail.unwrap_or_default())
}

fn single() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        payload().prop_map(|payload| Outcome::Returned(Value::Encoded(payload))),
        error().prop_map(Outcome::Failed),
        error().prop_map(Outcome::Cancelled),
        error().prop_map(Outcome::Lost),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let items = prop::collection::vec(single(), 0..5);
    prop_oneof![single(), items.prop_map(|items| Outcome::Returned(Value::Items(items)))]
}

/// Outcomes have no equality (values of this process have none). Bytes have, and so have all parts of an error.
fn same(left: &Outcome, right: &Outcome) -> bool {
    bytes_of(reply(left)) == bytes_of(reply(right)) && format!("{left:?}") == format!("{right:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_outcome_arrives_as_it_was_sent(sent in outcome()) {
        let FromWorker::Reply(arrived) = from_worker(reply(&sent)) else { panic!("not a reply") };
        prop_assert!(same(&sent, &arrived), "{sent:?} became {arrived:?}");
    }

    #[test]
    fn every_order_arrives_as_it_was_sent(
        arguments in arguments(), context in context(), name in any::<String>(), id in any::<u64>(),
        named in any::<bool>(), first in any::<bool>(),
    ) {
        let callee = if named { Callee::Named(name.into()) } else { Callee::Defined(id) };
        let kind = if first { Kind::First } else { Kind::Task };
        let arrived = match to_worker(order(kind, &callee, &arguments, &context)) {
            ToWorker::First(order) if first => order,
            ToWorker::Task(order) if !first => order,
            other => panic!("{other:?}"),
        };
        prop_assert_eq!((arrived.context, arrived.callee), (context, callee));
        prop_assert_eq!(arrived.arguments.payloads(), arguments.payloads());
        let is_each = |arguments: &Arguments| matches!(arguments, Arguments::Each(_));
        prop_assert_eq!(is_each(&arrived.arguments), is_each(&arguments));
    }

    #[test]
    fn every_function_and_record_arrives_as_it_was_sent(
        id in any::<u64>(), name in any::<String>(), record in payload(),
    ) {
        let function = Function { id, name, bytes: record.bytes.to_vec() };
        let ToWorker::Define(arrived) = to_worker(define(&function)) else { panic!("not a function") };
        prop_assert_eq!((arrived.id, &arrived.name, &arrived.bytes), (id, &function.name, &function.bytes));
        let ToWorker::Forget(forgotten) = to_worker(forget(id)) else { panic!("not an id") };
        prop_assert_eq!(forgotten, id);
        let FromWorker::Log(arrived) = from_worker(log(&record)) else { panic!("not a record") };
        prop_assert_eq!(arrived, record);
    }

    #[test]
    fn messages_are_found_however_the_stream_is_cut(
        payloads in prop::collection::vec(payload(), 1..10), cut in 1..5000_usize,
    ) {
        let stream: Vec<u8> = payloads.iter().flat_map(|payload| bytes_of(log(payload))).collect();
        let (mut inbox, mut arrived) = (Inbox::default(), Vec::new());
        for piece in stream.chunks(cut) {
            inbox.feed(piece);
            while let Some((kind, body)) = inbox.next().unwrap() {
                let FromWorker::Log(payload) = FromWorker::read(kind, body).unwrap() else { panic!() };
                arrived.push(payload);
            }
        }
        prop_assert_eq!(arrived, payloads);
    }

    #[test]
    fn a_frame_is_sent_whole_however_little_goes_at_a_time(sent in outcome(), most in 1..5000_usize) {
        prop_assert_eq!(taken(reply(&sent), most), bytes_of(reply(&sent)));
    }

    #[test]
    fn no_bytes_do_harm(bytes in any::<Vec<u8>>(), number in 1..=8_u8) {
        let mut frame = vec![number];
        frame.extend((bytes.len() as u64).to_le_bytes());
        frame.extend(&bytes);
        let mut inbox = Inbox::default();
        inbox.feed(&frame);
        let (kind, body) = inbox.next().unwrap().unwrap();
        // Either may be what the bytes mean; neither may panic.
        drop((ToWorker::read(kind, body), FromWorker::read(kind, body)));
        let mut stream = Inbox::default();
        stream.feed(&bytes);
        while let Ok(Some(_)) = stream.next() {}
    }

    #[test]
    fn a_message_with_a_spoilt_byte_is_read_or_refused(
        sent in outcome(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut bytes = bytes_of(reply(&sent)).split_off(9);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        drop(FromWorker::read(Kind::Reply, &bytes));
        prop_assert!(FromWorker::read(Kind::Reply, &bytes[..at]).is_err());
    }
}

#[test]
fn an_announced_length_costs_nothing() {
    let mut bytes = vec![1];
    bytes.extend(u64::MAX.to_le_bytes());
    assert!(FromWorker::read(Kind::Reply, &bytes).is_err());
    let mut inbox = Inbox::default();
    inbox.feed(&[Kind::Reply as u8, 255, 255, 255, 255, 255, 255, 255, 255, 0]);
    assert!(inbox.next().unwrap().is_none());
}

#[test]
fn a_greeting_of_a_later_version_is_still_understood() {
    let hello = Hello { protocol: 9, engine: "9.0".to_owned(), worker: 1, workers: 2 };
    let mut body = bytes_of(hello.frame()).split_off(9);
    body.extend(b"what later versions add");
    let Ok(ToWorker::Hello(read)) = ToWorker::read(Kind::Hello, &body) else { panic!("not a greeting") };
    assert_eq!(read, hello);
    let welcome = Welcome { protocol: 9, engine: "9.0".to_owned(), language: "python 4.0".to_owned() };
    let mut body = bytes_of(welcome.frame()).split_off(9);
    body.extend(b"what later versions add");
    let Ok(FromWorker::Welcome(read)) = FromWorker::read(Kind::Welcome, &body) else {
        panic!("not a greeting")
    };
    assert_eq!(read, welcome);
}

#[test]
fn a_strangers_bytes_are_refused() {
    let mut inbox = Inbox::default();
    inbox.feed(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    assert!(inbox.next().is_err());
}
