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
