//! The objects of this process.

use super::chain::{self, Chain, Turn, Turns};
use super::object::{Answer, Object, Reach, Reply, Request, Stream, Verb};
use crate::error::{Error, Kind, Result, Retry};
use crate::outcome::ItemsWriter;
use crate::wire::beside::Apart;
use crate::wire::reply;
use crate::work::{Encoding, Payload, PayloadRef};
use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// An object that is called.
pub(super) struct Entry {
    pub(super) object: Arc<dyn Object>,
    pub(super) reach: Reach,
    turns: Option<Arc<Turns>>,
    /// Proxies of it may be on their way to others.
    pub(super) lent: AtomicBool,
}

impl Entry {
    pub(super) fn new(object: Arc<dyn Object>, reach: Reach, exclusive: bool) -> Self {
        let turns = exclusive.then(Arc::default);
        Self { object, reach, turns, lent: AtomicBool::new(false) }
    }

    /// The same object for those who may use only what it exposes.
    pub(super) fn exposed(&self) -> Self {
        let (object, turns) = (self.object.clone(), self.turns.clone());
        Self { object, reach: Reach::Exposed, turns, lent: AtomicBool::new(false) }
    }

    pub(super) fn is_exclusive(&self) -> bool {
        self.turns.is_some()
    }

    /// Waits for the turn of a call, where one goes after the other.
    pub(super) fn turn(&self, chain: Chain) -> Option<Turn<'_>> {
        self.turns.as_ref()?.take(chain)
    }

    /// Calls the object, as a part of this chain, when its turn comes. Where `begins` says then that nobody wants it any more,
    /// it is not called, and `then` hears nothing.
    pub(super) fn ask(&self, asked: &Asked<'_>, begins: impl FnOnce() -> bool, then: Reply) {
        let turn = self.turns.as_ref().map(|turns| turns.take(asked.chain));
        if !begins() {
            return;
        }
        let is_late = asked.chain.until.is_some_and(|until| until <= Instant::now());
        if is_late || matches!(turn, Some(None)) {
            return then(Err(too_late()));
        }
        let Asked { verb, method, arguments, trusted, chain } = *asked;
        let request = Request { verb, method, arguments, reach: self.reach, trusted };
        let answer = chain::within(chain, || catch_unwind(AssertUnwindSafe(|| self.object.ask(&request))));
        drop(turn);
        match answer {
            Ok(Ok(Answer::Later(begin))) => chain::within(chain, || begin(then)),
            Ok(answer) => then(answer),
            Err(panic) => then(Err(Error::panicked(&*panic))),
        }
    }
}

/// What somebody asks of an object.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) verb: Verb,
    pub(super) method: &'a str,
    pub(super) arguments: PayloadRef<'a>,
    pub(super) trusted: bool,
    pub(super) chain: Chain,
}

fn too_late() -> Error {
    Error::new(Kind::Timeout, "the time for the call was over before it began").with_retry(Retry::Safe)
}

/// The objects of this process, by their numbers.
#[derive(Default)]
pub(super) struct Table(Mutex<HashMap<u64, Arc<Entry>>>);

impl Table {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Entry>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an object under a number that nobody can guess.
    pub(super) fn add(&self, entry: Arc<Entry>) -> Result<u64> {
        loop {
            let number = u64::from_ne_bytes(crate::random::bytes()?);
            let mut entries = self.lock();
            if number != super::DESK && !entries.contains_key(&number) {
                entries.insert(number, entry);
                return Ok(number);
            }
        }
    }

    pub(super) fn get(&self, number: u64) -> Option<Arc<Entry>> {
        self.lock().get(&number).cloned()
    }

    pub(super) fn remove(&self, number: u64) -> Option<Arc<Entry>> {
        self.lock().remove(&number)
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }
}

/// A stream as an object that is asked for the next values.
pub(super) struct Streaming(Mutex<Option<Box<dyn Stream>>>);

/// Values that come fast travel together: for so long they are gathered.
const GATHERING: Duration = Duration::from_millis(1);

impl Streaming {
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self(Mutex::new(Some(stream)))
    }

    /// As many values as come in a moment, but no more than the caller has room for: at least one, unless that was the last.
    /// True if there may be more.
    pub(super) fn take(&self, room: usize) -> (Payload, bool) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut items = ItemsWriter::default();
        let (began, mut bytes) = (Instant::now(), 0);
        while let Some(stream) = kept.as_mut() {
            match catch_unwind(AssertUnwindSafe(|| stream.next())) {
                Ok(Some(Ok(value))) => {
                    bytes +=
                        value.bytes.len() + value.buffers.iter().map(|buffer| buffer.len()).sum::<usize>();
                    items.returned(value.as_ref());
                    if items.len() >= room || bytes >= MOST || began.elapsed() >= GATHERING {
                        break;
                    }
                }
                ended => {
                    match ended {
                        Ok(Some(Err(error))) => items.failed(&error),
                        Err(panic) => items.failed(&Error::panicked(&*panic)),
                        Ok(_) => {}
                    }
                    *kept = None;
                }
            }
        }
        let rows = items.finish().into_rows();
        let mut out = Vec::new();
        let rest = reply::write(&mut out, true, &rows, &Apart);
        out.extend_from_slice(&rest.rows);
        rest.following.iter().for_each(|bytes| out.extend_from_slice(bytes));
        (Payload::new(Encoding::Postcard, out), kept.is_some())
    }
}

/// So many bytes of values travel together at most, if they are more than one.
const MOST: usize = 1 << 18;

impl Object for Streaming {
    fn ask(&self, request: &Request<'_>) -> Result<Answer> {
        if request.verb != Verb::Next {
            return Err(request.unknown());
        }
        let room: u32 = request.arguments()?;
        let (values, more) = self.take(room as usize);
        let more = Payload::new(Encoding::Postcard, vec![u8::from(more)]);
        let buffers = vec![values.bytes];
        Ok(Answer::Value(Payload { buffers, ..more }))
    }

    fn class(&self) -> &str {
        "stream"
    }
}

/// As `Any`, of whatever class it is.
pub(super) fn as_any(object: &Arc<dyn Object>) -> Arc<dyn Any + Send + Sync> {
    object.clone()
}
