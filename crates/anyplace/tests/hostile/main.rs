//! What hostile, clumsy and unlucky clients do to an offered place, from other machines: their keys are not its own.

#![allow(missing_docs, reason = "tests")]

mod greed;
mod scopes;

use anyplace::keys::{Keys, Scope};
use anyplace::serve::{Offer, Terms};
use anyplace::work::Work;
use anyplace::{Error, Place, Registry, Setup, TaskOptions};
use std::path::PathBuf;
use tempfile::TempDir;

/// A machine that offers a place, and as many others as are asked for.
struct Machines {
    folder: TempDir,
    offer: Offer,
}

impl Machines {
    /// One that offers this place, on these terms.
    fn offering(address: &str, terms: &Terms) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = open(address, folder.path().join("server")).unwrap();
        let offer = place.offer_on("tcp://127.0.0.1:0", terms).unwrap();
        Self { folder, offer }
    }

    fn keys_of(&self, client: &str) -> PathBuf {
        self.folder.path().join(client)
    }

    /// The keys of who offers the place.
    fn server(&self) -> Keys {
        Keys::new(Some(self.keys_of("server")))
    }

    /// A client's place, by the ticket that everybody has.
    fn open(&self, client: &str) -> Result<Place, Error> {
        open(self.offer.address().reveal(), self.keys_of(client))
    }

    /// A client's place, by its key.
    fn open_by_key(&self, client: &str) -> Result<Place, Error> {
        open(self.offer.endpoint().to_string(), self.keys_of(client))
    }

    /// A client's place, by a ticket of its own.
    fn open_for(&self, client: &str, scope: Scope) -> Result<Place, Error> {
        let ticket = self.server().issue(scope, None, false)?;
        open(format!("{}#{}", self.offer.endpoint(), ticket.reveal()), self.keys_of(client))
    }
}

/// A place whose keys are in this folder.
fn open(address: impl Into<String>, keys: PathBuf) -> Result<Place, Error> {
    Registry::standard().with_setup(Setup { keys: Some(keys), ..Setup::default() }).open(address.into())
}

/// Has the place run a program.
fn run(place: &Place) -> Result<(), Error> {
    let command = anyplace::work::Command::new(["true"]);
    place.submit_work(Work::Command(command), TaskOptions::default())?.wait().map(drop)
}
