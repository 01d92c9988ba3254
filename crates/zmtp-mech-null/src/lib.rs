//! The NULL mechanism of ZMTP 3.x.
