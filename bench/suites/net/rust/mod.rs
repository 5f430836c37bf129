//! Echo servers beside their peers, each in a program of its own, asked by one client that costs little.

mod client;
mod servers;

use crate::Result;
use crate::effort::Effort;
use crate::record::Record;
use client::Client;
use servers::{Kind, Running};
use std::time::Duration;

/// Bytes of a message.
const MESSAGE: usize = 64;
const IDLE: usize = 10_000;

const PYTHON: &str = "echo from Python";
const PYTHON_REQUESTS: &str = "echo from Python by requests";
const RUST: &str = "echo from Rust";
const RUST_REQUESTS: &str = "echo from Rust by requests";
const RUST_FUTURES: &str = "echo from Rust by futures";

/// Who is measured beside whom, and what that tells of: a peer stands beside each of our ways to serve.
const GROUPS: &[&[Kind]] = &[
    &[
        Kind::python("anyplace", "connections", &[PYTHON]),
        Kind::python("anyplace", "requests", &[PYTHON_REQUESTS]),
        Kind::python("asyncio", "asyncio", &[PYTHON, PYTHON_REQUESTS]),
    ],
    &[
        Kind::rust("anyplace", "threads", &[RUST]),
        Kind::rust("anyplace", "requests", &[RUST_REQUESTS]),
        Kind::rust("anyplace", "async", &[RUST_FUTURES]),
        Kind::rust("std threads", "std", &[RUST]),
        Kind::rust("tokio", "tokio", &[RUST, RUST_REQUESTS, RUST_FUTURES]),
    ],
];

pub(crate) fn run(effort: Effort, record: &mut Record) -> Result<()> {
    let each = Duration::from_millis(if effort == Effort::Quick { 300 } else { 1000 });
    for round in 0..effort.long_rounds() {
        for kinds in GROUPS {
            for turn in 0..kinds.len() {
                // Nobody is always the first.
                measure(record, &kinds[(turn + round) % kinds.len()], each)?;
            }
        }
    }
    Ok(())
}

fn measure(record: &mut Record, kind: &Kind, each: Duration) -> Result<()> {
    let mut add = |what: &str, value: f64, unit: &str| {
        kind.tells_of.iter().for_each(|group| record.add(&format!("{group} {what}"), kind.who, value, unit));
    };
    let server = Running::start(kind)?;
    for connections in [1, 100] {
        let mut client = Client::connect(&server.address, connections, MESSAGE)?;
        client.run(each / 5)?;
        let before = server.processor_time()?;
        let times = client.run(each)?;
        let worked = server.processor_time()? - before;
        let plural = if connections == 1 { "connection" } else { "connections" };
        let case = format!("{connections} {plural}");
        add(&format!("{case} p50"), times.quantile(0.5), "us");
        add(&format!("{case} p99"), times.quantile(0.99), "us");
        add(&case, times.rate(), "/s");
        let cost = worked.as_secs_f64() * 1e6 / times.count() as f64;
        add(&format!("{case} processor time"), cost, "us");
    }
    drop(server);
    let server = Running::start(kind)?;
    let idle = client::connect_many(&server.address, IDLE)?;
    // The last one is served, so all before it were taken in.
    Client::connect(&server.address, 1, MESSAGE)?.run(Duration::from_millis(10))?;
    add(&format!("{IDLE} idle connections"), server.megabytes()?, "MB");
    drop(idle);
    Ok(())
}
