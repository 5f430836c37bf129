//! Frames between a place and its workers.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| anyplace::fuzzed::workers(bytes));
