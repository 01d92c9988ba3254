//! Runs by workers: programs that play either end of any shape, told which by their arguments (see `peer-script`).

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

use peer_script::{Job, Measurement};

use crate::Result;
use crate::outcome::Outcome;
use crate::place::Place;
use crate::shape::Shape;

/// A program that plays one end of a run.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// What stands before the job on its command line.
    pub(crate) verbs: Vec<String>,
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

    /// Tells the worker to go when it is done, and waits for that.
    fn measurement(mut self) -> Result<Measurement> {
        drop(self.child.stdin.take());
        let measurement = self.line()?.parse()?;
        // Its output ends when it does.
        let left = self.deadline.saturating_duration_since(Instant::now());
        match self.lines.recv_timeout(left) {
            Err(RecvTimeoutError::Disconnected) => {}
            _ => return Err(format!("{} does not end", self.who).into()),
        }
        if self.child.wait()?.success() {
            Ok(measurement)
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
        return Ok(Outcome::alone(binder.measurement()?));
    };
    job.endpoint = binder.bound()?;
    let connector = Worker::start(program, &job, deadline)?;
    // Senders stay until they are told to go, which is when the receiver has everything.
    if parts.binder_sends {
        let receiver = connector.measurement()?;
        Ok(Outcome::of(binder.measurement()?, receiver, false))
    } else if parts.connector_times {
        let sender = connector.measurement()?;
        Ok(Outcome::of(sender, binder.measurement()?, true))
    } else {
        let receiver = binder.measurement()?;
        Ok(Outcome::of(connector.measurement()?, receiver, false))
    }
}
