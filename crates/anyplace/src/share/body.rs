//! What a shared object consists of where only this process sees it, and what can be asked of any.

use super::site::Site;
use anyplace_sync::Holding;
use anyplace_sync::ground::Monitor;
use std::any::Any;

/// Who has an object, as its own words tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) party: u32,
    /// The number of its thread, as the system counts them; 0 if it is not known.
    pub(crate) thread: u32,
    /// Its task, as `turns` write it; 0 if it told none.
    pub(crate) task: u64,
    /// By the ground's clock; 0 if it is not known.
    pub(crate) since: u64,
}

impl From<Holding> for Held {
    fn from(Holding { party, thread, task, since }: Holding) -> Self {
        Self { party, thread, task, since }
    }
}

/// A shared object, whatever its kind.
pub(crate) trait Body: Any + Send + Sync {
    /// The lines in which threads wait for it.
    fn lines(&self) -> Vec<&Monitor>;

    /// Who has it.
    fn holders(&self, _: &Site) -> Vec<Held> {
        Vec::new()
    }

    /// The type of the values in it, if it has any.
    fn holds(&self) -> Option<&'static str> {
        None
    }

    /// The place is closed, and its site says so: whoever waits looks again.
    fn rouse(&self, site: &Site) {
        self.lines().into_iter().for_each(|line| line.enter(site).wake(usize::MAX));
    }
}
