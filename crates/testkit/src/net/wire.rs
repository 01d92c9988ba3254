//! One connection: two directions, each a queue of octets or units under way.

use std::collections::VecDeque;
use std::io;
use std::task::Waker;
use std::time::Duration;

use bytes::{Buf, Bytes};

use crate::net::{InFlight, Side, Weather};

/// Octets written at once, or one unit.
#[derive(Debug)]
struct Segment {
    /// Not seen by the reader before.
    at: Duration,
    octets: Bytes,
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub(super) struct Course {
    under_way: VecDeque<Segment>,
    waiting: usize,
    pub(super) written: u64,
    pub(super) read: u64,
    /// Written after the reader was gone, or dropped by a cut.
    pub(super) lost: u64,
    /// The writer has closed: the reader finds the end after what is under way.
    ended: bool,
    /// The reader is gone: writing fails from this time on.
    deaf: Option<Duration>,
    /// The connection was cut: both ends get errors.
    broken: bool,
    /// Cut when this many octets were written.
    cut_at: Option<(u64, InFlight)>,
    pub(super) reader: Option<Waker>,
    pub(super) writer: Option<Waker>,
    /// The reader was told that there is nothing.
    reader_waits: bool,
    writer_waits: bool,
}

/// A connection between the one who dialed and the one who accepted.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) weather: Weather,
    /// What the dialer writes, what the acceptor writes.
    pub(super) courses: [Course; 2],
    pub(super) open: [bool; 2],
    pub(super) address: String,
    /// When the dialer learns that it is connected, or refused.
    pub(super) answered_at: Duration,
    pub(super) refused: bool,
}

/// What the owner of a wire has to do after a step: whom to wake now, and at which times to wake whom.
#[derive(Debug, Default)]
pub(super) struct After {
    pub(super) wake: Vec<Waker>,
    pub(super) later: Vec<(Duration, Waker)>,
}

impl Wire {
    pub(super) fn new(address: &str, weather: Weather) -> Wire {
        Wire {
            weather,
            courses: [Course::default(), Course::default()],
            open: [true, true],
            address: address.to_owned(),
            answered_at: Duration::ZERO,
            refused: false,
        }
    }

    pub(super) fn cut_after(&mut self, writer: Side, octets: u64, in_flight: InFlight) {
        self.courses[writer.index()].cut_at = Some((octets, in_flight));
    }

