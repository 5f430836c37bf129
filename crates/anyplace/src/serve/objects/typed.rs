//! Values of Rust callers and objects: numbers and texts in the encoding that every language reads, all else as postcard.

use crate::error::{Error, Kind, Result};
use crate::work::{Encoding, Payload, PayloadRef};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) fn encode<T: Serialize>(value: &T) -> Result<Payload> {
    let bytes = postcard::to_stdvec(value).map_err(|error| wrong("encoded", &error))?;
    Ok(Payload::new(Encoding::Postcard, bytes))
}

pub(super) fn decode<T: DeserializeOwned>(payload: PayloadRef<'_>, what: &str) -> Result<T> {
    if payload.encoding != Encoding::Postcard {
        return Err(Error::new(Kind::NotSerializable, format!("`{what}` is not called as Rust calls it"))
            .with_retry(crate::Retry::Safe)
            .with_help("objects of another language are called from that language"));
    }
    postcard::from_bytes(payload.bytes).map_err(|error| wrong("decoded", &error))
}

fn wrong(what: &str, error: &postcard::Error) -> Error {
    Error::new(Kind::NotSerializable, format!("a value of a call cannot be {what}: {error}"))
        .with_retry(crate::Retry::Safe)
}
