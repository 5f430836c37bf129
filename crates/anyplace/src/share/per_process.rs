//! A [`PerProcess`]: a value that every process has its own of, also a child of `fork`.
//!
//! A child begins with a copy of all that its parent had, and of the locks that the parent's other threads held just then.
//! They are not there to let go of them. So what is behind a lock and may be needed in a child is made anew there.

use anyplace_sync::fork_generation;
use std::sync::OnceLock;

/// A value of this process. One for each generation of forks is kept, and none is freed before all are.
pub(super) struct PerProcess<T>(OnceLock<Box<Generation<T>>>);

struct Generation<T> {
    number: u32,
    value: T,
    next: PerProcess<T>,
}

impl<T> PerProcess<T> {
    pub(super) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Ours; made at first, of our parent's if it has made one.
    pub(super) fn get(&self, make: impl Fn(Option<&T>) -> T) -> &T {
        let number = fork_generation();
        let (mut parents, mut slot) = (None, self);
        loop {
            let make = || Box::new(Generation { number, value: make(parents), next: Self::new() });
            let generation = slot.0.get_or_init(make);
            if generation.number == number {
                return &generation.value;
            }
            (parents, slot) = (Some(&generation.value), &generation.next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_makes_its_own_once() {
        let ours = PerProcess::new();
        assert_eq!(ours.get(|parents: Option<&u32>| parents.copied().unwrap_or(7)), &7);
        assert_eq!(ours.get(|_| 8), &7);
    }

    #[test]
    fn a_child_makes_its_own_of_its_parents() {
        let number = fork_generation().wrapping_sub(1);
        let parents = Box::new(Generation { number, value: 7, next: PerProcess::new() });
        let ours = PerProcess(OnceLock::from(parents));
        assert_eq!(ours.get(|parents| parents.map_or(0, |parents| parents + 1)), &8);
        assert_eq!(ours.get(|_| 0), &8);
    }
}
