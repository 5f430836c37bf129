//! A server that has no descriptors left: it waits until it has, and those that are in go on.

use crate::peers::{Folder, Other, ready};
use crate::support::Nothing;
use crate::trials;
use anyplace::net::{Stream, connect};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::Read;
use std::time::{Duration, Instant};

trials!("exhausted":
    an_offer_without_descriptors_serves_those_it_has_and_then_takes_more,
);

/// So many descriptors the server has.
const FEW: u64 = 48;

#[anyplace::task]
fn double(n: u64) -> u64 {
    n * 2
}

/// Offers a place with few descriptors.
pub(crate) fn server() {
    anyplace::init();
    let path = std::env::args().nth(2).unwrap();
    let place = anyplace::open("processes:1").unwrap();
    // The worker is there before there is no room for it.
    place.submit(double, 1).unwrap().wait().unwrap();
    let limit = Rlimit { current: Some(FEW), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, limit).unwrap();
    let offer = place.offer(&format!("unix:{path}")).unwrap();
    ready();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    drop(offer);
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// How many descriptors that process has.
fn descriptors(process: u32) -> u64 {
    std::fs::read_dir(format!("/proc/{process}/fd")).unwrap().count() as u64
}

/// Connects until the server has no descriptor for one more.
fn use_up(server: &Other, endpoint: &str) -> anyplace::Result<Vec<Stream>> {
    let until = soon();
    let mut silent = Vec::new();
    while descriptors(server.number()) < FEW {
        assert!(Instant::now() < until, "it still has {} of them", descriptors(server.number()));
        if silent.len() < 2 * FEW as usize {
            silent.push(connect(endpoint, Some(until))?);
        }
        std::thread::yield_now();
    }
    Ok(silent)
}

fn an_offer_without_descriptors_serves_those_it_has_and_then_takes_more() -> Nothing {
    let folder = Folder::new();
    let server = Other::start("--role-short-of-descriptors", &[&folder.path("s")]);
    let before = anyplace::open(folder.socket("s"))?;
    before.submit(double, 4)?.wait()?;
    let silent = use_up(&server, &folder.socket("s"))?;
    for n in 0..10 {
        assert_eq!(before.submit(double, n)?.wait()?, 2 * n);
    }
    drop(silent);
    let after = anyplace::open(folder.socket("s"))?;
    assert_eq!(after.submit(double, 21)?.wait()?, 42);
    assert_eq!(before.submit(double, 5)?.wait()?, 10);
    after.close()?;
    before.close()
}
