//! Serving others: what a process offers to those who connect.

mod offer;

pub(crate) use offer::MOST_FUNCTIONS;
pub use offer::Offer;
