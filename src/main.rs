//! creel: runs an AI agent in a Docker container that is safe for production.

fn main() {}
