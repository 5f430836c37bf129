//! A client's tasks, in the place that is offered.

use super::functions::Functions;
use crate::error::{Error, Kind as Wrong, Result, Retry};
use crate::outcome::{Done, Outcome};
use crate::peer::{Absence, Peer, Traffic};
use crate::place::{Place, Scope};
use crate::task::{Control, Ending, Task};
use crate::wire::peer::tasks::{self as messages, Fate, Run, Told, Wanted};
use crate::wire::{Frame, Kind, Malformed, read_function};
use crate::work::{Pickled, Work, WorkKind};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// No client has more tasks here at once; so it cannot have missed how more than these ended.
pub(crate) const MOST: usize = 4096;

/// What was ended has so long to end.
const ENDING: Duration = Duration::from_secs(5);

pub(super) struct Tasks {
    place: Place,
    /// Whether what was said is kept until the client has heard it.
    keeps: bool,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Whom to tell; nobody while the client is away.
    peer: Option<Peer>,
    functions: Functions,
    running: HashMap<u64, Running>,
    /// Ended, and told; perhaps in vain.
    told: VecDeque<u64>,
    /// Ended, and not told yet, or told and to be told again if that was in vain: how, as frames.
    kept: BTreeMap<u64, Vec<u8>>,
    /// So many ends are being told now.
    telling: usize,
    /// The client's place, by its seed.
    scope: Option<Arc<Scope>>,
    is_refusing: bool,
}

struct Running {
    control: Control,
    /// It is ended since its client is gone.
    is_orphan: bool,
}

