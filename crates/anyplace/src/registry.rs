//! Which drivers and layers there are, and how an address becomes a place.

use crate::address::Address;
use crate::driver::{Entry, Setup};
use crate::error::{Error, Result};
use crate::place::Place;
use crate::{drivers, layers, spelling};
use std::ffi::OsString;

/// The drivers an address may name. [`Registry::standard`] has those of this crate; [`with`](Self::with) adds one.
#[derive(Clone, Debug)]
pub struct Registry {
    entries: Vec<Entry>,
    setup: Setup,
}

impl Default for Registry {
    fn default() -> Self {
        Self::standard()
    }
}

impl Registry {
    /// All drivers of this crate.
    pub fn standard() -> Self {
        Self { entries: drivers::DRIVERS.to_vec(), setup: Setup::default() }
    }

    /// Adds a driver of yours, before those of the same scheme.
    #[must_use]
    pub fn with(mut self, entry: Entry) -> Self {
        self.entries.insert(0, entry);
        self
    }

    /// Sets the program that worker processes run, with its first arguments.
    #[must_use]
    pub fn with_worker(mut self, program: impl IntoIterator<Item = OsString>) -> Self {
        self.setup.worker = Some(program.into_iter().collect());
        self
    }

    /// Changes what opening is done with: see [`Setup`].
    #[must_use]
    pub fn with_setup(mut self, setup: Setup) -> Self {
        self.setup = setup;
        self
    }

    /// The drivers, in the order of the documentation.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What opening is done with.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Opens a place by its address.
    ///
    /// # Errors
    /// `ConfigInvalid` for a wrong address, naming the part and what is accepted, before anything is started;
    /// what the driver says if it cannot work here.
    pub fn open<A>(&self, address: A) -> Result<Place>
    where
        A: TryInto<Address>,
        Error: From<A::Error>,
    {
        let address = address.try_into().map_err(Error::from)?;
        let entry = self.entry(&address)?;
        let accepted: Vec<&str> = entry.options.iter().map(|(name, _)| *name).chain(["seed"]).collect();
        address.options().expect_only(&accepted, format!("{}:", entry.scheme))?;
        let seed = address.options().parse::<u64>("seed", "a whole number, such as `seed=42`")?;
        let folded = layers::from_specs(address.layers())?;
        let bare = address.without_layers();
        let driver = (entry.open)(&bare, &self.setup).map_err(|error| match error.place() {
            Some(_) => error,
            None => error.at(&bare),
        })?;
        Place::set_up(driver, folded, seed, &self.setup)
    }

    fn entry(&self, address: &Address) -> Result<&Entry> {
        let scheme = address.scheme();
        self.entries.iter().find(|entry| entry.scheme == scheme).ok_or_else(|| {
            let schemes = self.entries.iter().map(|entry| entry.scheme);
            Error::config(format!("no place has the scheme `{scheme}`"))
                .during("open")
                .with_help(spelling::hint(scheme, schemes, "no drivers are built in", "there are"))
        })
    }
}

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}
