use super::*;
use crate::net::{connect, listen};
use crate::wire::peer::{NodeId, answer};
use std::sync::mpsc::{Receiver, Sender, channel};

/// Echoes what it is asked, and tells when it has ended.
struct Echo(Mutex<Sender<Error>>);

impl Handler for Echo {
    fn hear(&self, peer: &Peer, kind: Kind, body: &[u8]) -> Result<(), Malformed> {
        assert_eq!(kind, Kind::Define);
        let (id, rest) = body.split_first_chunk().ok_or(Malformed("a question"))?;
        drop(peer.answer(u64::from_le_bytes(*id), Ok(rest)));
        Ok(())
    }

    fn ended(&self, _: &Peer, why: &Error) {
        drop(self.0.lock().unwrap().send(why.clone()));
    }
}

fn side(stream: Stream, node: u128) -> (Peer, Receiver<Error>) {
    let mine = Greeting::new("rust".into(), NodeId(node), Vec::new());
    let until = Some(Instant::now() + Duration::from_secs(5));
    let theirs = greet(&stream, &mine, until).unwrap();
    let (tell, told) = channel();
    (Peer::start(stream, theirs, Arc::new(Echo(Mutex::new(tell)))).unwrap(), told)
}

fn pair() -> [(Peer, Receiver<Error>); 2] {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let near = connect(listener.endpoint().clone(), None).unwrap();
    let far = listener.accept(None).unwrap();
    let other = std::thread::spawn(move || side(far, 2));
    [side(near, 1), other.join().unwrap()]
}

/// A question of these bytes, in a frame that is no peer's own.
fn question(id: u64, bytes: &[u8]) -> Frame<'static> {
    let mut head = Frame::head(Kind::Define);
    head.extend_from_slice(&id.to_le_bytes());
    head.extend_from_slice(bytes);
    Frame::new(vec![head.into()])
}

#[test]
fn every_question_is_answered_whoever_asks_and_however_long_it_is() {
    let [(near, _), (far, _)] = pair();
    assert_eq!((near.greeting().node, far.greeting().node), (NodeId(2), NodeId(1)));
    let (tell, told) = channel();
    std::thread::scope(|scope| {
        for (thread, peer) in [&near, &far, &near, &far].into_iter().enumerate() {
            let tell = tell.clone();
            scope.spawn(move || {
                for round in 0..200_usize {
                    let bytes = vec![thread as u8; if round % 50 == 0 { 300_000 } else { round }];
                    let (tell, sent) = (tell.clone(), bytes.clone());
                    peer.ask(
                        |id| question(id, &bytes),
                        move |answer| tell.send(answer.unwrap() == sent).unwrap(),
                    );
                }
            });
        }
    });
    drop(tell);
    for _ in 0..800 {
        assert!(told.recv_timeout(Duration::from_secs(20)).unwrap());
    }
}

#[test]
fn who_closes_says_why_and_open_questions_hear_it() {
    let [(near, near_ended), (far, far_ended)] = pair();
    let why = Error::new(Wrong::PlaceClosed, "enough for today");
    far.close(&why);
    assert_eq!(near_ended.recv_timeout(Duration::from_secs(5)).unwrap().message(), "enough for today");
    assert_eq!(far_ended.recv().unwrap().kind(), Wrong::PlaceClosed);
    let (tell, told) = channel();
    near.ask(|id| question(id, b""), move |answer| tell.send(answer.map(<[u8]>::to_vec)).unwrap());
    assert_eq!(told.recv().unwrap().unwrap_err().message(), "enough for today");
}

#[test]
fn bytes_that_are_no_message_end_it() {
    let [(near, near_ended), (far, far_ended)] = pair();
    near.0.stream.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n", None).unwrap();
    let why = far_ended.recv_timeout(Duration::from_secs(5)).unwrap();
    assert_eq!(why.kind(), Wrong::ConnectionLost);
    assert_eq!(near_ended.recv_timeout(Duration::from_secs(5)).unwrap().kind(), Wrong::ConnectionLost);
    assert!(far.send(answer(1, Ok(b""))).is_err());
}

/// Neither hears anything of the other but its greeting.
#[test]
fn peers_of_other_protocols_part_before_anything_is_said() {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let near = connect(listener.endpoint().clone(), None).unwrap();
    let far = listener.accept(None).unwrap();
    let ours = Greeting::new("rust".into(), NodeId(1), Vec::new());
    let next = Greeting { protocol: ours.protocol + 1, engine: "9.0.0".into(), ..ours.clone() };
    let until = Some(Instant::now() + Duration::from_secs(5));
    far.write(&next.frame().to_vec(), until).unwrap();
    far.write(&question(1, b"something").to_vec(), until).unwrap();
    let error = greet(&near, &ours, until).unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Wrong::VersionMismatch, crate::Retry::Safe), "{error:?}");
    assert!(error.message().contains("9.0.0"), "{error:?}");
    assert!(error.help().is_some_and(|help| help.contains("same version")), "{error:?}");
}

