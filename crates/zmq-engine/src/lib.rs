//! Untyped ZeroMQ sockets: links, drivers, run-time options, readiness.
