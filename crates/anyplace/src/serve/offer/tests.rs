//! Offers of places whose every step the test decides.

mod floods;

use crate::address::Address;
use crate::driver::{Driver, Limits, Share};
use crate::error::{Error, Kind, Result};
use crate::place::Place;
use crate::share::{Guest, Object, Why, Wish};
use anyplace_sync::Latch;
use std::sync::Arc;
use std::time::Duration;

/// A place that takes its time to share anything.
#[derive(Debug)]
struct Slow {
    address: Address,
    share: Arc<Gate>,
}

/// Somebody has come; they may go on.
#[derive(Debug, Default)]
struct Gate {
    came: Latch,
    opens: Latch,
}

impl Driver for Slow {
    fn address(&self) -> &Address {
        &self.address
    }

    fn limits(&self) -> Limits {
        Limits::local(1, &[])
    }

    fn share(&self) -> Result<Arc<dyn Share>> {
        Ok(self.share.clone())
    }

    fn close(&self, _: Duration) -> Result<()> {
        Ok(())
    }
}

impl Share for Gate {
    fn open(&self, _: &str, _: &Wish<'_>) -> Result<Object> {
        Err(Error::new(Kind::Unsupported, "only for guests"))
    }

    fn why(&self) -> Why {
        Why::nothing("slow:")
    }

    fn guest(&self, _: &str, _: u32) -> Result<Guest> {
        self.came.set();
        self.opens.wait(None);
        Err(Error::new(Kind::ResourceExhausted, "there is no memory in the end"))
    }
}

/// One thread hears all clients, so it must not be the one that makes what a client wants.
#[test]
fn what_takes_long_for_one_client_holds_up_no_other() {
    let gate = Arc::new(Gate::default());
    let slow = Slow { address: "slow:".parse().unwrap(), share: gate.clone() };
    let folder = tempfile::tempdir().unwrap();
    let endpoint = format!("unix:{}", folder.path().join("place.sock").display());
    let offer = Place::new(Arc::new(slow), Vec::new(), Some(1)).unwrap().offer(&endpoint).unwrap();
    let slowed = crate::open(offer.address()).unwrap();
    std::thread::scope(|scope| {
        let lock = scope.spawn(|| slowed.lock("door").map(drop));
        gate.came.wait(None);
        let other = crate::open(offer.address()).and_then(|place| place.close());
        gate.opens.set();
        other.unwrap();
        assert_eq!(lock.join().unwrap().unwrap_err().kind(), Kind::ResourceExhausted);
    });
}
