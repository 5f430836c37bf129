//! The keeper: the one thread of a place. It starts workers when tasks need them, buries those that die, keeps time, and
//! brings outcomes home that nobody waits for.
//!
//! It waits in one `poll` for all that can happen: the bell, and for each worker its end (a pidfd), its socket and its
//! standard error. Everything follows from there being no second wait. Workers are children of this thread, so that the
//! kernel kills them when it ends, however that comes about.

use super::desk::Desk;
use super::not_started::NotStarted;
use super::starting::{Starting, Step, Wanted};
use super::station::{Member, Seen, Station};
use crate::context::{Context, caught};
use crate::error::{Error, Kind, Retry};
use crate::outcome::Outcome;
use crate::work::Payload;
use anyplace_sync::shm::board::Ticket;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::time::{Duration, Instant};

/// A place is broken when so many workers in a row have died before they were ready.
const STARTS: u32 = 3;

/// How long an idle worker has to leave when its place is closed.
const FAREWELL: Duration = Duration::from_secs(2);

/// When the machine has no room for a worker, it is asked again after this, for as long as tasks wait for one.
const NO_ROOM: Duration = Duration::from_millis(100);

/// How often the board is looked at while it changes, before a worker is started that may not be needed.
const LOOKS: usize = 3;

/// Memory that nobody has used for so long is given back to the machine.
const UNUSED: Duration = Duration::from_secs(2);

pub(super) struct Keeper {
    desk: Arc<Desk>,
    stations: Vec<Station>,
    failed_starts: u32,
    /// No worker is started before that.
    not_before: Option<Instant>,
    /// When memory is trimmed, if nothing happens until then.
    trim_at: Option<Instant>,
    /// When an announced task's time is over.
    late_at: Option<Instant>,
    /// When what runs is ended, in a place that is closed.
    end_at: Option<Instant>,
    said_farewell: bool,
}

impl Keeper {
    pub(super) fn new(desk: Arc<Desk>) -> Self {
        let stations = (0..desk.workers).map(|_| Station::Empty).collect();
        Self {
            desk,
            stations,
            failed_starts: 0,
            not_before: None,
            trim_at: None,
            late_at: None,
            end_at: None,
            said_farewell: false,
        }
    }

    /// Keeps the place until it is closed and all its workers are gone.
    pub(super) fn run(mut self) {
        let mut stirred: Vec<usize> = Vec::new();
        loop {
            self.desk.bell.hush();
            self.desk.host.hush();
            self.desk.collect();
            self.late_at = self.desk.announced.look(&self.desk.host);
            self.kill_condemned();
            stirred.iter().for_each(|worker| self.tend(*worker));
            self.hear_out();
            self.sweep();
            self.end_broken();
            if let Some(grace) = self.desk.closing()
                && self.wind_up(grace)
            {
                return;
            }
            self.hire();
            stirred = self.wait();
        }
    }

    /// Kills the workers whose tasks must end. They begin no other, so this is always the right process.
    fn kill_condemned(&self) {
        for worker in self.desk.host.condemned() {
            if let Station::Working(member) = &self.stations[worker] {
                member.process.kill();
            }
        }
    }

    /// Looks at a worker about which something has happened.
    fn tend(&mut self, worker: usize) {
        match std::mem::take(&mut self.stations[worker]) {
            Station::Starting(starting) => self.stations[worker] = self.advance(worker, starting),
            Station::Working(member) => self.stations[worker] = self.hear(worker, member),
            other => self.stations[worker] = other,
        }
    }

    fn advance(&mut self, worker: usize, mut starting: Box<Starting>) -> Station {
        loop {
            match starting.advance() {
                Step::Wait => return Station::Starting(starting),
                Step::Log(record) => self.log(record),
                Step::Ready => {
                    self.failed_starts = 0;
                    let member = Member::new(starting.finish());
                    return self.hear(worker, Box::new(member));
                }
                Step::NotStarted(not) => {
                    self.not_started(not);
                    return Station::Empty;
                }
            }
        }
    }

    fn hear(&mut self, worker: usize, mut member: Box<Member>) -> Station {
        loop {
            match member.hear() {
                Seen::Nothing => {
                    member.check_time();
                    return Station::Working(member);
                }
                Seen::Log(record) => self.log(record),
                Seen::Nonsense => {
                    member.process.kill();
                    return self.bury(worker, &mut member);
                }
                Seen::Ended => return self.bury(worker, &mut member),
            }
        }
    }

    /// Tells the outcomes of tasks that have said something, after what they said.
    fn hear_out(&mut self) {
        for (posted, reply) in self.desk.take_spoken() {
            self.tend(reply.worker());
            self.desk.bring_home_now(posted, reply);
        }
    }

