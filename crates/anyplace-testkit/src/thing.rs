//! The object that behaviours call.

use anyplace::serve::objects::{Answer, Object, Request, Verb};
use anyplace::work::Payload;
use anyplace::{Error, Kind, Proxy, Result};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// An object that does a bit of everything.
#[derive(Default)]
pub(crate) struct Thing {
    total: AtomicI64,
    made: Arc<AtomicU64>,
    next: Mutex<Option<Proxy>>,
}

impl Thing {
    pub(crate) fn of(total: i64) -> Self {
        Self { total: total.into(), ..Self::default() }
    }

    fn call(&self, request: &Request<'_>) -> Result<Answer> {
        match request.method {
            "add" => self.add(request.arguments()?),
            "echo" => Answer::of(&request.arguments::<String>()?),
            "fail" => Err(Error::new(Kind::TaskFailed, request.arguments::<String>()?)),
            "count" => self.count(request.arguments()?),
            "join" => self.join(&request.arguments::<Vec<u8>>()?),
            "forward" => self.forward(request.arguments()?),
            _ => Err(request.unknown()),
        }
    }

    fn add(&self, number: i64) -> Result<Answer> {
        Answer::of(&(self.total.fetch_add(number, Ordering::AcqRel) + number))
    }

    /// The numbers up to `to`, one by one.
    fn count(&self, to: i64) -> Result<Answer> {
        let made = self.made.clone();
        let values = (0..to).map(move |number| {
            made.fetch_add(1, Ordering::AcqRel);
            Ok(encoded(number))
        });
        Ok(Answer::Stream(Box::new(values)))
    }

    fn join(&self, next: &[u8]) -> Result<Answer> {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(Proxy::from_bytes(next)?);
        Answer::of(&())
    }

    /// Passes it on so often, and counts who has had it.
    fn forward(&self, hops: u64) -> Result<Answer> {
        if hops == 0 {
            return Answer::of(&1_u64);
        }
        let next = self.next.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let next = next.ok_or_else(|| Error::new(Kind::NotFound, "there is no next one"))?;
        Answer::of(&(next.call::<_, u64>("forward", hops - 1)? + 1))
    }
}

impl Object for Thing {
    fn ask(&self, request: &Request<'_>) -> Result<Answer> {
        match (request.verb, request.method) {
            (Verb::Call, _) => self.call(request),
            (Verb::Get, "total") => Answer::of(&self.total.load(Ordering::Acquire)),
            (Verb::Get, "made") => Answer::of(&self.made.load(Ordering::Acquire)),
            (Verb::Set, "total") => {
                self.total.store(request.arguments()?, Ordering::Release);
                Answer::of(&())
            }
            _ => Err(request.unknown()),
        }
    }

    fn class(&self) -> &str {
        "Thing"
    }
}

/// A number as Rust's calls carry it.
pub(crate) fn encoded(number: i64) -> Payload {
    let Ok(Answer::Value(payload)) = Answer::of(&number) else { unreachable!("a number can be encoded") };
    payload
}
