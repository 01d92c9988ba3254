//! The ZeroMQ socket types as state machines over peers.
