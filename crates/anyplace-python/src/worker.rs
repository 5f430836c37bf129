//! The worker processes of `processes:` places: runs pickled callables, and `module:function` with JSON arguments.
//!
//! A chunk of a map takes the interpreter's lock once. Whatever a task raises is its outcome, `SystemExit` and
//! `KeyboardInterrupt` too; only what ends the process ends the worker.

use crate::call::plain as no_coroutine;
use crate::{pickle, plain};
use anyplace::work::plain::NULL;
use anyplace::work::{Encoding, Payload, PayloadRef};
use anyplace::worker::{Callee, Interpreter, Lines, Link, Order, Replies, serve, zygote};
use anyplace::{Context, Error, Kind, Remote, Retry};
use pyo3::exceptions::{PyMemoryError, PyRuntimeError};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};
use std::collections::HashMap;
use std::io;
use std::sync::{PoisonError, RwLock};

static LINK: RwLock<Option<Link>> = RwLock::new(None);

/// How a worker ends that cannot serve its place.
const NO_PLACE: i32 = 69;

/// This worker's way to its place.
fn link() -> Option<Link> {
    LINK.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Takes work from the place that started this process, until the place ends. Gives the exit code.
#[pyfunction]
pub(crate) fn worker_main(py: Python<'_>) -> i32 {
    py.detach(|| serve(Worker::new))
}

/// Makes workers by fork for the process that started this one. Gives True in each worker, and False when it ends.
///
/// `more` is called while there is nothing else to do, until it gives False.
#[pyfunction]
pub(crate) fn zygote_main(py: Python<'_>, fork: Py<PyAny>, more: Py<PyAny>) -> PyResult<bool> {
    let fork =
        || Python::attach(|py| fork.call0(py)?.extract(py)).map_err(|error: PyErr| system_error(&error));
    let more = || {
        Python::attach(|py| match more.call0(py).and_then(|more| more.extract(py)) {
            Ok(more) => more,
            Err(error) => {
                error.write_unraisable(py, None);
                false
            }
        })
    };
    Ok(py.detach(|| zygote(fork, more))?)
}

/// Forks this process; the child becomes the worker that the lines are for, and never returns.
pub(crate) fn fork(lines: Lines) -> io::Result<u32> {
    let parent = std::process::id();
    Python::attach(|py| match helper(py, "_worker", "fork")?.call0()?.extract()? {
        0 => run_forked(py, &lines, parent),
        child => Ok(child),
    })
    .map_err(|error| system_error(&error))
}

fn run_forked(py: Python<'_>, lines: &Lines, parent: u32) -> ! {
    let served = py.detach(|| lines.take(parent).map(|()| serve(Worker::new)));
    // Not the end of a program: what the caller has registered for its end is the caller's.
    let ended = helper(py, "_worker", "end_forked").and_then(|end| end.call1((served.unwrap_or(NO_PLACE),)));
    drop(ended);
    std::process::abort()
}

/// What the system said, of an `OSError`.
fn system_error(error: &PyErr) -> io::Error {
    let number = Python::attach(|py| error.value(py).getattr("errno")?.extract::<i32>());
    let text = || Python::attach(|py| error.value(py).to_string());
    number.map_or_else(|_| io::Error::other(text()), io::Error::from_raw_os_error)
}

/// Sends a log record to the caller's process.
#[pyfunction]
pub(crate) fn worker_log(py: Python<'_>, record: &[u8]) -> PyResult<()> {
    let link = link().ok_or_else(|| PyRuntimeError::new_err("this process is no worker"))?;
    let payload = Payload::new(Encoding::Pickle, record);
    Ok(py.detach(|| link.log(&payload))?)
}

/// How many cores this process may use: its affinity and its cgroup's quota count.
#[pyfunction]
pub(crate) fn usable_cores() -> usize {
    anyplace_sync::usable_cores()
}

/// Python as a worker's language.
struct Worker {
    functions: Functions,
    /// What a call returned, on its way to the replies.
    plain: Vec<u8>,
}

impl Worker {
    fn new(link: Link) -> Self {
        Python::attach(|py| {
            if let Err(error) = begin(py, &link) {
                error.write_unraisable(py, None);
            }
        });
        // A process serves one place; a fork of a worker serves another than its parent.
        *LINK.write().unwrap_or_else(PoisonError::into_inner) = Some(link);
        Self { functions: Functions::default(), plain: Vec::new() }
    }

    fn run_in(&mut self, py: Python<'_>, order: &Order<'_>, replies: &mut Replies<'_>) {
        match order.callee() {
            Callee::Pickled(id) => self.pickled(py, id, order, replies),
            Callee::Named(name) => named(py, name, order, replies),
        }
    }

    fn pickled(&mut self, py: Python<'_>, id: u64, order: &Order<'_>, replies: &mut Replies<'_>) {
        let function = self.functions.get(py, id, order);
        let plain = &mut self.plain;
        each(order, replies, |payload, replies| match &function {
            Ok(function) => call(py, function.bind(py), payload, plain, replies),
            Err(error) => {
                end_if_strict(py, error);
                Err(Failure::new(py, error.clone_ref(py), Phase::Function))
            }
        });
    }
}

/// In a strict place a call that cannot be read is the end of its worker.
fn end_if_strict(py: Python<'_>, error: &PyErr) {
    if link().is_some_and(|link| link.strict()) {
        let ended = helper(py, "_worker", "end_over").and_then(|end| end.call1((error.value(py),)));
        drop(ended);
        std::process::abort();
    }
}

fn named(py: Python<'_>, name: &str, order: &Order<'_>, replies: &mut Replies<'_>) {
    let function = order.context().enter(|| helper(py, "_worker", "find")?.call1((name,)));
    each(order, replies, |payload, replies| match &function {
        Ok(function) => call_with_json(py, function, payload, replies),
        Err(error) => Err(Failure::new(py, error.clone_ref(py), Phase::Name)),
    });
}

/// Makes this process what its place wants it to be.
fn begin(py: Python<'_>, link: &Link) -> PyResult<()> {
    let argument = PyBytes::new(py, link.argument());
    let environment = PyList::new(py, link.environment())?;
    helper(py, "_worker", "begin")?.call1((argument, environment, link.workers(), link.cores()))?;
    Ok(())
}

impl Interpreter for Worker {
    fn run(&mut self, order: &Order<'_>, replies: &mut Replies<'_>) {
        Python::attach(|py| self.run_in(py, order, replies));
    }

    fn language(&self) -> String {
        Python::attach(language)
    }
}

/// What both ends of a place must speak: pickles of functions are only good for the same minor version.
pub(crate) fn language(py: Python<'_>) -> String {
    let version = py.version_info();
    format!("python {}.{}", version.major, version.minor)
}

/// Makes all calls of an order, each in its own context. `call` tells what was returned.
fn each(
    order: &Order<'_>,
    replies: &mut Replies<'_>,
    mut call: impl FnMut(PayloadRef<'_>, &mut Replies<'_>) -> Result<(), Failure>,
) {
    let context = order.context();
    context.enter(|| {
        for (position, payload) in order.calls().enumerate() {
            replies.begin(position);
            Context::move_to(context.index + position as u64);
            if let Err(failure) = call(payload, replies) {
                replies.failed(&failure.error.on_attempt(context.attempt));
            }
        }
    });
}

/// `scratch` is where plain results are written on their way.
fn call(
    py: Python<'_>,
    function: &Bound<'_, PyAny>,
    payload: PayloadRef<'_>,
    scratch: &mut Vec<u8>,
    replies: &mut Replies<'_>,
) -> Result<(), Failure> {
    let failed = |phase| move |error| Failure::new(py, error, phase);
    let arguments = load_arguments(py, payload).map_err(|error| {
        end_if_strict(py, &error);
        Failure::new(py, error, Phase::Arguments)
    })?;
    let result = arguments.call(function).map_err(failed(Phase::Call))?;
    if let Some(number) = plain::number(&result) {
        replies.returned(Encoding::Plain, &number, &[]);
        return Ok(());
    }
    if result.is_none() {
        replies.returned(Encoding::Plain, &NULL, &[]);
        return Ok(());
    }
    scratch.clear();
    if plain::dump(&result, scratch) {
        replies.returned(Encoding::Plain, scratch, &[]);
        return Ok(());
    }
    let result = no_coroutine(result).map_err(failed(Phase::Call))?;
    let dumped = pickle::dump(result.bind(py), "dump_result").map_err(failed(Phase::Result))?;
    let payload = dumped.payload(replies.memory());
    replies.returned_payload(payload);
    Ok(())
}

/// What a function is called with.
pub(crate) enum Arguments<'py> {
    One(Bound<'py, PyAny>),
    Many(Bound<'py, PyTuple>, Option<Bound<'py, PyDict>>),
}

impl<'py> Arguments<'py> {
    pub(crate) fn call(self, function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Many(args, kwargs) => function.call(args, kwargs.as_ref()),
            Self::One(argument) => call_with_one(function, &argument),
        }
    }
}

