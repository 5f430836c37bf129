//! A [`Pipe`] between processes: two ends, each of which receives what the other sends.
//!
//! It is two queues, and for each end who holds it. When the last one who holds an end closes it, or is killed, both queues
//! are shut: what it sent can still be received, and then the other side finds the end of the pipe. Nothing more can be sent
//! to it.

use super::desk::Desk;
use super::error::HallError;
use super::kind::Kind;
use super::layout::Entry;
use super::making::Making;
use super::object::{Body, Handle, Object};
use super::queue::{self, Order, Queue, QueueBody};
use super::{Hall, fork};
use crate::ground::{Monitor, Party};
use crate::shm::segment::Shared;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// One end of a pipe, as this process holds it. Cloning it is cheap; when no process holds an end any more, the other one
/// finds the end of the pipe.
///
/// ```
/// use anyplace_sync::ground::Turn;
/// use anyplace_sync::shm::hall::{Hall, ShutDown};
///
/// let hall = Hall::create()?;
/// let [ours, theirs] = hall.pipe(None, true)?;
/// let sent = ours.outgoing().put(&mut Turn::new(&*hall), &mut ours.outgoing().message(b"hello")?, 0, None);
/// sent.expect("no deadline")?;
/// drop(ours);
/// let mut receive = || theirs.incoming().get(&mut Turn::new(&*hall), None).expect("no deadline");
/// assert_eq!(*receive()?, *b"hello");
/// assert_eq!(receive().unwrap_err(), ShutDown, "the other side is closed");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Pipe {
    object: Object<PipeBody>,
    queues: [Queue; 2],
    end: usize,
}

/// What stands in an entry for a pipe. (Public only as the body of an object.)
#[derive(Debug, Default)]
#[repr(C)]
pub struct PipeBody {
    /// Whoever opens or closes an end is inside.
    state: Monitor,
    /// The handles of the queues: what end 0 sends goes into the first.
    numbers: [AtomicU64; 2],
    states: [AtomicU64; 2],
    /// Which parties hold which end.
    holders: [[AtomicU64; 4]; 2],
}

// SAFETY: atomics only.
unsafe impl Shared for PipeBody {}

impl Body for PipeBody {
    fn suits(kind: Kind) -> bool {
        kind == Kind::Pipe
    }
}

/// The opener that stands for the pipe itself: parties are numbered from 1.
const THE_PIPE: Party = 0;

impl Hall {
    /// A pipe: its two ends. If it is not `duplex`, only the second end sends.
    ///
    /// # Errors
    /// As for all objects: see [`lock`](Self::lock).
    pub fn pipe(self: &Arc<Self>, name: Option<&str>, duplex: bool) -> Result<[Pipe; 2], HallError> {
        let object: Object<PipeBody> =
            self.find_or_make_at_desk(name, Kind::Pipe, |desk, making| make(desk, making, duplex))?;
        Ok([Pipe::hold(object.clone(), 0)?, Pipe::hold(object, 1)?])
    }

    /// Opens an end, 0 or 1, of a pipe whose handle came from another process.
    ///
    /// # Errors
    /// [`HallError::Gone`] if it has ended.
    pub fn open_pipe(self: &Arc<Self>, handle: Handle, end: usize) -> Result<Pipe, HallError> {
        Pipe::hold(self.open(handle)?, end.min(1))
    }
}

/// The queues belong to the pipe before they have it as their opener: killed anywhere, the pipe ends them.
fn make(desk: &Desk<'_>, making: &Making<'_>, duplex: bool) -> Result<(), HallError> {
    let (hall, body) = (making.hall, making.body::<PipeBody>());
    for which in 0..2 {
        let begin = |making: &Making<'_>| queue::make(making, Order::Fifo, 0);
        let (number, entry, state) = hall.make(desk, None, Kind::Queue, begin)?;
        body.numbers[which].store(number.into(), Relaxed);
        body.states[which].store(state.0, Release);
        let (word, bit) = super::bury::opener(entry, THE_PIPE);
        word.fetch_or(bit, AcqRel);
        hall.counts.subtract(number);
        hall.close_for(desk, number, entry, hall.seat().party);
        if which == 0 && !duplex {
            hall.body::<QueueBody>(entry).shut_down(hall, entry, true);
        }
    }
    Ok(())
}

