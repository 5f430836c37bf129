//! What the user opens, uses and closes.

use crate::closing::{self, Closing};
use crate::first::First;
use crate::future::{Class, Future};
use crate::item::{self, Inputs};
use crate::making::Making;
use crate::map::{Map, Wanted};
use crate::objects::Serving;
use crate::offer::{Offer, terms};
use crate::pickled::Parts;
use crate::setup::setup;
use crate::{door, error, fork, progress, share, wrapped};
use anyplace::layers::Timeout;
use anyplace::{Address, Registry, TaskOptions};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// The part of ``anyplace.Place`` that the engine does: an open place, and what the caller wants of each call.
#[pyclass(subclass, frozen, module = "anyplace._core", weakref)]
pub(crate) struct Place {
    place: anyplace::Place,
    options: TaskOptions,
    futures: &'static Class,
    open: Arc<Open>,
}

/// What all views of a place share. The place is closed when the last one goes.
struct Open {
    making: Arc<Making>,
    number: u64,
    generation: usize,
}

/// The place to be seen, and the name, `idempotent` and the seconds of each call.
type View<'py> = (Bound<'py, Place>, Option<String>, bool, Option<f64>);

#[pymethods]
impl Place {
    #[new]
    #[pyo3(signature = (address, *, workers=None, initializer=None, initargs=None, seed=None, progress=None, strict=false, executor=None, view=None))]
    #[allow(clippy::too_many_arguments, reason = "these are what `anyplace.open` takes")]
    fn new(
        py: Python<'_>,
        address: &str,
        workers: Option<usize>,
        initializer: Option<Py<PyAny>>,
        initargs: Option<Bound<'_, PyTuple>>,
        seed: Option<u64>,
        progress: Option<Py<PyAny>>,
        strict: bool,
        executor: Option<Py<PyAny>>,
        view: Option<View<'_>>,
    ) -> PyResult<Self> {
        if let Some((place, name, idempotent, timeout)) = view {
            return place.get().view(py, name, idempotent, timeout);
        }
        if let Some(executor) = executor {
            return Self::wrapping(py, executor, address, workers.unwrap_or(1), seed);
        }
        let parsed = located(address, workers, seed, strict).map_err(|error| error::to_python(py, &error))?;
        let initargs = initargs.unwrap_or_else(|| PyTuple::empty(py)).unbind();
        let (setup, cannot_travel) = setup(py, initializer.as_ref().map(|function| (function, &initargs)))?;
        let first = initializer.map(|function| First::new(function, initargs));
        let registry = Registry::standard().with_setup(setup);
        let open = || match progress {
            Some(callback) => registry.open(parsed)?.with(progress::layer(callback)),
            None => registry.open(parsed),
        };
        let place = door::pass(py, open).map_err(|error| error::to_python(py, &error))?;
        let making = Making::of(py, &place, first)?;
        if matches!(making, Making::Pickles(_)) {
            cannot_travel.map_or(Ok(()), Err)?;
        }
        Self::made(py, place, making)
    }

