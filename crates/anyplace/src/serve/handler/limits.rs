//! What a server takes of its clients.

use std::time::Duration;

/// What a server takes of its clients, so that slow and greedy ones cannot hold it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// How many connections are open at once; more wait to be accepted. 10 000 unless it is set.
    pub connections: usize,
    /// The largest request, in bytes. 1 MiB unless it is set.
    pub request: usize,
    /// How long a client may keep the server waiting: without a byte where one is expected, or without taking what it is
    /// sent. 60 s unless it is set.
    pub idle: Option<Duration>,
    /// How long a request may take from its first byte to its last, however steadily it comes. 30 s unless it is set.
    pub arrival: Option<Duration>,
    /// How long a connection may last. No limit unless it is set.
    pub longest: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            request: 1 << 20,
            idle: Some(Duration::from_secs(60)),
            arrival: Some(Duration::from_secs(30)),
            longest: None,
        }
    }
}

impl Limits {
    /// How often somebody has to look whether a limit is over, so that it is kept within a quarter of it.
    pub(super) fn every(&self) -> Option<Duration> {
        let shortest = [self.idle, self.arrival, self.longest].into_iter().flatten().min()?;
        Some((shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(1)))
    }
}
