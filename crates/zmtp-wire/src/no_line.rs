//! Without threads there is no memory that one could keep: see `line.rs` and `stretch.rs`.

use bytes::Bytes;

pub(crate) enum Line {}

impl Line {
    pub(crate) const fn copied(&self) -> Option<Line> {
        match *self {}
    }

    pub(crate) const fn of_front(_octets: &[u8], _length: usize) -> Option<Line> {
        None
    }

    pub(crate) const fn wide(_length: usize) -> Option<Line> {
        None
    }

    pub(crate) const fn as_slice(&self) -> &[u8] {
        match *self {}
    }

    pub(crate) const fn as_mut_slice(&mut self) -> &mut [u8] {
        match *self {}
    }
}

pub(crate) enum Stretch {}

impl Stretch {
    pub(crate) const fn of_body(_body: &[u8]) -> Option<Stretch> {
        None
    }

    pub(crate) const fn wide(_length: usize) -> Option<Stretch> {
        None
    }

    pub(crate) const fn into_bytes(self) -> Bytes {
        match self {}
    }

    pub(crate) const fn as_slice(&self) -> &[u8] {
        match *self {}
    }

    pub(crate) const fn as_mut_slice(&mut self) -> &mut [u8] {
        match *self {}
    }
}
