//! Places at servers whose every word the test decides.

use crate::driver::{Family, Limits, OnLog, Setup};
use crate::net::{Stream, listen};
use crate::peer::greet;
use crate::registry::Registry;
use crate::wire::log;
use crate::wire::peer::topic::Offered;
use crate::wire::peer::{Greeting, NodeId};
use crate::work::{Encoding, Payload};
use anyplace_sync::Latch;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn soon() -> Option<Instant> {
    Some(Instant::now() + Duration::from_secs(20))
}

/// Says what a server of tasks says first.
fn welcome(stream: &Stream) {
    let offered = Offered::new("scripted:".to_owned(), &Limits::local(1, &[]), vec![Family::Tasks]);
    greet(stream, &Greeting::new("rust".to_owned(), NodeId(1), offered.to_bytes()), soon()).unwrap();
}

/// One thread of the process hears all servers, so it must not be the one that calls back.
#[test]
fn a_callback_for_logs_that_does_not_return_holds_up_no_conversation() {
    let folder = tempfile::tempdir().unwrap();
    let address = |name: &str| format!("unix:{}", folder.path().join(name).display());
    let (came, goes) = (Arc::new(Latch::new()), Arc::new(Latch::new()));
    let on_log = {
        let (came, goes) = (came.clone(), goes.clone());
        OnLog(Arc::new(move |_| {
            came.set();
            goes.wait(None);
        }))
    };
    let registry = Registry::standard().with_setup(Setup { on_log: Some(on_log), ..Setup::default() });
    let listener = listen(address("scripted")).unwrap();
    let place = std::thread::scope(|scope| {
        let place = scope.spawn(|| registry.open(address("scripted")).unwrap());
        let server = listener.accept(soon()).unwrap();
        // Who comes back is refused, and not waited for.
        drop(listener);
        welcome(&server);
        let place = place.join().unwrap();
        server.write(&log(&Payload::new(Encoding::Plain, b"news".to_vec())).to_vec(), soon()).unwrap();
        came.wait(None);
        place
    });
    let offer = crate::open("threads:1").unwrap().offer(&address("other"));
    let other = offer.and_then(|offer| crate::open(offer.address())).and_then(|place| place.close());
    goes.set();
    other.unwrap();
    place.close().unwrap();
}
