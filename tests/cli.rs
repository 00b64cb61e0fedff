//! The command line's own behaviour: what it prints, and how it ends, where no sandbox is needed.

mod support;

use support::Creel;

#[test]
fn nothing_is_left_of_an_installation_that_started_nothing() {
    let creel = Creel::new();
    assert!(creel.containers().is_empty());
    assert!(creel.processes().is_empty());
}
