//! Workers that cannot be, and workers of other languages.

use crate::support::{Nothing, command, returned, text, text_of, this_program};
use anyplace::work::{Arguments, Function, Payload, Pickled, Work};
use anyplace::worker::{Callee, Interpreter, Link, Order, Replies, serve};
use anyplace::{Error, Exit, Kind, OnLog, Place, Registry, Retry, Setup, TaskOptions, open};
use std::process::Stdio;
use std::sync::{Arc, mpsc};

crate::trials!["setups":
    a_program_that_forgets_init_is_told_before_anything_starts,
    a_machine_without_room_costs_the_task_and_not_the_place,
    a_program_that_dies_at_once_is_not_started_for_ever,
    a_program_that_does_not_exist_is_named,
    a_program_that_is_no_worker_is_recognised,
    a_worker_of_another_language_version_is_refused,
    each_worker_is_prepared_once_before_its_first_task,
    a_failed_preparation_breaks_the_place,
    a_function_is_sent_once_to_a_worker,
    records_of_workers_reach_the_callers_log,
];

#[anyplace::task]
fn nothing() {}

#[anyplace::task]
fn leave() {
    std::process::exit(1);
}

/// What happens to a program that opens a place without calling `init` first.
pub(crate) fn without_init() {
    let place = open("processes:2").unwrap();
    let error = place.submit(nothing, ()).unwrap().wait().unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::ConfigInvalid, Retry::Safe));
    assert!(error.help().unwrap().contains("anyplace::init()"), "{error:?}");
    assert_eq!(std::fs::read_dir("/proc/self/task").unwrap().count(), 1, "something was started");
}

fn a_program_that_forgets_init_is_told_before_anything_starts() -> Nothing {
    let ended = command(&this_program("--role-without-init")).stderr(Stdio::piped()).output()?;
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    Ok(())
}

/// A program whose limit of descriptors leaves none for a worker, and then enough.
pub(crate) fn without_room() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    anyplace::init();
    let place = open("processes:1").unwrap();
    // The slot's thread and its bell are there before the room is taken.
    place.submit(nothing, ()).unwrap().wait().unwrap();
    let error = place.submit(leave, ()).unwrap().wait().unwrap_err();
    assert_eq!(error.kind(), Kind::WorkerLost, "{error:?}");
    let enough = getrlimit(Resource::Nofile);
    let none = rustix::process::Rlimit { current: Some(3), maximum: enough.maximum };
    setrlimit(Resource::Nofile, none).unwrap();
    let error = place.submit(nothing, ()).unwrap().wait().unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::ResourceExhausted, Retry::Safe), "{error:?}");
    assert!(error.help().unwrap().contains("ulimit"), "{error:?}");
    setrlimit(Resource::Nofile, enough).unwrap();
    place.submit(nothing, ()).unwrap().wait().unwrap();
}

fn a_machine_without_room_costs_the_task_and_not_the_place() -> Nothing {
    let ended = command(&this_program("--role-without-room")).stderr(Stdio::piped()).output()?;
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    Ok(())
}

fn with_worker(program: &[&str]) -> Setup {
    Setup { worker: Some(program.iter().map(Into::into).collect()), ..Setup::default() }
}

fn why(setup: Setup) -> anyplace::Result<Error> {
    let place = Registry::standard().with_setup(setup).open("processes:2")?;
    let tasks: Vec<_> = (0..100).map(|_| place.submit(nothing, ())).collect::<Result<_, _>>()?;
    let errors: Vec<Error> = tasks.into_iter().map(|task| task.wait().unwrap_err()).collect();
    assert!(
        errors.iter().all(|error| error.retry() == Retry::Safe && error.message() == errors[0].message())
    );
    Ok(errors[0].clone())
}

fn a_program_that_dies_at_once_is_not_started_for_ever() -> Nothing {
    let folder = tempfile::tempdir()?;
    let starts = folder.path().join("starts");
    let script = format!("echo . >> {}; echo no such library >&2; exit 3", starts.display());
    let error = why(with_worker(&["sh", "-c", &script]))?;
    assert_eq!((error.kind(), error.exit()), (Kind::WorkerLost, Some(Exit::Code(3))));
    assert_eq!(error.log_tail(), Some("no such library"));
    // Three in a row, by each of two slots at most.
    assert!((3..=6).contains(&std::fs::read_to_string(starts)?.lines().count()));
    Ok(())
}

fn a_program_that_does_not_exist_is_named() -> Nothing {
    let error = why(with_worker(&["/no/such/program"]))?;
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.message().contains("`/no/such/program`"), "{error:?}");
    Ok(())
}

fn a_program_that_is_no_worker_is_recognised() -> Nothing {
    // It says back what it hears.
    let error = why(with_worker(&["sh", "-c", "cat >&0"]))?;
    assert_eq!(error.message(), "the worker's program does not speak as a worker does");
    Ok(())
}

