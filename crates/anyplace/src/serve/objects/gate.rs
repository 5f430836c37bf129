//! How many calls of one conversation have threads at once. The others wait for one of them to end.

use super::threads::{Job, Threads};
use crate::peer::Peer;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many calls wait at most.
pub(super) const WAITING: usize = 1 << 16;

/// What the other side of a conversation may have here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    /// How many names it has published.
    pub(crate) names: usize,
    /// How many objects it holds.
    pub(crate) objects: usize,
    /// How many of its calls have a thread.
    pub(crate) calls: usize,
    /// The bytes of the calls that wait for one.
    pub(crate) bytes: usize,
}

impl Default for Most {
    /// As much as there is room for.
    fn default() -> Self {
        Self { names: usize::MAX, objects: usize::MAX, calls: usize::MAX, bytes: usize::MAX }
    }
}

pub(super) struct Gate {
    threads: Threads,
    most: Most,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    inside: usize,
    waiting: VecDeque<(Job, usize)>,
    bytes: usize,
}

/// A call that has a thread. When it ends, the next one comes in.
struct Inside {
    gate: Arc<Gate>,
    peer: Peer,
}

impl Gate {
    pub(super) fn new(threads: &Threads, most: Most) -> Arc<Self> {
        Arc::new(Self { threads: threads.clone(), most, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a thread do a call of `peer`'s, which has so many bytes, as soon as there is one for it. False if that is never: too
    /// many wait already.
    pub(super) fn enter(self: &Arc<Self>, peer: &Peer, call: Job, bytes: usize) -> bool {
        let mut state = self.state();
        if state.inside < self.most.calls {
            state.inside += 1;
            drop(state);
            self.let_in(peer, call);
            return true;
        }
        if state.waiting.len() >= WAITING || state.bytes.saturating_add(bytes) > self.most.bytes {
            return false;
        }
        state.bytes += bytes;
        state.waiting.push_back((call, bytes));
        true
    }

    fn let_in(self: &Arc<Self>, peer: &Peer, call: Job) {
        let inside = Inside { gate: self.clone(), peer: peer.clone() };
        self.threads.call(
            peer,
            Box::new(move || {
                let _inside = inside;
                call();
            }),
        );
    }

    /// The next one that waits; if there is none, one fewer is inside.
    fn next(&self) -> Option<Job> {
        let mut state = self.state();
        match state.waiting.pop_front() {
            Some((call, bytes)) => {
                state.bytes -= bytes;
                Some(call)
            }
            None => {
                state.inside -= 1;
                None
            }
        }
    }

    /// What waits is never done.
    pub(super) fn clear(&self) {
        let mut state = self.state();
        state.bytes = 0;
        let gone = std::mem::take(&mut state.waiting);
        drop(state);
        drop(gone);
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        if let Some(call) = self.gate.next() {
            self.gate.let_in(&self.peer, call);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::conversation::{Conversation, Rights};
    use super::super::here::here;
    use super::super::object::{Answer, Object, Request};
    use super::super::proxy::Proxy;
    use super::*;
    use crate::error::{Error, Kind as Wrong, Result};
    use crate::net::{Stream, connect, listen};
    use crate::peer::Handler;
    use crate::wire::peer::{Greeting, NodeId};
    use crate::wire::{Kind, Malformed};
    use anyplace_sync::Latch;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    /// Long enough for whatever has to come.
    const LONG: Duration = Duration::from_secs(20);
    /// Long enough to see that nothing comes.
    const SHORT: Duration = Duration::from_millis(100);

    struct Deaf;

    impl Handler for Deaf {
        fn hear(&self, _: &Peer, _: Kind, _: &[u8]) -> std::result::Result<(), Malformed> {
            Ok(())
        }

        fn ended(&self, _: &Peer, _: &Error) {}
    }

    fn peer() -> (Peer, Stream) {
        let listener = listen("tcp://127.0.0.1:0").unwrap();
        let near = connect(listener.endpoint().clone(), None).unwrap();
        let far = listener.accept(None).unwrap();
        let greeting = Greeting::new("rust".into(), NodeId(1), Vec::new());
        (Peer::start(near, greeting, Arc::new(Deaf)).unwrap(), far)
    }

    /// However long they take: each would have a thread of its own otherwise.
    #[test]
    fn so_many_calls_run_at_once_and_the_others_follow() {
        let ((peer, _far), gate) =
            (peer(), Gate::new(&Threads::default(), Most { calls: 2, ..Most::default() }));
        let ((tell, begun), go_on) = (channel(), Arc::new(Latch::new()));
        for number in 0..5 {
            let (tell, go_on) = (tell.clone(), go_on.clone());
            let call = move || {
                tell.send(number).unwrap();
                go_on.wait(None);
                assert_ne!(number, 1, "a call that panics lets the next one in, too");
            };
            assert!(gate.enter(&peer, Box::new(call), 10));
        }
        let mut all: Vec<_> = (0..2).map(|_| begun.recv_timeout(LONG).unwrap()).collect();
        assert!(begun.recv_timeout(SHORT).is_err(), "a third has begun");
        go_on.set();
        all.extend((0..3).map(|_| begun.recv_timeout(LONG).unwrap()));
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn no_more_calls_wait_than_there_is_room_for() {
        let most = Most { calls: 1, bytes: 100, ..Most::default() };
        let ((peer, _far), gate) = (peer(), Gate::new(&Threads::default(), most));
        let go_on = Arc::new(Latch::new());
        let call = || -> Job {
            let go_on = go_on.clone();
            Box::new(move || {
                go_on.wait(None);
            })
        };
        assert!(gate.enter(&peer, call(), 1000), "what runs at once does not wait");
        assert!(
            gate.enter(&peer, call(), 60) && !gate.enter(&peer, call(), 60) && gate.enter(&peer, call(), 40)
        );
        gate.clear();
        assert!(gate.enter(&peer, call(), 100));
        go_on.set();
    }

    struct Idle;

    impl Object for Idle {
        fn ask(&self, request: &Request<'_>) -> Result<Answer> {
            Err(request.unknown())
        }
    }

    #[test]
    fn who_holds_as_many_objects_as_it_may_lets_go_of_one_first() {
        let most = Most { objects: 2, ..Most::default() };
        let conversation = Conversation::new(&here().unwrap(), Rights { most, ..Rights::default() });
        let held: Vec<_> = (0..2).map(|_| Proxy::keep(Arc::new(Idle)).unwrap()).collect();
        for proxy in &held {
            conversation.check_objects().unwrap();
            conversation.keep(proxy);
        }
        let refusal = conversation.check_objects().unwrap_err();
        assert_eq!((refusal.kind(), refusal.help().is_some()), (Wrong::ResourceExhausted, true));
        conversation.release(held[0].id(), 1, false);
        conversation.check_objects().unwrap();
    }
}
