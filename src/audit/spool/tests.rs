use std::collections::VecDeque;
use std::os::unix::fs::FileExt;

use proptest::prelude::*;

use super::*;
use crate::audit::record::{Entry, Event, Exec, Gap, Outcome};

pub(super) fn entry(size: usize, fill: u8) -> Entry {
    let exec = Exec { argv: vec![vec![fill; size].into()], ..Exec::default() };
    Entry { ts_us: 1, outcome: Outcome::Allow, rule: None, by: None, event: Event::Exec(exec) }
}

struct Both {
    writer: SpoolWriter,
    reader: SpoolReader,
    file: File,
    _dir: tempfile::TempDir,
}

fn spool(capacity: u64) -> Both {
    let dir = tempfile::tempdir().expect("a folder");
    let file = create(&dir.path().join("spool"), capacity).expect("a spool");
    let clone = || file.try_clone().expect("a descriptor");
    Both {
        writer: SpoolWriter::new(clone(), capacity, 0, 0).expect("a writer"),
        reader: SpoolReader::new(clone(), capacity, 0).expect("a reader"),
        file,
        _dir: dir,
    }
}

#[test]
fn what_is_written_is_read_in_order() {
    let mut both = spool(MIN_CAPACITY);
    assert!(both.reader.next().expect("reads").is_none());
    for n in 0..300 {
        let at = both.writer.append(&entry(n, b'x')).expect("room");
        let (offset, end, got) = both.reader.next().expect("reads").expect("a frame");
        assert_eq!((at, both.writer.written(), got), (offset, end, entry(n, b'x')));
    }
    assert!(both.reader.next().expect("reads").is_none());
}

#[test]
fn full_means_wait_and_a_freed_ring_goes_on() {
    let mut both = spool(MIN_CAPACITY);
    let big = entry(200_000, b'x');
    let starts: Vec<_> = std::iter::from_fn(|| both.writer.append(&big).ok()).collect();
    assert_eq!(starts.len(), 2);
    assert!(matches!(both.writer.append(&big), Err(AppendError::Full)));
    both.writer.set_consumed(u64::MAX);
    assert!(matches!(both.writer.append(&big), Err(AppendError::Full)), "beyond what was written");
    both.writer.set_consumed(starts[1]);
    assert_eq!(both.writer.append(&big).ok(), Some(2 * starts[1]));
    // The new frame covers the first, which the log holds. A new monitor begins at the second.
    let mut reader = SpoolReader::new(both.file, MIN_CAPACITY, starts[1]).expect("a reader");
    for _ in 0..2 {
        assert_eq!(reader.next().expect("reads").expect("a frame").2, big);
    }
    assert!(reader.next().expect("reads").is_none());
}

#[test]
fn a_record_beyond_the_limit_is_refused_and_leaves_nothing() {
    let mut both = spool(MIN_CAPACITY);
    assert!(matches!(both.writer.append(&entry(MAX_PAYLOAD, b'x')), Err(AppendError::TooLarge)));
    assert_eq!(both.writer.written(), 0);
    both.writer.append(&entry(MAX_PAYLOAD - 100, b'x')).expect("just fits");
    assert!(both.reader.next().expect("reads").is_some());
}

#[test]
fn a_cut_record_fits() {
    let mut exec = Exec::default();
    exec.set_argv(vec![Default::default(); 4_000_000]);
    exec.set_env((0..100_000).map(|_| (Default::default(), Some(Default::default()))).collect());
    let mut both = spool(MIN_CAPACITY);
    let full = Entry { event: Event::Exec(exec), ..entry(0, 0) };
    both.writer.append(&full).expect("the cuts bound a record");
    assert_eq!(both.reader.next().expect("reads").expect("a frame").2, full);
}

/// The attack that the key is for: a frame inside an argument, at the place where the next lap's frame begins.
#[test]
fn a_frame_that_the_workload_planted_is_not_read() {
    let mut both = spool(MIN_CAPACITY);
    // An honest frame, copied byte for byte to where the reader will look: it says another offset.
    both.writer.append(&entry(10, b'x')).expect("room");
    let end = both.writer.written();
    let mut planted = vec![0; usize::try_from(end).expect("small")];
    both.file.read_exact_at(&mut planted, RING).expect("reads");
    both.file.write_all_at(&planted, RING + end).expect("writes");
    both.reader.next().expect("reads").expect("the honest one");
    assert!(both.reader.next().expect("reads").is_none());
    // The same with the offset put right: the hash does not follow without the key.
    planted[8..16].copy_from_slice(&end.to_le_bytes());
    both.file.write_all_at(&planted, RING + end).expect("writes");
    assert!(both.reader.next().expect("reads").is_none());
    // With a hash under another key.
    let payload = planted[frame::HEADER..].to_vec();
    let header = frame::Key::new(&[0; frame::KEY]).header(end, payload.len() as u32, &payload);
    both.file.write_all_at(&header, RING + end).expect("writes");
    assert!(both.reader.next().expect("reads").is_none());
}

