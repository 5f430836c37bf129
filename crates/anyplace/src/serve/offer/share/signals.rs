//! What clients do with events, barriers, and those who wait at conditions.

use super::opened::{Outcome, Wanted, count, number, unknown, wait};
use super::pending::{Doing, Given, InLine};
use crate::share::{Arrived, Barrier, Event, Line};
use crate::wire::peer::share::Op;

pub(super) fn event(event: &Event, wanted: Wanted) -> Outcome {
    match wanted.op {
        Op::Wait => wait!(wanted, |event| event.waiting(), |()| number(0)),
        Op::Set => done(|| event.set()),
        Op::Clear => done(|| event.clear()),
        Op::IsSet => Outcome::Now(Ok(number(event.is_set()))),
        op => Outcome::Now(unknown(&op)),
    }
}

pub(super) fn barrier(barrier: &Barrier, wanted: Wanted) -> Outcome {
    match wanted.op {
        Op::Wait => wait!(wanted, |barrier| barrier.arriving(), |all| arrived(all)),
        Op::Gather => wait!(wanted, |barrier| barrier.gathering(), |all| arrived(all)),
        Op::LetGo => Outcome::Now(barrier.open().map(|()| number(0))),
        Op::Abort => done(|| barrier.abort()),
        Op::Reset => done(|| barrier.reset()),
        Op::IsBroken => Outcome::Now(Ok(number(barrier.is_broken()))),
        Op::Parties => Outcome::Now(Ok(number(barrier.parties()))),
        Op::Waiting => Outcome::Now(Ok(count(barrier.n_waiting()))),
        op => Outcome::Now(unknown(&op)),
    }
}

pub(super) fn condition(line: &Line, wanted: Wanted) -> Outcome {
    match wanted.op {
        Op::Wait => Outcome::Later(told(line.clone(), &wanted)),
        Op::Notify { count: most } => {
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            Outcome::Now(Ok(count(line.notify(most))))
        }
        Op::Waiting => Outcome::Now(Ok(count(line.n_waiting()))),
        op => Outcome::Now(unknown(&op)),
    }
}

/// It stands in line from its first look on, which comes before anything else that the client says.
fn told(line: Line, wanted: &Wanted) -> Doing {
    let at = wanted.line.clone();
    Box::pin(async move {
        InLine::new(line.enlist(), &at).await?;
        Ok(number(0))
    })
}

fn arrived(Arrived { index, is_last }: Arrived) -> Given {
    number(i64::from(index) << 1 | i64::from(is_last))
}

fn done(work: impl FnOnce()) -> Outcome {
    work();
    Outcome::Now(Ok(number(0)))
}
