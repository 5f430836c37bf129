//! What is said by who sends and receives files.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| anyplace::fuzzed::parcels(bytes));
