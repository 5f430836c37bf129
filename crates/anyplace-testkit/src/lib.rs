//! anyplace-testkit
