//! Questions that are open, and whom to tell the answers.

use crate::error::{Error, Result};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

type Then = Box<dyn FnOnce(Result<&[u8]>) + Send>;

#[derive(Default)]
pub(super) struct Asked(Mutex<Open>);

#[derive(Default)]
struct Open {
    questions: HashMap<u64, Then>,
    given: u64,
}

impl Asked {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a question. Gives its number, which is never used again.
    pub(super) fn open(&self, then: Then) -> u64 {
        let mut open = self.lock();
        open.given += 1;
        let id = open.given;
        open.questions.insert(id, then);
        id
    }

    /// Whether nobody waits for an answer.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().questions.is_empty()
    }

    /// Tells the answer. Nobody may have asked, or be told twice.
    pub(super) fn close(&self, id: u64, answer: Result<&[u8]>) {
        let then = self.lock().questions.remove(&id);
        if let Some(then) = then {
            then(answer);
        }
    }

    /// Nobody will be answered any more.
    pub(super) fn close_all(&self, why: &Error) {
        let questions = std::mem::take(&mut self.lock().questions);
        questions.into_values().for_each(|then| then(Err(why.clone())));
    }
}
