//! anyplace
