//! Where octets are put: a growing vector or a buffer of fixed size.

/// Takes octets one run after the other. Writing never fails half-way: a [`Writer`] that overflows says so at its end.
pub trait Sink {
    /// Appends `octets`.
    fn put(&mut self, octets: &[u8]);
}

#[cfg(feature = "alloc")]
impl Sink for alloc::vec::Vec<u8> {
    fn put(&mut self, octets: &[u8]) {
        self.extend_from_slice(octets);
    }
}

/// Writes into a borrowed buffer and remembers whether everything found room.
#[derive(Debug)]
pub struct Writer<'a> {
    buffer: &'a mut [u8],
    length: usize,
    overflowed: bool,
}

/// The buffer was too small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRoom;

impl<'a> Writer<'a> {
    /// Writes from the start of `buffer`.
    pub const fn new(buffer: &'a mut [u8]) -> Self {
        Self {
            buffer,
            length: 0,
            overflowed: false,
        }
    }

    /// Octets written so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing was written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// How many octets were written.
    ///
    /// # Errors
    /// [`NoRoom`] when something did not fit; what is in the buffer is then of no use.
    pub const fn finish(self) -> Result<usize, NoRoom> {
        if self.overflowed {
            Err(NoRoom)
        } else {
            Ok(self.length)
        }
    }
}

impl Sink for Writer<'_> {
    fn put(&mut self, octets: &[u8]) {
        let end = self.length.saturating_add(octets.len());
        match self.buffer.get_mut(self.length..end) {
            Some(room) => {
                room.copy_from_slice(octets);
                self.length = end;
            }
            None => self.overflowed = true,
        }
    }
}

/// Counts octets instead of keeping them.
#[derive(Debug, Default)]
pub(crate) struct Counter(pub(crate) usize);

impl Sink for Counter {
    fn put(&mut self, octets: &[u8]) {
        self.0 = self.0.saturating_add(octets.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_that_overflowed_says_so_even_if_later_runs_fit() {
        let mut buffer = [0; 4];
        let mut writer = Writer::new(&mut buffer);
        writer.put(b"abc");
        writer.put(b"de");
        writer.put(b"f");
        assert_eq!(writer.finish(), Err(NoRoom));
        let mut writer = Writer::new(&mut buffer);
        writer.put(b"abcd");
        assert_eq!(writer.finish(), Ok(4));
    }
}