fn a_worker_of_another_language_version_is_refused() -> Nothing {
    let error = why(Setup { language: Some("python 3.99".to_owned()), ..Setup::default() })?;
    assert_eq!(error.kind(), Kind::VersionMismatch);
    assert_eq!(error.message(), "this side speaks python 3.99, the worker's program speaks rust");
    Ok(())
}

/// The worker's program of a language that records what it is told.
pub(crate) fn recorder() {
    std::process::exit(serve(|link| Recorder { link, prepared: 0, last: None }));
}

struct Recorder {
    link: Link,
    prepared: u32,
    last: Option<Arc<Function>>,
}

impl Recorder {
    fn function(order: &Order<'_>) -> Arc<Function> {
        let Callee::Pickled(id) = order.callee() else { panic!("only callables") };
        order.function(id).unwrap()
    }
}

impl Interpreter for Recorder {
    fn run(&mut self, order: &Order<'_>, replies: &mut Replies<'_>) {
        let function = Self::function(order);
        if function.name == "log" {
            self.link.log(&order.calls().next().unwrap().to_owned()).unwrap();
        }
        let last = self.last.replace(function.clone());
        let same = last.is_some_and(|last| Arc::ptr_eq(&last, &function));
        returned(&format!("prepared {}, same {same}, of {}", self.prepared, self.link.workers()), replies);
    }

    fn first(&mut self, order: &Order<'_>, replies: &mut Replies<'_>) {
        assert_ne!(Self::function(order).name, "bad", "this cannot be prepared");
        self.prepared += 1;
        returned("", replies);
    }

    fn language(&self) -> String {
        "records 1".to_owned()
    }
}

fn function(id: u64, name: &str) -> Arc<Function> {
    Arc::new(Function { id, name: name.to_owned(), bytes: vec![7; 10_000].into() })
}

fn pickled(function: &Arc<Function>, argument: &str) -> Pickled {
    Pickled { function: function.clone(), arguments: Arguments::One(text(argument)) }
}

fn records() -> Setup {
    let worker = Some(this_program("--role-recorder").into());
    Setup { worker, language: Some("records 1".to_owned()), ..Setup::default() }
}

fn run(place: &Place, function: &Arc<Function>) -> anyplace::Result<String> {
    let work = Work::Pickled(pickled(function, "hello"));
    Ok(text_of(&place.submit_work(work, TaskOptions::default())?.wait()?))
}

fn each_worker_is_prepared_once_before_its_first_task() -> Nothing {
    let setup = Setup { first: Some(Arc::new(pickled(&function(1, "good"), ""))), ..records() };
    let place = Registry::standard().with_setup(setup).open("processes:1?max_tasks=2")?;
    let other = function(2, "other");
    for _ in 0..4 {
        assert!(run(&place, &other)?.starts_with("prepared 1,"));
    }
    Ok(())
}

fn a_failed_preparation_breaks_the_place() -> Nothing {
    let setup = Setup { first: Some(Arc::new(pickled(&function(1, "bad"), ""))), ..records() };
    let place = Registry::standard().with_setup(setup).open("processes:1")?;
    for _ in 0..2 {
        let error = run(&place, &function(2, "other")).unwrap_err();
        assert_eq!((error.kind(), error.retry()), (Kind::WorkerLost, Retry::Safe));
        assert_eq!(error.message(), "`bad`, which prepares each worker, failed");
        assert!(format!("{error:?}").contains("this cannot be prepared"), "{error:?}");
    }
    Ok(())
}

fn a_function_is_sent_once_to_a_worker() -> Nothing {
    let place = Registry::standard().with_setup(records()).open("processes:1")?;
    let (one, two) = (function(1, "one"), function(2, "two"));
    assert_eq!(run(&place, &one)?, "prepared 0, same false, of 1");
    assert_eq!(run(&place, &one)?, "prepared 0, same true, of 1");
    assert_eq!(run(&place, &two)?, "prepared 0, same false, of 1");
    for id in 3..200 {
        run(&place, &function(id, "another"))?;
    }
    assert_eq!(run(&place, &one)?, "prepared 0, same false, of 1");
    assert_eq!(run(&place, &one)?, "prepared 0, same true, of 1");
    Ok(())
}

fn records_of_workers_reach_the_callers_log() -> Nothing {
    let (tell, told) = mpsc::channel::<Payload>();
    let on_log = OnLog(Arc::new(move |record| tell.send(record).unwrap()));
    let setup = Setup { on_log: Some(on_log), ..records() };
    let place = Registry::standard().with_setup(setup).open("processes:1")?;
    run(&place, &function(1, "log"))?;
    // It came before the reply, so it is here already.
    assert_eq!(told.try_recv().unwrap(), text("hello"));
    Ok(())
}
