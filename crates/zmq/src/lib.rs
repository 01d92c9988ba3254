//! ZeroMQ in Rust: typed sockets, async on any executor and blocking.