/// A handler whose parts are given.
struct Parts<B, H> {
    begin: B,
    hear: H,
    ended: Sender<Error>,
}

impl<B, H> Handler for Parts<B, H>
where
    B: Fn(&Peer) + Send + Sync,
    H: Fn(&Peer, &[u8]) + Send + Sync,
{
    fn began(&self, peer: &Peer) {
        (self.begin)(peer);
    }

    fn hear(&self, peer: &Peer, _: Kind, body: &[u8]) -> Result<(), Malformed> {
        (self.hear)(peer, body);
        Ok(())
    }

    fn bounds(&self) -> Bounds {
        Bounds { message: LONGEST, untaken: UNTAKEN }
    }

    fn hears_who_is_deaf(&self) -> bool {
        false
    }

    fn ended(&self, _: &Peer, why: &Error) {
        drop(self.ended.send(why.clone()));
    }
}

/// A peer with such a handler, and the bare stream to it.
fn with_parts(
    begin: impl Fn(&Peer) + Send + Sync + 'static,
    hear: impl Fn(&Peer, &[u8]) + Send + Sync + 'static,
) -> (Peer, Stream, Receiver<Error>) {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let near = connect(listener.endpoint().clone(), None).unwrap();
    let far = listener.accept(None).unwrap();
    let greeting = Greeting::new("rust".into(), NodeId(1), Vec::new());
    let (tell, told) = channel();
    let parts = Parts { begin: move |peer: &Peer| begin(peer), hear, ended: tell };
    (Peer::start(near, greeting, Arc::new(parts)).unwrap(), far, told)
}

const SOON: Duration = Duration::from_secs(20);
const LONGEST: usize = 1 << 20;
const UNTAKEN: usize = 16 << 20;

#[test]
fn who_never_takes_what_it_is_told_is_not_told_without_end() {
    let (near, _far, ended) = with_parts(|_| {}, |_, _| {});
    let said = (0..256).take_while(|id| near.send(question(*id, &[0; 1 << 20])).is_ok()).count();
    // The kernel keeps some of it, at both ends.
    assert!((16..64).contains(&said), "{said} MiB were kept for it");
    let why = ended.recv_timeout(SOON).unwrap();
    assert!(why.message().contains("it takes nothing"), "{why:?}");
}

#[test]
fn a_message_that_is_too_long_is_refused_when_it_is_announced_and_told_why() {
    let (_near, far, ended) = with_parts(|_| {}, |_, _| {});
    let whole = question(1, &[0; LONGEST]).to_vec();
    far.write(&whole[..20], None).unwrap();
    assert_eq!(ended.recv_timeout(SOON).unwrap().kind(), Wrong::ResourceExhausted);
    let (mut inbox, mut room) = (Inbox::default(), [0; 4096]);
    let why = loop {
        let read = far.read(&mut room, Some(Instant::now() + SOON)).unwrap();
        assert!(read > 0, "nothing was said");
        inbox.feed(&room[..read]);
        if let Some((kind, body)) = inbox.next().unwrap() {
            assert_eq!(kind, Kind::Bye);
            break messages::read_bye(body).unwrap();
        }
    };
    assert!(why.message().contains("at most 1048576 bytes"), "{why:?}");
}

/// What a handler has locked while it begins, it may lock when it ends.
#[test]
fn a_conversation_does_not_end_before_it_has_begun() {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let near = connect(listener.endpoint().clone(), None).unwrap();
    listener.accept(None).unwrap().abort();
    let greeting = Greeting::new("rust".into(), NodeId(1), Vec::new());
    let has_begun = Arc::new(AtomicU8::new(0));
    let ends = has_begun.clone();
    let begin = move |peer: &Peer| {
        while peer.send(messages::ping()).is_ok() {}
        ends.store(1, Ordering::SeqCst);
    };
    let (tell, told) = channel();
    let parts = Parts { begin, hear: |_: &Peer, _: &[u8]| {}, ended: tell };
    let peer = Peer::start(near, greeting, Arc::new(parts)).unwrap();
    assert_eq!(told.recv_timeout(SOON).unwrap().kind(), Wrong::ConnectionLost);
    assert_eq!(has_begun.load(Ordering::SeqCst), 1);
    assert!(peer.end().is_some() && told.try_recv().is_err(), "it ends once");
}

