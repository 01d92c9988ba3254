//! Runs of one shape by one implementation, each end in a process of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use peer_script::{Job, Measurement};

use crate::Result;
use crate::shape::Shape;

/// A run that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(20);
const LIBZMQ_PACKAGE: &str = "libzmq-ref";
const LIBZMQ_PROGRAM: &str = "libzmq-peer";

/// A program that plays one end of a run.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    path: PathBuf,
    verb: &'static str,
}

/// The programs that are compared.
pub(crate) struct Programs {
    pub(crate) ours: Program,
    pub(crate) libzmq: Program,
    directory: PathBuf,
}

impl Programs {
    /// Ours is this one; libzmq's stands beside it, and is built if it is not up to date.
    pub(crate) fn find() -> Result<Programs> {
        let path = env::current_exe()?;
        let directory = path.parent().ok_or("this program is nowhere")?.to_owned();
        let mut build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build.args(["build", "--quiet", "-p", LIBZMQ_PACKAGE]);
        build.args(["--bin", LIBZMQ_PROGRAM]);
        if directory.ends_with("release") {
            build.arg("--release");
        }
        build.current_dir(env!("CARGO_MANIFEST_DIR"));
        if let Some(target) = directory.parent() {
            build.env("CARGO_TARGET_DIR", target);
        }
        if !build.status()?.success() {
            return Err("libzmq cannot be built".into());
        }
        Ok(Programs {
            ours: Program {
                name: "ours",
                path,
                verb: "worker",
            },
            libzmq: Program {
                name: "libzmq",
                path: directory.join(LIBZMQ_PROGRAM),
                verb: "perf",
            },
            directory,
        })
    }

    /// Where build results go.
    pub(crate) fn target_directory(&self) -> &Path {
        self.directory.parent().unwrap_or(&self.directory)
    }
}

/// What came out of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    /// The measurement of the end whose clock counts.
    pub(crate) timed: Measurement,
    /// Processor time of the sending end for each message, in nanoseconds; both ends where they share a process.
    pub(crate) sender_cpu: f64,
    /// Processor time of the receiving end for each message, in nanoseconds; 0 where the ends share a process.
    pub(crate) receiver_cpu: f64,
}

/// A directory for the sockets of `ipc` endpoints, removed at the end.
pub(crate) struct Corner(PathBuf);

impl Corner {
    pub(crate) fn new() -> Result<Corner> {
        let path = env::temp_dir().join(format!("zmq-bench-{}", process::id()));
        fs::create_dir_all(&path)?;
        Ok(Corner(path))
    }

    fn endpoint(&self, transport: &str) -> String {
        match transport {
            "ipc" => {
                let path = self.0.join("socket");
                // The previous run may have left it.
                let _ = fs::remove_file(&path);
                format!("ipc://{}", path.display())
            }
            "tcp" => "tcp://127.0.0.1:0".to_owned(),
            // The worker knows its name.
            _ => "-".to_owned(),
        }
    }
}

impl Drop for Corner {
    fn drop(&mut self) {
        // It is a temporary directory: somebody else will tidy up.
        let _ = fs::remove_dir_all(&self.0);
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
        let who = format!("{} {}", program.name, job.role);
        let mut child = Command::new(&program.path)
            .arg(program.verb)
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
                RecvTimeoutError::Timeout => "hangs",
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
pub(crate) fn run(
    program: &Program,
    shape: &Shape,
    count: u64,
    (corner, pinned): (&Corner, bool),
) -> Result<Outcome> {
    let deadline = Instant::now() + PATIENCE;
    let parts = shape.parts(&corner.endpoint(shape.transport), count, pinned);
    let binder = Worker::start(program, &parts.binder, deadline)?;
    let Some(mut job) = parts.connector else {
        let timed = binder.measurement()?;
        return Ok(Outcome {
            timed,
            sender_cpu: cpu_each(&timed),
            receiver_cpu: 0.0,
        });
    };
    job.endpoint = binder.bound()?;
    let connector = Worker::start(program, &job, deadline)?;
    // Senders stay until they are told to go, which is when the receiver has everything.
    let (sender, receiver, timed) = if parts.binder_sends {
        let connected = connector.measurement()?;
        (binder.measurement()?, connected, connected)
    } else if parts.connector_times {
        let connected = connector.measurement()?;
        (connected, binder.measurement()?, connected)
    } else {
        let bound = binder.measurement()?;
        (connector.measurement()?, bound, bound)
    };
    Ok(Outcome {
        timed,
        sender_cpu: cpu_each(&sender),
        receiver_cpu: cpu_each(&receiver),
    })
}

fn cpu_each(measurement: &Measurement) -> f64 {
    measurement.cpu_nanoseconds as f64 / measurement.messages.max(1) as f64
}
