//! A side in a process of its own.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use crate::{Failure, Request, Side, Value, decode_frames};

/// How much longer than the wait it was given a side may take to answer before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(20);

/// A child process that answers requests; it ends when this value is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Process {
    /// Starts the program.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command) -> io::Result<Process> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let requests = child.stdin.take();
        let Some(stdout) = child.stdout.take() else {
            return Err(io::Error::other("the child has no output"));
        };
        Ok(Process {
            child,
            requests,
            answers: BufReader::new(stdout),
        })
    }

    /// Kills the process, so that its kernel closes its connections, and waits for its end.
    pub fn kill(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Stops the process (`SIGSTOP`): its connections stay open and silent. No request may be made until [`Process::resume`].
    ///
    /// # Errors
    /// When the process has ended.
    pub fn pause(&self) -> io::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets a stopped process go on.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn resume(&self) -> io::Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        Ok(kill_process(pid.ok_or(io::ErrorKind::NotFound)?, signal)?)
    }

    /// Waits for the first octet of an answer; kills a process that hangs.
    fn await_answer(&mut self, wait: Duration) -> Result<(), Failure> {
        let limit = wait + PATIENCE;
        let timeout = Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(limit.subsec_nanos()),
        };
        let mut output = [PollFd::new(self.answers.get_ref(), PollFlags::IN)];
        let ready = loop {
            match poll(&mut output, Some(&timeout)) {
                Err(Errno::INTR) => {}
                ready => break ready,
            }
        };
        match ready {
            Ok(0) => {
                self.kill();
                Err(Failure::new(
                    "GONE",
                    format!("no answer within {limit:?}: killed"),
                ))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::new("GONE", error)),
        }
    }

    fn ask(&mut self, request: &Request) -> Result<String, Failure> {
        let gone = |error: &dyn std::fmt::Display| Failure::new("GONE", error);
        let mut line = request.to_line();
        line.push('\n');
        let requests = self.requests.as_mut().ok_or_else(|| gone(&"no input"))?;
        requests
            .write_all(line.as_bytes())
            .map_err(|error| gone(&error))?;
        self.await_answer(request.wait())?;
        line.clear();
        if self
            .answers
            .read_line(&mut line)
            .map_err(|error| gone(&error))?
            == 0
        {
            return Err(gone(&"the process has ended"));
        }
        let answer = line.trim_end();
        match answer.split_once(' ') {
            Some(("ok", text)) => Ok(text.to_owned()),
            _ if answer == "ok" => Ok(String::new()),
            Some(("err", failure)) => {
                let (code, text) = failure.split_once(' ').unwrap_or((failure, ""));
                Err(Failure::new(code, text))
            }
            _ => Err(gone(&format!("not an answer: {answer:.80}"))),
        }
    }

    fn tell(&mut self, request: &Request) -> Result<(), Failure> {
        self.ask(request).map(drop)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The end of its input asks a program to end; a stopped or hanging one would never see it.
        self.requests = None;
        self.kill();
    }
}

impl Side for Process {
    fn open(&mut self, socket: &str, kind: &str) -> Result<(), Failure> {
        self.tell(&Request::Open {
            socket: socket.to_owned(),
            kind: kind.to_owned(),
        })
    }

    fn set(&mut self, socket: &str, option: &str, value: &Value) -> Result<(), Failure> {
        let (socket, option) = (socket.to_owned(), option.to_owned());
        self.tell(&Request::Set {
            socket,
            option,
            value: value.clone(),
        })
    }

    fn bind(&mut self, socket: &str, endpoint: &str) -> Result<String, Failure> {
        self.ask(&Request::Bind {
            socket: socket.to_owned(),
            endpoint: endpoint.to_owned(),
        })
    }

    fn connect(&mut self, socket: &str, endpoint: &str) -> Result<(), Failure> {
        self.tell(&Request::Connect {
            socket: socket.to_owned(),
            endpoint: endpoint.to_owned(),
        })
    }

    fn unbind(&mut self, socket: &str, endpoint: &str) -> Result<(), Failure> {
        self.tell(&Request::Unbind {
            socket: socket.to_owned(),
            endpoint: endpoint.to_owned(),
        })
    }

    fn disconnect(&mut self, socket: &str, endpoint: &str) -> Result<(), Failure> {
        self.tell(&Request::Disconnect {
            socket: socket.to_owned(),
            endpoint: endpoint.to_owned(),
        })
    }

    fn subscribe(&mut self, socket: &str, topic: &[u8]) -> Result<(), Failure> {
        self.tell(&Request::Subscribe {
            socket: socket.to_owned(),
            topic: topic.to_vec(),
        })
    }

    fn unsubscribe(&mut self, socket: &str, topic: &[u8]) -> Result<(), Failure> {
        self.tell(&Request::Unsubscribe {
            socket: socket.to_owned(),
            topic: topic.to_vec(),
        })
    }

    fn send(&mut self, socket: &str, frames: &[Vec<u8>], wait: Duration) -> Result<(), Failure> {
        self.tell(&Request::Send {
            socket: socket.to_owned(),
            wait,
            frames: frames.to_vec(),
        })
    }

    fn recv(&mut self, socket: &str, wait: Duration) -> Result<Vec<Vec<u8>>, Failure> {
        let words = self.ask(&Request::Recv {
            socket: socket.to_owned(),
            wait,
        })?;
        decode_frames(&words)
    }

    fn monitor(&mut self, socket: &str) -> Result<(), Failure> {
        self.tell(&Request::Monitor {
            socket: socket.to_owned(),
        })
    }

    fn event(&mut self, socket: &str, name: &str, wait: Duration) -> Result<String, Failure> {
        self.ask(&Request::Event {
            socket: socket.to_owned(),
            name: name.to_owned(),
            wait,
        })
    }

    fn property(&mut self, socket: &str, name: &str) -> Result<String, Failure> {
        self.ask(&Request::Property {
            socket: socket.to_owned(),
            name: name.to_owned(),
        })
    }

    fn close(&mut self, socket: &str) -> Result<(), Failure> {
        self.tell(&Request::Close {
            socket: socket.to_owned(),
        })
    }

    fn version(&mut self) -> Result<String, Failure> {
        self.ask(&Request::Version)
    }
}
