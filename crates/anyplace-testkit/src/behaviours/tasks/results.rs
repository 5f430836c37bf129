//! One task and its result.

use crate::submit::{How, ended, map, submit};
use crate::work::{double, echo, fail, sum_in, who};
use anyplace::work::{
    Arguments, Bytes, Call, Command, Encoding, Function, Named, Payload, Pickled, Work, WorkKind,
};
use anyplace::{Kind, Outcome, Place, Result, Retry, TaskOptions};
use std::sync::Arc;

/// A result comes back whole, be it a number or a megabyte.
pub(super) fn a_task_returns_what_its_function_returns(place: &Place) -> Result<()> {
    assert_eq!(ended(submit(place, double, 21)?)?, 42);
    for text in [String::new(), "äöü\0\n".to_owned(), "x".repeat(1 << 20)] {
        assert_eq!(ended(submit(place, echo, text.clone())?)?, text);
    }
    Ok(())
}

/// A failure ends its task, not its worker.
pub(super) fn a_failure_is_its_tasks_own(place: &Place) -> Result<()> {
    let error = ended(submit(place, fail, "no luck today".to_owned())?).expect_err("it panics");
    assert_eq!((error.kind(), error.retry()), (Kind::TaskFailed, Retry::MayRepeat), "{error:?}");
    assert!(error.message().contains("no luck today"), "{error:?}");
    assert_eq!(error.place(), Some(place.address().to_string().as_str()), "{error:?}");
    assert!(error.attempt() >= 1, "{error:?}");
    assert_eq!(ended(submit(place, double, 1)?)?, 2);
    Ok(())
}

/// A running task sees its index, its attempt, and a worker that the place has.
pub(super) fn a_task_knows_itself(place: &Place) -> Result<()> {
    let workers = place.limits().workers.max(1) as u64;
    let seen: Vec<(u64, u32, u64)> = map(place, who, 0..100, How::default())?.collect::<Result<_>>()?;
    for (index, (own, attempt, worker)) in (0..).zip(seen) {
        assert_eq!((own, attempt), (index, 1));
        assert!(worker < workers, "worker {worker} of {workers}");
    }
    Ok(())
}

/// Work of a kind that the place does not take is refused before anything runs, with places that take it.
pub(super) fn work_of_another_kind_is_refused_with_help(place: &Place) -> Result<()> {
    let takes = place.limits().takes;
    for work in one_of_each().into_iter().filter(|work| !takes.contains(&work.kind())) {
        let kind = work.kind();
        let error = place.submit_work(work, TaskOptions::default()).expect_err(kind.name());
        assert_eq!(error.kind(), Kind::Unsupported, "{kind:?}");
        assert!(error.message().contains(&place.address().to_string()), "{kind:?}: {error:?}");
        let names_one = ["threads:", "processes:", "async:"].iter();
        assert!(
            error.help().is_some_and(|help| names_one.into_iter().any(|place| help.contains(place))),
            "{error:?}"
        );
    }
    Ok(())
}

fn one_of_each() -> [Work; 5] {
    let arguments = || Arguments::One(Payload::new(Encoding::Json, b"[]"));
    let function = Function { id: 0, name: "f".to_owned(), bytes: Bytes::default() };
    let all = [
        Work::Call(Call::Closure(Box::new(|_: &anyplace::Context| Outcome::local(())))),
        Work::Call(Call::Future(Box::new(Never))),
        Work::Named(Named { name: "f".into(), arguments: arguments() }),
        Work::Pickled(Pickled { function: Arc::new(function), arguments: arguments() }),
        Work::Command(Command::new(["true"])),
    ];
    let kinds = [WorkKind::Closure, WorkKind::Future, WorkKind::Named, WorkKind::Pickled, WorkKind::Command];
    assert_eq!(all.each_ref().map(Work::kind), kinds);
    all
}

/// A future that is refused before it starts.
struct Never;

impl anyplace::work::Future for Never {
    fn start(
        self: Box<Self>,
        _: anyplace::Context,
        _: &dyn anyplace::work::Spawn,
        _: anyplace::Done,
    ) -> anyplace::work::Abort {
        unreachable!("it was refused")
    }
}

/// Places nest: a task opens one, maps in it, and closes it.
pub(super) fn a_task_may_open_a_place_of_its_own(place: &Place) -> Result<()> {
    for address in ["inline:", "threads:2"] {
        let sums: Vec<u64> = map(place, sum_in, (0..4).map(|_| (address.to_owned(), 100)), How::default())?
            .collect::<Result<_>>()?;
        assert_eq!(sums, [9900; 4], "{address}");
    }
    Ok(())
}
