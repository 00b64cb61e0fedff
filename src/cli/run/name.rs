//! A sandbox's name when none is given: easy to say, to type and to tell apart.

use crate::names::{RunId, SandboxName};

const TEMPERS: [&str; 32] = [
    "amber", "bold", "brave", "brisk", "calm", "clever", "coral", "dapper", "deep", "eager", "fair", "fleet",
    "gentle", "glad", "hardy", "jolly", "keen", "kind", "lively", "lucky", "mellow", "merry", "misty",
    "nimble", "quiet", "rapid", "silver", "spry", "steady", "swift", "tidal", "witty",
];

const CATCH: [&str; 32] = [
    "anchovy", "barnacle", "bream", "brill", "clam", "cockle", "cod", "conger", "crab", "cuttle", "eel",
    "flounder", "gurnard", "haddock", "hake", "halibut", "herring", "krill", "limpet", "ling", "lobster",
    "mackerel", "mullet", "mussel", "oyster", "plaice", "prawn", "shrimp", "sprat", "squid", "turbot",
    "whelk",
];

/// A name drawn from the run's own random bits, such as `quiet-herring-7f`.
pub(crate) fn made_up(run: RunId) -> Option<SandboxName> {
    // FNV-1a: the bits are random already, and only have to be folded.
    let bits = run.to_string().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let temper = TEMPERS.get((bits >> 8) as usize % TEMPERS.len())?;
    let catch = CATCH.get((bits >> 24) as usize % CATCH.len())?;
    format!("{temper}-{catch}-{:02x}", (bits >> 40) & 0xff).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_good_and_differ() {
        let names: std::collections::BTreeSet<_> =
            (0..200).map(|_| made_up(RunId::new()).expect("a good name")).collect();
        assert!(names.len() > 190, "{}", names.len());
    }
}
