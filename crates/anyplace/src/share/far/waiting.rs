//! A [`Waiting`]: an operation far away that may have to wait; and [`Waits`], for handles that may be near or far.

use super::Answer;
use super::object::Object;
use super::question::Question;
use super::sent::Sent;
use crate::error::{Error, Kind, Result};
use crate::share::wait::Wait;
use crate::wire::peer::share::{Asked, Note, Op, Said};
use crate::work::Payload;
use anyplace_sync::ground;
use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

/// How something goes back that was given to one who does not wait any more.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::share) enum Undo {
    /// It was given to nobody in particular.
    Nothing,
    /// By this operation.
    By(Op),
    /// By this operation, if it was the last to come to a barrier, for whom all others wait.
    IfLast(Op),
    /// The other side keeps it until it hears that it has arrived, and takes it back if not.
    Return,
}

type Told<'a> = Box<dyn Fn() -> Error + Send + 'a>;
type Read<'a, R> = Box<dyn FnMut(Answer) -> Result<R> + Send + 'a>;

/// One operation far away, and whether it was asked for.
pub(in crate::share) struct Waiting<'a, R> {
    object: &'a Arc<Object>,
    asked: Asked,
    /// What goes with the question, until that is sent; or why it cannot travel.
    values: Result<Vec<Payload>>,
    undo: Undo,
    read: Read<'a, R>,
    told: Option<(Kind, Told<'a>)>,
    standing: Option<(Sent, Arc<Question>)>,
}

impl<'a, R> Waiting<'a, R> {
    #[track_caller]
    pub(super) fn new(
        object: &'a Arc<Object>,
        op: Op,
        values: Result<Vec<Payload>>,
        undo: Undo,
        read: Read<'a, R>,
    ) -> Self {
        let at = Location::caller();
        let line = format!("{}:{}", at.file(), at.line());
        let asked = Asked { op, waits: true, thread: ground::thread(), line };
        Self { object, asked, values, undo, read, told: None, standing: None }
    }

    /// Asks already: its place in the line is that of the question.
    pub(in crate::share) fn standing(mut self) -> Self {
        if let Err(error) = self.ask(true) {
            // Whoever looks is told.
            self.values = Err(error);
        }
        self
    }

    /// An error of this kind is told as the handle tells it.
    pub(in crate::share) fn or_else_as(mut self, kind: Kind, told: impl Fn() -> Error + Send + 'a) -> Self {
        self.told = Some((kind, Box::new(told)));
        self
    }

    /// Sends the question, unless that was done.
    fn ask(&mut self, waits: bool) -> Result<()> {
        if self.standing.is_none() {
            let values = self.values.as_ref().map_err(Clone::clone)?;
            self.asked.waits = waits;
            let question = Arc::new(Question::new());
            self.standing = Some((self.object.send(&self.asked, values, &question)?, question));
        }
        Ok(())
    }

    /// What was answered, as what it gives; nothing if it did not come to that.
    fn take(&mut self, answer: Result<Answer>) -> Result<Option<R>> {
        let Some((sent, _)) = self.standing.take() else { return Ok(None) };
        let answer = answer.map_err(|error| self.tell(error))?;
        if answer.said == Said::NotNow {
            return Ok(None);
        }
        match self.undo {
            Undo::Return => sent.note(Note::Keep),
            Undo::By(_) => self.object.take(&sent),
            Undo::Nothing | Undo::IfLast(_) => {}
        }
        (self.read)(answer).map(Some)
    }

    fn tell(&self, error: Error) -> Error {
        match &self.told {
            Some((kind, told)) if *kind == error.kind() => told(),
            _ => self.object.told(error),
        }
    }

    /// Waits for an answer that comes soon.
    fn hear(&mut self) -> Result<Option<R>> {
        let Some((sent, question)) = &self.standing else { return Ok(None) };
        match self.object.wait(sent, question, None) {
            Some(answer) => self.take(answer),
            None => Ok(None),
        }
    }
}

impl<R> Wait for Waiting<'_, R> {
    type Given = R;

    fn until(&mut self, until: Option<Instant>) -> Result<Option<R>> {
        let is_look = until.is_some_and(|until| until <= Instant::now());
        if is_look && self.standing.is_none() {
            self.ask(false)?;
            return self.hear();
        }
        self.ask(true)?;
        let Some((sent, question)) = &self.standing else { return Ok(None) };
        match self.object.wait(sent, question, until) {
            Some(answer) => self.take(answer),
            None => Ok(None),
        }
    }

    /// Asks for the question back, and hears which of the two was faster.
    fn give_up(mut self) -> Result<Option<R>> {
        let Some((sent, _)) = &self.standing else { return Ok(None) };
        sent.note(Note::Withdraw);
        self.hear()
    }

    fn on_line(&mut self, line: impl Into<String>) {
        self.asked.line = line.into();
        if let Some((sent, _)) = &self.standing {
            sent.note(|id| Note::Line(id, self.asked.line.clone()));
        }
    }
}

/// Nothing in it is ever pinned.
impl<R> Unpin for Waiting<'_, R> {}

impl<R> Future for Waiting<'_, R> {
    type Output = Result<R>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<R>> {
        let waiting = self.get_mut();
        waiting.ask(true)?;
        let Some((_, question)) = &waiting.standing else { return Poll::Pending };
        match question.poll(context.waker()) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(answer) => {
                let given = waiting.take(answer)?;
                Poll::Ready(
                    given.ok_or_else(|| Error::new(Kind::ConnectionLost, "it was withdrawn by nobody")),
                )
            }
        }
    }
}

/// Who leaves takes the question back. If the answer was faster, what it gives goes back.
impl<R> Drop for Waiting<'_, R> {
    fn drop(&mut self) {
        let Some((sent, question)) = self.standing.take() else { return };
        if self.undo == Undo::Return {
            question.leave(drop);
            return sent.note(Note::Return);
        }
        let (undo, given) = (self.undo.clone(), sent.clone());
        let is_open = question.leave(move |answer| match (undo, answer.said) {
            (Undo::By(op), Said::Done(_)) => given.undo(op),
            (Undo::IfLast(op), Said::Done(number)) if number & 1 == 1 => given.undo(op),
            _ => {}
        });
        if is_open {
            sent.note(Note::Withdraw);
        }
    }
}

impl<R> fmt::Debug for Waiting<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("op", &self.asked.op).finish_non_exhaustive()
    }
}

/// The wait of a handle whose object is near, or far.
pub(in crate::share) enum Waits<N, F> {
    Near(N),
    Far(F),
}

impl<N: Wait + Unpin, F: Wait<Given = N::Given> + Unpin> Wait for Waits<N, F> {
    type Given = N::Given;

    #[inline]
    fn until(&mut self, until: Option<Instant>) -> Result<Option<N::Given>> {
        match self {
            Self::Near(near) => near.until(until),
            Self::Far(far) => far.until(until),
        }
    }

    #[inline]
    fn give_up(self) -> Result<Option<N::Given>> {
        match self {
            Self::Near(near) => near.give_up(),
            Self::Far(far) => far.give_up(),
        }
    }

    fn on_line(&mut self, line: impl Into<String>) {
        match self {
            Self::Near(near) => near.on_line(line),
            Self::Far(far) => far.on_line(line),
        }
    }
}

impl<N: Wait + Unpin, F: Wait<Given = N::Given> + Unpin> Future for Waits<N, F> {
    type Output = Result<N::Given>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Near(near) => Pin::new(near).poll(context),
            Self::Far(far) => Pin::new(far).poll(context),
        }
    }
}
