//! What a benchmark's worker reports.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

/// The result of one end of one run; one line of text.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measurement {
    /// Messages (or round trips) counted.
    pub messages: u64,
    /// Nanoseconds they took; 0 when this end does not measure time.
    pub nanoseconds: u64,
    /// Nanoseconds of processor time that this process used while they went through it.
    pub cpu_nanoseconds: u64,
    /// Percentiles of single round trips; zeros when there are none.
    pub percentiles: Percentiles,
}

/// Percentiles in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Percentiles {
    /// Half of the samples are at most this.
    pub p50: u64,
    /// 99 in 100 samples are at most this.
    pub p99: u64,
}

impl Percentiles {
    /// Sorts the samples (nanoseconds) and picks.
    #[must_use]
    pub fn of(samples: &mut [u64]) -> Percentiles {
        samples.sort_unstable();
        let at = |hundredths: usize| {
            let index = (samples.len() * hundredths).div_ceil(100).saturating_sub(1);
            samples.get(index).copied().unwrap_or_default()
        };
        Percentiles {
            p50: at(50),
            p99: at(99),
        }
    }
}

impl fmt::Display for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Percentiles { p50, p99 } = self.percentiles;
        let (messages, time, cpu) = (self.messages, self.nanoseconds, self.cpu_nanoseconds);
        write!(f, "measured {messages} {time} {cpu} {p50} {p99}")
    }
}

impl FromStr for Measurement {
    type Err = io::Error;

    fn from_str(line: &str) -> io::Result<Measurement> {
        let bad = || io::Error::other(format!("not a measurement: {line:.80}"));
        let numbers = line.trim().strip_prefix("measured ").ok_or_else(bad)?;
        let numbers: Result<Vec<u64>, _> = numbers.split(' ').map(str::parse).collect();
        match numbers.map_err(|_| bad())?[..] {
            [messages, nanoseconds, cpu_nanoseconds, p50, p99] => Ok(Measurement {
                messages,
                nanoseconds,
                cpu_nanoseconds,
                percentiles: Percentiles { p50, p99 },
            }),
            _ => Err(bad()),
        }
    }
}

/// The processor time used so far by all threads of this process.
#[must_use]
pub fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// Keeps the calling thread, and the threads and processes it starts from now on, on these cores.
///
/// # Errors
/// When the machine has no such core, or this process may not use it.
pub fn pin_to_cores(cores: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for &core in cores {
        set.set(core);
    }
    Ok(sched_setaffinity(None, &set)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_survives_its_line() {
        let measurement = Measurement {
            messages: 3,
            nanoseconds: 5,
            cpu_nanoseconds: 7,
            percentiles: Percentiles::of(&mut [4, 1, 3, 2]),
        };
        assert_eq!(measurement.percentiles, Percentiles { p50: 2, p99: 4 });
        assert_eq!(
            measurement.to_string().parse::<Measurement>().unwrap(),
            measurement
        );
        assert!("measured 1 2 3".parse::<Measurement>().is_err());
    }
}
