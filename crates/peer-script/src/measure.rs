//! What a benchmark's worker reports.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::Duration;

use rustix::param::page_size;
use rustix::process::{Resource, getrlimit, setrlimit};
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
    /// Octets of memory that each peer or topic took at this end; 0 where that is not asked for.
    pub octets_each: u64,
    /// Nanoseconds that each peer took to come; 0 where that is not asked for.
    pub setup_each: u64,
}

/// Percentiles in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Percentiles {
    /// Half of the samples are at most this.
    pub p50: u64,
    /// 99 in 100 samples are at most this.
    pub p99: u64,
    /// 999 in 1000 samples are at most this.
    pub p999: u64,
}

impl Percentiles {
    /// Sorts the samples (nanoseconds) and picks.
    #[must_use]
    pub fn of(samples: &mut [u64]) -> Percentiles {
        samples.sort_unstable();
        let at = |thousandths: usize| {
            let index = (samples.len() * thousandths)
                .div_ceil(1000)
                .saturating_sub(1);
            samples.get(index).copied().unwrap_or_default()
        };
        Percentiles {
            p50: at(500),
            p99: at(990),
            p999: at(999),
        }
    }
}

impl fmt::Display for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Percentiles { p50, p99, p999 } = self.percentiles;
        let (messages, time, cpu) = (self.messages, self.nanoseconds, self.cpu_nanoseconds);
        let (octets, setup) = (self.octets_each, self.setup_each);
        write!(
            f,
            "measured {messages} {time} {cpu} {p50} {p99} {p999} {octets} {setup}"
        )
    }
}

impl FromStr for Measurement {
    type Err = io::Error;

    fn from_str(line: &str) -> io::Result<Measurement> {
        let bad = || io::Error::other(format!("not a measurement: {line:.80}"));
        let numbers = line.trim().strip_prefix("measured ").ok_or_else(bad)?;
        let numbers: Result<Vec<u64>, _> = numbers.split(' ').map(str::parse).collect();
        let numbers = numbers.map_err(|_| bad())?;
        let [
            messages,
            nanoseconds,
            cpu_nanoseconds,
            p50,
            p99,
            p999,
            octets_each,
            setup_each,
        ] = numbers[..]
        else {
            return Err(bad());
        };
        Ok(Measurement {
            messages,
            nanoseconds,
            cpu_nanoseconds,
            percentiles: Percentiles { p50, p99, p999 },
            octets_each,
            setup_each,
        })
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

/// Octets of memory that this process has in use, as the system counts them.
///
/// # Errors
/// Where there is no `/proc`.
pub fn resident_octets() -> io::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    let pages = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    let pages: u64 = pages.ok_or_else(|| io::Error::other(format!("statm: {text:.80}")))?;
    Ok(pages * page_size() as u64)
}

/// Lets this process open so many descriptors.
///
/// # Errors
/// The system's bound for this process is lower.
pub fn allow_descriptors(count: u64) -> io::Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= count) {
        return Ok(());
    }
    limit.current = Some(count);
    setrlimit(Resource::Nofile, limit)
        .map_err(|error| io::Error::other(format!("{count} descriptors: {error}")))
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
            octets_each: 9,
            setup_each: 11,
        };
        let (p50, p99, p999) = (2, 4, 4);
        assert_eq!(measurement.percentiles, Percentiles { p50, p99, p999 });
        assert_eq!(
            measurement.to_string().parse::<Measurement>().unwrap(),
            measurement
        );
        assert!("measured 1 2 3".parse::<Measurement>().is_err());
    }
}
