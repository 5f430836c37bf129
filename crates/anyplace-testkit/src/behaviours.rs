//! The lists of behaviours, one per family. Names are stable: the Python tests show the same by the same names.

mod needs;
mod serve;
mod share;
mod tasks;

pub use needs::Need;

use anyplace::{Family, Place, Result};
use std::fmt;

/// A promise that a place keeps, and how it is shown.
#[derive(Clone, Copy)]
pub struct Behaviour {
    /// A sentence that is true.
    pub name: &'static str,
    /// What it means for the user.
    pub about: &'static str,
    /// What a place must have for it to apply.
    pub needs: &'static [Need],
    /// Shows it on a place that nobody else uses.
    pub show: fn(&Place) -> Result<()>,
}

/// The behaviours of each family.
pub static ALL: &[(Family, &[Behaviour])] =
    &[(Family::Tasks, tasks::TASKS), (Family::Share, share::SHARE), (Family::Serve, serve::SERVE)];

/// How a place says that it lacks a family.
pub static ABSENT: &[(Family, Behaviour)] =
    &[(Family::Tasks, tasks::ABSENT), (Family::Share, share::ABSENT), (Family::Serve, serve::ABSENT)];

/// What a `limit` around a place under trial is set to: behaviours that fill the place count on it.
pub const LIMITED_TO: usize = 3;

/// The names of all behaviours, in the order of the lists.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().flat_map(|(_, behaviours)| behaviours.iter()).map(|behaviour| behaviour.name)
}

impl fmt::Debug for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Lists a behaviour by its function: what it means, what it needs.
macro_rules! behaviour {
    ($module:ident::$name:ident, $about:literal $(, $need:ident)*) => {
        $crate::behaviours::Behaviour {
            name: stringify!($name),
            about: $about,
            needs: &[$($crate::behaviours::Need::$need),*],
            show: $module::$name,
        }
    };
}
use behaviour;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_name_stands_once() {
        let all: Vec<_> = names().collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }
}