impl PipeBody {
    fn handle_of(&self, which: usize) -> Handle {
        let number = self.numbers[which].load(Acquire) as u32;
        Handle::from_numbers((number, self.states[which].load(Acquire)))
    }

    fn is_held(&self, end: usize) -> bool {
        self.holders[end].iter().any(|word| word.load(Acquire) != 0)
    }

    fn holder(&self, end: usize, party: Party) -> (&AtomicU64, u64) {
        (&self.holders[end][party as usize / 64], 1 << (party % 64))
    }

    /// What a party that is no more held is closed.
    pub(super) fn bury(&self, hall: &Hall, party: Party) {
        (0..2).for_each(|end| self.release(hall, end, party));
    }

    /// `party` holds the end no more. The queues are shut first: killed in between, the party still has to be buried.
    fn release(&self, hall: &Hall, end: usize, party: Party) {
        let _inside = self.state.enter(hall);
        let (word, bit) = self.holder(end, party);
        if word.load(Acquire) & bit == 0 {
            return;
        }
        let holders: u32 = self.holders[end].iter().map(|word| word.load(Acquire).count_ones()).sum();
        if holders == 1 {
            self.shut(hall, end, false);
            self.shut(hall, 1 - end, true);
        }
        word.fetch_and(!bit, AcqRel);
    }

    fn shut(&self, hall: &Hall, which: usize, immediate: bool) {
        if let Some(entry) = self.queue(hall, which) {
            hall.body::<QueueBody>(entry).shut_down(hall, entry, immediate);
        }
    }

    fn queue<'h>(&self, hall: &'h Hall, which: usize) -> Option<&'h Entry> {
        let (number, state) = self.handle_of(which).numbers();
        hall.entry(number).filter(|entry| state != 0 && entry.state.load(Acquire) == state)
    }

    /// The ends that a parent holds are its child's, too.
    pub(super) fn inherit(&self, hall: &Hall, parent: Party, child: Party) {
        let _inside = self.state.enter(hall);
        for end in 0..2 {
            let (word, bit) = self.holder(end, parent);
            if word.load(Acquire) & bit != 0 {
                let (word, bit) = self.holder(end, child);
                word.fetch_or(bit, AcqRel);
            }
        }
    }

    /// Ends the queues, unless somebody has them open still. (At the desk, when the pipe ends.)
    pub(super) fn empty(&self, hall: &Hall, desk: &Desk<'_>) {
        for which in 0..2 {
            if let Some(entry) = self.queue(hall, which) {
                hall.close_for(desk, self.handle_of(which).numbers().0, entry, THE_PIPE);
            }
        }
    }
}

impl Pipe {
    fn hold(object: Object<PipeBody>, end: usize) -> Result<Self, HallError> {
        let hall = object.hall();
        let queues = [hall.open_queue(object.handle_of(0))?, hall.open_queue(object.handle_of(1))?];
        let inside = object.state.enter(&**hall);
        let (word, bit) = object.holder(end, hall.seat().party);
        // Once closed, an end stays closed: nobody could tell the other side that it is open again.
        let was_closed = !object.is_held(end) && queues[end].is_shut() && queues[1 - end].is_shut();
        if !was_closed {
            word.fetch_or(bit, AcqRel);
        }
        hall.ends[end].add(object.handle().numbers().0);
        drop(inside);
        Ok(Self { queues, end, object })
    }

    /// Where it lies, and under which name.
    pub fn object(&self) -> &Object<PipeBody> {
        &self.object
    }

    /// Which end this is, 0 or 1.
    pub fn end(&self) -> usize {
        self.end
    }

