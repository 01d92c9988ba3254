//! The one place that asks what time it is.
//!
//! Everything below is handed a number. The number is real in a running program and made up in a simulation, where two
//! runs of one seed must give the same log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use zmtp_wire::Time;

/// Where a context takes its time from.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
    /// No other clock has it.
    name: u64,
}

/// The name of the next clock.
static NEXT: AtomicU64 = AtomicU64::new(1);

#[derive(Clone, Debug)]
enum Source {
    Real(Instant),
    Virtual(Arc<AtomicU64>),
}

impl Clock {
    /// The clock of the machine, monotonic, counted from now.
    #[must_use]
    pub fn real() -> Clock {
        Clock::of(Source::Real(Instant::now()))
    }

    /// A clock that stands until [`VirtualClock::advance`] moves it.
    #[must_use]
    pub fn simulated() -> (Clock, VirtualClock) {
        let nanos = Arc::new(AtomicU64::new(0));
        (
            Clock::of(Source::Virtual(Arc::clone(&nanos))),
            VirtualClock(nanos),
        )
    }

    fn of(source: Source) -> Clock {
        let name = NEXT.fetch_add(1, Ordering::Relaxed);
        Clock { source, name }
    }

    /// Tells it from other clocks, whose times say nothing about its own.
    pub(crate) fn name(&self) -> u64 {
        self.name
    }

    pub(crate) fn now(&self) -> Nanos {
        match &self.source {
            Source::Real(start) => {
                Nanos(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX))
            }
            Source::Virtual(nanos) => Nanos(nanos.load(Ordering::Relaxed)),
        }
    }

    pub(crate) fn is_virtual(&self) -> bool {
        matches!(self.source, Source::Virtual(_))
    }
}

/// The hand of a simulated clock.
#[derive(Clone, Debug)]
pub struct VirtualClock(Arc<AtomicU64>);

impl VirtualClock {
    /// Moves the clock on by `by`.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    /// The time since the clock was made.
    #[must_use]
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// A moment of the real clock that a caller will not wait beyond.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// The moment `timeout` from now; `None` is never.
    #[must_use]
    pub fn after(timeout: Option<Duration>) -> Deadline {
        Deadline(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// How long until then: `None` for ever, zero once it has passed.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        self.0
            .map(|moment| moment.saturating_duration_since(Instant::now()))
    }
}

/// Seconds since 1970 by the clock that file systems use, which may be set forward and back.
#[must_use]
pub fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

/// Nanoseconds since the context's clock was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Nanos(pub(crate) u64);

impl Nanos {
    /// The far future: a timer that never fires.
    pub(crate) const NEVER: Nanos = Nanos(u64::MAX);

    pub(crate) fn plus(self, duration: Duration) -> Nanos {
        let more = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Nanos(self.0.saturating_add(more))
    }

    pub(crate) fn plus_micros(self, micros: u64) -> Nanos {
        Nanos(self.0.saturating_add(micros.saturating_mul(1_000)))
    }

    pub(crate) fn plus_millis(self, millis: u64) -> Nanos {
        Nanos(self.0.saturating_add(millis.saturating_mul(1_000_000)))
    }

    /// How long from `earlier` to here; nothing if `earlier` is later.
    pub(crate) fn since(self, earlier: Nanos) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The same moment in the unit of the protocol machines.
    pub(crate) fn wire(self) -> Time {
        Time::from_millis(self.0 / 1_000_000)
    }

    /// A moment of the protocol machines; rounded up to the end of its millisecond, so that a timer set by it is due.
    pub(crate) fn from_wire(time: Time) -> Nanos {
        Nanos(time.as_millis().saturating_mul(1_000_000))
    }
}
