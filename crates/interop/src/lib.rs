//! Runs against real libzmq and JeroMQ.
