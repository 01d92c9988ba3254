//! The `zmq` program.
fn main() {}
