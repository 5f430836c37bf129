//! What is written is read back the same, and no bytes, whoever made them, do harm.

use super::beside::{Apart, Blocks};
use super::frame::Kind;
use super::rows::{LARGE, Rows, Writer};
use super::*;
use crate::context::Context;
use crate::error::{Error, Exit, Kind as ErrorKind, Remote, Retry};
use crate::outcome::{Item, Items, ItemsWriter, Outcome, Value};
use crate::work::{Arguments, Bytes, Encoding, Function, Packed, Payload};
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

/// The one message of a frame: its kind and its body.
fn message(frame: Frame<'_>) -> (Kind, Vec<u8>) {
    let mut inbox = Inbox::default();
    inbox.feed(&bytes_of(frame));
    let (kind, body) = inbox.next().unwrap().unwrap();
    (kind, body.to_vec())
}

fn from_worker(frame: Frame<'_>) -> FromWorker {
    let (kind, body) = message(frame);
    FromWorker::read(kind, &body).unwrap()
}

/// A reply as a worker sends it.
fn frame_of(outcome: &Outcome) -> Vec<u8> {
    let mut writer = ItemsWriter::default();
    match outcome {
        Outcome::Returned(Value::Items(items)) => writer.extend(items),
        one => writer.push(clone(one)),
    }
    let is_chunk = matches!(outcome, Outcome::Returned(Value::Items(_)));
    bytes_of(reply(is_chunk, &writer.finish().into_rows()))
}

fn reply_of(frame: &[u8]) -> FromWorker {
    let mut inbox = Inbox::default();
    inbox.feed(frame);
    let (kind, body) = inbox.next().unwrap().unwrap();
    FromWorker::read(kind, body).unwrap()
}

fn clone(outcome: &Outcome) -> Outcome {
    match outcome {
        Outcome::Returned(Value::Encoded(payload)) => Outcome::Returned(Value::Encoded(payload.clone())),
        Outcome::Returned(_) => panic!("one call"),
        Outcome::Failed(error) => Outcome::Failed(error.clone()),
        Outcome::Cancelled(error) => Outcome::Cancelled(error.clone()),
        Outcome::Lost(error) => Outcome::Lost(error.clone()),
    }
}

fn bytes() -> impl Strategy<Value = Bytes> {
    // Large ones are sent in another way than small ones, and those of the same length together.
    let length =
        prop_oneof![6 => Just(9_usize), 3 => 0..100_usize, 1 => 4000..9000_usize, 1 => LARGE..LARGE + 10];
    (length, any::<u8>()).prop_map(|(length, byte)| vec![byte; length].into())
}

fn payload() -> impl Strategy<Value = Payload> {
    let encoding = prop_oneof![
        1 => Just(Encoding::Postcard),
        1 => Just(Encoding::Pickle),
        1 => Just(Encoding::Json),
        6 => Just(Encoding::Plain)
    ];
    let buffers = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(bytes(), 0..3)];
    (encoding, bytes(), buffers).prop_map(|(encoding, bytes, buffers)| Payload { encoding, bytes, buffers })
}