    /// Runs a callable in the place.
    ///
    /// Parameters
    /// ----------
    /// fn : callable
    ///     What to call; in ``async:`` places an ``async`` function.
    /// *args, **kwargs
    ///     What to call it with.
    ///
    /// Returns
    /// -------
    /// Future
    ///     A ``concurrent.futures.Future`` that can be awaited, too.
    ///
    /// Raises
    /// ------
    /// PlaceClosed
    ///     If the place is closed.
    /// Unsupported
    ///     If the place does not run such a callable.
    ///
    /// Examples
    /// --------
    /// >>> import anyplace
    /// >>> with anyplace.open("threads:2") as place:
    /// ...     place.submit(pow, 2, 10).result()
    /// 1024
    #[pyo3(signature = (*args, **kwargs), text_signature = "($self, fn, /, *args, **kwargs)")]
    fn submit<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if args.is_empty() {
            return Err(PyTypeError::new_err("submit() missing 1 required positional argument: 'fn'"));
        }
        self.usable(py)?;
        let work = match self.open.making.one(py, args, kwargs, self.repeats()) {
            Ok(work) => work,
            // What cannot travel is the failure of this task.
            Err(error) if error::is_not_serializable(py, &error) => {
                return Future::failed(self.futures, py, error);
            }
            Err(error) => return Err(error),
        };
        match self.place.submit_work(work, self.options.clone()) {
            Ok(handle) => Future::make(self.futures, py, handle, self.strict()),
            Err(error) => Err(error::to_python(py, &error)),
        }
    }

    /// Starts a map; ``map`` and ``starmap`` of the Python part call it.
    #[pyo3(signature = (function, iterables, *, star, timeout, chunksize, ordered, buffersize))]
    #[allow(
        clippy::too_many_arguments,
        reason = "these are what the standard library's `map` takes, and two more"
    )]
    fn _map(
        &self,
        py: Python<'_>,
        function: Py<PyAny>,
        iterables: Vec<Bound<'_, PyAny>>,
        star: bool,
        timeout: Option<f64>,
        chunksize: Option<isize>,
        ordered: bool,
        buffersize: Option<usize>,
    ) -> PyResult<Map> {
        self.usable(py)?;
        let at_most = item::at_most(&iterables);
        let inputs = Inputs::new(&iterables, star)?;
        let prepared = self.open.making.prepare(py, function, self.repeats())?;
        let wanted = Wanted { timeout, chunksize, ordered, buffersize };
        let mut flow = self.place.flow();
        // At least none: a list may become shorter while it is read.
        flow.expect((0, at_most));
        flow.options = self.options.clone();
        Map::start(py, flow, self.open.making.clone(), prepared, inputs, &wanted, self.strict())
    }

    /// The parts of a value where workers find them; None where tasks run in this process. ``put`` calls it.
    fn _put<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Option<Parts<'py>>> {
        self.usable(value.py())?;
        self.open.making.put(value)
    }

    /// The objects and names of the place. ``create`` and the like of the Python part call it.
    fn _serving(&self, py: Python<'_>) -> PyResult<Serving> {
        Serving::new(&self.place).map_err(|error| error::to_python(py, &error))
    }

    /// What the place's shared objects tell of those who use them. ``why`` of the Python part calls it.
    fn _why<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let why = door::pass(py, || self.place.why());
        share::why::parts(py, &why)
    }

    /// The place's address, with its defaults filled in and without its layers.
    #[getter]
    fn address(&self) -> String {
        self.place.address().to_string()
    }

    /// The root of all seeds; open a place with it to see the same random numbers again.
    #[getter]
    fn seed(&self) -> u64 {
        self.place.seed()
    }

    /// The names of the layers, outermost first.
    #[getter]
    fn layers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.place.layers().collect::<Vec<_>>())
    }

    /// How many tasks run at once; 0 if the caller itself runs them.
    #[getter]
    fn workers(&self) -> usize {
        self.place.limits().workers
    }

    /// Whether calls travel to other processes, as pickles.
    #[getter]
    fn _pickles(&self) -> bool {
        matches!(*self.open.making, Making::Pickles(_))
    }

    /// Whether the place takes no more tasks.
    #[getter]
    fn closed(&self) -> bool {
        self.place.is_closed()
    }

    /// Closes the place.
    ///
    /// Parameters
    /// ----------
    /// wait : bool, default True
    ///     Wait until every accepted task has ended and all that the place started is gone.
    /// cancel_futures : bool, default False
    ///     Cancel the tasks that have not begun.
    #[pyo3(signature = (wait=true, *, cancel_futures=false))]
    fn shutdown(&self, py: Python<'_>, wait: bool, cancel_futures: bool) -> PyResult<()> {
        self.leave(py, Duration::MAX, wait, cancel_futures)
    }

    /// Closes the place: waits until every accepted task has ended and all that the place started is gone.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.leave(py, Duration::MAX, true, false)
    }

    /// Offers the place to other processes and machines.
    ///
    /// Parameters
    /// ----------
    /// address : str
    ///     Where to listen: ``unix:/path`` for processes of the same user, ``tcp://host:port`` for all who have the
    ///     ticket in the offer's address, or a key that is known here; port 0 is any free one.
    /// scope : str, default "run,share"
    ///     What the ticket's holder may do: ``status``, ``run``, ``share`` or ``admin``, with commas between them.
    /// expires : float, optional
    ///     Seconds that the ticket is good; for ever unless it is given.
    /// once : bool, default False
    ///     The ticket is good for the first who comes.
    /// ticket : bool, default True
    ///     Without one, only those are let in whose keys are known here.
    /// limits : dict, optional
    ///     What one client may have at most: ``arrays``, ``message`` and ``untaken`` are bytes; ``shared``, ``sessions``,
    ///     ``names``, ``objects`` and ``calls`` are numbers. Processes of the same user are not limited.
    ///
    /// Returns
    /// -------
    /// Offer
    ///     With the address by which others open the place.
    ///
    /// Raises
    /// ------
    /// ConfigInvalid
    ///     If it is no address to listen at, or no limit.
    /// ResourceExhausted
    ///     If somebody listens there already.
    #[allow(clippy::too_many_arguments, reason = "each is a keyword")]
    #[pyo3(signature = (address, *, scope="run,share", expires=None, once=false, ticket=true, limits=None))]
    fn offer(
        &self,
        py: Python<'_>,
        address: &str,
        scope: &str,
        expires: Option<f64>,
        once: bool,
        ticket: bool,
        limits: Option<HashMap<String, usize>>,
    ) -> PyResult<Offer> {
        self.usable(py)?;
        Offer::open(py, &self.place, address, terms(scope, expires, once, ticket, limits))
    }

    /// Cancels what has not begun and ends what runs, where the place can.
    fn _abort(&self, py: Python<'_>) -> PyResult<()> {
        self.leave(py, Duration::ZERO, true, true)
    }

    fn __repr__(&self) -> String {
        let state = if self.place.is_closed() { "closed" } else { "open" };
        let layers: String = self.place.layers().map(|name| format!("{name}::")).collect();
        format!("<anyplace.Place {layers}{} {state}>", self.place.address())
    }
}

