//! What the user opens, uses and closes.

mod objects;
mod scope;
mod share;

pub(crate) use scope::Scope;

use crate::address::Address;
use crate::driver::{Driver, Family, Layer, Limits, Memory, Setup, Tasks};
use crate::error::{Error, Kind, Result};
use crate::function::{ByFuture, Function, Futures};
use crate::handle::Handle;
use crate::layers;
use crate::map::{Flow, Map};
use crate::outcome::{Done, Value};
use crate::task::{Task, TaskOptions};
use crate::work::{Work, WorkKind};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A place: opened by its address, used, closed. Clones are the same place.
///
/// Dropping the last clone closes it: tasks that were accepted still end, each with its outcome.
///
/// ```
/// let place = anyplace::open("threads:4")?;
/// let squares: Vec<u64> = place.map(|n: u64| n * n, 1..=4)?.collect::<Result<_, _>>()?;
/// assert_eq!(squares, [1, 4, 9, 16]);
/// place.close()?;
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone)]
pub struct Place(Arc<Inner>);

struct Inner {
    driver: Arc<dyn Driver>,
    limits: Limits,
    layers: Vec<Arc<dyn Layer>>,
    tasks: Result<Arc<dyn Tasks>>,
    scope: Arc<Scope>,
    setup: Setup,
}

impl Place {
    /// Makes a place of a driver, with layers around it, outermost first.
    ///
    /// # Errors
    /// `ConfigInvalid` when the layers' order would not do what it says.
    pub fn new(driver: Arc<dyn Driver>, layers: Vec<Arc<dyn Layer>>, seed: Option<u64>) -> Result<Self> {
        Self::set_up(driver, layers, seed, &Setup::default())
    }

    /// As [`new`](Self::new), of a place that was opened with this setup.
    pub(crate) fn set_up(
        driver: Arc<dyn Driver>,
        layers: Vec<Arc<dyn Layer>>,
        seed: Option<u64>,
        setup: &Setup,
    ) -> Result<Self> {
        let scope = Arc::new(Scope::new(driver.address().to_string(), seed.unwrap_or_else(fresh_seed)));
        Self::fold(driver, layers, scope, setup.clone())
    }

    fn fold(
        driver: Arc<dyn Driver>,
        layers: Vec<Arc<dyn Layer>>,
        scope: Arc<Scope>,
        setup: Setup,
    ) -> Result<Self> {
        layers::check_order(&layers)?;
        scope.watch(&layers);
        let limits = driver.limits();
        let inner = driver.tasks();
        let tasks =
            inner.map(|tasks| layers.iter().rev().fold(tasks, |inner, layer| layer.wrap(inner, &limits)));
        Ok(Self(Arc::new(Inner { driver, limits, layers, tasks, scope, setup })))
    }

    /// The same open place with one more layer around it.
    ///
    /// # Errors
    /// `ConfigInvalid` when the layers' order would not do what it says.
    ///
    /// ```
    /// use anyplace::layers::Retry;
    /// let place = anyplace::open("threads:2")?.with(Retry::times(3))?;
    /// assert_eq!(place.submit(|n: u64| n + 1, 1)?.wait()?, 2);
    /// # Ok::<(), anyplace::Error>(())
    /// ```
    pub fn with(self, layer: impl Layer + 'static) -> Result<Self> {
        let inner = &*self.0;
        let layer: Arc<dyn Layer> = Arc::new(layer);
        let layers = [layer].into_iter().chain(inner.layers.iter().cloned()).collect();
        let place = Self::fold(inner.driver.clone(), layers, inner.scope.clone(), inner.setup.clone())?;
        inner.scope.hand_over();
        Ok(place)
    }

    /// The place's address, without its layers.
    pub fn address(&self) -> &Address {
        self.0.driver.address()
    }

    /// What is true of the place.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The names of its layers, outermost first.
    pub fn layers(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.layers.iter().map(|layer| layer.name())
    }

    /// The root of all seeds; give it as `?seed=` to see the same random numbers again.
    pub fn seed(&self) -> u64 {
        self.0.scope.seed
    }

    /// Where large values are put so that the place's workers read them without a copy, if there is such memory.
    pub fn memory(&self) -> Option<Arc<dyn Memory>> {
        self.0.driver.memory()
    }

    /// Runs `function` with `input` in the place.
    ///
    /// `function` is a closure where the place runs closures (`inline:`, `threads:`), or a `#[anyplace::task]`
    /// function anywhere. A function of several arguments takes a tuple.
    ///
    /// # Errors
    /// `PlaceClosed`; `Unsupported` if the place does not take such work; `NotSerializable`. All before anything ran.
    pub fn submit<F, T, M>(&self, function: F, input: T) -> Result<Handle<F::Output>>
    where
        F: Function<T, M>,
    {
        let work = Arc::new(function).work(input, &self.0.limits)?;
        Ok(Handle::new(self.send(work, TaskOptions::default())?, F::decode))
    }