    /// Takes octets from the front of `octets`, `part` at most.
    pub(super) fn write(
        &mut self,
        side: Side,
        octets: &[u8],
        arrival: (Duration, Duration),
        after: &mut After,
    ) -> io::Result<usize> {
        let room = self.weather.room;
        let (now, at) = arrival;
        let course = &mut self.courses[side.index()];
        course.check_writable(now)?;
        if octets.is_empty() {
            return Ok(0);
        }
        let mut part = octets.len().min(room.saturating_sub(course.waiting));
        if part == 0 {
            course.writer_waits = true;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut broken = None;
        if let Some((cut_at, in_flight)) = course.cut_at {
            let left = usize::try_from(cut_at.saturating_sub(course.written)).unwrap_or(usize::MAX);
            if left <= part {
                part = left;
                broken = Some(in_flight);
            }
        }
        course.accept(&octets[..part], at, now, after);
        if let Some(in_flight) = broken {
            self.break_off(in_flight, after);
            if part == 0 {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
        }
        Ok(part)
    }

    /// Takes one unit, whole or not at all.
    pub(super) fn transmit(
        &mut self,
        side: Side,
        unit: &[u8],
        arrival: (Duration, Duration),
        after: &mut After,
    ) -> io::Result<()> {
        let room = self.weather.room;
        let (now, at) = arrival;
        let course = &mut self.courses[side.index()];
        course.check_writable(now)?;
        if course.waiting >= room {
            course.writer_waits = true;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if let Some((cut_at, in_flight)) = course.cut_at
            && course.written + unit.len() as u64 > cut_at
        {
            self.break_off(in_flight, after);
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        course.accept(unit, at, now, after);
        Ok(())
    }

    /// Gives up to `most` octets that have arrived; none is the end.
    pub(super) fn read(
        &mut self,
        side: Side,
        most: usize,
        now: Duration,
        after: &mut After,
    ) -> io::Result<Vec<u8>> {
        let edges_only = self.weather.edges_only;
        let course = &mut self.courses[side.other().index()];
        let mut octets = Vec::new();
        while octets.len() < most {
            let Some(first) = course.under_way.front_mut() else {
                break;
            };
            if first.at > now {
                break;
            }
            let part = first.octets.len().min(most - octets.len());
            octets.extend_from_slice(&first.octets[..part]);
            first.octets.advance(part);
            if first.octets.is_empty() {
                course.under_way.pop_front();
            }
        }
        if octets.is_empty() {
            return course.nothing_to_read();
        }
        course.took(octets.len(), after);
        if !edges_only && course.has_arrived(now) {
            after.wake.extend(course.reader.clone());
        }
        Ok(octets)
    }

    /// Gives one unit that has arrived.
    pub(super) fn receive(
        &mut self,
        side: Side,
        now: Duration,
        after: &mut After,
    ) -> io::Result<Vec<u8>> {
        let edges_only = self.weather.edges_only;
        let course = &mut self.courses[side.other().index()];
        if !course.has_arrived(now) {
            return match course.nothing_to_read() {
                Ok(_) => Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) => Err(error),
            };
        }
        let unit = course
            .under_way
            .pop_front()
            .map_or_else(Vec::new, |segment| segment.octets.to_vec());
        course.took(unit.len(), after);
        if !edges_only && course.has_arrived(now) {
            after.wake.extend(course.reader.clone());
        }
        Ok(unit)
    }

    /// One side closes: what it wrote still arrives, what is written to it is lost. The other side learns of it at `at`.
    pub(super) fn close(&mut self, side: Side, now: Duration, at: Duration) -> After {
        let mut after = After::default();
        self.open[side.index()] = false;
        let outgoing = &mut self.courses[side.index()];
        outgoing.ended = true;
        outgoing.writer = None;
        if let Some(waker) = outgoing.reader.clone() {
            after.notify(waker, at.max(outgoing.last_arrival()), now);
        }
        let incoming = &mut self.courses[side.other().index()];
        incoming.reader = None;
        if incoming.deaf.is_none() {
            incoming.deaf = Some(at);
        }
        incoming.lose_under_way();
        if let Some(waker) = incoming.writer.clone() {
            after.notify(waker, at, now);
        }
        after
    }

    /// The connection is gone for both.
    pub(super) fn break_off(&mut self, in_flight: InFlight, after: &mut After) {
        for course in &mut self.courses {
            course.broken = true;
            if in_flight == InFlight::Lost {
                course.lose_under_way();
            }
            after.wake.extend(course.reader.clone());
            after.wake.extend(course.writer.clone());
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.courses[0].broken
    }
}

impl After {
    fn notify(&mut self, waker: Waker, at: Duration, now: Duration) {
        if at <= now {
            self.wake.push(waker);
        } else {
            self.later.push((at, waker));
        }
    }
}

impl Course {
    fn check_writable(&self, now: Duration) -> io::Result<()> {
        if self.broken {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if self.deaf.is_some_and(|at| at <= now) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(())
    }

    fn accept(&mut self, octets: &[u8], at: Duration, now: Duration, after: &mut After) {
        self.written += octets.len() as u64;
        if self.deaf.is_some() {
            self.lost += octets.len() as u64;
            return;
        }
        if octets.is_empty() {
            return;
        }
        let at = at.max(self.last_arrival());
        self.waiting += octets.len();
        self.under_way.push_back(Segment {
            at,
            octets: Bytes::copy_from_slice(octets),
        });
        if let Some(waker) = &self.reader
            && (at > now || self.reader_waits)
        {
            if at <= now {
                self.reader_waits = false;
            }
            after.notify(waker.clone(), at, now);
        }
    }

    fn last_arrival(&self) -> Duration {
        self.under_way
            .back()
            .map_or(Duration::ZERO, |segment| segment.at)
    }

    fn has_arrived(&self, now: Duration) -> bool {
        self.under_way.front().is_some_and(|first| first.at <= now)
    }

    fn nothing_to_read(&mut self) -> io::Result<Vec<u8>> {
        if self.under_way.is_empty() {
            if self.broken {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            if self.ended {
                return Ok(Vec::new());
            }
        }
        self.reader_waits = true;
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn took(&mut self, octets: usize, after: &mut After) {
        self.read += octets as u64;
        self.waiting = self.waiting.saturating_sub(octets);
        if std::mem::replace(&mut self.writer_waits, false) {
            after.wake.extend(self.writer.clone());
        }
    }

    fn lose_under_way(&mut self) {
        let octets: usize = self
            .under_way
            .drain(..)
            .map(|segment| segment.octets.len())
            .sum();
        self.lost += octets as u64;
        self.waiting = 0;
    }

    /// Octets that were written and never read, and never will be if the connection is over.
    pub(super) fn unread(&self) -> u64 {
        self.written.saturating_sub(self.read)
    }
}

impl Course {
    pub(super) fn arrivals_after(&self, now: Duration) -> Vec<Duration> {
        self.under_way
            .iter()
            .map(|segment| segment.at)
            .filter(|at| *at > now)
            .collect()
    }
}
