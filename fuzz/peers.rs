//! Frames of conversations between hosts.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| anyplace::fuzzed::peers(bytes));
