use proptest::prelude::*;

use super::*;

const SIZE: Size = Size { rows: 10, columns: 30 };

fn model(second: bool) -> Model {
    Model::new(SIZE, second)
}

/// What a person's terminal shows: what is on the screen, and how it takes what comes next.
fn terminal() -> vt100::Parser {
    parser(SIZE)
}

fn state(terminal: &vt100::Parser) -> String {
    let screen = terminal.screen();
    format!("{}\n{:?}", screen.state_formatted(), (screen.cursor_position(), screen.alternate_screen()))
}

/// A question between two parts of the output.
fn asked_between(before: &[u8], second: bool) -> (vt100::Parser, vt100::Parser, Model) {
    let (mut with, mut without, mut model) = (terminal(), terminal(), model(second));
    let passed = model.feed(Bytes::copy_from_slice(before));
    without.process(&passed);
    with.process(&passed);
    with.process(&model.cover());
    with.process(b"\x1b[1;1H\x1b[7mthe question\x1b[m\x1b[K\x1b[5;1Hx\x1b[J");
    with.process(&model.uncover().bytes);
    (with, without, model)
}

const OUTPUTS: [&[u8]; 13] = [
    b"save \x1b[31m\x1b7 here\r\n and go\r\n on\x1b[m ",
    b"plain\r\ntext\r\n$ ",
    b"\x1b[31mred\x1b[1m bold and at the edge 0123456789",
    b"\x1b[?1049h\x1b[H\x1b[2J\x1b[44mfull\x1b[m\x1b[5;7Hscreen\x1b[?25l",
    b"\x1b[?1049h\x1b[2;6r\x1b[H1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\x1b[3;4H",
    b"\x1b[?1049h\x1b[2;6r\x1b[?6h\x1b[2;3Hx",
    b"\x1b[?1049h\x1b[4;1Hto the edge of the screen.......",
    b"\x1b[?1049h\x1b[?1h\x1b=\x1b[?2004h\x1b[?1002h\x1b[?1006hmodes",
    b"\x1b[Hsave\x1b7\x1b[5;5Helsewhere",
    b"\x1b[?1049h\x1b[3;3H\xe6\xbc\xa2\xe5\xad\x97\x1b[3;28H\xe6\xbc\xa2",
    b"\x1b[?1049h\x1b[10;1Hlast line, filled to the end..",
    b"unfinished \x1b[3",
    b"unfinished \x1b]0;title",
];

#[test]
fn the_screen_is_as_it_was() {
    for before in OUTPUTS {
        for second in [true, false] {
            let (mut with, mut without, mut model) = asked_between(before, second);
            let what = format!("{} {second}", before.escape_ascii());
            assert_eq!(state(&with), state(&without), "{what}");
            // And what follows comes out the same.
            let has_saved = before.windows(2).any(|two| two == b"\x1b7");
            let after = if has_saved { &b"\x1b8y\n\n\nz"[..] } else { b"1mx\x07y\n\n\n\n\nz" };
            let after = model.feed(Bytes::from_static(after));
            with.process(&after);
            without.process(&after);
            assert_eq!(state(&with), state(&without), "{what}");
        }
    }
}

#[test]
fn line_drawing_and_what_vt100_does_not_know() {
    let mut model = model(true);
    model.feed(Bytes::from_static(
        b"\x1b[?1049h\x1b(0lqk\x1b(B\x1b[2;1Ha\x1bDb\x1bEc\x1b[5;9H\x1b[Zt\x1b[6;1Hbc\x1b[6;1H\x1b[4ha",
    ));
    let contents = model.vt.screen().contents();
    assert_eq!(contents, "┌─┐\na\n b\nc\nt\nabc");
    model.feed(Bytes::from_static(b"\x1b[4l\x1b[?7l\x1b[9;29Habcd"));
    assert!(model.vt.screen().contents().ends_with("ad"));
}

#[test]
fn a_long_string_passes_and_its_rest_is_dropped_after_a_question() {
    let mut model = model(true);
    let image = [b"\x1bPq".to_vec(), vec![b'#'; 3 * HELD]].concat();
    assert_eq!(model.feed(Bytes::from(image.clone())).len(), image.len());
    assert_eq!(model.feed(Bytes::from_static(b"##")), "##");
    model.cover();
    model.uncover();
    assert_eq!(model.feed(Bytes::from_static(b"###\x1b")), "");
    assert_eq!(model.feed(Bytes::from_static(b"\\text")), "text");
    assert!(!model.is_exact);
}

