//! Tasks around Tasks: what an address says before `::`, and [`Place::with`](crate::Place::with) in code.
//!
//! | layer | does | in code |
//! |---|---|---|
//! | [`progress`](Progress) | counts what becomes of tasks, and calls back | `Progress::new(callback)` |
//! | [`retry=3`](Retry) | tries again what failed, at most three attempts in all | `Retry::times(3)` |
//! | [`timeout=30s`](Timeout) | ends an attempt that runs longer | `Timeout::after(duration)` |
//! | [`limit=4`](Limit) | at most four at once, or so many per second | `Limit::at_most(4)` |
//!
//! They stand in this order, outermost first; orders that would not do what they say are refused, with the reason.
//!
//! # Writing one
//!
//! A layer sees all there is to know of a task. On its way in: its number, index, items, attempt and options, as
//! fields of [`Task`](crate::Task). When it begins: its worker, in [`Control::on_start`](crate::Control::on_start),
//! on the worker's thread. When it ends: its [`Outcome`](crate::Outcome), in the [`Done`](crate::Done) that the layer
//! hands inwards. Each is called at its time, so `Instant::now()` there is the time.

pub mod limit;
pub mod progress;
pub mod retry;
pub mod timeout;
mod timer;

pub use limit::Limit;
pub use progress::{Counts, Progress};
pub use retry::Retry;
pub use timeout::Timeout;

use crate::address::LayerSpec;
use crate::driver::Layer;
use crate::duration;
use crate::error::{Error, Result};
use crate::spelling;
use std::sync::Arc;
use std::time::Duration;

/// One kind of layer, as addresses name it.
#[derive(Clone, Copy, Debug)]
pub struct LayerEntry {
    /// Its name before `=`.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Examples.
    pub forms: &'static [&'static str],
    /// The options it takes, with a line each.
    pub options: &'static [(&'static str, &'static str)],
    /// Makes one.
    pub make: fn(&LayerSpec) -> Result<Arc<dyn Layer>>,
}

/// Every layer of this crate: one line each, in the order they stand in an address.
pub static LAYERS: &[LayerEntry] = &[progress::LAYER, retry::LAYER, timeout::LAYER, limit::LAYER];

pub(crate) fn from_specs(specs: &[LayerSpec]) -> Result<Vec<Arc<dyn Layer>>> {
    specs.iter().map(from_spec).collect()
}

fn from_spec(spec: &LayerSpec) -> Result<Arc<dyn Layer>> {
    let entry = LAYERS.iter().find(|entry| entry.name == spec.name()).ok_or_else(|| {
        let names = LAYERS.iter().map(|entry| entry.name);
        Error::config(format!("no layer is called `{}`", spec.name()))
            .during("open")
            .with_help(spelling::hint(spec.name(), names, "no layers are built in", "there are"))
    })?;
    let accepted: Vec<&str> = entry.options.iter().map(|(name, _)| *name).collect();
    spec.options().expect_only(&accepted, format!("{}=", entry.name))?;
    (entry.make)(spec)
}

/// The error of a layer whose value is missing or wrong.
fn wrong_value(spec: &LayerSpec, wanted: &str) -> Error {
    let name = spec.name();
    let message = match spec.value() {
        Some(value) => format!("`{name}` cannot be `{value}`"),
        None => format!("`{name}` has no value"),
    };
    Error::config(message).during("open").with_help(format!("write {wanted}"))
}

/// An option that is a length of time.
fn duration_option(spec: &LayerSpec, key: &str) -> Result<Option<Duration>> {
    let read = |text| {
        duration::parse(text).map_err(|error| {
            let help = error.help().unwrap_or_default().to_owned();
            Error::config(format!("option `{key}` of `{}`: {error}", spec.name()))
                .during("open")
                .with_help(help)
        })
    };
    spec.options().get(key).map(read).transpose()
}

/// Pairs that would not do what they say when the first stands outside the second, and why.
const HAZARDS: &[(&str, &str, &str)] = &[
    ("timeout", "retry", "a timeout outside a retry would end all attempts together"),
    ("limit", "retry", "a limit outside a retry would keep its slot while the retry waits to try again"),
    (
        "limit",
        "timeout",
        "a limit outside a timeout would give its slot away while a task that could not be ended still runs",
    ),
    ("retry", "progress", "a progress inside a retry would count each attempt as a task"),
    ("retry", "retry", "a retry around a retry would multiply their attempts"),
    ("timeout", "timeout", "of two timeouts only the shorter would count"),
    ("limit", "limit", "of two limits one would hold back what the other let through"),
];

/// Refuses layers whose order would not do what it says.
pub(crate) fn check_order(layers: &[Arc<dyn Layer>]) -> Result<()> {
    let names: Vec<&str> = layers.iter().map(|layer| layer.name()).collect();
    let stands = |outer: &str, inner: &str| {
        let behind = names.iter().position(|name| *name == outer).map_or(&[][..], |at| &names[at + 1..]);
        behind.contains(&inner)
    };
    match HAZARDS.iter().find(|(outer, inner, _)| stands(outer, inner)) {
        None => Ok(()),
        Some((outer, inner, why)) => Err(Error::config(*why).during("open").with_help(if outer == inner {
            format!("keep one `{outer}`; it takes all its options together")
        } else {
            format!("write `{}`, the first being the outermost", in_order(&names))
        })),
    }
}

/// The names as an address would have them: those of this crate in their order, around strangers as they stand.
fn in_order(names: &[&str]) -> String {
    let rank = |name: &&str| LAYERS.iter().position(|entry| entry.name == *name).unwrap_or(LAYERS.len());
    let mut sorted = names.to_vec();
    sorted.sort_by_key(rank);
    sorted.iter().map(|name| format!("{name}::")).collect::<String>() + "…"
}

#[cfg(test)]
mod tests;
