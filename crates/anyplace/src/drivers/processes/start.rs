//! A slot's way to a worker: begins one and waits until it is ready.

use super::bell::Wish;
use super::not_started::NotStarted;
use super::slot::Slot;
use super::starting::{Starting, Step, Wanted};
use super::worker::{Worker, until};
use crate::context::Context;
use rustix::event::{PollFd, PollFlags, poll};

pub(super) fn start(slot: &Slot, wish: &Wish, context: &Context) -> Result<Worker, NotStarted> {
    let mut starting = Starting::begin(&Wanted {
        program: &slot.shared.program,
        setup: &slot.shared.setup,
        terms: &slot.shared.terms,
        worker: slot.number,
        workers: slot.shared.workers,
        shared: Vec::new(),
        context: *context,
    })?;
    loop {
        match starting.advance() {
            Step::Ready => return Ok(Worker::new(starting.finish())),
            Step::Log(record) => slot.log(record),
            Step::NotStarted(not) => return Err(not),
            Step::Wait if wish.made().is_some() || slot.shared.is_killing() => {
                return Err(NotStarted::Interrupted);
            }
            Step::Wait => wait(&starting, slot),
        }
    }
}

fn wait(starting: &Starting, slot: &Slot) {
    let mut waits = vec![PollFd::new(&slot.bell, PollFlags::IN)];
    starting.waits(&mut waits);
    // Interrupted or not, the caller looks what can be done.
    let _ = poll(&mut waits, Some(&until(starting.deadline())));
    slot.bell.hush();
}