    fn log(&self, record: Payload) {
        if let Some(on_log) = &self.desk.setup.on_log {
            caught(|| (on_log.0)(record));
        }
    }

    fn bury(&mut self, worker: usize, member: &mut Member) -> Station {
        let death = member.process.reap();
        self.desk.halls.bury_the_dead();
        let was_asked = self.said_farewell || self.desk.choices.lets_leave();
        self.desk.bury(worker, &death, was_asked);
        Station::Dirty
    }

    /// In a place that is broken nothing waits any more, and in a strict one nobody works any more.
    fn end_broken(&mut self) {
        let Some(error) = self.desk.broken() else { return };
        // What was posted while the others were refused.
        self.desk.refuse_waiting(|| Outcome::Lost(error.clone()));
        if self.desk.broken_for_ever().is_none() {
            return;
        }
        for station in &mut self.stations {
            match station {
                Station::Starting(_) => *station = Station::Empty,
                Station::Working(member) => member.process.kill(),
                Station::Empty | Station::Dirty => {}
            }
        }
        self.count();
    }

    /// Gives back what dead workers held, once nobody reads it any more. Then others may take their places.
    fn sweep(&mut self) {
        for (worker, station) in self.stations.iter_mut().enumerate() {
            if matches!(station, Station::Dirty) && !self.desk.host.is_reading(worker) {
                self.desk.memory.blocks.sweep(worker);
                *station = Station::Empty;
            }
        }
        self.count();
    }

    fn count(&self) {
        let hired = self.stations.iter().filter(|station| !matches!(station, Station::Empty)).count();
        if self.desk.hired.swap(hired, Ordering::Relaxed) != hired {
            self.desk.host.ring_for_more(hired < self.stations.len());
        }
        // Who posts a task looks at the number afterwards: either we see the task, or it sees the number.
        fence(Ordering::SeqCst);
    }

    /// Starts as many workers as there are tasks that find none.
    fn hire(&mut self) {
        if self.not_before.is_some_and(|at| at > Instant::now()) || self.said_farewell {
            return;
        }
        self.not_before = None;
        if !self.stations.iter().any(|station| matches!(station, Station::Empty)) {
            return;
        }
        let (waiting, free) = self.desk.host.demand();
        let starting = self.stations.iter().filter(|station| matches!(station, Station::Starting(_))).count();
        if waiting <= free + starting {
            return;
        }
        for _ in starting..self.without_a_worker() {
            let Some(worker) = self.stations.iter().position(|station| matches!(station, Station::Empty))
            else {
                return;
            };
            if self.desk.broken().is_some() || self.not_before.is_some() {
                return;
            }
            self.begin(worker);
        }
    }

    /// How many tasks wait for whom no worker that is at work will come. One that is between two tasks is on no list of
    /// the board, and takes the next task all the same.
    fn without_a_worker(&self) -> usize {
        let host = &self.desk.host;
        let working = self.stations.iter().filter(|station| matches!(station, Station::Working(_))).count();
        let look = || {
            let (before, running, after) = (host.ready(), host.running().len(), host.ready());
            // A task that is claimed meanwhile counts twice rather than not at all. What is posted meanwhile rings.
            (before != after, before.max(after).saturating_sub(working.saturating_sub(running)))
        };
        let mut seen = look();
        for _ in 1..LOOKS {
            if seen.0 {
                seen = look();
            }
        }
        seen.1
    }

    fn begin(&mut self, worker: usize) {
        let desk = &self.desk;
        let begun = Starting::begin(&Wanted {
            program: &desk.program,
            setup: &desk.setup,
            worker,
            workers: desk.workers,
            max_tasks: desk.choices.max_tasks,
            terms: &desk.choices.terms,
            shared: desk.shared(),
            context: Context { task: 0, index: 0, attempt: 1, worker, workers: desk.workers, root_seed: 0 },
        });
        match begun {
            Ok(starting) => {
                self.stations[worker] = Station::Starting(Box::new(starting));
                self.count();
            }
            Err(not) => self.not_started(not),
        }
    }

    fn not_started(&mut self, not: NotStarted) {
        match not {
            NotStarted::Died(error) => {
                self.failed_starts += 1;
                if self.failed_starts >= STARTS || self.desk.choices.strict {
                    self.desk.break_down(error);
                }
            }
            NotStarted::NoRoom(error) => {
                self.not_before = Some(Instant::now() + NO_ROOM);
                // If somebody works, the tasks have only to wait.
                if self.stations.iter().all(|station| !matches!(station, Station::Working(_))) {
                    self.desk.refuse_waiting(|| Outcome::Lost(error.clone()));
                }
            }
            NotStarted::Never(error) => self.desk.break_down(error),
        }
        self.count();
    }

