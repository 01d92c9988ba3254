//! What the tour says.

use std::fmt;
use std::io::{self, IsTerminal, Stdout, Write};
use std::time::Duration;

use crate::failure::Failure;

/// Words and numbers on standard output, in colour on a terminal. The first error of the output is kept for
/// [`Story::flush`], so that the stops need not care.
pub(crate) struct Story {
    out: Stdout,
    colour: bool,
    broken: Option<io::Error>,
}

const BOLD: &str = "1";
const DIM: &str = "2";
const GREEN: &str = "32";
const RED: &str = "31";

impl Story {
    pub(crate) fn new(out: Stdout) -> Story {
        // https://no-color.org
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let colour = wanted && out.is_terminal();
        Story {
            out,
            colour,
            broken: None,
        }
    }

    fn line(&mut self, line: impl fmt::Display) {
        if self.broken.is_none() {
            self.broken = writeln!(self.out, "{line}").err();
        }
    }

    fn painted(&self, colour: &str, text: impl fmt::Display) -> String {
        match self.colour {
            true => format!("\x1b[{colour}m{text}\x1b[0m"),
            false => text.to_string(),
        }
    }

    pub(super) fn listed(&mut self, name: &str, title: &str) {
        self.line(format_args!("{name:<14} {title}"));
    }

    pub(super) fn begins(&mut self, number: usize, title: &str, about: &str) {
        let title = self.painted(BOLD, title);
        self.line(format_args!("{number:>2}. {title}"));
        self.line(format_args!("    {about}"));
    }

    /// What happened, in a sentence or with numbers.
    pub(super) fn tell(&mut self, what: impl fmt::Display) {
        let arrow = self.painted(GREEN, "->");
        self.line(format_args!("    {arrow} {what}"));
    }

    pub(super) fn went_well(&mut self, took: Duration) {
        let took = self.painted(DIM, format_args!("({})", Time(took)));
        self.line(format_args!("    {took}\n"));
    }

    pub(super) fn went_wrong(&mut self, trouble: &super::Trouble) {
        let failed = self.painted(RED, "FAILED");
        self.line(format_args!("    {failed}: {trouble}\n"));
    }

    pub(super) fn sums_up(&mut self, made: usize, failed: &[&str], took: Duration) {
        let well = made - failed.len();
        let line = format!(
            "{well} of {made} stops went as they should, in {}",
            Time(took)
        );
        let colour = if failed.is_empty() { GREEN } else { RED };
        let line = self.painted(colour, line);
        self.line(line);
    }

    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        let flushed = match self.broken.take() {
            Some(error) => Err(error),
            None => self.out.flush(),
        };
        flushed.map_err(|error| Failure::output(&error))
    }

    pub(super) fn end(mut self) -> Result<(), Failure> {
        self.flush()
    }
}

/// A time that people can read.
pub(super) struct Time(pub(super) Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let microseconds = self.0.as_secs_f64() * 1e6;
        match microseconds {
            ..1e3 => write!(f, "{microseconds:.0} us"),
            ..1e4 => write!(f, "{:.1} ms", microseconds / 1e3),
            ..1e6 => write!(f, "{:.0} ms", microseconds / 1e3),
            _ => write!(f, "{:.1} s", microseconds / 1e6),
        }
    }
}

/// So many of something in a second.
pub(super) struct Rate(pub(super) f64, pub(super) Duration);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.0 / self.1.as_secs_f64().max(1e-9);
        match rate {
            ..1e3 => write!(f, "{rate:.0}"),
            ..1e6 => write!(f, "{:.0} thousand", rate / 1e3),
            ..1e9 => write!(f, "{:.1} million", rate / 1e6),
            _ => write!(f, "{:.1} billion", rate / 1e9),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_rates_read_well() {
        assert_eq!(Time(Duration::from_micros(31)).to_string(), "31 us");
        assert_eq!(Time(Duration::from_micros(3_140)).to_string(), "3.1 ms");
        assert_eq!(Time(Duration::from_millis(314)).to_string(), "314 ms");
        assert_eq!(Time(Duration::from_millis(3_140)).to_string(), "3.1 s");
        let second = Duration::from_secs(1);
        assert_eq!(Rate(12.0, second).to_string(), "12");
        assert_eq!(Rate(12_345.0, second).to_string(), "12 thousand");
        assert_eq!(Rate(1_234_567.0, second).to_string(), "1.2 million");
    }
}
