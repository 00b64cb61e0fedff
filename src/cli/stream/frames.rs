//! Docker's framing of a workload without a terminal: eight bytes say which stream and how many bytes follow.
//! Frames are passed on as they come in, never gathered: their length is the workload's to choose.

use bytes::{Buf, Bytes};

/// Which of our own streams bytes go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    Stdout,
    Stderr,
}

/// The engine spoke out of turn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine's stream is garbled: a frame is for stream {0}")]
pub(crate) struct Garbled(u8);

/// Takes the frames apart, over any number of reads.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    header: Vec<u8>,
    body: Option<(Channel, usize)>,
}

const HEADER: usize = 8;

impl Frames {
    /// The next piece in `input`, which is what was read and is not yet used up; `None`: read more.
    pub(crate) fn next(&mut self, input: &mut Bytes) -> Result<Option<(Channel, Bytes)>, Garbled> {
        loop {
            if let Some((channel, left)) = self.body {
                if left > 0 {
                    if input.is_empty() {
                        return Ok(None);
                    }
                    let piece = input.split_to(left.min(input.len()));
                    self.body = Some((channel, left - piece.len()));
                    return Ok(Some((channel, piece)));
                }
                self.body = None;
            }
            let wanted = (HEADER - self.header.len()).min(input.len());
            self.header.extend_from_slice(input.get(..wanted).unwrap_or_default());
            input.advance(wanted);
            let &[stream, _, _, _, a, b, c, d] = self.header.as_slice() else { return Ok(None) };
            let channel = match stream {
                // 3 is the engine's own complaint: it is for the person, as stderr is.
                0 | 1 => Channel::Stdout,
                2 | 3 => Channel::Stderr,
                other => return Err(Garbled(other)),
            };
            self.header.clear();
            self.body = Some((channel, u32::from_be_bytes([a, b, c, d]) as usize));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(channel: Channel, bytes: &[u8]) -> Vec<u8> {
        let mut frame = vec![if channel == Channel::Stdout { 1 } else { 2 }, 0, 0, 0];
        frame.extend(u32::try_from(bytes.len()).expect("short").to_be_bytes());
        frame.extend(bytes);
        frame
    }

    #[test]
    fn an_unknown_stream_is_an_error() {
        let mut input = Bytes::from_static(b"\x09\0\0\0\0\0\0\x01x");
        assert_eq!(Frames::default().next(&mut input), Err(Garbled(9)));
    }

    proptest! {
        #[test]
        fn nothing_panics_or_loops(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..10)) {
            let mut frames = Frames::default();
            for part in parts {
                let mut input = Bytes::from(part);
                while let Ok(Some(_)) = frames.next(&mut input) {}
            }
        }

        #[test]
        fn every_byte_arrives_in_order(
            sent in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..50)), 0..10),
            step in 1usize..20,
        ) {
            let channel = |out: bool| if out { Channel::Stdout } else { Channel::Stderr };
            let wire: Vec<u8> = sent.iter().flat_map(|(out, bytes)| frame(channel(*out), bytes)).collect();
            let expected: Vec<(Channel, u8)> =
                sent.iter().flat_map(|(out, bytes)| bytes.iter().map(|b| (channel(*out), *b))).collect();
            let mut frames = Frames::default();
            let mut got = Vec::new();
            for part in wire.chunks(step) {
                let mut input = Bytes::copy_from_slice(part);
                while let Some((channel, piece)) = frames.next(&mut input).expect("well formed") {
                    got.extend(piece.iter().map(|b| (channel, *b)));
                }
                prop_assert!(input.is_empty());
            }
            prop_assert_eq!(got, expected);
        }
    }
}
