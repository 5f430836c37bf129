//! From an address to the trials of its place.

use crate::behaviours::{ABSENT, ALL, Behaviour};
use anyplace::{Error, Kind, Place, Registry, Result};

/// Makes trials for places, opened with the drivers of a registry.
#[derive(Debug)]
pub struct Kit {
    registry: Registry,
}

/// One behaviour on one address.
#[derive(Debug)]
pub struct Trial {
    behaviour: &'static Behaviour,
    address: String,
    registry: Registry,
    skip: Option<&'static str>,
}

impl Kit {
    /// A kit for the places of this registry.
    pub fn new(registry: Registry) -> Self {
        Self { registry }
    }

    /// One trial per behaviour, in the order of [`names`](crate::names); for a family that the place lacks, one that
    /// checks how it says so.
    ///
    /// # Errors
    /// What opening the place says.
    pub fn trials(&self, address: &str) -> Result<Vec<Trial>> {
        let place = self.registry.open(address)?;
        let mut trials = Vec::new();
        for (family, behaviours) in ALL {
            let entry = self.registry.entries().iter().find(|entry| entry.scheme == place.address().scheme());
            if entry.is_some_and(|entry| entry.families.contains(family)) {
                trials.extend(behaviours.iter().map(|behaviour| self.trial(behaviour, address, &place)));
            } else {
                let absent = ABSENT.iter().filter(|(lacked, _)| lacked == family);
                trials.extend(absent.map(|(_, behaviour)| self.trial(behaviour, address, &place)));
            }
        }
        place.close()?;
        Ok(trials)
    }

    fn trial(&self, behaviour: &'static Behaviour, address: &str, place: &Place) -> Trial {
        let skip = behaviour.needs.iter().find_map(|need| need.missing(place));
        Trial { behaviour, address: address.to_owned(), registry: self.registry.clone(), skip }
    }
}

impl Trial {
    /// The behaviour's name.
    pub fn name(&self) -> &'static str {
        self.behaviour.name
    }

    /// The address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Why the behaviour cannot apply to the place; `None` if it can.
    pub fn skip(&self) -> Option<&'static str> {
        self.skip
    }

    /// Opens the place, shows the behaviour, closes the place.
    ///
    /// # Errors
    /// Errors of the place that the behaviour did not ask for.
    ///
    /// # Panics
    /// Where the place breaks the promise.
    pub fn run(&self) -> Result<()> {
        let place = self.registry.open(self.address.as_str())?;
        (self.behaviour.show)(&place)?;
        place.close()?;
        match place.unfinished() {
            0 => Ok(()),
            left => {
                Err(Error::new(Kind::Unexpected, format!("{left} tasks have no outcome though it is closed")))
            }
        }
    }
}
