//! The loop of a run.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use anyplace::{Control, Ending, Place, Value};
use crossbeam_channel::{Receiver, Sender, after, never, select, unbounded};
use signal_hook::consts::SIGPIPE;

use super::order::Order;
use super::work::Maker;
use super::{End, Item, place, reader};
use crate::args::{self, Halt, How};
use crate::exit::Exit;
use crate::input::{Inputs, Row};
use crate::output::{Output, Stopped};
use crate::progress::{Counts, Progress};
use crate::report::{Paint, Report, Result};
use crate::signals::{self, Heard};
use crate::template::Values;

/// So many jobs are handed to the place before it has room, so that its workers never wait for us.
const AHEAD: usize = 2;

/// A run in progress.
pub(super) struct Run {
    maker: Maker,
    place: Place,
    halt: Halt,
    attempts: u32,
    /// So many jobs may be at the place.
    room: usize,
    rows: Receiver<Result<Row>>,
    signals: Receiver<Heard>,
    ended: (Sender<Ended>, Receiver<Ended>),
    /// Jobs that failed and are tried again, before new ones.
    again: VecDeque<Job>,
    running: HashMap<u64, (Job, Control)>,
    free_slots: BTreeSet<usize>,
    counts: Counts,
    stop: Option<Stop>,
    order: Order,
    output: Output,
    progress: Progress,
}

/// An input on its way.
struct Job {
    number: u64,
    slot: usize,
    row: Row,
    attempt: u32,
    begun: Instant,
}

/// A job's end, as the place tells it.
struct Ended {
    number: u64,
    took: Duration,
    result: anyplace::Result<Value>,
}

/// Why no more jobs are started.
enum Stop {
    Halted(Exit),
    Signal(i32),
    /// Finish what runs, then end as usual.
    Asked,
    Failed(Report),
}

/// What the loop hears next.
enum Event {
    Row(Result<Row>),
    InputsEnded,
    Ended(Ended),
    Heard(Heard),
    Tick,
}

impl Run {
    pub(super) fn start(args: &args::Map, maker: Maker, inputs: &Inputs, paint: Paint) -> Result<Self> {
        let place = place::open(args)?;
        let jobs = place.limits().workers.max(1);
        let is_exact = maker.names_slot() || args.halt != Halt::Never;
        let room = if is_exact { jobs } else { jobs.saturating_add(AHEAD) };
        Ok(Self {
            halt: args.halt,
            attempts: args.retries,
            room,
            rows: reader::read(inputs)?,
            signals: signals::listen()
                .map_err(|error| Report::own(format!("signals cannot be heard: {error}")))?,
            ended: unbounded(),
            again: VecDeque::new(),
            running: HashMap::new(),
            free_slots: BTreeSet::new(),
            counts: Counts { total: inputs.known_total(), ..Counts::default() },
            stop: None,
            order: Order::new(args.keep_order),
            output: Output::new(args, paint)?,
            progress: Progress::new(args.progress),
            maker,
            place,
        })
    }

    /// Runs every job; ends when none is left.
    pub(super) fn complete(mut self) -> Result<End> {
        let mut inputs_left = true;
        while self.is_going_on(inputs_left) {
            if self.has_slot() && self.retry_one() {
                continue;
            }
            match self.next_event(inputs_left) {
                Event::Row(Ok(row)) => self.begin(row),
                Event::Row(Err(report)) => self.stop_with(Stop::Failed(report)),
                Event::InputsEnded => {
                    inputs_left = false;
                    self.counts.total.get_or_insert(self.counts.begun);
                }
                Event::Ended(ended) => self.end(ended),
                Event::Heard(heard) => self.hear(heard),
                Event::Tick => self.progress.draw(&self.counts),
            }
        }
        self.finish()
    }

    fn is_going_on(&self, inputs_left: bool) -> bool {
        !self.running.is_empty() || (self.stop.is_none() && (inputs_left || !self.again.is_empty()))
    }

    /// A job that is tried again may be the one that all held results wait for: it needs no more than this.
    fn has_slot(&self) -> bool {
        self.stop.is_none() && self.running.len() < self.room
    }

    fn has_room(&self) -> bool {
        self.has_slot() && !self.order.is_full()
    }

    fn next_event(&self, inputs_left: bool) -> Event {
        let no_rows = never();
        let rows = if inputs_left && self.has_room() { &self.rows } else { &no_rows };
        let tick = self.progress.next_draw().map_or_else(never, after);
        select! {
            recv(self.ended.1) -> ended => Event::Ended(ended.expect("we hold a sender")),
            recv(rows) -> row => row.map_or(Event::InputsEnded, Event::Row),
            recv(self.signals) -> heard => heard.map_or(Event::Tick, Event::Heard),
            recv(tick) -> _ => Event::Tick,
        }
    }

    fn begin(&mut self, row: Row) {
        self.counts.begun += 1;
        let job = Job { number: self.counts.begun, slot: 0, row, attempt: 0, begun: Instant::now() };
        self.submit(job);
    }

