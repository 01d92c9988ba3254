//! Runs by workers: programs that play either end of any shape, told which by their arguments (see `peer-script`).

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

use peer_script::{Job, Measurement};

use crate::Result;
use crate::outcome::Outcome;
use crate::place::Place;
use crate::shape::{End, Roles, Shape};

/// A program that plays one end of a run.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// What stands before the job on its command line.
    pub(crate) verbs: Vec<String>,
}

impl Program {
    /// This program, as a worker of that name.
    pub(crate) fn worker(path: &Path, name: &str) -> Program {
        Program {
            path: path.to_owned(),
            verbs: ["worker", name].map(str::to_owned).to_vec(),
        }
    }
}

/// One end of a run.
struct Worker {
    child: Child,
    lines: Receiver<String>,
    deadline: Instant,
    who: String,
}

impl Worker {
    fn start(program: &Program, job: &Job, deadline: Instant) -> Result<Worker> {
        let who = job.role.clone();
        let mut child = Command::new(&program.path)
            .args(&program.verbs)
            .args(job.arguments())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{who}: {}: {error}", program.path.display()))?;
        let (sender, lines) = channel();
        if let Some(output) = child.stdout.take() {
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        Ok(Worker {
            child,
            lines,
            deadline,
            who,
        })
    }

    fn line(&self) -> Result<String> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        self.lines.recv_timeout(left).map_err(|error| {
            let why = match error {
                RecvTimeoutError::Timeout => "did not finish",
                RecvTimeoutError::Disconnected => "ended without a result",
            };
            format!("{} {why}", self.who).into()
        })
    }

    fn bound(&self) -> Result<String> {
        let line = self.line()?;
        let endpoint = line.strip_prefix("bound ");
        Ok(endpoint
            .ok_or_else(|| format!("{}: expected an endpoint: {line}", self.who))?
            .to_owned())
    }

    fn measurement(&self) -> Result<Measurement> {
        Ok(self.line()?.parse()?)
    }

    /// Tells the worker that it may go.
    fn release(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Waits for it to end by itself.
    fn finish(mut self) -> Result<()> {
        self.release();
        // Its output ends when it does. Subscribers say twice what they have measured: before they wait, and at the end.
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("{} does not end", self.who).into());
                }
            }
        }
        if self.child.wait()?.success() {
            Ok(())
        } else {
            Err(format!("{} failed", self.who).into())
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Without effect on one that has ended and was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `count` messages or round trips of a shape.
pub(crate) fn run(program: &Program, shape: &Shape, count: u64, place: &Place) -> Result<Outcome> {
    let deadline = Place::deadline();
    let parts = shape.parts(&place.endpoint(shape.transport), count, place.pinned);
    let binder = Worker::start(program, &parts.binder, deadline)?;
    let Some(mut job) = parts.connector else {
        let measurement = binder.measurement()?;
        binder.finish()?;
        return Ok(Outcome::alone(measurement));
    };
    job.endpoint = binder.bound()?;
    let connector = Worker::start(program, &job, deadline)?;
    let Roles {
        first,
        sender,
        clock,
        ..
    } = parts.roles;
    let (binder, connector) = if first == End::Binder {
        both(binder, connector)?
    } else {
        let (connector, binder) = both(connector, binder)?;
        (binder, connector)
    };
    let times = clock == sender;
    Ok(match sender {
        End::Binder => Outcome::of(binder, connector, times),
        End::Connector => Outcome::of(connector, binder, times),
    })
}

/// What both have measured. The other goes on until the first is done; the first stays until the other is.
fn both(first: Worker, mut other: Worker) -> Result<(Measurement, Measurement)> {
    let one = first.measurement()?;
    other.release();
    let two = other.measurement()?;
    first.finish()?;
    other.finish()?;
    Ok((one, two))
}
