//! A running task as one number, as it is written beside objects: who holds, and who waits.

/// The task that this thread runs: its number, counted from 1, in the upper half, and its item in the lower. 0 if it runs
/// none. What does not fit is cut: the number is only ever shown and compared.
#[inline]
pub(super) fn current() -> u64 {
    crate::current().map_or(0, |context| (context.task.wrapping_add(1) << 32) | (context.index & 0xffff_ffff))
}

/// Tells which task this thread runs, if it runs one: whoever has just taken a lock finds none written in it.
#[inline]
pub(super) fn tell(write: impl FnOnce(u64)) {
    let task = current();
    if task != 0 {
        write(task);
    }
}

/// The task's number and its item's index, as its place counts them.
pub(super) fn read(number: u64) -> Option<(u64, u64)> {
    let task = (number >> 32).checked_sub(1)?;
    Some((task, number & 0xffff_ffff))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_read_as_it_was_written() {
        let context = crate::Context { task: 7, index: 3, attempt: 1, worker: 0, workers: 1, root_seed: 0 };
        assert_eq!(current(), 0);
        assert_eq!(context.enter(|| read(current())), Some((7, 3)));
        assert_eq!(read(0), None);
    }
}
