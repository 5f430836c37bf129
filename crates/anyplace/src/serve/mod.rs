//! Serving others: what a process offers to those who connect.

pub mod objects;
