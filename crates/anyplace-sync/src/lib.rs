//! anyplace-sync
