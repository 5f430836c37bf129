//! A [`Question`]: what was asked, until its answer is taken.

use super::Answer;
use crate::error::{Error, Kind, Result};
use crate::wire::peer::share::read_answer;
use anyplace_sync::Latch;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Instant;

/// A question on its way, its answer, or that nobody waits for it any more.
pub(super) struct Question {
    answered: Latch,
    state: Mutex<State>,
}

enum State {
    Open(Option<Waker>),
    Answered(Result<Answer>),
    /// Nobody waits. An answer that comes nevertheless is given back by this.
    Left(Box<dyn FnOnce(Answer) + Send>),
    Over,
}

impl Question {
    pub(super) fn new() -> Self {
        Self { answered: Latch::new(), state: Mutex::new(State::Open(None)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer has come, as bytes. It is told once; what comes later is not heard.
    pub(super) fn hear(&self, answer: Result<&[u8]>) {
        self.answer(answer.and_then(|bytes| {
            let (said, values) = read_answer(bytes).map_err(|malformed| {
                Error::new(Kind::ConnectionLost, format!("the answer is none: {malformed}"))
            })?;
            Ok(Answer { said, values })
        }));
    }

    pub(super) fn answer(&self, answer: Result<Answer>) {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Over) {
            State::Open(waker) => {
                *state = State::Answered(answer);
                drop(state);
                self.answered.set();
                waker.into_iter().for_each(Waker::wake);
            }
            State::Left(give_back) => {
                drop(state);
                answer.map(give_back).unwrap_or_default();
            }
            other => *state = other,
        }
    }

    pub(super) fn is_answered(&self) -> bool {
        self.answered.is_set()
    }

    /// Waits for the answer, until `until`.
    pub(super) fn wait(&self, until: Option<Instant>) -> Option<Result<Answer>> {
        self.answered.wait(until).then(|| self.take())?
    }

    /// The answer, or the waker is called when it has come.
    pub(super) fn poll(&self, waker: &Waker) -> Poll<Result<Answer>> {
        if let State::Open(waiting) = &mut *self.state() {
            *waiting = Some(waker.clone());
            return Poll::Pending;
        }
        self.take().map_or(Poll::Pending, Poll::Ready)
    }

    /// The answer, once.
    fn take(&self) -> Option<Result<Answer>> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Over) {
            State::Answered(answer) => Some(answer),
            other => {
                *state = other;
                None
            }
        }
    }

    /// Nobody waits any more: an answer that is there, or comes yet, is given back. True if it may come yet.
    pub(super) fn leave(&self, give_back: impl FnOnce(Answer) + Send + 'static) -> bool {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Over) {
            State::Open(_) => {
                *state = State::Left(Box::new(give_back));
                true
            }
            State::Answered(answer) => {
                drop(state);
                answer.map(give_back).unwrap_or_default();
                false
            }
            other => {
                *state = other;
                false
            }
        }
    }
}
