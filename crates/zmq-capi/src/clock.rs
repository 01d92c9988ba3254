//! The clock that timers, watches and time limits are measured by.

pub(crate) use std::time::Instant as Moment;
