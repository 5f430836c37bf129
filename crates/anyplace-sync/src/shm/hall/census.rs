//! Who and what there is in a hall, for those who ask why nothing goes on.

use super::Hall;
use super::kind::Kind;
use super::layout::Entry;
use super::name::Name;
use super::object::Handle;
use super::roll::Roll;
use crate::ground::{Ground, Party, Seen};

/// An object that some process has open, or that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// By which it can be opened.
    pub handle: Handle,
    /// What it is.
    pub kind: Kind,
    /// Its name, if it has one.
    pub name: Option<String>,
}

impl Hall {
    /// All objects there are at this moment.
    pub fn census(&self) -> Vec<Listed> {
        let desk = self.desk();
        let all = self.live().filter_map(|(number, entry, state)| {
            let handle = Handle::from_numbers((number, state.0));
            Some(Listed { handle, kind: state.kind()?, name: Name::text(entry) })
        });
        let all = all.collect();
        drop(desk);
        all
    }

    /// All threads that wait at this moment, of all processes.
    pub fn waiting(&self) -> Vec<Seen> {
        (1..=self.waiters()).filter_map(|number| self.waiter(number).seen()).collect()
    }

    /// The object in which a thread stands in line, by what [`waiting`](Self::waiting) says of it.
    pub fn object_of(&self, seen: &Seen) -> Option<Listed> {
        let here = |entry: &Entry| {
            let start = self.name_at(entry);
            (start..start + size_of::<Entry>() as u64).contains(&seen.object)
        };
        let (number, entry, state) = self.live().find(|(_, entry, _)| here(entry))?;
        let handle = Handle::from_numbers((number, state.0));
        Some(Listed { handle, kind: state.kind()?, name: Name::text(entry) })
    }

    /// The number of a party's process.
    pub fn pid_of(&self, party: Party) -> Option<u32> {
        Some(Roll(self.header()).process(party)?.pid())
    }

    fn name_at(&self, entry: &Entry) -> u64 {
        (std::ptr::from_ref(entry).addr() - self.segment().pointer(0, 0).addr().get()) as u64
    }
}