/// Calls without making a tuple, which would cost as much as a small call.
fn call_with_one<'py>(
    function: &Bound<'py, PyAny>,
    argument: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let end = std::ptr::null_mut::<ffi::PyObject>();
    // SAFETY: all are objects, borrowed for the call, and null ends them.
    let result = unsafe { ffi::PyObject_CallFunctionObjArgs(function.as_ptr(), argument.as_ptr(), end) };
    // SAFETY: a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(function.py(), result) }
}

fn call_with_json(
    py: Python<'_>,
    function: &Bound<'_, PyAny>,
    payload: PayloadRef<'_>,
    replies: &mut Replies<'_>,
) -> Result<(), Failure> {
    let failed = |error| Failure::new(py, error, Phase::Call);
    let arguments = helper(py, "_worker", "from_json")
        .and_then(|read| Ok(read.call1((PyBytes::new(py, payload.bytes),))?.cast_into::<PyTuple>()?));
    let result = arguments.and_then(|arguments| no_coroutine(function.call1(arguments)?)).map_err(failed)?;
    let dumped = helper(py, "_worker", "to_json").and_then(|write| write.call1((result,)));
    let dumped = dumped.and_then(|dumped| Ok(dumped.cast_into::<PyBytes>()?)).map_err(failed)?;
    replies.returned(Encoding::Json, dumped.as_bytes(), &[]);
    Ok(())
}

