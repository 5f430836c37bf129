//! What a hall tells of itself to those who ask why nothing goes on.

use super::Hall;
use super::kind::Kind;
use super::object::Handle;
use super::process::Process;
use super::roll::Roll;
use crate::ground::Party;

impl Hall {
    /// Every object that is there now: what it is opened by, its kind, and its name if it has one.
    pub fn catalogue(&self) -> Vec<(Handle, Kind, Option<String>)> {
        let known = self.live().filter_map(|(number, entry, state)| {
            let handle = Handle::from_numbers((number, state.0));
            Some((handle, state.kind()?, super::name::Name::text(entry)))
        });
        known.collect()
    }

    /// The number of a party's process, while it is one.
    pub fn process(&self, party: Party) -> Option<u32> {
        Roll(self.header()).process(party).map(Process::pid)
    }
}
