//! A [`Pending`] operation: one that waits in a line for a client. No thread sleeps for it: it is polled where it is woken.

use crate::error::Result;
use crate::share::Wait;
use crate::wire::peer::share::Said;
use crate::work::Payload;
use anyplace_sync::ground;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// What came of an operation, and the values that go with it.
pub(super) type Given = (Said, Vec<Payload>);
pub(super) type Doing = Pin<Box<dyn Future<Output = Result<Given>> + Send>>;

/// Who is told, once, how it ended; nothing if it was withdrawn.
type Then = Box<dyn FnOnce(Option<Result<Given>>) + Send>;

/// An operation that waits, until it has ended or is withdrawn.
pub(super) struct Pending {
    state: Mutex<State>,
    /// The thread of the client that waits, as its machine counts them.
    thread: u32,
    line: Arc<Line>,
}

struct State {
    step: Step,
    then: Option<Then>,
}

enum Step {
    Resting(Doing),
    /// Somebody polls it, and does so again if it was woken meanwhile.
    Polled {
        again: bool,
        withdrawn: bool,
    },
    Over,
}

impl Pending {
    /// Looks at once, and stays in line if that is in vain.
    pub(super) fn start(doing: Doing, thread: u32, line: Arc<Line>, then: Then) -> Arc<Self> {
        let state = State { step: Step::Resting(doing), then: Some(then) };
        let pending = Arc::new(Self { state: Mutex::new(state), thread, line });
        pending.poll();
        pending
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll(self: &Arc<Self>) {
        let Some(mut doing) = self.begin() else { return };
        let waker = Waker::from(self.clone());
        loop {
            let poll = || doing.as_mut().poll(&mut Context::from_waker(&waker));
            let polled = ground::as_thread(self.thread, poll);
            let mut state = self.state();
            let Step::Polled { again, withdrawn } = state.step else { return };
            let ended = match polled {
                Poll::Ready(given) => Some(given),
                Poll::Pending if withdrawn => None,
                Poll::Pending if again => {
                    state.step = Step::Polled { again: false, withdrawn: false };
                    continue;
                }
                Poll::Pending => {
                    state.step = Step::Resting(doing);
                    return;
                }
            };
            state.step = Step::Over;
            let then = state.then.take();
            drop(state);
            // It leaves its line before anybody is told that it has.
            drop(doing);
            if let Some(then) = then {
                then(ended);
            }
            return;
        }
    }

    /// What is to be polled, if nobody does so.
    fn begin(&self) -> Option<Doing> {
        let mut state = self.state();
        match std::mem::replace(&mut state.step, Step::Over) {
            Step::Resting(doing) => {
                state.step = Step::Polled { again: false, withdrawn: false };
                Some(doing)
            }
            Step::Polled { withdrawn, .. } => {
                state.step = Step::Polled { again: true, withdrawn };
                None
            }
            Step::Over => None,
        }
    }

    /// Nobody waits for it any more: it leaves the line, unless it has ended already.
    pub(super) fn withdraw(&self) {
        let mut state = self.state();
        match std::mem::replace(&mut state.step, Step::Over) {
            Step::Resting(doing) => {
                let then = state.then.take();
                drop(state);
                drop(doing);
                then.into_iter().for_each(|then| then(None));
            }
            Step::Polled { again, .. } => state.step = Step::Polled { again, withdrawn: true },
            Step::Over => {}
        }
    }

    /// It waits in this line of the client's program.
    pub(super) fn tell_line(self: &Arc<Self>, line: String) {
        self.line.set(line);
        self.poll();
    }
}

impl Wake for Pending {
    fn wake(self: Arc<Self>) {
        self.poll();
    }
}

/// Where in the client's program somebody waits, as it was told last.
#[derive(Debug, Default)]
pub(super) struct Line(Mutex<Option<String>>);

impl Line {
    pub(super) fn new(line: String) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(line))))
    }

    fn set(&self, line: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
    }

    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A wait that stands in the client's line of its program, and not in one of this.
pub(super) struct InLine<W> {
    waiting: W,
    line: Arc<Line>,
}

impl<W: Wait + Unpin> InLine<W> {
    pub(super) fn new(waiting: W, line: &Arc<Line>) -> Self {
        Self { waiting, line: line.clone() }
    }
}

impl<W: Wait + Unpin> Future for InLine<W> {
    type Output = Result<W::Given>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(line) = self.line.take() {
            self.waiting.on_line(line);
        }
        Pin::new(&mut self.waiting).poll(context)
    }
}
