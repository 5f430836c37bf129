//! Serving others: what a process offers to those who connect.

mod offer;

pub(crate) use offer::{MOST_FUNCTIONS, another_language};
pub use offer::{Offer, Terms};
