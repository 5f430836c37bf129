//! Objects that are called from elsewhere: `exported` where they are, `proxy`, `method`, `caller` and `values` where they are called,
//! `serving` what a place does with them, `host` a process that keeps them.

mod caller;
mod exported;
mod host;
mod method;
mod proxy;
mod serving;
mod values;

pub(crate) use host::host_objects;
pub(crate) use method::Method;
pub(crate) use proxy::Proxy;
pub(crate) use serving::Serving;
pub(crate) use values::{Values, values_of};
