//! The program as a shell would run it. Every run has a time limit of its own, so that a broken one fails and does not
//! hang.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread::{self, JoinHandle};

/// What is given to `--timeout` where nothing is meant to time out.
pub(crate) const PATIENCE: &str = "20000";

/// A program that runs.
pub(crate) struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    told: String,
    writer: Option<JoinHandle<()>>,
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// Starts `zmq` with these words, and gives it this input.
pub(crate) fn start(words: &[&str], input: &[u8]) -> Running {
    let mut running = start_open(words);
    let mut stdin = running.child.stdin.take().expect("it is piped");
    let input = input.to_vec();
    // A program that ends early does not read it all.
    running.writer = Some(thread::spawn(move || drop(stdin.write_all(&input))));
    running
}

/// Starts `zmq` with these words; its input stays open and silent.
pub(crate) fn start_open(words: &[&str]) -> Running {
    let mut child = Command::new(env!("CARGO_BIN_EXE_zmq"))
        .args(words)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
    Running {
        child,
        stderr,
        told: String::new(),
        writer: None,
    }
}

/// Runs `zmq` to its end.
pub(crate) fn run(words: &[&str], input: &[u8]) -> Ended {
    start(words, input).end()
}

impl Running {
    /// The endpoint that the program says it is bound to; call it again for the next one.
    pub(crate) fn endpoint(&mut self) -> String {
        self.line("bound to ").trim().to_owned()
    }

    /// What follows `what` in the next line of standard error that has it.
    pub(crate) fn line(&mut self, what: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self
                .stderr
                .read_line(&mut line)
                .expect("standard error is text");
            assert_ne!(read, 0, "ended without saying \"{what}\":\n{}", self.told);
            self.told.push_str(&line);
            if let Some((_, rest)) = line.split_once(what) {
                return rest.to_owned();
            }
        }
    }

    /// Writes to its standard input, which stays open.
    pub(crate) fn say(&mut self, text: &str) {
        let stdin = self.child.stdin.as_mut().expect("it is open");
        stdin.write_all(text.as_bytes()).expect("it reads");
        stdin.flush().expect("it reads");
    }

    /// Waits for its next line of output.
    pub(crate) fn heard(&mut self, expected: &str) {
        let stdout = self.child.stdout.as_mut().expect("it is open");
        let mut line = vec![0; expected.len()];
        stdout.read_exact(&mut line).expect("it writes");
        assert_eq!(String::from_utf8_lossy(&line), expected);
    }

    /// Closes our end of its standard output.
    pub(crate) fn stop_reading(&mut self) {
        drop(self.child.stdout.take());
    }

    /// Ends its input and waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        drop(self.child.stdin.take());
        let stdout = self.child.stdout.take();
        let reader = thread::spawn(move || {
            let mut octets = Vec::new();
            if let Some(mut stdout) = stdout {
                stdout.read_to_end(&mut octets).expect("standard output");
            }
            octets
        });
        self.stderr
            .read_to_string(&mut self.told)
            .expect("standard error is text");
        let stdout = reader.join().expect("the reader");
        let code = self.child.wait().expect("the program ends").code();
        if let Some(writer) = self.writer.take() {
            writer.join().expect("the writer");
        }
        Ended {
            code,
            stdout,
            stderr: std::mem::take(&mut self.told),
        }
    }
}

impl Drop for Running {
    /// A test that fails leaves nothing running; proxies end no other way.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// The output of a program that ended well.
    #[track_caller]
    pub(crate) fn output(self) -> String {
        String::from_utf8(self.octets()).expect("text")
    }

    /// As [`Ended::output`], text or not.
    #[track_caller]
    pub(crate) fn octets(self) -> Vec<u8> {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// The standard error of a program that ended with this code.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        self.stderr
    }
}

/// An endpoint that lets the system choose.
pub(crate) const ANY: &str = "@tcp://127.0.0.1:*";
