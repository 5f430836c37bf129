//! Addresses, tickets and the files of keys.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| anyplace::fuzzed::texts(bytes));
