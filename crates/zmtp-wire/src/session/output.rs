//! What waits to leave, and where one message ends in it.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::{Buf, Bytes};

use crate::pack::Row;

/// Bodies from here on are shared instead of copied: a chunk of its own costs about 40 ns in a vectored write, which a copy of
/// 4 KiB from cold memory exceeds.
const SHARE_FROM: usize = 4096;

/// Octets that have left are moved out of the way when there are this many of them, and more than half of the buffer is such.
const COMPACT_FROM: usize = 64 * 1024;

/// Octets in the order they leave: runs of one contiguous buffer, interleaved with shared bodies.
///
/// ```text
/// copied   |---gone---|--------------|-----------------|
///                     ^front         ^shared[0].at     ^shared[1].at
/// ```
#[derive(Default)]
pub(super) struct Output {
    copied: Vec<u8>,
    /// Octets of `copied` that have left.
    front: usize,
    shared: VecDeque<Shared>,
    /// Lengths of what waits, equal neighbours counted together.
    runs: VecDeque<Run>,
    /// Octets of the first thing in `runs` that have left already.
    cut: usize,
    /// Octets that wait.
    length: usize,
    /// Octets ever put, as far as they were closed by a boundary.
    put: u64,
    /// Octets put behind the last boundary.
    open: usize,
}

struct Shared {
    /// How much of `copied` leaves before it.
    at: usize,
    octets: Bytes,
}

struct Run {
    length: usize,
    count: usize,
    what: Unit,
}

/// What a run of octets between two boundaries is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Message,
    /// A greeting, a command or a subscription: whatever is not counted as a message.
    Control,
}

impl Output {
    /// The buffer to append small things to; tell [`Self::appended`] how much it was.
    #[inline]
    pub(super) fn copied(&mut self) -> &mut Vec<u8> {
        &mut self.copied
    }

    #[inline]
    pub(super) fn appended(&mut self, octets: usize) {
        self.open = self.open.saturating_add(octets);
    }

    /// Appends a body: copied when it is small, shared when it is large.
    #[inline]
    pub(super) fn body(&mut self, body: &[u8], shared: Option<&Bytes>) {
        match shared {
            Some(octets) if octets.len() >= SHARE_FROM => {
                let at = self.copied.len();
                self.shared.push_back(Shared {
                    at,
                    octets: octets.clone(),
                });
            }
            _ => self.copied.extend_from_slice(body),
        }
        self.appended(body.len());
    }

    /// Appends messages that are encoded already.
    pub(super) fn pack(&mut self, octets: Bytes, rows: &[Row]) {
        for row in rows {
            let all = row.length.saturating_mul(row.count);
            self.length = self.length.saturating_add(all);
            self.put = self.put.saturating_add(all as u64);
            match self.runs.back_mut() {
                Some(run) if run.length == row.length && run.what == Unit::Message => {
                    run.count = run.count.saturating_add(row.count);
                }
                _ => self.runs.push_back(Run {
                    length: row.length,
                    count: row.count,
                    what: Unit::Message,
                }),
            }
        }
        let at = self.copied.len();
        self.shared.push_back(Shared { at, octets });
    }

    /// Everything put since the last boundary is one unit. Returns the position in the stream where it ends.
    #[inline]
    pub(super) fn boundary(&mut self, what: Unit) -> u64 {
        let length = core::mem::take(&mut self.open);
        self.length = self.length.saturating_add(length);
        self.put = self.put.saturating_add(length as u64);
        match self.runs.back_mut() {
            Some(run) if run.length == length && run.what == what => {
                run.count = run.count.saturating_add(1)
            }
            _ if length > 0 => self.runs.push_back(Run {
                length,
                count: 1,
                what,
            }),
            _ => {}
        }
        self.put
    }

    /// Octets that wait.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// The position in the stream up to which everything has left.
    pub(super) fn position(&self) -> u64 {
        self.put.saturating_sub(self.length as u64)
    }