    /// What this end sends.
    pub fn outgoing(&self) -> &Queue {
        &self.queues[self.end]
    }

    /// What this end receives.
    pub fn incoming(&self) -> &Queue {
        &self.queues[1 - self.end]
    }
}

impl Clone for Pipe {
    fn clone(&self) -> Self {
        self.object.hall().ends[self.end].add(self.object.handle().numbers().0);
        Self { object: self.object.clone(), queues: self.queues.clone(), end: self.end }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let hall = self.object.hall();
        let is_last = hall.ends[self.end].subtract(self.object.handle().numbers().0);
        if is_last && hall.seat_as_it_is().generation == fork::current() {
            self.object.release(hall, self.end, hall.seat().party);
        }
    }
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe")
            .field("name", &self.object.name())
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::another;
    use super::*;
    use crate::ground::Turn;
    use crate::shm::hall::{PutError, Received, ShutDown};
    use std::time::Instant;

    fn send(pipe: &Pipe, bytes: &[u8]) -> Result<(), PutError> {
        let queue = pipe.outgoing();
        let mut message = queue.message(bytes).unwrap();
        queue.put(&mut Turn::new(&**pipe.object().hall()), &mut message, 0, None).unwrap()
    }

    fn receive(pipe: &Pipe) -> Option<Result<Received, ShutDown>> {
        pipe.incoming().get(&mut Turn::new(&**pipe.object().hall()), Some(Instant::now()))
    }

    #[test]
    fn each_end_receives_what_the_other_sends() {
        let [ours, theirs] = Hall::create().unwrap().pipe(None, true).unwrap();
        send(&ours, b"question").unwrap();
        assert_eq!(*receive(&theirs).unwrap().unwrap(), *b"question");
        send(&theirs, b"answer").unwrap();
        assert!(receive(&theirs).is_none());
        assert_eq!(*receive(&ours).unwrap().unwrap(), *b"answer");
    }

    #[test]
    fn the_other_end_learns_when_the_last_who_holds_one_closes_it() {
        let hall = Hall::create().unwrap();
        let [ours, theirs] = hall.pipe(Some("tube"), true).unwrap();
        let elsewhere = another(&hall).open_pipe(theirs.object().handle(), 1).unwrap();
        send(&elsewhere, b"last").unwrap();
        drop(theirs.clone());
        drop(theirs);
        send(&ours, b"it is open").unwrap();
        drop(elsewhere);
        assert_eq!(*receive(&ours).unwrap().unwrap(), *b"last");
        assert_eq!(receive(&ours).unwrap().unwrap_err(), ShutDown);
        assert_eq!(send(&ours, b"!"), Err(PutError::ShutDown));
        let [_, again] = hall.pipe(Some("tube"), true).unwrap();
        assert_eq!(send(&again, b"!"), Err(PutError::ShutDown), "what is closed stays closed");
    }

    #[test]
    fn a_pipe_of_one_way_sends_from_its_second_end() {
        let [reader, writer] = Hall::create().unwrap().pipe(None, false).unwrap();
        assert_eq!(send(&reader, b"!"), Err(PutError::ShutDown));
        send(&writer, b"on").unwrap();
        assert_eq!(*receive(&reader).unwrap().unwrap(), *b"on");
        assert!(receive(&reader).is_none(), "the writer is open");
        drop(writer);
        assert_eq!(receive(&reader).unwrap().unwrap_err(), ShutDown);
    }

    #[test]
    fn a_pipe_that_ends_leaves_nothing() {
        let hall = Hall::create().unwrap();
        let _kept = hall.event(None).unwrap();
        let before = hall.usage().blocks;
        let [ours, theirs] = hall.pipe(None, true).unwrap();
        send(&ours, &[1; 100_000]).unwrap();
        drop((ours, theirs));
        assert_eq!((hall.usage().blocks, hall.live().count()), (before, 1));
    }
}
