//! Which role am I? `creel __gate`, `creel __shim` and `creel __monitor` are how creel starts its own parts;
//! everything else is the command line.

fn main() {}