fn arguments() -> impl Strategy<Value = Arguments> {
    let each = prop::collection::vec(payload(), 0..20);
    let pack = |payloads: Vec<Payload>| payloads.iter().map(Payload::as_ref).collect::<Packed>();
    prop_oneof![
        payload().prop_map(Arguments::One),
        each.prop_map(move |payloads| Arguments::Each(pack(payloads))),
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
    prop_oneof![single(), items.prop_map(|outcomes| Outcome::Returned(Value::Items(items_of(outcomes))))]
}

fn items_of(outcomes: Vec<Outcome>) -> Items {
    let mut writer = ItemsWriter::default();
    outcomes.into_iter().for_each(|outcome| writer.push(outcome));
    writer.finish()
}

/// Outcomes have no equality (values of this process have none). Bytes have, and so have all parts of an error.
fn same(left: &Outcome, right: &Outcome) -> bool {
    frame_of(left) == frame_of(right) && format!("{left:?}") == format!("{right:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_outcome_arrives_as_it_was_sent(sent in outcome()) {
        let FromWorker::Reply(arrived) = reply_of(&frame_of(&sent)) else { panic!("not a reply") };
        prop_assert!(same(&sent, &arrived), "{sent:?} became {arrived:?}");
    }

    #[test]
    fn every_order_arrives_as_it_was_sent(
        arguments in arguments(), context in context(), name in any::<String>(), id in any::<u64>(),
        named in any::<bool>(),
    ) {
        let callee = if named { Callee::Named(&name) } else { Callee::Defined(id) };
        let (kind, body) = message(first(callee, &arguments, &context));
        prop_assert_eq!(kind, Kind::First);
        let mut buffers = Vec::new();
        let arrived = Order::read(&body, &mut buffers, &Apart).unwrap();
        prop_assert_eq!((arrived.context(context.worker, context.workers), arrived.callee), (context, callee));
        prop_assert_eq!(arrived.is_chunk, matches!(arguments, Arguments::Each(_)));
        let calls = crate::work::Payloads(arrived.rows);
        prop_assert!(calls.eq(arguments.iter()));
    }

    #[test]
    fn every_function_and_record_arrives_as_it_was_sent(
        id in any::<u64>(), name in any::<String>(), mut record in payload(),
    ) {
        record.buffers.clear();
        let function = Function { id, name, bytes: record.bytes.clone() };
        let (kind, body) = message(define(&function));
        let ToWorker::Define(arrived) = ToWorker::read(kind, &body).unwrap() else { panic!("not a function") };
        prop_assert_eq!((arrived.id, &arrived.name, &arrived.bytes), (id, &function.name, &function.bytes));
        let (kind, body) = message(begin(id));
        let ToWorker::Begin(tasks) = ToWorker::read(kind, &body).unwrap() else { panic!("not an id") };
        prop_assert_eq!(tasks, id);
        let FromWorker::Log(arrived) = from_worker(log(&record)) else { panic!("not a record") };
        prop_assert_eq!(arrived, record);
    }

    #[test]
    fn messages_are_found_however_the_stream_is_cut(
        mut payloads in prop::collection::vec(payload(), 1..10), cut in 1..5000_usize,
    ) {
        payloads.iter_mut().for_each(|payload| payload.buffers.clear());
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
    fn a_frame_is_sent_whole_however_little_goes_at_a_time(sent in single(), most in 1..5000_usize) {
        let rows = items_of(vec![sent]).into_rows();
        prop_assert_eq!(taken(reply(false, &rows), most), bytes_of(reply(false, &rows)));
    }

    #[test]
    fn a_tail_is_what_is_left_wherever_it_begins(
        payloads in prop::collection::vec(payload(), 0..20), from in 0..25_usize, context in context(),
    ) {
        let packed: Packed = payloads.iter().map(Payload::as_ref).collect();
        let tail = packed.tail(from);
        prop_assert!(tail.iter().eq(payloads.iter().skip(from).map(Payload::as_ref)));
        // It is written as it is read, also if it begins in the middle of a run.
        let arguments = Arguments::Each(tail);
        let (_, body) = message(first(Callee::Defined(1), &arguments, &context));
        let mut buffers = Vec::new();
        let arrived = Order::read(&body, &mut buffers, &Apart).unwrap();
        prop_assert!(crate::work::Payloads(arrived.rows).eq(arguments.iter()));
    }

    #[test]
    fn items_that_are_taken_over_are_those_that_were_left(
        before in prop::collection::vec(single(), 0..5), taken in prop::collection::vec(single(), 0..20),
        looked_at in 0..25_usize,
    ) {
        let mut items = items_of(taken.iter().map(clone).collect());
        (0..looked_at).for_each(|_| drop(items.advance()));
        let mut writer = ItemsWriter::default();
        before.iter().for_each(|outcome| writer.push(clone(outcome)));
        writer.extend(&items);
        writer.extend(&items);
        let left = || taken.iter().skip(looked_at);
        let all: Vec<Outcome> = writer.finish().into_outcomes().collect();
        let expected: Vec<&Outcome> = before.iter().chain(left()).chain(left()).collect();
        prop_assert_eq!(all.len(), expected.len());
        prop_assert!(all.iter().zip(expected).all(|(left, right)| same(left, right)));
    }

    #[test]
    fn what_a_worker_had_written_is_read_as_far_as_it_is_whole(
        mut payloads in prop::collection::vec(payload(), 0..20), cut in any::<prop::sample::Index>(),
    ) {
        payloads.iter_mut().for_each(|payload| payload.buffers.clear());
        let mut writer = Writer::default();
        let mut ends = vec![0];
        for Payload { encoding, bytes, .. } in &payloads {
            writer.push(*encoding as u8, bytes, &[]);
            ends.push(writer.bytes().len());
        }
        // The heads count all values, as they may when the worker dies before it says how far it is.
        let all = writer.finish();
        let bytes = all.parts().0;
        let cut = cut.index(bytes.len() + 1);
        let whole = ends.iter().rposition(|end| *end <= cut).unwrap_or(0);
        let salvaged = Rows::salvaged(&bytes[..cut], &[], usize::MAX, super::reply::is_kind);
        prop_assert!(salvaged.iter().eq(all.iter().take(whole)));
        prop_assert_eq!(salvaged.len(), whole);
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
        drop(Order::read(body, &mut Vec::new(), &Apart));
        let mut stream = Inbox::default();
        stream.feed(&bytes);
        while let Ok(Some(_)) = stream.next() {}
    }

    #[test]
    fn a_message_with_a_spoilt_byte_is_read_or_refused(
        sent in outcome(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut bytes = frame_of(&sent).split_off(9);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        drop(FromWorker::read(Kind::Reply, &bytes));
        prop_assert!(FromWorker::read(Kind::Reply, &bytes[..at]).is_err());
    }
}

/// One block of memory that two sides share.
struct OneBlock(Bytes);

impl Blocks for OneBlock {
    fn locate(&self, bytes: &Bytes) -> Option<u64> {
        let (own, block) = (bytes.owner::<Vec<u8>>()?, self.0.owner::<Vec<u8>>()?);
        std::sync::Arc::ptr_eq(&own, &block).then_some(bytes.range().start as u64)
    }

    fn find(&self, offset: u64, length: u64) -> Option<Bytes> {
        let (start, length) = (usize::try_from(offset).ok()?, usize::try_from(length).ok()?);
        let end = start.checked_add(length).filter(|end| *end <= self.0.len())?;
        Some(self.0.slice(start..end))
    }
}

#[test]
fn what_lies_in_shared_memory_is_only_spoken_of() {
    let shared = OneBlock(Bytes::shared(std::sync::Arc::new(vec![7_u8; 100_000]), 0..100_000));
    let payload = Payload {
        encoding: Encoding::Pickle,
        bytes: shared.0.slice(10..50),
        buffers: vec![shared.0.slice(100..90_000), Bytes::from(b"here")],
    };
    let context = Context { task: 1, index: 2, attempt: 3, worker: 0, workers: 1, root_seed: 4 };
    let mut body = Vec::new();
    let arguments = Arguments::One(payload.clone());
    let rest = super::order::write(&mut body, &context, Callee::Defined(5), &arguments, &shared);
    assert_eq!((&*rest.rows, rest.following.len()), (&[][..], 1));
    body.extend_from_slice(rest.following[0]);
    assert!(body.len() < 200, "only numbers travel, and what is not shared");
    let mut buffers = Vec::new();
    let order = Order::read(&body, &mut buffers, &shared).unwrap();
    let arrived = crate::work::Payloads(order.rows).next().unwrap().to_owned();
    assert_eq!(arrived, payload);
    assert!(arrived.buffers[0].owner::<Vec<u8>>().is_some());
    assert!(Order::read(&body, &mut Vec::new(), &Apart).is_err(), "others cannot know where it is");
}

#[test]
fn a_tail_shares_what_was_packed() {
    let payloads: Vec<Payload> = (0..5_u8)
        .map(|number| Payload {
            encoding: Encoding::Plain,
            bytes: Bytes::from(&[number; 3]),
            buffers: vec![Bytes::from(&[number; 2]); usize::from(number % 3)],
        })
        .collect();
    let packed: Packed = payloads.iter().map(Payload::as_ref).collect();
    for from in 0..=6 {
        let tail = packed.tail(from);
        assert_eq!(tail.len(), 5_usize.saturating_sub(from));
        assert!(tail.iter().eq(payloads.iter().skip(from).map(Payload::as_ref)));
        assert_eq!(tail.iter().collect::<Packed>(), tail);
    }
}

#[test]
fn neighbours_of_the_same_length_share_a_head() {
    let packed: Packed =
        vec![Payload::new(Encoding::Plain, &[3_u8; 9]); 1000].iter().map(Payload::as_ref).collect();
    assert_eq!(packed.0.parts().0.len(), 9 + 9 * 1000);
    assert_eq!(packed.0.kinds().collect::<Vec<_>>(), [(Encoding::Plain as u8, 1000)]);
}

#[test]
fn items_are_counted_and_looked_at_one_by_one() {
    let failed = || Outcome::Failed(Error::new(ErrorKind::TaskFailed, "no"));
    let returned = || Outcome::Returned(Value::Encoded(Payload::new(Encoding::Plain, &[0_u8; 1])));
    let mut writer = ItemsWriter::default();
    writer.push(returned());
    writer.extend(&items_of(vec![failed(), returned()]));
    let mut items = writer.finish();
    assert_eq!((items.len(), items.failed()), (3, 1));
    assert!(matches!(items.advance(), Some(Item::Returned(_))));
    let rest: Vec<Outcome> = items.clone().into_outcomes().collect();
    assert!(matches!(rest[..], [Outcome::Failed(_), Outcome::Returned(_)]));
    assert_eq!(items.iter().count(), 2);
}

#[test]
fn an_announced_length_costs_nothing() {
    let mut bytes = vec![1];
    bytes.extend(u64::MAX.to_le_bytes());
    assert!(FromWorker::read(Kind::Reply, &bytes).is_err());
    let one_run = [9, 0, 0, 0, 0x13, 255, 255, 255, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0];
    let rows = Rows::checked(Bytes::from(&one_run), Vec::new(), u32::MAX as usize, super::reply::is_kind);
    assert!(rows.is_err(), "a run has as many values as it says");
    let mut inbox = Inbox::default();
    inbox.feed(&[Kind::Reply as u8, 255, 255, 255, 255, 255, 255, 255, 255, 0]);
    assert!(inbox.next().unwrap().is_none());
}

#[test]
fn a_greeting_of_a_later_version_is_still_understood() {
    let terms = Terms {
        argument: vec![7; 10_000],
        environment: vec![("NAME".to_owned(), "value".to_owned())],
        memory: Some(1 << 31),
        cpus: vec![0, 3],
        strict: true,
    };
    let hello = Hello { protocol: 9, engine: "9.0".to_owned(), worker: 1, workers: 2, terms };
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