impl Place {
    /// The engine's own.
    pub(crate) fn engine(&self) -> &anyplace::Place {
        &self.place
    }

    /// How calls become its work.
    pub(crate) fn making(&self) -> &Arc<Making> {
        &self.open.making
    }

    fn wrapping(
        py: Python<'_>,
        executor: Py<PyAny>,
        name: &str,
        workers: usize,
        seed: Option<u64>,
    ) -> PyResult<Self> {
        let made =
            wrapped::driver(name, workers).and_then(|driver| anyplace::Place::new(driver, Vec::new(), seed));
        Self::made(py, made.map_err(|error| error::to_python(py, &error))?, Making::Handed(executor))
    }

    fn made(py: Python<'_>, place: anyplace::Place, making: Making) -> PyResult<Self> {
        let making = Arc::new(making);
        let number = closing::register(place.clone(), making.clone());
        let open = Arc::new(Open { making, number, generation: fork::generation() });
        Ok(Self { place, options: TaskOptions::default(), futures: Class::get(py)?, open })
    }

    /// The same place with more wishes for each call.
    fn view(
        &self,
        py: Python<'_>,
        name: Option<String>,
        idempotent: bool,
        timeout: Option<f64>,
    ) -> PyResult<Self> {
        let mut place = self.place.clone();
        if let Some(seconds) = timeout {
            let limit = limit(seconds)?;
            place = place.with(Timeout::after(limit)).map_err(|error| error::to_python(py, &error))?;
        }
        let mut options = self.options.clone();
        options.name = name.map(Arc::from).or(options.name);
        options.idempotent |= idempotent;
        Ok(Self { place, options, futures: self.futures, open: self.open.clone() })
    }

    fn usable(&self, py: Python<'_>) -> PyResult<()> {
        if self.open.is_left_behind() {
            return Err(error::to_python(py, &fork::error(&self.place)));
        }
        self.open.making.check(py)
    }

    /// The place, if a result that cannot be read breaks it.
    fn strict(&self) -> Option<anyplace::Place> {
        self.place.limits().strict.then(|| self.place.clone())
    }

    /// Whether a call may be made more than once: after a failure, or after a crash in the middle.
    fn repeats(&self) -> bool {
        self.options.idempotent || self.place.layers().any(|layer| layer == "retry")
    }

    fn leave(&self, py: Python<'_>, grace: Duration, wait: bool, cancel: bool) -> PyResult<()> {
        if self.open.is_left_behind() {
            return Ok(());
        }
        if cancel {
            self.place.refuse();
            door::pass(py, || self.place.cancel());
        }
        let closing: Option<Arc<Closing>> = closing::start(self.open.number, grace);
        closing.filter(|_| wait).map_or(Ok(()), |closing| closing.wait(py))
    }
}

impl Open {
    /// Whether this is the child of a fork, and the place stayed with the parent.
    fn is_left_behind(&self) -> bool {
        self.generation != fork::generation()
    }
}

impl Drop for Open {
    /// Nobody can submit any more: the place is closed by a thread of its own, since a collector must not wait.
    fn drop(&mut self) {
        if !self.is_left_behind() {
            drop(closing::start(self.number, Duration::MAX));
        }
    }
}

pub(crate) fn limit(seconds: f64) -> PyResult<Duration> {
    let limit = Duration::try_from_secs_f64(seconds).ok().filter(|limit| !limit.is_zero());
    limit.ok_or_else(|| PyValueError::new_err("timeout must be a number of seconds above 0"))
}

fn located(
    address: &str,
    workers: Option<usize>,
    seed: Option<u64>,
    strict: bool,
) -> anyplace::Result<Address> {
    let mut parsed: Address = address.parse()?;
    if let Some(workers) = workers {
        parsed = parsed.with_target(workers.to_string());
    }
    if let Some(seed) = seed {
        parsed = parsed.with_option("seed", seed.to_string());
    }
    if strict {
        parsed = parsed.with_option("strict", "true");
    }
    Ok(parsed)
}
