//! One program: its run, its time limit, its verdict.

use super::list::{self, Program};
use std::fmt;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long a program may take; its own alarm is mostly sooner.
const LIMIT: Duration = Duration::from_secs(150);

/// What the programs answer when they cannot run here.
const SKIPPED: i32 = 77;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    Fail,
    Skip,
    /// Whatever it says itself, its watcher has found something.
    Found,
}

impl Verdict {
    pub(super) fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "FAIL",
            Verdict::Skip => "skip",
            Verdict::Found => "FOUND",
        }
    }
}

/// How a program ended.
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    pub(super) why: String,
    seconds: f64,
}

impl Outcome {
    pub(super) fn failed(why: String) -> Outcome {
        Outcome {
            verdict: Verdict::Fail,
            why,
            seconds: 0.0,
        }
    }

    pub(super) fn skipped(why: &str) -> Outcome {
        Outcome {
            verdict: Verdict::Skip,
            ..Outcome::failed(why.to_owned())
        }
    }

    /// This one, with what the first try said.
    pub(super) fn after(mut self, first: &Outcome) -> Outcome {
        if self.verdict == Verdict::Pass {
            self.why = format!("at the second try; first: {}", first.why);
        }
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:.1} s)", self.verdict.word(), self.seconds)?;
        if self.why.is_empty() {
            return Ok(());
        }
        write!(f, " {}", self.why)
    }
}

/// Whether programs can have a network of their own, in which the ports they have fixed are free.
fn own_network() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let tried = network_of_its_own().arg("true").output();
        tried.is_ok_and(|output| output.status.success())
    })
}

/// Runs what is appended in a network that consists of a loopback.
fn network_of_its_own() -> Command {
    let mut command = Command::new("unshare");
    command.args(["-rn", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"]);
    command
}

/// How programs are run.
#[derive(Clone, Default)]
pub(super) struct Runner {
    /// The folder of the library.
    pub(super) library: PathBuf,
    /// Words before the program: what watches it.
    pub(super) before: Vec<String>,
    pub(super) environment: Vec<(&'static str, String)>,
    /// Beginnings of what its watcher says when it has found something, wherever in a line.
    pub(super) findings: &'static [&'static str],
}

/// Runs a program.
pub(super) fn program(program: &Program, binary: &Path, runner: &Runner) -> Outcome {
    match attempt(program, binary, runner) {
        Ok(outcome) => outcome,
        Err(error) => Outcome::failed(format!("did not run: {error}")),
    }
}

fn attempt(program: &Program, binary: &Path, runner: &Runner) -> std::io::Result<Outcome> {
    let folder = binary.with_extension("dir");
    std::fs::create_dir_all(&folder)?;
    let mut log = std::fs::File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(binary.with_extension("log"))?;
    let mut command = if own_network() {
        network_of_its_own()
    } else {
        Command::new("env")
    };
    command.args(&runner.before).arg(binary);
    let began = Instant::now();
    let mut child = command
        .env("LD_LIBRARY_PATH", &runner.library)
        .envs(runner.environment.iter().cloned())
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log.try_clone()?)
        .spawn()?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if began.elapsed() > LIMIT {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    };
    let mut met = Vec::new();
    log.seek(SeekFrom::Start(0))?;
    log.read_to_end(&mut met)?;
    let text = String::from_utf8_lossy(&met);
    let (mut verdict, mut why) = match status {
        None => (Verdict::Fail, format!("still running after {LIMIT:?}")),
        Some(status) if status.success() => (Verdict::Pass, String::new()),
        Some(status) if status.code() == Some(SKIPPED) => (Verdict::Skip, "says it cannot".into()),
        Some(status) => (Verdict::Fail, format!("{status}")),
    };
    let found = |line: &&str| runner.findings.iter().any(|words| line.contains(words));
    if let Some(line) = text.lines().find(found) {
        (verdict, why) = (Verdict::Found, line.trim().to_owned());
    } else if verdict == Verdict::Fail
        && let Some(excuse) = excuse(&text, &program.name)
    {
        (verdict, why) = (Verdict::Skip, excuse);
    } else if verdict == Verdict::Fail {
        why = format!("{why}{}", reasons(&text, &program.name));
    }
    Ok(Outcome {
        verdict,
        why,
        seconds: began.elapsed().as_secs_f64(),
    })
}

/// What all that failed is exempt for, if it is.
fn excuse(text: &str, name: &str) -> Option<String> {
    let mut said = Vec::new();
    for line in text.lines().filter(|line| line.contains(":FAIL")) {
        let (before, _) = line.split_once(":FAIL")?;
        let function = before.rsplit(':').next()?;
        said.push(format!("{function}: {}", list::exempt(name, function)?));
    }
    // The last line of a program that came to its end.
    let ended = text.lines().any(|line| line.trim() == "FAIL");
    (ended && !said.is_empty()).then(|| format!("all but {}", said.join(", ")))
}

/// The lines that say what failed.
fn reasons(text: &str, name: &str) -> String {
    let mut said = String::new();
    for line in text.lines().filter(|line| line.contains(":FAIL")) {
        let line = line.rsplit('/').next().unwrap_or(line);
        let line = line.strip_prefix(name).unwrap_or(line);
        said.push_str("; ");
        said.push_str(line.trim_start_matches(".cpp:"));
    }
    if said.is_empty()
        && let Some(last) = text.lines().next_back()
    {
        said = format!("; {last}");
    }
    said
}