#[test]
fn a_frame_of_a_broken_gate_is_named_and_passed() {
    let both = &mut spool(MIN_CAPACITY);
    let ring = Ring::new(both.file.try_clone().expect("a descriptor"), MIN_CAPACITY).expect("a ring");
    // Claims an argv of 2^63 strings.
    for (offset, payload) in [(0, &b"\x01\x00\x00\x00\x02\xff\xff\xff\xff\xff"[..]), (42, b"")] {
        let header = ring.key.header(offset, payload.len() as u32, payload);
        ring.write(offset, &[&header[..], payload].concat()).expect("writes");
        assert!(matches!(both.reader.next(), Err(ReadError::Malformed { offset: at }) if at == offset));
    }
    assert!(both.reader.next().expect("reads").is_none());
    both.file.set_len(RING).expect("truncates");
    assert!(matches!(both.reader.next(), Err(ReadError::Io(_))));
}

#[test]
fn a_file_that_is_no_spool_is_refused() {
    let file = tempfile::tempfile().expect("a file");
    assert!(SpoolReader::new(file.try_clone().expect("a descriptor"), MIN_CAPACITY, 0).is_err());
    let both = spool(MIN_CAPACITY);
    assert!(SpoolReader::new(both.file, 2 * MIN_CAPACITY, 0).is_err(), "shorter than promised");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Random sizes, read and freed at random: every record comes once, in order, over many laps.
    #[test]
    fn laps(steps in proptest::collection::vec((0usize..120_000, 0usize..3, any::<bool>()), 1..120)) {
        let mut both = spool(MIN_CAPACITY);
        let mut waiting = VecDeque::new();
        for (n, (size, reads, takeover)) in steps.into_iter().enumerate() {
            let gap = Event::Gap(Gap { count: Some(n as u64), reason: "x".repeat(size) });
            let record = Entry { event: gap, ..entry(0, 0) };
            match both.writer.append(&record) {
                Ok(at) => waiting.push_back((at, record)),
                Err(AppendError::Full) => prop_assert!(!waiting.is_empty()),
                Err(error) => panic!("{error}"),
            }
            for _ in 0..reads {
                let got = both.reader.next().expect("reads").map(|(at, _, record)| (at, record));
                prop_assert_eq!(&got, &waiting.pop_front());
                let Some((at, record)) = got else { break };
                both.writer.set_consumed(at);
                if takeover {
                    let file = both.file.try_clone().expect("a descriptor");
                    both.reader = SpoolReader::new(file, MIN_CAPACITY, at).expect("a reader");
                    let again = both.reader.next().expect("reads").map(|(at, _, record)| (at, record));
                    prop_assert_eq!(again, Some((at, record)));
                }
            }
        }
        while let Some(expected) = waiting.pop_front() {
            let got = both.reader.next().expect("reads").map(|(at, _, record)| (at, record));
            prop_assert_eq!(got, Some(expected));
        }
        prop_assert!(both.reader.next().expect("reads").is_none());
    }

    /// A frame cut anywhere, and any byte of it changed, is no frame.
    #[test]
    fn torn(size in 0usize..400, cut in any::<proptest::sample::Index>(), flip in 1u8..) {
        let both = &mut spool(MIN_CAPACITY);
        both.writer.append(&entry(size, b'x')).expect("room");
        let len = usize::try_from(both.writer.written()).expect("small");
        let mut frame = vec![0; len];
        both.file.read_exact_at(&mut frame, RING).expect("reads");
        let at = cut.index(len);
        let mut changed = frame.clone();
        changed[at] ^= flip;
        both.file.write_all_at(&changed, RING).expect("writes");
        prop_assert!(both.reader.next().expect("reads").is_none());
        frame[at..].fill(0);
        both.file.write_all_at(&frame, RING).expect("writes");
        // Cutting nothing but zeros cuts nothing.
        if frame[..] != changed[..] {
            let got = both.reader.next().expect("reads");
            prop_assert!(got.is_none() || got.is_some_and(|(_, _, got)| got == entry(size, b'x')));
        }
    }

    /// A taken-over gate writes what it likes: the reader ends, and does not panic.
    #[test]
    fn any_payload(payload in proptest::collection::vec(any::<u8>(), 0..600)) {
        let both = &mut spool(MIN_CAPACITY);
        let ring = Ring::new(both.file.try_clone().expect("a descriptor"), MIN_CAPACITY).expect("a ring");
        let header = ring.key.header(0, payload.len() as u32, &payload);
        ring.write(0, &[&header[..], &payload].concat()).expect("writes");
        let _ = both.reader.next();
        prop_assert!(both.reader.next().expect("reads").is_none());
    }
}