    fn retry_one(&mut self) -> bool {
        let job = self.again.pop_front();
        job.map(|job| self.submit(job)).is_some()
    }

    fn submit(&mut self, mut job: Job) {
        job.attempt += 1;
        job.slot = self.free_slots.pop_first().unwrap_or(self.running.len() + 1);
        job.begun = Instant::now();
        let values = Values { values: &job.row.values, number: job.number, slot: job.slot };
        let work = match self.maker.work(&values) {
            Ok(work) => work,
            Err(report) => return self.stop_with(Stop::Failed(report.at(&job.row.origin))),
        };
        match self.place.submit_work(work, self.maker.options()) {
            Ok(handle) => {
                let (number, begun, sender) = (job.number, job.begun, self.ended.0.clone());
                self.running.insert(number, (job, handle.control()));
                handle.then(move |result| {
                    // Nobody hears it when the run has failed and is gone.
                    drop(sender.send(Ended { number, took: begun.elapsed(), result }));
                });
            }
            Err(error) => self.stop_with(Stop::Failed(error.into())),
        }
    }

    fn end(&mut self, ended: Ended) {
        let (job, _) = self.running.remove(&ended.number).expect("every job ends once");
        self.free_slots.insert(job.slot);
        let Job { number, row, attempt, begun, slot } = job;
        let item = Item { number, row, attempt, took: ended.took, result: ended.result };
        // What others have cancelled, such as a place that ends, is a job that was not done.
        if self.stop.is_some() && item.was_cancelled() {
            return;
        }
        if !item.succeeded() && attempt < self.attempts && self.stop.is_none() {
            self.counts.retried += 1;
            return self.again.push_back(Job { number, slot, row: item.row, attempt, begun });
        }
        self.count(&item);
        self.order.put(item);
        self.print_ready();
    }

    fn count(&mut self, item: &Item) {
        match item.succeeded() {
            true => self.counts.succeeded += 1,
            false => self.counts.failed += 1,
        }
        let Some(how) = self.halt.verdict(self.counts.failed, self.counts.succeeded) else { return };
        if self.stop.is_none() {
            self.stop_with(Stop::Halted(self.halted(item)));
            if how == How::Now {
                self.end_running();
            }
        }
    }

    fn halted(&self, item: &Item) -> Exit {
        match () {
            () if self.halt.is_first_failure() => Exit(item.exit_code()),
            () if self.halt.is_success() => Exit::SUCCESS,
            () => Exit::failed_jobs(self.counts.failed),
        }
    }

    fn print_ready(&mut self) {
        while let Some(item) = self.order.pass() {
            self.progress.make_way();
            match self.output.print(&item) {
                Ok(()) => {}
                Err(Stopped::NobodyReads) => {
                    self.stop_with(Stop::Signal(SIGPIPE));
                    self.end_running();
                }
                Err(Stopped::Failed(report)) => {
                    self.stop_with(Stop::Failed(report));
                    self.end_running();
                }
            }
        }
    }

    fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Finish => self.stop_with(Stop::Asked),
            Heard::Tell => self.tell_running(),
            Heard::End(signal) => {
                self.progress.say_ending(self.running.len());
                self.stop = Some(Stop::Signal(signal));
                self.end_running();
            }
        }
    }

    /// Starts no more jobs, also none that the place has but did not begin. The first reason to stop counts.
    fn stop_with(&mut self, stop: Stop) {
        self.stop.get_or_insert(stop);
        for (_, control) in self.running.values() {
            control.cancel();
        }
    }

    /// The first time asks the jobs to end, the second time kills them.
    fn end_running(&self) {
        for (_, control) in self.running.values() {
            control.kill(Ending::Cancelled);
        }
    }

    fn tell_running(&mut self) {
        self.progress.make_way();
        let running = self.running.values().filter(|(_, control)| control.is_running());
        let mut jobs: Vec<&Job> = running.map(|(job, _)| job).collect();
        jobs.sort_by_key(|job| job.number);
        for job in jobs {
            let values: &[OsString] = &job.row.values;
            let line = self.maker.line(&Values { values, number: job.number, slot: job.slot });
            let line = std::ffi::OsStr::from_bytes(&line).display().to_string();
            self.output.say(&format!("running for {:.1?}: {line}", job.begun.elapsed()));
        }
    }

    fn finish(mut self) -> Result<End> {
        self.order.stop_waiting();
        self.print_ready();
        self.progress.make_way();
        self.output.finish();
        self.progress.finish(&self.counts);
        match self.stop {
            Some(Stop::Signal(signal)) => Ok(End::Signal(signal)),
            Some(Stop::Failed(report)) => Err(report),
            Some(Stop::Halted(exit)) => Ok(End::Exit(exit)),
            Some(Stop::Asked) | None => Ok(End::Exit(Exit::failed_jobs(self.counts.failed))),
        }
    }
}
