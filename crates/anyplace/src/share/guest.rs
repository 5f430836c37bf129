//! A [`Guest`]: somebody for whom this process acts, such as a client of a place that is offered.

use super::halls;
use super::object::{Object, check_name};
use super::shape::Wish;
use super::site::Site;
use super::travel::as_guest;
use super::why::Why;
use crate::driver::Share;
use crate::error::Result;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;

/// What one who uses a place through this process sees of its objects. When it is dropped, with all handles that came of it,
/// what they held passes on, as if a process had been killed: [`Share::guest`] makes it.
#[derive(Debug)]
pub struct Guest {
    share: Arc<dyn Share>,
    /// Where it holds things in its own name.
    site: Arc<Site>,
}

/// The objects of a hall.
struct InHall(Arc<Site>);

impl Guest {
    pub(super) fn at(site: Arc<Site>) -> Self {
        Self { share: Arc::new(InHall(site.clone())), site }
    }

    pub(crate) fn share(&self) -> &Arc<dyn Share> {
        &self.share
    }

    /// The hall in which the objects lie, as a number.
    pub(crate) fn hall(&self) -> u64 {
        self.site.in_hall().ticket().numbers()[0]
    }

    /// The handle of a ticket that the place has given out.
    ///
    /// # Errors
    /// `NotFound` if the object is no more, or another place's.
    pub(crate) fn arrive<T: DeserializeOwned>(&self, ticket: &[u8]) -> Result<T> {
        as_guest(&self.site, || super::from_ticket(ticket))
    }
}

impl Share for InHall {
    fn open(&self, name: &str, wish: &Wish<'_>) -> Result<Object> {
        check_name(name, &self.0.place)?;
        self.0.check_open()?;
        halls::find_or_make(&self.0, name, wish)
    }

    fn why(&self) -> Why {
        halls::why(&self.0)
    }
}

impl fmt::Debug for InHall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InHall").field(&self.0.place).finish()
    }
}
