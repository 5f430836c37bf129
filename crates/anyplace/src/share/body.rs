//! What a shared object consists of where only this process sees it, and what can be asked of any.

use super::object::InHall;
use super::site::Site;
use anyplace_sync::Holding;
use anyplace_sync::ground::Monitor;
use std::any::Any;
use std::sync::Arc;

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

    /// The same object as it lies in a hall, which gave it out as this; `None` if it cannot lie there.
    fn in_hall(_: Arc<dyn Any + Send + Sync>) -> Option<Arc<dyn InHall<Self>>>
    where
        Self: Sized,
    {
        None
    }

    /// The place is closed, and its site says so: whoever waits looks again.
    fn rouse(&self, site: &Site) {
        self.lines().into_iter().for_each(|line| line.enter(site).wake(usize::MAX));
    }
}

/// For what can lie in a hall.
macro_rules! in_hall {
    () => {
        fn in_hall(
            object: std::sync::Arc<dyn std::any::Any + Send + Sync>,
        ) -> Option<std::sync::Arc<dyn $crate::share::object::InHall<Self>>> {
            let object = object.downcast::<anyplace_sync::shm::hall::Object<Self>>();
            object.ok().map(|object| object as _)
        }
    };
}
pub(super) use in_hall;
