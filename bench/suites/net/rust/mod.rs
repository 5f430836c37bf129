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

/// What is measured: who serves, and who is beside it.
const GROUPS: &[(&str, &[Kind])] = &[
    (
        "echo from Python",
        &[Kind::python("anyplace"), Kind::python("anyplace requests"), Kind::python("asyncio")],
    ),
    (
        "echo from Rust",
        &[
            Kind::rust("anyplace", "threads"),
            Kind::rust("anyplace requests", "requests"),
            Kind::rust("anyplace async", "async"),
            Kind::rust("tokio", "tokio"),
        ],
    ),
];

pub(crate) fn run(effort: Effort, record: &mut Record) -> Result<()> {
    let each = Duration::from_millis(if effort == Effort::Quick { 300 } else { 1000 });
    for round in 0..effort.long_rounds() {
        for (group, kinds) in GROUPS {
            for turn in 0..kinds.len() {
                // Nobody is always the first.
                measure(record, group, &kinds[(turn + round) % kinds.len()], each)?;
            }
        }
    }
    Ok(())
}

fn measure(record: &mut Record, group: &str, kind: &Kind, each: Duration) -> Result<()> {
    let server = Running::start(kind)?;
    for connections in [1, 100] {
        let mut client = Client::connect(&server.address, connections, MESSAGE)?;
        client.run(each / 5)?;
        let before = server.processor_time()?;
        let times = client.run(each)?;
        let worked = server.processor_time()? - before;
        let plural = if connections == 1 { "connection" } else { "connections" };
        let case = format!("{group} {connections} {plural}");
        record.add(&format!("{case} p50"), kind.who, times.quantile(0.5), "us");
        record.add(&format!("{case} p99"), kind.who, times.quantile(0.99), "us");
        record.add(&case, kind.who, times.rate(), "/s");
        let cost = worked.as_secs_f64() * 1e6 / times.count() as f64;
        record.add(&format!("{case} processor time"), kind.who, cost, "us");
    }
    drop(server);
    let server = Running::start(kind)?;
    let idle = client::connect_many(&server.address, IDLE)?;
    // The last one is served, so all before it were taken in.
    Client::connect(&server.address, 1, MESSAGE)?.run(Duration::from_millis(10))?;
    record.add(&format!("{group} {IDLE} idle connections"), kind.who, server.megabytes()?, "MB");
    drop(idle);
    Ok(())
}
