//! anyplace-macros
