//! A door: accepts whoever comes, and has them let in who may.
//!
//! Accepting takes no thread: the reactor calls. Whoever is accepted has a thread and five seconds to say who they are. So
//! many may be at it at once; when one more comes, the one who has been at it for longest has to go. So the slow and the
//! silent hold up nobody, however many they are: who has something to say says it in milliseconds.

use crate::context::caught;
use crate::error::Result;
use crate::net::reactor::{self, Registration, Source};
use crate::net::{Listener, Stream};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// So long may it take to say who one is.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// So many may be at it at once.
const PENDING: usize = 256;

/// So many are accepted before the reactor goes on with what else there is.
const TURN: u32 = 16;

/// Whoever stands behind a door.
pub(super) trait Keeper: Send + Sync {
    /// Lets somebody in, or not, by `until`. On a thread of its own. Who may not come in is told as much as they may know.
    fn let_in(&self, stream: Stream, until: Instant);

    /// About a second is over since the last time. On the reactor's thread.
    fn tick(self: Arc<Self>, now: Instant, door: &Arc<Door>);
}

pub(super) struct Door {
    keeper: Arc<dyn Keeper>,
    listening: Mutex<Option<(Listener, Registration)>>,
    pending: Mutex<Pending>,
    is_closing: AtomicBool,
}

/// Those who say who they are.
#[derive(Default)]
struct Pending {
    /// By their numbers: the first came first.
    streams: BTreeMap<u64, Stream>,
    accepted: u64,
    /// Nobody is accepted before one of them is through, or the next tick, since there was no room.
    is_resting: bool,
}

impl Pending {
    /// Whether there is room for one more. If not, who came first makes some.
    fn has_room(&mut self) -> bool {
        if self.streams.len() < PENDING {
            return true;
        }
        self.is_resting = true;
        self.streams.values().next().into_iter().for_each(Stream::abort);
        false
    }

    fn add(&mut self, stream: &Stream) -> u64 {
        self.accepted += 1;
        self.streams.insert(self.accepted, stream.clone());
        self.accepted
    }
}

impl Door {
    pub(super) fn open(listener: Listener, keeper: Arc<dyn Keeper>) -> Result<Arc<Self>> {
        let (listening, pending) = (Mutex::default(), Mutex::default());
        let door = Arc::new(Self { keeper, listening, pending, is_closing: false.into() });
        let registration = reactor::register(listener.fd(), door.clone())?;
        let mut listening = door.listening.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody may have come already: the reactor calls once for that, and has to find the listener.
        let (_, registration) = listening.insert((listener, registration));
        registration.want(true, false);
        drop(listening);
        Ok(door)
    }

    /// Lets nobody in any more.
    pub(super) fn close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
        let listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(listening);
    }

    /// Accepts those who wait, as long as there is room, and no more than are a turn: the reactor calls again for the others,
    /// when everybody else had theirs.
    fn accept(self: &Arc<Self>) {
        let listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((listener, registration)) = &*listening else { return };
        for _ in 0..TURN {
            // Who closes waits for the lock, and may not get it before those who come again and again.
            if self.is_closing.load(Ordering::Relaxed) || !self.pending().has_room() {
                return;
            }
            match listener.try_accept() {
                Ok(stream) => self.receive(stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // No descriptor is left: whoever waits can wait for one, and we do not turn in circles meanwhile.
                Err(_) => return self.pending().is_resting = true,
            }
        }
        registration.want(true, false);
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Accepts again, if nobody has since there was no room.
    fn go_on(self: &Arc<Self>) {
        let has_rested = std::mem::take(&mut self.pending().is_resting);
        if has_rested {
            self.accept();
        }
    }

    /// One of those at the door is through.
    fn leave(self: &Arc<Self>, number: u64) {
        let gone = self.pending().streams.remove(&number);
        drop(gone);
        self.go_on();
    }

    fn receive(self: &Arc<Self>, stream: Stream) {
        let number = self.pending().add(&stream);
        let door = self.clone();
        let handshake = move || {
            caught(|| door.keeper.let_in(stream, Instant::now() + HANDSHAKE));
            door.leave(number);
        };
        if thread::Builder::new().name("anyplace-door".to_owned()).spawn(handshake).is_err() {
            // Not `leave`, which would accept: the caller does.
            let gone = self.pending().streams.remove(&number);
            drop(gone);
        }
    }
}

impl Source for Door {
    fn ready(self: Arc<Self>, _: bool, _: bool) {
        self.accept();
    }

    fn tick(self: Arc<Self>, now: Instant) {
        self.keeper.clone().tick(now, &self);
        self.go_on();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{connect, listen};
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc::{Sender, channel};

    /// Tells of everybody who comes.
    struct Porter(Mutex<Sender<()>>);

    impl Keeper for Porter {
        fn let_in(&self, _: Stream, _: Instant) {
            let _ = self.0.lock().unwrap().send(());
        }

        fn tick(self: Arc<Self>, _: Instant, _: &Arc<Door>) {}
    }

    /// Such as a client that has waited for its server to be back.
    #[test]
    fn who_comes_before_the_door_is_open_is_let_in() {
        for _ in 0..200 {
            let listener = listen("tcp://127.0.0.1:0").unwrap();
            let _early = connect(listener.endpoint().clone(), None).unwrap();
            let (tell, told) = channel();
            let door = Door::open(listener, Arc::new(Porter(Mutex::new(tell)))).unwrap();
            told.recv_timeout(Duration::from_secs(20)).unwrap();
            door.close();
        }
    }

    /// Nor does it keep others from theirs: all doors of a process are the reactor's.
    #[test]
    fn a_crowd_that_keeps_coming_does_not_keep_the_door_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("door");
        let listener = listen(format!("unix:{}", path.display()).as_str()).unwrap();
        let (tell, told) = channel();
        let door = Door::open(listener, Arc::new(Porter(Mutex::new(tell)))).unwrap();
        let crowd: Vec<_> = (0..4)
            .map(|_| {
                let path = path.clone();
                thread::spawn(move || while UnixStream::connect(&path).is_ok() {})
            })
            .collect();
        (0..100).for_each(|_| told.recv_timeout(Duration::from_secs(20)).unwrap());
        let listener = listen("tcp://127.0.0.1:0").unwrap();
        let visitor = connect(listener.endpoint().clone(), None).unwrap();
        let (tell, other) = channel();
        let _other = Door::open(listener, Arc::new(Porter(Mutex::new(tell)))).unwrap();
        other.recv_timeout(Duration::from_secs(10)).unwrap();
        drop(visitor);
        let (closed, is_closed) = channel();
        let closing = thread::spawn(move || {
            door.close();
            closed.send(()).unwrap();
            drop(told);
        });
        is_closed.recv_timeout(Duration::from_secs(10)).unwrap();
        closing.join().unwrap();
        crowd.into_iter().for_each(|visitor| visitor.join().unwrap());
    }

    /// They keep their connections open for as long as they like; nobody else has to wait for that to be over.
    #[test]
    fn more_who_say_nothing_than_there_is_room_for_keep_nobody_out() {
        let offer = crate::open("threads:1").unwrap().offer("tcp://127.0.0.1:0").unwrap();
        let silent: Vec<_> =
            (0..PENDING + 44).map(|_| connect(offer.endpoint().clone(), None).unwrap()).collect();
        let began = Instant::now();
        let place = crate::open(offer.address()).unwrap();
        assert!(began.elapsed() < HANDSHAKE, "it waited until the silent had to go");
        place.close().unwrap();
        drop(silent);
    }
}
