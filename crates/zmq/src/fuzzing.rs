//! What must hold for any octets at all: what the fuzz targets call.

pub use crate::authenticator::fuzzing::{origin, passwords};
#[cfg(feature = "curve")]
pub use crate::cert::fuzzing::certificate;
