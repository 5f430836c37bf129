#![doc = include_str!("../README.md")] // a link to that of the repository, so that its Rust is run as a doctest

pub mod address;
pub mod driver;
pub mod drivers;
pub mod duration;
pub mod keys;
pub mod layers;
pub mod net;
pub mod serve;
pub mod share;
pub mod size;
pub mod work;
pub mod worker;

mod context;
mod error;
mod function;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzed;
mod handle;
mod handover;
mod map;
mod outcome;
mod peer;
mod place;
mod random;
mod registry;
mod spelling;
mod task;
mod wire;

// `#[anyplace::task]` names this crate; so that it works in the crate itself, too.
extern crate self as anyplace;

pub use address::Address;
pub use anyplace_macros::task;
pub use anyplace_sync::usable_cores;
pub use context::{Context, current, share_of_cores};
pub use driver::{
    Driver, Entry, Family, Layer, Limits, Making, Memory, OnFork, OnLog, Recipe, Serve, Setup, Share, Tasks,
};
pub use error::{Error, Exit, Kind, Remote, Result, Retry};
pub use function::{ByClosure, ByFuture, ByName, Function, Futures, NamedTask, Registered};
pub use handle::Handle;
pub use map::{Chunk, Flow, Map, Next};
pub use outcome::{Captured, Done, Finished, Item, Items, ItemsWriter, Outcome, Value};
pub use place::Place;
pub use registry::Registry;
pub use serve::objects::{Object, Proxy};
pub use task::{Control, Ending, Started, Task, TaskOptions};
pub use worker::init;

#[doc(hidden)]
pub use inventory;

/// Opens a place by its address, such as `threads:8` or `retry=3::processes:4`.
///
/// `Address::default()` is `threads:`, on all cores that this process may use.
///
/// # Errors
/// `ConfigInvalid` for a wrong address, before anything is started; what the driver says if it cannot work here.
///
/// ```
/// let place = anyplace::open("threads:4")?;
/// let lengths: Vec<usize> = place.map(|word: &str| word.len(), ["one", "three"])?.collect::<Result<_, _>>()?;
/// assert_eq!(lengths, [3, 5]);
/// # Ok::<(), anyplace::Error>(())
/// ```
pub fn open<A>(address: A) -> Result<Place>
where
    A: TryInto<Address>,
    Error: From<A::Error>,
{
    Registry::standard().open(address)
}
