#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| creel::fuzzing::policy(text));
