//! Functions that travel by name: what `#[anyplace::task]` makes, and the list a worker finds them in.

use super::{ByName, Function, each, local, one, other_type};
use crate::driver::Limits;
use crate::error::{Error, Kind, Result};
use crate::outcome::{Item, Value};
use crate::work::{Arguments, Encoding, Named, Packer, Payload, PayloadRef, Work, WorkKind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;

/// A function with a name that means the same in every process of the program. `#[anyplace::task]` implements it.
pub trait NamedTask: Copy + Send + Sync + 'static {
    /// `crate::module::function`.
    const NAME: &'static str;
    /// What it takes: the type of its one argument, or a tuple.
    type Input: Serialize + DeserializeOwned + Clone + Send + 'static;
    /// What it returns.
    type Output: Serialize + DeserializeOwned + Send + 'static;

    /// Calls it.
    fn run(input: Self::Input) -> Self::Output;
}

impl<N: NamedTask> Function<N::Input, ByName> for N {
    type Output = N::Output;

    fn work(self: &Arc<Self>, input: N::Input, limits: &Limits) -> Result<Work> {
        if limits.takes(WorkKind::Closure) {
            return Ok(one(Arc::new(N::run), input));
        }
        Ok(named::<N>(Arguments::One(encode::<N, _>(&input)?)))
    }

    fn chunk(self: &Arc<Self>, inputs: Vec<N::Input>, limits: &Limits) -> Result<Work> {
        if limits.takes(WorkKind::Closure) {
            return Ok(each(Arc::new(N::run), inputs));
        }
        let mut packer = Packer::default();
        for input in &inputs {
            packer.push_with(Encoding::Postcard, |out| encode_to::<N, _>(input, out))?;
        }
        Ok(named::<N>(Arguments::Each(packer.finish())))
    }

    fn decode(value: Value) -> Result<N::Output> {
        match value {
            Value::Encoded(payload) => decode::<N, _>(payload.as_ref()),
            value => local(value),
        }
    }

    fn decode_items(value: Value) -> Result<Vec<Result<N::Output>>> {
        match value {
            Value::Items(items) => Ok(items.iter().map(decode_item::<N>).collect()),
            value => local(value),
        }
    }
}

fn named<N: NamedTask>(arguments: Arguments) -> Work {
    Work::Named(Named { name: N::NAME.into(), arguments })
}

fn encode<N: NamedTask, T: Serialize>(value: &T) -> Result<Payload> {
    let mut bytes = Vec::new();
    encode_to::<N, T>(value, &mut bytes)?;
    Ok(Payload::new(Encoding::Postcard, bytes))
}

fn encode_to<N: NamedTask, T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<()> {
    postcard::to_extend(value, Appending(out))
        .map(drop)
        .map_err(|error| not_serializable::<N>("encoded", error))
}

/// What is written goes behind what is there.
struct Appending<'a>(&'a mut Vec<u8>);

impl Extend<u8> for Appending<'_> {
    fn extend<I: IntoIterator<Item = u8>>(&mut self, bytes: I) {
        self.0.extend(bytes);
    }
}

fn decode<N: NamedTask, T: DeserializeOwned>(payload: PayloadRef<'_>) -> Result<T> {
    if payload.encoding != Encoding::Postcard {
        return Err(other_type());
    }
    postcard::from_bytes(payload.bytes).map_err(|error| not_serializable::<N>("decoded", error))
}

fn decode_item<N: NamedTask>(item: Item<'_>) -> Result<N::Output> {
    match item {
        Item::Returned(payload) => decode::<N, _>(payload),
        Item::Failed(error) | Item::Cancelled(error) | Item::Lost(error) => Err(error),
    }
}

fn not_serializable<N: NamedTask>(what: &str, error: postcard::Error) -> Error {
    // A shared handle says more than the encoding keeps.
    if let Some(refused) = crate::share::take_refusal() {
        return refused;
    }
    Error::new(Kind::NotSerializable, format!("a value of `{}` cannot be {what}: {error}", N::NAME))
        .with_source(error)
}

/// A `#[anyplace::task]` function as a worker finds it.
pub struct Registered {
    /// Its name.
    pub name: &'static str,
    /// Decodes, calls, and appends what was returned, encoded. A panic is an error.
    pub call: fn(PayloadRef<'_>, &mut Vec<u8>) -> Result<()>,
}

impl Registered {
    /// The entry of a task; `#[anyplace::task]` writes it.
    pub const fn of<N: NamedTask>() -> Self {
        Self { name: N::NAME, call: call::<N> }
    }
}

fn call<N: NamedTask>(payload: PayloadRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let input = decode::<N, N::Input>(payload)?;
    let output = super::call(&N::run, input)?;
    encode_to::<N, _>(&output, out)
}

inventory::collect!(Registered);

/// The task of this program with that name.
pub(crate) fn find(name: &str) -> Option<&'static Registered> {
    inventory::iter::<Registered>.into_iter().find(|entry| entry.name == name)
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registered({})", self.name)
    }
}
