//! An [`Item`]: a value that can be shared.

use crate::error::{Error, Kind, Result};
use crate::work::{Encoding, Payload};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value that goes through queues and pipes and into dicts: any that serde knows, and what other languages make theirs.
///
/// In a place whose tasks run in this process it moves as it is, and neither method is called.
pub trait Item: Sized + Send + 'static {
    /// The value as bytes. Large parts stand beside them, as they are: each is copied once, to where others read it.
    ///
    /// # Errors
    /// `NotSerializable`.
    fn pack(&self) -> Result<Payload>;

    /// The value again.
    ///
    /// # Errors
    /// `NotSerializable` if the bytes are not such a value.
    fn unpack(payload: Payload) -> Result<Self>;

    /// Appends the value to `out` if it is a few bytes that nothing stands beside, so that it travels without a detour; else
    /// leaves `out` as it is.
    fn pack_short(&self, _out: &mut Vec<u8>) -> Option<Encoding> {
        None
    }

    /// The value again, of a few bytes that nothing stands beside; nothing if that is for [`unpack`](Self::unpack).
    fn unpack_short(_encoding: Encoding, _bytes: &[u8]) -> Option<Self> {
        None
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Item for T {
    fn pack(&self) -> Result<Payload> {
        let bytes = postcard::to_stdvec(self).map_err(|error| cannot_be::<Self>("packed", error))?;
        Ok(Payload::new(Encoding::Postcard, bytes))
    }

    fn unpack(payload: Payload) -> Result<Self> {
        if payload.encoding != Encoding::Postcard {
            return Err(Error::new(Kind::NotSerializable, "what was shared is a value of another language")
                .with_help("share it with programs of the same language"));
        }
        postcard::from_bytes(&payload.bytes).map_err(|error| cannot_be::<Self>("read", error))
    }
}

/// A value that is bytes already.
impl Item for Payload {
    fn pack(&self) -> Result<Payload> {
        Ok(self.clone())
    }

    fn unpack(payload: Payload) -> Result<Self> {
        Ok(payload)
    }
}

fn cannot_be<T>(what: &str, error: postcard::Error) -> Error {
    if let Some(refused) = super::take_refusal() {
        return refused;
    }
    let name = std::any::type_name::<T>();
    Error::new(Kind::NotSerializable, format!("a value of `{name}` cannot be {what}: {error}"))
        .with_source(error)
        .with_help("share it as the same type everywhere")
}