    /// Runs a closure that may move what it holds, once: it cannot be retried.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub fn call<R: Send + 'static>(&self, closure: impl FnOnce() -> R + Send + 'static) -> Result<Handle<R>> {
        let work = crate::function::once(closure);
        Ok(Handle::new(self.send(work, TaskOptions::default())?, crate::function::local))
    }

    /// Runs a future in the place, such as `async:100`.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    ///
    /// ```
    /// let place = anyplace::open("async:100")?;
    /// let handle = place.spawn(async { 6 * 7 })?;
    /// assert_eq!(handle.wait()?, 42);
    /// # Ok::<(), anyplace::Error>(())
    /// ```
    pub fn spawn<R>(&self, future: impl Future<Output = R> + Send + 'static) -> Result<Handle<R>>
    where
        R: Send + 'static,
    {
        let work = crate::function::future(future);
        Ok(Handle::new(self.send(work, TaskOptions::default())?, crate::function::local))
    }

    /// Runs `function` on every input, lazily: at most twice the workers plus one chunks are ahead of the results
    /// taken, so endless inputs work; where the inputs are known to end, short chunks of a fixed size may be ahead by 2 ms of
    /// work. Results come in the inputs' order unless [`Map::unordered`].
    ///
    /// # Errors
    /// As [`submit`](Self::submit); what happens to an item comes where the item stands.
    pub fn map<F, T, M, I>(&self, function: F, inputs: I) -> Result<Map<I::IntoIter, F, T, M>>
    where
        F: Function<T, M>,
        I: IntoIterator<Item = T>,
    {
        self.check_open()?;
        Ok(Map::new(self.flow(), function, inputs.into_iter()))
    }

    /// Awaits what `function` gives for every input, in a place such as `async:100`: at most that many at once,
    /// lazily, in the inputs' order unless [`Map::unordered`].
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    ///
    /// ```
    /// let place = anyplace::open("async:100")?;
    /// let lengths = place.map_async(|word: &'static str| async move { word.len() }, ["one", "three"])?;
    /// assert_eq!(lengths.collect::<Result<Vec<_>, _>>()?, [3, 5]);
    /// # Ok::<(), anyplace::Error>(())
    /// ```
    pub fn map_async<F, T, I>(
        &self,
        function: F,
        inputs: I,
    ) -> Result<Map<I::IntoIter, Futures<F>, T, ByFuture>>
    where
        Futures<F>: Function<T, ByFuture>,
        I: IntoIterator<Item = T>,
    {
        self.map(Futures(function), inputs)
    }

    /// Submits work of any kind: what the typed methods and the other faces stand on.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub fn submit_work(&self, work: Work, options: TaskOptions) -> Result<Handle<Value>> {
        Ok(Handle::new(self.send(work, options)?, Ok))
    }

    /// Starts a map whose chunks the caller makes: what [`map`](Self::map) and the other faces stand on.
    pub fn flow(&self) -> Flow {
        // Futures wait side by side, so each is a task of its own.
        let waits = self.0.limits.takes == [WorkKind::Future];
        let per_item = waits || self.0.layers.iter().any(|layer| layer.is_per_item());
        Flow::new(self.clone(), self.0.scope.next_task(), per_item)
    }

    fn send(&self, work: Work, options: TaskOptions) -> Result<Arc<crate::task::Shared>> {
        let task = self.task(self.0.scope.next_task(), 0, 1, work, options)?;
        let shared = task.shared.clone();
        self.tasks()?.submit(task, Done::settle(shared.clone()));
        Ok(shared)
    }

    pub(crate) fn task(
        &self,
        id: u64,
        index: u64,
        items: u32,
        work: Work,
        options: TaskOptions,
    ) -> Result<Task> {
        self.check_open()?;
        self.check_whole()?;
        self.check_takes(work.kind())?;
        Ok(Task::new(id, index, items, work, options, self.0.scope.clone()))
    }

    pub(crate) fn tasks(&self) -> Result<&Arc<dyn Tasks>> {
        self.0.tasks.as_ref().map_err(Clone::clone)
    }

    /// Whether it takes such work now.
    pub(crate) fn check(&self, kind: WorkKind) -> Result<()> {
        self.check_open()?;
        self.check_whole()?;
        self.check_takes(kind)
    }

    /// The language that its workers speak, such as `rust` or `python 3.12`.
    pub(crate) fn language(&self) -> &str {
        self.0.setup.language.as_deref().unwrap_or("rust")
    }

    /// Where the keys of its user are.
    pub(crate) fn keys_folder(&self) -> Option<std::path::PathBuf> {
        self.0.setup.keys.clone()
    }

    /// What it can do.
    pub(crate) fn families(&self) -> Vec<Family> {
        let driver = &self.0.driver;
        let has = |family: &Family| match family {
            Family::Tasks => driver.tasks().is_ok(),
            Family::Share => driver.share().is_ok(),
            Family::Serve => driver.serve().is_ok(),
            Family::Ranks | Family::Arrays => false,
        };
        Family::ALL.into_iter().filter(has).collect()
    }

    /// The caller cannot read what a task returned, for the reason given. Where that breaks the place for ever (see
    /// [`Limits::strict`]) it does, and this gives the error to tell instead.
    pub fn reject(&self, unreadable: Error) -> Option<Error> {
        self.0.driver.reject(unreadable)
    }

    pub(crate) fn within(&self, error: Error) -> Error {
        error.within(&self.0.scope.place, "run")
    }

    fn check_open(&self) -> Result<()> {
        if !self.0.scope.is_closed() {
            return Ok(());
        }
        Err(Error::new(Kind::PlaceClosed, format!("`{}` is closed", self.address()))
            .at(self.address())
            .during("submit")
            .with_retry(crate::Retry::Safe)
            .with_help("submit before it is closed, or open it again"))
    }

    fn check_whole(&self) -> Result<()> {
        self.0
            .driver
            .broken()
            .map_or(Ok(()), |error| Err(error.during("submit").with_retry(crate::Retry::Safe)))
    }

    fn check_takes(&self, kind: WorkKind) -> Result<()> {
        if self.0.limits.takes(kind) {
            return Ok(());
        }
        let operation = "submit";
        let message = format!("`{}` does not run {}", self.address(), kind.name());
        Err(Error::new(Kind::Unsupported, message).at(self.address()).during(operation).with_help(
            match kind {
                WorkKind::Closure => {
                    "mark the function `#[anyplace::task]` and pass it by name, or open `threads:`"
                }
                WorkKind::Future => "open `async:1000` for futures and coroutines",
                WorkKind::Named | WorkKind::Pickled | WorkKind::Command => "open `processes:`",
            },
        ))
    }

    /// Closes the place: it takes no more tasks, and returns when every accepted one has its outcome and all that
    /// the place started is gone.
    ///
    /// # Errors
    /// What could not be ended; `Unsupported` in a task of the place itself, which would wait for its own end.
    pub fn close(&self) -> Result<()> {
        self.close_within(Duration::MAX)
    }

    /// As [`close`](Self::close), but after `grace` tasks that have not begun are cancelled, and running ones are
    /// ended where the place can do that.
    ///
    /// # Errors
    /// As [`close`](Self::close).
    pub fn close_within(&self, grace: Duration) -> Result<()> {
        let scope = &self.0.scope;
        if scope.runs_here() {
            return Err(self.own_task_closes());
        }
        scope.close();
        self.0.driver.attend();
        if !scope.wait_idle(grace) {
            self.cancel();
        }
        let closed = self.0.driver.close(Duration::ZERO);
        scope.release_layers();
        closed
    }

    fn own_task_closes(&self) -> Error {
        let message =
            format!("a task of `{}` cannot close it: it would wait for its own end", self.address());
        Error::new(Kind::Unsupported, message)
            .at(self.address())
            .during("close")
            .with_help("let whoever opened it close it; `Place::refuse` takes no more tasks without waiting")
    }

    /// Takes no more tasks, without waiting for those accepted.
    pub fn refuse(&self) {
        self.0.scope.close();
    }

    /// Cancels every task that has not begun: they have their outcomes when this returns.
    pub fn cancel(&self) {
        self.0.scope.cancel();
        self.0.driver.cancel();
    }

    /// Whether the place takes no more tasks.
    pub fn is_closed(&self) -> bool {
        self.0.scope.is_closed()
    }

    /// How many accepted tasks have no outcome yet.
    pub fn unfinished(&self) -> usize {
        self.0.driver.attend();
        self.0.scope.live()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Another place folded from the same driver goes on with it.
        if !self.scope.is_last() {
            return;
        }
        let (scope, driver) = (self.scope.clone(), self.driver.clone());
        let close = move || {
            scope.close();
            driver.attend();
            scope.wait_idle(Duration::MAX);
            // Nobody is left to hear of it.
            drop(driver.close(Duration::ZERO));
            scope.release_layers();
        };
        if crate::context::is_within_engine() {
            // Waiting here would wait for the task that drops it, so another thread does.
            drop(std::thread::spawn(close));
        } else {
            close();
        }
    }
}

/// A root seed that no two places share: the clock and the address of a fresh allocation, mixed.
fn fresh_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::time::SystemTime::now())
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Place({}{})",
            self.layers().map(|name| format!("{name}::")).collect::<String>(),
            self.address()
        )
    }
}
