//! Runs by libzmq's own C programs, whatever library they find: `local_thr` and `remote_thr`, `local_lat` and
//! `remote_lat`, `inproc_thr` and `inproc_lat`.
//!
//! The same binaries run with the folder of one library or of the other in `LD_LIBRARY_PATH`.

use std::io::Read;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use peer_script::Measurement;

use crate::Result;
use crate::outcome::Outcome;
use crate::place::Place;
use crate::shape::{Kind, RECEIVER, SENDER, Shape};

/// How often a program is looked after. They end on their own; nothing that is measured waits for this.
const GLANCE: Duration = Duration::from_millis(2);

/// The programs, and the library they are to run on.
#[derive(Clone, Debug)]
pub(crate) struct Perf {
    pub(crate) programs: PathBuf,
    pub(crate) library: PathBuf,
}

/// A running program.
struct Running {
    child: Child,
    deadline: Instant,
    name: &'static str,
}

/// What a program has said, and the processor time it took.
struct Ended {
    said: String,
    cpu_nanoseconds: u64,
}

/// A number that a program prints: `mean throughput: 123 [msg/s]`.
struct Figure {
    label: &'static str,
    unit: &'static str,
}

const RATE: Figure = Figure {
    label: "mean throughput: ",
    unit: " [msg/s]",
};
/// Half a round trip.
const LATENCY: Figure = Figure {
    label: "average latency: ",
    unit: " [us]",
};

impl Figure {
    fn find(&self, said: &str) -> Result<f64> {
        let found = said.lines().find_map(|line| {
            let line = line.strip_prefix(self.label)?;
            line.strip_suffix(self.unit)?.parse().ok()
        });
        Ok(found.ok_or_else(|| format!("expected `{}`, met: {said:.200}", self.label))?)
    }
}

/// Processor time of all children that were waited for, in nanoseconds.
fn cpu_of_children() -> Result<u64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(micros.unsigned_abs() * 1000)
}

impl Running {
    fn end(mut self) -> Result<Ended> {
        let before = cpu_of_children()?;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if Instant::now() > self.deadline {
                return Err(format!("{} did not finish", self.name).into());
            }
            thread::sleep(GLANCE);
        };
        let cpu_nanoseconds = cpu_of_children()?.saturating_sub(before);
        let mut said = String::new();
        if let Some(mut output) = self.child.stdout.take() {
            // A handful of lines, which the pipe has kept.
            output.read_to_string(&mut said)?;
        }
        if status.success() {
            Ok(Ended {
                said,
                cpu_nanoseconds,
            })
        } else {
            Err(format!("{}: {status}: {said:.200}", self.name).into())
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Without effect on one that has ended and was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Perf {
    /// Which of the shapes the programs know.
    pub(crate) fn plays(shape: &Shape) -> bool {
        let kind = matches!(shape.kind, Kind::PushPull | Kind::MeanReqRep);
        kind && !shape.sealed && shape.transport != "ipc"
    }

    pub(crate) fn run(&self, shape: &Shape, count: u64, place: &Place) -> Result<Outcome> {
        let deadline = Place::deadline();
        let start = |name, arguments: &[String], cores: &[usize]| {
            let mut command = Command::new(self.programs.join(name));
            command
                .args(arguments)
                .env("LD_LIBRARY_PATH", &self.library)
                .stdin(Stdio::null())
                .stdout(Stdio::piped());
            let child = place.spawn(&mut command, cores)?;
            Ok::<Running, Box<dyn std::error::Error + Send + Sync>>(Running {
                child,
                deadline,
                name,
            })
        };
        let latency = shape.kind == Kind::MeanReqRep;
        let mut arguments = vec![shape.size.to_string(), count.to_string()];
        if shape.transport == "inproc" {
            let name = if latency { "inproc_lat" } else { "inproc_thr" };
            let ended = start(name, &arguments, &[RECEIVER, SENDER])?.end()?;
            return Ok(Outcome::alone(measurement(&ended, count, latency)?));
        }
        let port = free_port()?;
        arguments.insert(0, format!("tcp://127.0.0.1:{port}"));
        let (local, remote) = match latency {
            true => ("local_lat", "remote_lat"),
            false => ("local_thr", "remote_thr"),
        };
        let local = start(local, &arguments, &[RECEIVER])?;
        wait_for_listener(port, deadline)?;
        let remote = start(remote, &arguments, &[SENDER])?;
        // Whoever ends last is waited for last: each wait counts the time of one.
        let (receiver, sender) = if latency {
            let sender = remote.end()?;
            (local.end()?, sender)
        } else {
            (local.end()?, remote.end()?)
        };
        let clock = if latency { &sender } else { &receiver };
        let timed = measurement(clock, count, latency)?;
        let each = |ended: &Ended| Measurement {
            cpu_nanoseconds: ended.cpu_nanoseconds,
            ..timed
        };
        Ok(Outcome::of(each(&sender), each(&receiver), latency))
    }
}

fn measurement(ended: &Ended, count: u64, latency: bool) -> Result<Measurement> {
    let nanoseconds = if latency {
        LATENCY.find(&ended.said)? * 2e3 * count as f64
    } else {
        count as f64 * 1e9 / RATE.find(&ended.said)?.max(1.0)
    };
    Ok(Measurement {
        messages: count,
        nanoseconds: nanoseconds as u64,
        cpu_nanoseconds: ended.cpu_nanoseconds,
        ..Measurement::default()
    })
}

/// The programs do not say where they are bound, so the port is found beforehand.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A connection that is tried too early is tried again much later, which the latency programs would count in. Only the
/// system's table can be asked: a connection made to find out would be a peer of the one that listens.
fn wait_for_listener(port: u16, deadline: Instant) -> Result<()> {
    while !is_listening(&std::fs::read_to_string("/proc/net/tcp")?, port) {
        if Instant::now() > deadline {
            return Err("the port was never bound".into());
        }
        thread::sleep(GLANCE);
    }
    Ok(())
}

fn is_listening(table: &str, port: u16) -> bool {
    const LISTEN: &str = "0A";
    let wanted = format!(":{port:04X}");
    table.lines().any(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let local = words.next();
        local.is_some_and(|local| local.ends_with(&wanted)) && words.nth(1) == Some(LISTEN)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_programs_print_is_read() {
        let said =
            "message size: 16 [B]\nmean throughput: 5000 [msg/s]\nmean throughput: 0.640 [Mb/s]\n";
        assert_eq!(RATE.find(said).unwrap(), 5000.0);
        assert_eq!(
            LATENCY.find("average latency: 12.500 [us]\n").unwrap(),
            12.5
        );
        assert!(RATE.find("error in zmq_bind").is_err());
    }

    #[test]
    fn a_listener_is_found_in_the_system_s_table() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let table = || std::fs::read_to_string("/proc/net/tcp").unwrap();
        assert!(is_listening(&table(), port));
        drop(listener);
        assert!(!is_listening(&table(), port));
    }
}
