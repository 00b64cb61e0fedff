#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| creel::fuzzing::argv(bytes));