    pub(super) fn chunks(&self) -> impl Iterator<Item = &[u8]> + '_ {
        let mut from = self.front;
        let last = self.shared.back().map_or(self.front, |shared| shared.at);
        let tail = self.copied.get(last..).unwrap_or_default();
        let pairs = self.shared.iter().flat_map(move |shared| {
            let before = self.copied.get(from..shared.at).unwrap_or_default();
            from = shared.at;
            [before, &*shared.octets]
        });
        pairs
            .chain(core::iter::once(tail))
            .filter(|chunk| !chunk.is_empty())
    }

    /// Lets go of octets that have left; returns how many whole messages thereby have.
    pub(super) fn written(&mut self, octets: usize) -> usize {
        let octets = octets.min(self.length);
        self.length = self.length.saturating_sub(octets);
        self.drop_front(octets);
        self.count(octets)
    }

    fn drop_front(&mut self, mut octets: usize) {
        if self.length == 0 {
            self.copied.clear();
            self.shared.clear();
            self.front = 0;
            return;
        }
        while let Some(shared) = self.shared.front_mut() {
            let before = octets.min(shared.at.saturating_sub(self.front));
            self.front = self.front.saturating_add(before);
            octets = octets.saturating_sub(before);
            let inside = octets.min(shared.octets.len());
            shared.octets.advance(inside);
            octets = octets.saturating_sub(inside);
            if !shared.octets.is_empty() {
                return;
            }
            self.shared.pop_front();
        }
        self.front = self.front.saturating_add(octets);
        if self.front >= COMPACT_FROM && self.front > self.copied.len() / 2 {
            self.compact();
        }
    }

    fn compact(&mut self) {
        self.copied.drain(..self.front);
        for shared in &mut self.shared {
            shared.at = shared.at.saturating_sub(self.front);
        }
        self.front = 0;
    }

    fn count(&mut self, mut octets: usize) -> usize {
        let mut messages = 0_usize;
        while octets > 0 {
            let Some(run) = self.runs.front_mut() else {
                break;
            };
            let reached = self.cut.saturating_add(octets);
            let whole = reached
                .checked_div(run.length)
                .unwrap_or_default()
                .min(run.count);
            let used = whole.saturating_mul(run.length);
            run.count = run.count.saturating_sub(whole);
            if run.what == Unit::Message {
                messages = messages.saturating_add(whole);
            }
            if run.count > 0 {
                self.cut = reached.saturating_sub(used);
                break;
            }
            octets = reached.saturating_sub(used);
            self.cut = 0;
            self.runs.pop_front();
        }
        messages
    }

    /// Whether a message has left in part.
    pub(super) fn is_cut(&self) -> bool {
        self.cut > 0
            && self
                .runs
                .front()
                .is_some_and(|run| run.what == Unit::Message)
    }

    pub(super) fn lend(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() <= self.copied.capacity() {
            return;
        }
        self.compact();
        buffer.clear();
        buffer.extend_from_slice(&self.copied);
        self.copied = buffer;
    }

    pub(super) fn reclaim(&mut self) -> Option<Vec<u8>> {
        if self.length > 0 || self.open > 0 || self.copied.capacity() == 0 {
            return None;
        }
        self.front = 0;
        self.runs = VecDeque::new();
        self.shared = VecDeque::new();
        let mut buffer = core::mem::take(&mut self.copied);
        buffer.clear();
        Some(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Frame, Message, Pack};
    use proptest::prelude::*;

    fn put(output: &mut Output, body: &Bytes, what: Unit) {
        output.copied().push(b'#');
        output.appended(1);
        output.body(body, Some(body));
        output.boundary(what);
    }

    proptest! {
        // Whatever the sizes and however the octets leave, the stream is what was put and each message is counted once, when whole.
        #[test]
        fn any_way_of_writing_gives_the_same_stream_and_count(
            bodies in prop::collection::vec((0_usize..6000, any::<bool>(), 0_usize..4), 1..20),
            steps in prop::collection::vec(1_usize..9000, 1..40),
        ) {
            let mut output = Output::default();
            let (mut expected, mut ends) = (Vec::new(), Vec::new());
            for (index, (length, message, packed)) in bodies.iter().enumerate() {
                let mut pack = Pack::default();
                for count in 0..*packed {
                    let body = std::vec![index as u8; length % 300 + count % 2];
                    pack.push(&Message::from(Frame::from(&body[..])));
                    expected.extend_from_slice(if body.len() > 255 { &[2, 0, 0, 0, 0, 0, 0, 1] } else { &[0] });
                    expected.push(body.len() as u8);
                    expected.extend_from_slice(&body);
                    ends.push(expected.len());
                }
                if *packed > 0 {
                    let (octets, rows) = pack.close();
                    output.pack(octets, rows);
                }
                let body = Bytes::from(std::vec![index as u8; *length]);
                put(&mut output, &body, if *message { Unit::Message } else { Unit::Control });
                expected.push(b'#');
                expected.extend_from_slice(&body);
                if *message { ends.push(expected.len()); }
            }
            let mut steps = steps.into_iter().cycle();
            let (mut stream, mut messages) = (Vec::<u8>::new(), 0);
            while output.len() > 0 {
                let step = steps.next().unwrap();
                let all: Vec<u8> = output.chunks().flatten().copied().collect();
                prop_assert_eq!(all.len(), output.len());
                stream.extend(all.iter().take(step));
                messages += output.written(step);
                prop_assert_eq!(messages, ends.iter().filter(|end| **end <= stream.len()).count());
                prop_assert_eq!(output.position(), stream.len() as u64);
                if step % 3 == 0 { output.lend(Vec::with_capacity(step * 10)); }
            }
            prop_assert_eq!(stream, expected);
            prop_assert!(output.reclaim().is_some());
        }
    }
}