#[test]
fn pictures_and_odd_attributes_want_a_repaint() {
    for (output, repaint) in [
        (&b"\x1b[?1049h\x1b[38;5;9mx\x1b[4;1;48;2;5;8;9m"[..], false),
        (b"\x1b[?1049h\x1b[9mx", true),
        (b"\x1b[?1049h\x1b[4:3mx", true),
        (b"\x1b[9mx\x1b[?1049hx", false),
    ] {
        let mut model = model(true);
        model.feed(Bytes::copy_from_slice(output));
        model.cover();
        assert_eq!(model.uncover().repaint, repaint, "{}", output.escape_ascii());
    }
}

#[test]
fn resized_while_covered() {
    let (mut with, mut model) = (terminal(), model(true));
    let passed = model.feed(Bytes::from_static(b"\x1b[?1049h\x1b[2;5r\x1b[Hone\x1b[3;5Htwo"));
    with.process(&passed);
    with.process(&model.cover());
    let (rows, columns) = (NonZeroU16::new(6).expect("six"), NonZeroU16::new(12).expect("twelve"));
    with.set_size(rows, columns);
    model.resize(Size { rows: 6, columns: 12 });
    with.process(&model.uncover().bytes);
    assert_eq!(with.screen().contents(), "one\n\n    two");
    assert_eq!(with.screen().cursor_position(), (2, 7));
}

#[test]
fn repetitions_are_few() {
    let (mut model, mut without) = (model(true), terminal());
    for output in [&b"\x1b[?1049h\x1b[Hx\x1b[1000by"[..], b"\x1b[9999bz"] {
        without.process(&model.feed(Bytes::from_static(output)));
    }
    assert_eq!(state(&model.vt), state(&without));
    assert!(bounded(u16::MAX, 24, 80) < 2100);
}

/// Output such as programs make, in any order.
fn output() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"a",
        b"word ",
        b"\r\n",
        b"\n",
        b"\r",
        b"\x08",
        b"\t",
        "é".as_bytes(),
        "漢".as_bytes(),
        b"\x1b[H",
        b"\x1b[2J",
        b"\x1b[K",
        b"\x1b[5;20H",
        b"\x1b[3;28H",
        b"\x1b[31m",
        b"\x1b[1;44m",
        b"\x1b[m",
        b"\x1b[?1h",
        b"\x1b=",
        b"\x1b[?25l",
        b"\x1b[?25h",
        b"\x1b[2;7r\x1b[H",
        b"\x1b[r\x1b[H",
        b"\x1b[L",
        b"\x1b[M",
        b"\x1b[3@",
        b"\x1b[2P",
        b"\x1b[4X",
        b"\x1b[S",
        b"\x1b[T",
        b"\x1bM",
        b"\x1b7",
        b"\x1b8",
        b"\x1b[?2004h",
        b"\x1b[?1002h",
        b"\x1b[?1006h",
        b"\x1b[J",
        b"\x1b[1J",
        b"\x1b[2A",
        b"\x1b[3C",
        b"\x1b]0;t\x07",
        b"0123456789012345678901234567890123456789",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_full_screen_is_as_it_was(output in output()) {
        let output = [b"\x1b[?1049h\x1b[H".to_vec(), output].concat();
        let (with, without, _) = asked_between(&output, true);
        prop_assert_eq!(state(&with), state(&without));
    }

    #[test]
    fn any_first_screen_is_as_it_was(output in output()) {
        let (with, without, _) = asked_between(&output, true);
        prop_assert_eq!(state(&with), state(&without));
    }

    #[test]
    fn no_byte_is_lost_or_moved(
        output in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\x1b[]P;?0hlm\\".to_vec())], 0..400),
        size in 1_usize..60,
    ) {
        let mut model = model(true);
        let mut passed = Vec::new();
        for part in output.chunks(size) {
            passed.extend_from_slice(&model.feed(Bytes::copy_from_slice(part)));
        }
        passed.extend_from_slice(&model.finish());
        prop_assert_eq!(passed, output);
    }

    #[test]
    fn hostile_output_breaks_nothing(
        output in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\x1b\x1b\x1b[[[;;?09hlHLMPST@Xbrm".to_vec())], 0..600),
        rows in 1_u16..30, columns in 1_u16..30,
    ) {
        let mut model = model(true);
        model.feed(Bytes::from(output));
        model.cover();
        model.resize(Size { rows, columns });
        model.uncover();
        model.feed(Bytes::from_static(b"more\n\n\n"));
    }
}