    /// Lets the workers of a closed place go: `true` when all are gone.
    fn wind_up(&mut self, grace: Duration) -> bool {
        let desk = self.desk.clone();
        if self.is_time_over(grace) {
            desk.refuse_waiting(Outcome::too_late);
            desk.host.running().into_iter().for_each(|(ticket, _): (Ticket, usize)| {
                desk.host.condemn(ticket);
            });
            self.kill_condemned();
        }
        if desk.is_idle() && !self.said_farewell {
            self.said_farewell = true;
            desk.host.stop();
            for station in &mut self.stations {
                match station {
                    Station::Starting(_) => *station = Station::Empty,
                    Station::Working(member) => member.leave_within(FAREWELL),
                    Station::Empty | Station::Dirty => {}
                }
            }
        }
        self.said_farewell && self.stations.iter().all(|station| matches!(station, Station::Empty))
    }

    fn is_time_over(&mut self, grace: Duration) -> bool {
        let now = Instant::now();
        let end_at = *self.end_at.get_or_insert_with(|| {
            now.checked_add(grace).unwrap_or_else(|| now + Duration::from_secs(1 << 32))
        });
        end_at <= now
    }

    /// Waits until something happens. Gives the workers about which it has.
    fn wait(&mut self) -> Vec<usize> {
        let bell = self.desk.bell.descriptor();
        let mut waits: Vec<_> = bell.iter().map(|bell| PollFd::new(bell, PollFlags::IN)).collect();
        let mut whose = vec![None; waits.len()];
        for (worker, station) in self.stations.iter().enumerate() {
            match station {
                Station::Starting(starting) => starting.waits(&mut waits),
                Station::Working(member) => member.waits(&mut waits),
                Station::Empty | Station::Dirty => {}
            }
            whose.resize(waits.len(), Some(worker));
        }
        let timeout = self.timeout();
        let seen = poll(&mut waits, timeout.as_ref());
        let heard =
            |(wait, worker): (&PollFd<'_>, Option<usize>)| worker.filter(|_| !wait.revents().is_empty());
        let mut stirred: Vec<usize> = match seen {
            Ok(1..) => waits.iter().zip(whose).filter_map(heard).collect(),
            // A time is over, or a signal came: all are looked at.
            _ => (0..self.stations.len()).collect(),
        };
        stirred.dedup();
        if matches!(seen, Ok(0)) {
            self.trim();
        } else {
            self.trim_at = Some(Instant::now() + UNUSED);
        }
        stirred
    }

    /// The time until the next deadline; none if there is none.
    fn timeout(&self) -> Option<Timespec> {
        let of_station = |station: &Station| match station {
            Station::Starting(starting) => Some(starting.deadline()),
            Station::Working(member) => member.deadline(),
            // Whoever reads is another thread, in the middle of a few microseconds' work.
            Station::Dirty => Some(Instant::now() + Duration::from_millis(1)),
            Station::Empty => None,
        };
        let ours = [self.trim_at, self.late_at, self.not_before, self.end_at.filter(|_| !self.said_farewell)];
        let all = self.stations.iter().filter_map(of_station).chain(ours.into_iter().flatten());
        all.min().map(until)
    }

    /// Gives memory back that has not been used since the last look.
    fn trim(&mut self) {
        if self.trim_at.is_some_and(|at| at <= Instant::now()) {
            let waiting = self.desk.memory.blocks.trim().waiting + self.desk.halls.trim();
            // Blocks that were in use a moment ago are looked at once more.
            self.trim_at = (waiting > 0).then(|| Instant::now() + UNUSED);
        }
    }
}

/// The time left, rounded up: a wait that ends early would only be repeated.
fn until(deadline: Instant) -> Timespec {
    let left = deadline.saturating_duration_since(Instant::now()) + Duration::from_micros(1);
    let tv_sec = i64::try_from(left.as_secs()).unwrap_or(i64::MAX);
    Timespec { tv_sec, tv_nsec: i64::from(left.subsec_nanos()) }
}

/// Sees to it that nobody waits for ever should the keeper end by a panic.
pub(super) struct Relief(pub(super) Arc<Desk>);

impl Drop for Relief {
    fn drop(&mut self) {
        let error = Error::new(Kind::Unexpected, "the place has lost its keeper")
            .with_retry(Retry::MayRepeat)
            .with_help("this is a fault of anyplace; please report it");
        if std::thread::panicking() {
            self.0.break_down(error);
        }
        self.0.close(Duration::ZERO);
        self.0.leave();
        self.0.host.rouse_callers();
    }
}
