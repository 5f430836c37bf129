//! Serving others: what a process offers to those who connect.

mod offer;

pub use offer::Offer;
pub(crate) use offer::{MOST_FUNCTIONS, another_language};