impl Tasks {
    /// For a client whose work goes on while it is away, if it `keeps`.
    pub(super) fn new(place: &Place, keeps: bool) -> Arc<Self> {
        Arc::new(Self { place: place.clone(), keeps, state: Mutex::default(), changed: Condvar::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of others runs under this lock, so a poisoned one is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(self: &Arc<Self>, run: Run) -> Result<(), Malformed> {
        let Run { number, is_measured, items, context, options, work } = run;
        let work = match work {
            Told::Work(work) => work,
            Told::Defined(id, arguments) => {
                let function =
                    self.state().functions.find(id).ok_or(Malformed("a callable that was defined"))?;
                Work::Pickled(Pickled { function, arguments })
            }
        };
        let scope = self.scope(context.root_seed);
        let mut task = Task::new(context.task, context.index, items, work, options, scope);
        task.attempt = context.attempt;
        if is_measured {
            task.shared.measure();
        }
        if self.state().holds() >= MOST {
            return Err(Malformed("a task of a client that has as many as it may"));
        }
        let refusal = self.note(number, task.control()).and_then(|()| self.check(task.work.kind()));
        let tasks = self.clone();
        let done = Done::new(move |outcome| tasks.ended(number, outcome));
        match refusal.and_then(|()| self.place.tasks()) {
            Ok(place) => place.submit(task, done),
            Err(error) => done.call(Outcome::from(error)),
        }
        Ok(())
    }

    fn check(&self, kind: WorkKind) -> Result<()> {
        self.place.check(kind)?;
        let theirs = self.state().peer.as_ref().map(|peer| peer.greeting().language.clone());
        match theirs.filter(|theirs| kind == WorkKind::Pickled && theirs != self.place.language()) {
            Some(theirs) => Err(another_language(&theirs, self.place.language())),
            None => Ok(()),
        }
    }

    /// What the client's tasks have in common: its place's seed, so that they see the same chance as there.
    fn scope(&self, seed: u64) -> Arc<Scope> {
        let mut state = self.state();
        let known = state.scope.clone().filter(|scope| scope.seed == seed);
        known.unwrap_or_else(|| {
            let scope = Arc::new(Scope::new(self.place.address().to_string(), seed));
            state.scope = Some(scope.clone());
            scope
        })
    }

    fn note(&self, number: u64, control: Control) -> Result<()> {
        let mut state = self.state();
        state.running.insert(number, Running { control, is_orphan: false });
        if state.is_refusing { Err(too_late()) } else { Ok(()) }
    }

    /// A task has ended: the client is told, now or when it is back.
    fn ended(&self, number: u64, outcome: Outcome) {
        let Some((took, is_orphan)) = self.state().running.get(&number).map(Running::so_far) else { return };
        match if is_orphan { orphaned(outcome) } else { Some(outcome) } {
            Some(outcome) => messages::ended(number, took, outcome, |frame| self.tell(number, frame)),
            None => self.forget(number),
        }
    }

    /// It is as if the task had never come.
    fn forget(&self, number: u64) {
        self.state().running.remove(&number);
        self.changed.notify_all();
    }

    /// Tells that a task has ended. At any moment it runs, or is told, or is kept to be told, or was never begun.
    fn tell(&self, number: u64, frame: Frame<'_>) {
        let mut state = self.state();
        if state.running.remove(&number).is_none() {
            return;
        }
        let peer = state.peer.clone();
        let kept = match (&peer, self.keeps) {
            (Some(_), false) => {
                state.tell(number);
                None
            }
            _ => Some(frame.to_vec()),
        };
        state.kept.extend(kept.iter().map(|bytes| (number, bytes.clone())));
        state.telling += 1;
        drop(state);
        if let Some(peer) = peer {
            // If the client is gone by then, it asks when it is back.
            drop(match kept {
                Some(bytes) => peer.send(Frame::joined(bytes)),
                None => peer.send(frame),
            });
        }
        self.state().telling -= 1;
        self.changed.notify_all();
    }

    fn end_one(&self, number: u64, wanted: Wanted) {
        let control = self.state().running.get(&number).map(|running| running.control.clone());
        let Some(control) = control else { return };
        if control.cancel() {
            // Its driver tells so when its turn would have come, and nobody wants to wait for that.
            self.ended(number, Outcome::cancelled());
        } else if let Wanted::Ended(ending) = wanted {
            control.kill(ending);
        }
    }

    /// The client is back, and asks what became of these.
    fn resume(&self, peer: &Peer, question: u64, numbers: &[u64]) {
        let mut state = self.state();
        let fates: Vec<u8> = numbers.iter().map(|number| state.fate(*number) as u8).collect();
        let mut kept: Vec<_> = numbers.iter().filter_map(|number| state.kept.get(number).cloned()).collect();
        if !self.keeps {
            std::mem::take(&mut state.kept).into_keys().for_each(|number| state.tell(number));
        }
        drop(state);
        // If the client is gone again, it will ask again.
        drop(peer.answer(question, Ok(&fates)));
        kept.drain(..).for_each(|frame| drop(peer.send(Frame::joined(frame))));
    }

    /// Ends these; those that had not begun are forgotten.
    fn end_all(&self, running: Vec<(u64, Control)>) {
        for (number, control) in running {
            if control.cancel() {
                self.forget(number);
            } else {
                control.kill(Ending::Cancelled);
            }
        }
        self.changed.notify_all();
    }

    pub(super) fn refuse(&self) {
        self.state().is_refusing = true;
    }

    /// Waits until all have ended; those that have not by `until` are ended.
    pub(super) fn finish(&self, until: Option<Instant>) {
        if self.wait_idle(until) {
            return;
        }
        let numbers: Vec<u64> = self.state().running.keys().copied().collect();
        numbers.into_iter().for_each(|number| self.end_one(number, Wanted::Ended(Ending::Cancelled)));
        self.wait_idle(Some(Instant::now() + ENDING));
    }

    fn wait_idle(&self, until: Option<Instant>) -> bool {
        let mut state = self.state();
        while !state.running.is_empty() || state.telling > 0 {
            let left = until.map_or(ENDING, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Traffic for Tasks {
    fn family(&self) -> crate::driver::Family {
        crate::driver::Family::Tasks
    }

    fn hears(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Define | Kind::Run | Kind::End | Kind::Resume | Kind::Heard)
    }

    /// The client defines its callables anew.
    fn begin(&self, peer: &Peer) {
        let mut state = self.state();
        state.peer = Some(peer.clone());
        state.functions = Functions::default();
    }

    fn hear(self: Arc<Self>, peer: &Peer, kind: Kind, body: &[u8]) -> Result<(), Malformed> {
        match kind {
            Kind::Define => self.state().functions.define(read_function(body)?),
            Kind::Run => self.run(Run::read(body)?)?,
            Kind::Heard => {
                let heard = messages::read_heard(body)?;
                let mut state = self.state();
                heard.iter().for_each(|number| drop(state.kept.remove(number)));
            }
            Kind::End => {
                let (number, wanted) = messages::read_end(body)?;
                self.end_one(number, wanted);
            }
            _ => {
                let (question, numbers) = messages::read_resume(body)?;
                self.resume(peer, question, &numbers);
            }
        }
        Ok(())
    }

    /// What has not begun never will: the client sends it again, here or elsewhere. What runs is ended, unless its client
    /// wants it to go on.
    fn lost(&self, absence: Absence) {
        let mut state = self.state();
        state.peer = None;
        if absence == (Absence::Away { goes_on: true }) {
            return;
        }
        let running: Vec<_> =
            state.running.iter_mut().map(|(number, running)| running.abandon(*number)).collect();
        drop(state);
        self.end_all(running);
    }
}

impl State {
    /// How many tasks there are of which it has not heard how they ended.
    fn holds(&self) -> usize {
        self.running.len() + self.kept.len()
    }

    /// Notes that the client is told of this task's end.
    fn tell(&mut self, number: u64) {
        if self.told.len() >= MOST {
            self.told.pop_front();
        }
        self.told.push_back(number);
    }

    fn fate(&self, number: u64) -> Fate {
        if self.running.contains_key(&number) || self.kept.contains_key(&number) {
            Fate::Pending
        } else if self.told.contains(&number) {
            Fate::Over
        } else {
            Fate::Unbegun
        }
    }
}

impl Running {
    /// How long it has taken, and whether it is ended since its client is gone.
    fn so_far(&self) -> (Option<Duration>, bool) {
        (self.control.0.took_by_now(), self.is_orphan)
    }

    fn abandon(&mut self, number: u64) -> (u64, Control) {
        self.is_orphan = true;
        (number, self.control.clone())
    }
}

/// A task that was ended since its client was away was not ended on request; one that had not begun is as if it had never
/// come, since its client sends it again.
fn orphaned(outcome: Outcome) -> Option<Outcome> {
    match outcome {
        Outcome::Cancelled(error) if error.retry() == Retry::Safe => None,
        Outcome::Cancelled(error) => Some(Outcome::Lost(
            Error::new(Wrong::ConnectionLost, "the task was ended while its client was away")
                .with_retry(Retry::MayRepeat)
                .with_source(error)
                .with_help("open the place with `on_disconnect=keep` if its tasks are to go on meanwhile"),
        )),
        outcome => Some(outcome),
    }
}

/// A callable that is pickled in one language cannot be read in another, nor in another minor version of Python.
pub(crate) fn another_language(callers: &str, places: &str) -> Error {
    Error::new(
        Wrong::VersionMismatch,
        format!("the place speaks {places}, in which a callable of {callers} cannot be read"),
    )
    .with_retry(Retry::Safe)
    .with_help("run the same minor version of Python at both ends, or send commands")
}

fn too_late() -> Error {
    Error::new(Wrong::PlaceClosed, "the place is not offered any more")
        .with_retry(Retry::Safe)
        .with_help("offer it again, or open another")
}
