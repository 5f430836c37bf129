//! `-k`: results in the order of the inputs, whichever ends first.

use std::collections::BTreeMap;

use super::Item;

/// So many results may wait for an earlier one before no more jobs are started: what waits holds memory and files.
const HELD: usize = 4096;

/// As [`HELD`], for results whose output is in files, which are limited by `ulimit -n`.
const HELD_FILES: usize = 128;

/// Lets results pass as they come, or in order.
#[derive(Debug)]
pub(super) struct Order {
    keeps: bool,
    /// The number of the next result to pass.
    next: u64,
    held: BTreeMap<u64, Item>,
    held_files: usize,
}

impl Order {
    pub(super) fn new(keeps: bool) -> Self {
        Self { keeps, next: 1, held: BTreeMap::new(), held_files: 0 }
    }

    /// Takes a result; [`pass`](Self::pass) gives what may be printed now.
    pub(super) fn put(&mut self, item: Item) {
        self.held_files += files(&item);
        self.held.insert(item.number, item);
    }

    pub(super) fn pass(&mut self) -> Option<Item> {
        let entry = self.held.first_entry()?;
        if self.keeps && *entry.key() != self.next {
            return None;
        }
        let item = entry.remove();
        self.held_files -= files(&item);
        self.next = item.number + 1;
        Some(item)
    }

    /// No job comes any more for the numbers that are missing.
    pub(super) fn stop_waiting(&mut self) {
        self.keeps = false;
    }

    pub(super) fn is_full(&self) -> bool {
        self.held.len() >= HELD || self.held_files >= HELD_FILES
    }
}

fn files(item: &Item) -> usize {
    let finished = item.finished();
    finished.map_or(0, |finished| {
        [&finished.stdout, &finished.stderr].into_iter().filter(|out| out.in_memory().is_none()).count()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Origin, Row};
    use anyplace::Value;
    use std::time::Duration;

    fn item(number: u64) -> Item {
        let row = Row { values: Vec::new(), origin: Origin::Arguments };
        let result = Ok(Value::Local(Box::new(())));
        Item { number, row, attempt: 1, took: Duration::ZERO, result }
    }

    fn passed(keeps: bool, numbers: &[u64]) -> Vec<u64> {
        let mut order = Order::new(keeps);
        let mut passed = Vec::new();
        for &number in numbers {
            order.put(item(number));
            passed.extend(std::iter::from_fn(|| order.pass()).map(|item| item.number));
        }
        passed
    }

    #[test]
    fn results_pass_in_the_order_of_the_inputs_only_when_asked() {
        assert_eq!(passed(true, &[3, 1, 2, 4]), [1, 2, 3, 4]);
        assert_eq!(passed(true, &[2, 3]), [0; 0]);
        assert_eq!(passed(false, &[3, 1, 2]), [3, 1, 2]);
    }

    #[test]
    fn what_was_held_passes_when_a_run_stops() {
        let mut order = Order::new(true);
        order.put(item(5));
        assert!(order.pass().is_none());
        order.stop_waiting();
        assert_eq!(order.pass().map(|item| item.number), Some(5));
    }

    #[test]
    fn no_more_jobs_start_when_too_many_results_wait() {
        let mut order = Order::new(true);
        (2..).take(HELD).for_each(|number| order.put(item(number)));
        assert!(order.is_full());
        order.put(item(1));
        while order.pass().is_some() {}
        assert!(!order.is_full());
    }
}