/// A plain value that is the one argument, a tuple of arguments, or `_pickling.Arguments` if there are keywords.
pub(crate) fn load_arguments<'py>(py: Python<'py>, payload: PayloadRef<'_>) -> PyResult<Arguments<'py>> {
    if payload.encoding == Encoding::Plain {
        let loaded = plain::load(py, payload.bytes)?.cast_into_exact::<PyTuple>();
        return Ok(loaded.map_or_else(
            |error| Arguments::One(error.into_inner()),
            |arguments| Arguments::Many(arguments, None),
        ));
    }
    let loaded = pickle::load(py, payload)?;
    match loaded.cast_into::<PyTuple>() {
        Ok(args) => Ok(Arguments::Many(args, None)),
        Err(error) => {
            let arguments = error.into_inner();
            let args = arguments.getattr(intern!(py, "args"))?.cast_into()?;
            let kwargs = arguments.getattr(intern!(py, "kwargs"))?.cast_into()?;
            Ok(Arguments::Many(args, Some(kwargs)))
        }
    }
}

fn helper<'py>(py: Python<'py>, module: &str, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import(format!("anyplace.{module}"))?.getattr(name)
}

/// What was being done when Python raised.
#[derive(Clone, Copy)]
pub(crate) enum Phase {
    Function,
    Name,
    Arguments,
    Call,
    Result,
}