#[test]
fn who_takes_nothing_of_what_it_was_told_is_not_heard_until_it_does() {
    const ANSWER: usize = 1 << 20;
    let hear = |peer: &Peer, body: &[u8]| {
        assert!(!peer.0.outbox.is_full());
        let id = u64::from_le_bytes(body.try_into().unwrap());
        drop(peer.answer(id, Ok(&vec![7; ANSWER])));
    };
    let (_near, far, _) = with_parts(|_| {}, hear);
    let questions: Vec<u8> = (0..64).flat_map(|id| question(id, b"").to_vec()).collect();
    far.write(&questions, None).unwrap();
    // All are answered in the end, in order.
    let (mut inbox, mut room, mut heard) = (Inbox::default(), vec![0; 1 << 20], 0);
    while heard < 64 {
        let read = far.read(&mut room, Some(Instant::now() + SOON)).unwrap();
        inbox.feed(&room[..read]);
        while let Some((kind, body)) = inbox.next().unwrap() {
            assert_eq!(kind, Kind::Answer);
            assert_eq!(messages::read_answer(body).unwrap().0, heard);
            heard += 1;
        }
    }
}

#[test]
fn a_message_that_makes_its_hearer_panic_ends_the_conversation() {
    let (near, far, ended) = with_parts(|_| {}, |_, _| std::panic::resume_unwind(Box::new("on purpose")));
    far.write(&question(1, b"").to_vec(), None).unwrap();
    assert!(ended.recv_timeout(SOON).unwrap().message().contains("panic"));
    assert!(near.end().is_some());
}

/// Whoever waits for an answer while another thread leads is not left waiting when that stops.
#[test]
fn who_stops_leading_leaves_the_reading_to_others_only_if_nobody_waits() {
    let (near, far, _) = with_parts(|_| {}, |_, _| {});
    let (tell, told) = channel();
    let ask = |tell: Sender<()>| near.ask(|id| question(id, b""), move |_| tell.send(()).unwrap());
    let (first, second) = (ask(tell.clone()), ask(tell));
    far.write(&answer(first, Ok(b"")).to_vec(), None).unwrap();
    assert!(near.lead(Some(Instant::now() + SOON), || told.try_recv().is_ok()));
    assert!(near.0.lead.is_reactors(), "one waits");
    far.write(&answer(second, Ok(b"")).to_vec(), None).unwrap();
    assert!(near.lead(Some(Instant::now() + SOON), || told.try_recv().is_ok()));
}

/// Nobody asks any more, so nobody leads: the reactor takes the reading back, each time.
#[test]
fn what_comes_unasked_after_somebody_has_led_is_heard() {
    let (tell, heard) = channel();
    let tell = Mutex::new(tell);
    let (near, far, _) = with_parts(|_| {}, move |_, _| tell.lock().unwrap().send(()).unwrap());
    for _ in 0..3 {
        let (answered, told) = channel();
        let first = near.ask(|id| question(id, b""), move |_| answered.send(()).unwrap());
        far.write(&answer(first, Ok(b"")).to_vec(), None).unwrap();
        assert!(near.lead(Some(Instant::now() + SOON), || told.try_recv().is_ok()));
        far.write(&question(1, b"").to_vec(), None).unwrap();
        heard.recv_timeout(SOON).unwrap();
        assert!(near.0.lead.is_reactors());
    }
}

/// More than is heard at once, and a layer above the socket that has read some of it already: the rest is heard, too, though no
/// event tells of it.
#[test]
fn what_tls_has_read_ahead_is_heard() {
    use crate::keys::{Keys, Scope, admit, join};
    let (theirs, ours) = (Keys::new(None), Keys::new(None));
    let ticket = theirs.issue(Scope::RUN, None, true).unwrap();
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let near = connect(listener.endpoint().clone(), None).unwrap();
    let far = listener.accept(None).unwrap();
    let until = Instant::now() + SOON;
    let other = std::thread::spawn(move || side(admit(far, &theirs, until).unwrap().stream, 2));
    let near = side(join(near, &ours, Some(&ticket), until).unwrap().stream, 1);
    let far = other.join().unwrap();
    let (tell, told) = channel();
    for size in (1..40).map(|step| step * 100_003) {
        let (bytes, tell) = (vec![5; size], tell.clone());
        near.0.ask(|id| question(id, &bytes), move |answer| tell.send(answer.unwrap().len()).unwrap());
        // Less than the silence after which somebody would ask, and so make an event.
        assert_eq!(told.recv_timeout(SILENT - Duration::from_secs(1)).unwrap(), size);
    }
    drop((near, far));
}
