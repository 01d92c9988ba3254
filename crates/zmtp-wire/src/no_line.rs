//! Without threads there are no lines that one could keep: see `line.rs`.

#[derive(Clone)]
pub(crate) enum Line {}

impl Line {
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
