//! Clients over TLS that say what nobody understands, half of it, too much of it, or nothing; and many of them.

use crate::error::{Error, Kind as Wrong};
use crate::keys::{Keys, Ticket, join};
use crate::net::tls::pinned::{self, Pinned};
use crate::net::{Stream, connect};
use crate::peer::greet;
use crate::registry::Registry;
use crate::serve::{ClientLimits, Offer, Terms};
use crate::wire::peer::share::{Asked, Op, question};
use crate::wire::peer::topic::Wish;
use crate::wire::peer::{Greeting, NodeId, read_answer, read_bye};
use crate::wire::{Frame, Inbox, Kind};
use std::time::{Duration, Instant};

fn soon() -> Option<Instant> {
    Some(Instant::now() + Duration::from_secs(20))
}

/// A place that is offered to others, with keys of its own.
struct Offered {
    offer: Offer,
    _folder: tempfile::TempDir,
}

impl Offered {
    fn new(limits: ClientLimits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let setup = crate::Setup { keys: Some(folder.path().join("keys")), ..crate::Setup::default() };
        let place = Registry::standard().with_setup(setup).open("processes:1").unwrap();
        let terms = Terms { limits, ..Terms::default() };
        Self { offer: place.offer_on("tcp://127.0.0.1:0", &terms).unwrap(), _folder: folder }
    }

    fn ticket(&self) -> Ticket {
        self.offer.address().reveal().split_once('#').unwrap().1.parse().unwrap()
    }

    fn connect(&self) -> Stream {
        connect(self.offer.endpoint().clone(), soon()).unwrap()
    }

    /// Agrees on keys, and says nothing of itself.
    fn agreed(&self, keys: &Keys) -> Pinned {
        let pins = vec![self.ticket().key()];
        pinned::client(self.connect(), &keys.identity().unwrap(), pins, soon()).unwrap()
    }

    /// Is let in, and says nothing more.
    fn admitted(&self, keys: &Keys) -> Stream {
        join(self.connect(), keys, Some(&self.ticket()), soon().unwrap()).unwrap().stream
    }

    /// Begins a conversation.
    fn greeted(&self, keys: &Keys) -> Stream {
        let stream = self.admitted(keys);
        let session = u128::from_ne_bytes(crate::random::bytes().unwrap());
        let wish = Wish { session, keep: false, patience: Duration::ZERO };
        greet(&stream, &Greeting::new("rust".to_owned(), NodeId(session), wish.to_bytes()), soon()).unwrap();
        stream
    }

    /// A client like any other is served, and does not wait for anybody.
    fn serves_others(&self) {
        let stream = self.greeted(&Keys::in_memory());
        asks(&stream, 1);
        answered(&stream, 1);
    }
}

/// Something that any client may ask.
fn harmless(id: u64) -> Frame<'static> {
    let asked = Asked { op: Op::Why, waits: false, thread: 0, line: String::new() };
    question(id, 0, &asked, &[])
}

fn asks(stream: &Stream, id: u64) {
    stream.write(&harmless(id).to_vec(), soon()).unwrap();
}

fn answered(stream: &Stream, id: u64) {
    let answer = heard(stream, Kind::Answer, |body| {
        read_answer(body).map(|(id, answer)| (id, answer.is_ok())).unwrap()
    });
    assert_eq!(answer, Some((id, true)));
}

/// The first message of this kind; nothing if the other side hung up before.
fn heard<R>(stream: &Stream, wanted: Kind, read: impl Fn(&[u8]) -> R) -> Option<R> {
    let (mut inbox, mut room) = (Inbox::default(), [0; 4096]);
    loop {
        match stream.read(&mut room, soon()) {
            Ok(0) => return None,
            Ok(taken) => inbox.feed(&room[..taken]),
            Err(error) if error.kind() == Wrong::Timeout => panic!("it is not answered, and not hung up on"),
            Err(_) => return None,
        }
        while let Some((kind, body)) = inbox.next().unwrap() {
            if kind == wanted {
                return Some(read(body));
            }
        }
    }
}

fn hangs_up(stream: &Stream) {
    assert_eq!(heard(stream, Kind::Answer, |_| ()), None);
}

/// Bytes of which none is like the other.
fn noise() -> Vec<u8> {
    (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8 | 0x80).collect()
}

#[test]
fn noise_inside_tls_ends_its_own_conversation_and_no_other() {
    let offered = Offered::new(ClientLimits::default());
    let bystander = offered.greeted(&Keys::in_memory());
    for begin in [Offered::admitted, Offered::greeted] {
        let stream = begin(&offered, &Keys::in_memory());
        // It may have been hung up on before all of it was said.
        drop(stream.write(&noise(), soon()));
        hangs_up(&stream);
    }
    asks(&bystander, 1);
    answered(&bystander, 1);
    offered.serves_others();
}

#[test]
fn half_a_message_holds_up_nobody_and_is_heard_when_it_is_whole() {
    let offered = Offered::new(ClientLimits::default());
    let slow = offered.greeted(&Keys::in_memory());
    let message = harmless(7).to_vec();
    let (first, rest) = message.split_at(message.len() / 2);
    slow.write(first, soon()).unwrap();
    offered.serves_others();
    for byte in rest {
        slow.write(&[*byte], soon()).unwrap();
    }
    answered(&slow, 7);
}

#[test]
fn a_message_that_is_too_long_is_refused_before_it_came_and_costs_no_memory() {
    let offered = Offered::new(ClientLimits { message: 1 << 20, ..ClientLimits::default() });
    let greedy = offered.greeted(&Keys::in_memory());
    let mut head = harmless(1).to_vec();
    head[1..9].copy_from_slice(&(1_u64 << 50).to_le_bytes());
    greedy.write(&head, soon()).unwrap();
    let why = heard(&greedy, Kind::Bye, |body| read_bye(body).unwrap());
    assert_eq!(why.as_ref().map(Error::kind), Some(Wrong::ResourceExhausted), "{why:?}");
    offered.serves_others();
}

/// More than may be at the door at once.
const MANY: usize = 300;

#[test]
fn many_who_agree_on_keys_and_say_nothing_more_keep_nobody_out() {
    let offered = Offered::new(ClientLimits::default());
    let keys = Keys::in_memory();
    let silent: Vec<_> = (0..MANY).map(|_| offered.agreed(&keys)).collect();
    let began = Instant::now();
    offered.serves_others();
    assert!(began.elapsed() < Duration::from_secs(5), "it waited until the silent had to go");
    drop(silent);
}

#[test]
fn many_who_are_let_in_and_do_nothing_keep_nobody_out() {
    let offered = Offered::new(ClientLimits::default());
    let people: Vec<_> = (0..3).map(|_| Keys::in_memory()).collect();
    let idle: Vec<_> = (0..MANY).map(|n| offered.greeted(&people[n % people.len()])).collect();
    offered.serves_others();
    // They were not forgotten.
    for (id, stream) in idle.iter().enumerate() {
        asks(stream, id as u64);
    }
    for (id, stream) in idle.iter().enumerate() {
        answered(stream, id as u64);
    }
}
