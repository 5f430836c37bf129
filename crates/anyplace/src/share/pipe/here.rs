//! A pipe in the memory of one process: two queues, and who has which end.

use crate::share::body::Body;
use crate::share::queue;
use crate::share::shape::Order;
use crate::share::site::Site;
use anyplace_sync::ground::Monitor;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

pub(super) struct Here<T: Send + 'static> {
    /// What each end sends.
    queues: [Arc<queue::Here<T>>; 2],
    ends: Mutex<[Held<T>; 2]>,
}

/// Who has an end.
enum Held<T: Send + 'static> {
    NotYet,
    By(Weak<End<T>>),
}

/// One end: closed when it is dropped.
pub(super) struct End<T: Send + 'static> {
    pipe: Arc<Here<T>>,
    site: Arc<Site>,
    number: usize,
}

impl<T: Send + 'static> Here<T> {
    pub(super) fn new(is_duplex: bool) -> Self {
        let queues = [(); 2].map(|()| Arc::new(queue::Here::new(Order::Fifo, 0)));
        if !is_duplex {
            queues[0].shut(true);
        }
        Self { queues, ends: Mutex::new([Held::NotYet, Held::NotYet]) }
    }

    fn ends(&self) -> MutexGuard<'_, [Held<T>; 2]> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> End<T> {
    /// The end that others have, too; or one that nobody has had before; or one that is closed, and stays so.
    pub(super) fn open(site: &Arc<Site>, pipe: &Arc<Here<T>>, number: usize) -> Arc<Self> {
        let mut ends = pipe.ends();
        if let Held::By(end) = &ends[number]
            && let Some(end) = end.upgrade()
        {
            return end;
        }
        let end = Arc::new(Self { pipe: pipe.clone(), site: site.clone(), number });
        ends[number] = Held::By(Arc::downgrade(&end));
        end
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// What end `which` sends.
    pub(super) fn queue(&self, which: usize) -> Arc<queue::Here<T>> {
        self.pipe.queues[which].clone()
    }
}

impl<T: Send + 'static> Drop for End<T> {
    fn drop(&mut self) {
        self.pipe.queues[self.number].shut_down(&self.site, false);
        self.pipe.queues[1 - self.number].shut_down(&self.site, true);
    }
}

impl<T: Send + 'static> Body for Here<T> {
    fn lines(&self) -> Vec<&Monitor> {
        self.queues.iter().flat_map(|queue| queue.lines()).collect()
    }

    fn holds(&self) -> Option<&'static str> {
        Some(std::any::type_name::<T>())
    }
}
