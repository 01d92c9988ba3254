//! How the program ends when it does not end well, and with which exit code.

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// The codes as `--help` shows them. The shell's own codes (126 and up) and clap's (2 for usage) are kept clear of.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done; also when the reader of our output has gone (`zmq pull ... | head`)
  1  failed: the endpoint is taken, the input cannot be read, a tour stop failed, ...
  2  the command line makes no sense
  3  --timeout passed before a peer, a message or room for one was there
  4  some accepted messages could not leave before the time for closing was over";

/// Why the program ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something did not work.
    Error(String),
    /// The caller asked for something that makes no sense.
    Usage(String),
    /// What was waited for did not happen in time.
    TimedOut(String),
    /// Messages that were accepted from the input and have not left.
    Unsent(u64),
    /// Nobody reads our output any more. Not an error: `head` does that.
    OutputClosed,
}

impl Failure {
    /// An error from anything that can say what is wrong.
    pub(crate) fn error(error: impl fmt::Display) -> Failure {
        Failure::Error(error.to_string())
    }

    /// An error of standard output.
    pub(crate) fn output(error: &io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::OutputClosed,
            _ => Failure::Error(format!("cannot write the output: {error}")),
        }
    }

    fn code(&self) -> u8 {
        match self {
            Failure::OutputClosed => 0,
            Failure::Error(_) => 1,
            Failure::Usage(_) => 2,
            Failure::TimedOut(_) => 3,
            Failure::Unsent(_) => 4,
        }
    }

    /// Says what happened on standard error and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        if !matches!(self, Failure::OutputClosed) {
            note(self);
        }
        ExitCode::from(self.code())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Error(what) => f.write_str(what),
            Failure::Usage(what) => write!(f, "{what}; see `zmq --help`"),
            Failure::TimedOut(what) => write!(f, "timed out: {what}"),
            Failure::Unsent(1) => f.write_str("1 message could not be sent"),
            Failure::Unsent(count) => write!(f, "{count} messages could not be sent"),
            Failure::OutputClosed => f.write_str("nobody reads the output any more"),
        }
    }
}

/// A line on standard error. One that is closed is no reason to fail.
pub(crate) fn note(what: impl fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "zmq: {what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_code_is_told_in_the_help() {
        let failures = [
            Failure::OutputClosed,
            Failure::Error(String::new()),
            Failure::Usage(String::new()),
            Failure::TimedOut(String::new()),
            Failure::Unsent(1),
        ];
        for failure in failures {
            let told = format!("\n  {}  ", failure.code());
            assert!(
                EXIT_CODES.contains(&told),
                "{failure:?} ends with an untold code"
            );
        }
    }

    #[test]
    fn a_reader_that_left_is_not_an_error() {
        let gone = io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(matches!(Failure::output(&gone), Failure::OutputClosed));
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert!(matches!(Failure::output(&full), Failure::Error(_)));
    }
}
