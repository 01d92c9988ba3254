//! Benchmarks side by side with libzmq.
