//! What is said before anybody is known.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| anyplace::fuzzed::strangers(bytes));
