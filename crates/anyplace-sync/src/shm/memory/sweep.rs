//! What a dead worker leaves behind.

use super::table::{self, Entry};
use super::{Memory, tenure};

impl Memory {
    /// Makes available again what worker `worker`, which is dead, held and no longer needs: its blocks, and those that it
    /// was the last to read. (Host.)
    ///
    /// Whatever of it is still wanted has to be [adopted](Self::adopt) before. It also says again of all available blocks
    /// that they are, for the worker may have died just before it could. The time is a few nanoseconds a block of the table.
    ///
    /// # Panics
    /// If the segment has no such worker.
    pub fn sweep(&self, worker: usize) {
        assert!(worker < self.table().workers, "there is no worker {worker}");
        if self.is_inherited() {
            return;
        }
        for entry in self.table().entries() {
            tenure::bury(&entry.words.tenure, entry.readers, worker);
            if entry.is_available() {
                self.tell_again(entry);
            }
        }
    }

    fn tell_again(&self, entry: Entry<'_>) {
        // Without memory for the hints, a descriptor without bytes is lost until the next sweep.
        let known = !entry.is_blank() || self.table().extend_hints(table::BLANK, entry.number).is_ok();
        if known {
            self.tell(entry);
        }
    }
}
