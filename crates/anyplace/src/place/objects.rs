//! The Serve family, as a place has it.

use super::Place;
use crate::driver::{Making, Recipe, Serve};
use crate::error::Result;
use crate::serve::objects::{Object, Proxy};
use std::sync::Arc;

/// Objects that stay where they are and are called from elsewhere: see [`objects`](crate::serve::objects).
impl Place {
    /// The family itself: what the methods below and other faces stand on.
    ///
    /// # Errors
    /// `Unsupported` where the place keeps no objects.
    pub fn serve(&self) -> Result<Arc<dyn Serve>> {
        self.0.driver.serve()
    }

    /// Keeps an object of this process, so that others can call it by the proxy. It stays for as long as somebody has one.
    ///
    /// # Errors
    /// `Unsupported` where the place keeps its objects elsewhere: Rust objects do not travel.
    pub fn create(&self, object: impl Object) -> Result<Proxy> {
        let class = object.class().to_owned();
        let making = Making::Made(Arc::new(object));
        self.serve()?.create(Recipe { making, class, exclusive: false, restart: 0 })
    }

    /// Lets others find an object of this process by this name, for as long as the place is open. It stays here: where the place
    /// is another machine's, it is reached by the connection to there, and its name goes with that.
    ///
    /// # Errors
    /// `ConfigInvalid` if the name is taken; `Unsupported` where the place keeps no objects.
    pub fn publish(&self, name: &str, object: impl Object) -> Result<()> {
        self.publish_proxy(name, &crate::serve::objects::keep(Arc::new(object), false)?)
    }

    /// As [`publish`](Self::publish), for an object that there is a proxy of. Who finds it may use what its class exposes.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub fn publish_proxy(&self, name: &str, proxy: &Proxy) -> Result<()> {
        proxy.publish(&*self.serve()?, name)
    }

    /// Takes a name away; false if there was no such name. Who has found the object may go on to use it.
    ///
    /// # Errors
    /// `Unsupported` where the place keeps no objects.
    pub fn unpublish(&self, name: &str) -> Result<bool> {
        self.serve()?.unpublish(name)
    }

    /// The object of this name.
    ///
    /// # Errors
    /// `NotFound`, with the nearest spelling.
    pub fn find(&self, name: &str) -> Result<Proxy> {
        self.serve()?.find(name)
    }

    /// The names of all objects that were published here, in order.
    ///
    /// # Errors
    /// `Unsupported` where the place keeps no objects.
    pub fn names(&self) -> Result<Vec<String>> {
        self.serve()?.names()
    }
}
