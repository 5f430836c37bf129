//! How futures wait in lines: one thread for all of a site hears the bell that is rung when one of their turns is called,
//! and wakes the task that awaits it. The thread is there while futures wait, and a moment longer.

use super::per_process::PerProcess;
use super::site::Site;
use super::wait::Turn;
use anyplace_sync::ground::{self, Bell, Ground};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

/// How long the thread stays without a future that waits: starting another costs more than this one's sleep.
const LINGER: Duration = Duration::from_millis(200);

/// Who is to be woken when which turn is called. A child of `fork` has neither the thread nor those who wait.
pub(super) struct Watch(PerProcess<Mutex<Watched>>);

#[derive(Default)]
struct Watched {
    /// What the thread hears; 0 if there is no thread.
    bell: u32,
    wakers: HashMap<u32, Waker>,
}

impl Watch {
    pub(super) const fn new() -> Self {
        Self(PerProcess::new())
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        // Wakers run outside of this lock, so a poisoned one is still whole.
        self.0.get(|_| Mutex::default()).lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets a turn that is about to be dropped.
    pub(super) fn forget(&self, number: u32) {
        self.watched().wakers.remove(&number);
    }
}

/// Has `waker` woken when the turn, which stands in line, is called. Gives the number by which it is
/// [forgotten](Watch::forget); `None` if it is called already.
///
/// # Errors
/// What the system says if there is no room for a thread.
pub(super) fn watch(site: &Arc<Site>, turn: &Turn<'_>, waker: &Waker) -> std::io::Result<Option<u32>> {
    let mut watched = site.watch.watched();
    if watched.bell == 0 {
        watched.bell = start(site)?;
    }
    let number = turn.watch(watched.bell);
    // The thread looks at the wakers under this lock, after the bell was rung: so it finds this one.
    number.into_iter().for_each(|number| drop(watched.wakers.insert(number, waker.clone())));
    Ok(number)
}

/// Starts the thread; gives the number of its bell.
fn start(site: &Arc<Site>) -> std::io::Result<u32> {
    let (site, (tell, told)) = (site.clone(), std::sync::mpsc::sync_channel(1));
    std::thread::Builder::new().name("anyplace-share".to_owned()).spawn(move || {
        let bell = Bell::new(&*site);
        if tell.send(bell.number()).is_ok() {
            listen(&site, &bell);
        }
    })?;
    told.recv().map_err(std::io::Error::other)
}

fn listen(site: &Site, bell: &Bell<'_, Site>) {
    loop {
        let until = Instant::now() + LINGER;
        bell.hear(Some(until));
        let called = call(site);
        let was_quiet = called.is_empty() && Instant::now() >= until;
        called.into_iter().for_each(|waker| crate::context::caught(|| waker.wake()));
        if was_quiet {
            site.look_for_the_dead();
            let mut watched = site.watch.watched();
            if watched.wakers.is_empty() {
                watched.bell = 0;
                return;
            }
        }
    }
}

/// The wakers of those who were called.
fn call(site: &Site) -> Vec<Waker> {
    let mut watched = site.watch.watched();
    let called: Vec<u32> =
        watched.wakers.keys().copied().filter(|number| ground::is_called(site, *number)).collect();
    called.iter().filter_map(|number| watched.wakers.remove(number)).collect()
}