/// The engine's error for what Python raised.
pub(crate) fn failure(py: Python<'_>, error: PyErr, phase: Phase) -> Error {
    Failure::new(py, error, phase).error
}

/// A Python exception as the error of one call.
struct Failure {
    error: Error,
}

impl Failure {
    fn new(py: Python<'_>, error: PyErr, phase: Phase) -> Self {
        if error.is_instance_of::<PyMemoryError>(py) {
            note_the_limit(py, &error);
        }
        match describe(py, &error) {
            Ok(remote) => Self { error: phase.error(remote, crate::error::is_not_serializable(py, &error)) },
            Err(second) => Self {
                error: Error::new(Kind::Unexpected, format!("{error} (and describing it failed: {second})")),
            },
        }
    }
}

/// Tells whose limit it was, if the place has one.
fn note_the_limit(py: Python<'_>, error: &PyErr) {
    let Some(bytes) = link().and_then(|link| link.memory()) else { return };
    let note = format!("each worker of this place may use {bytes} bytes of memory: `memory` in its address");
    // Without its note the error still tells what happened.
    drop(error.value(py).call_method1("add_note", (note,)));
}

impl Phase {
    fn error(self, remote: Remote, is_pickling: bool) -> Error {
        let what = format!("{}: {}", remote.type_name, remote.message);
        let (kind, message) = match self {
            Self::Function | Self::Arguments | Self::Result if is_pickling => {
                (Kind::NotSerializable, remote.message.clone())
            }
            Self::Function => (Kind::NotSerializable, format!("the worker cannot load the function: {what}")),
            Self::Name => (Kind::NotFound, format!("the worker cannot find the function: {what}")),
            Self::Arguments => {
                (Kind::NotSerializable, format!("the worker cannot read the arguments: {what}"))
            }
            Self::Call | Self::Result => (Kind::TaskFailed, what),
        };
        let retry = if matches!(self, Self::Call | Self::Result) { Retry::MayRepeat } else { Retry::Safe };
        Error::new(kind, message).with_retry(retry).with_remote(remote)
    }
}

fn describe(py: Python<'_>, error: &PyErr) -> PyResult<Remote> {
    let (type_name, message, traceback, payload): (String, String, String, Vec<u8>) =
        helper(py, "_remote", "describe")?.call1((error.clone_ref(py).into_value(py),))?.extract()?;
    Ok(Remote { type_name, message, traceback, payload: Some(payload) })
}

/// Functions as loaded, by the hash of their bytes: the least recently used goes when there are many, since each
/// call of a lambda may bring a new one.
#[derive(Default)]
struct Functions {
    loaded: HashMap<u64, (Py<PyAny>, u64)>,
    uses: u64,
}

impl Functions {
    const MOST: usize = 256;

    fn get(&mut self, py: Python<'_>, id: u64, order: &Order<'_>) -> PyResult<Py<PyAny>> {
        self.uses += 1;
        if let Some((function, used)) = self.loaded.get_mut(&id) {
            *used = self.uses;
            return Ok(function.clone_ref(py));
        }
        let function = order.function(id).map_err(|error| crate::error::to_python(py, &error))?;
        let data = PyBytes::new(py, &function.bytes);
        let load = || helper(py, "_pickling", "load_function")?.call1((data,))?.extract();
        let (loaded, was_reloaded): (Py<PyAny>, bool) = order.context().enter(load)?;
        if was_reloaded {
            // What was loaded before may be of the modules' old code.
            self.loaded.clear();
        }
        self.make_room();
        self.loaded.insert(id, (loaded.clone_ref(py), self.uses));
        Ok(loaded)
    }

    fn make_room(&mut self) {
        if self.loaded.len() < Self::MOST {
            return;
        }
        let oldest = self.loaded.iter().min_by_key(|(_, (_, used))| *used).map(|(id, _)| *id);
        if let Some(id) = oldest {
            self.loaded.remove(&id);
        }
    }
}
