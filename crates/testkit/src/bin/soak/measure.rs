//! The parent: brings peers, asks the child for its numbers, and judges them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use zmq_engine::SocketType;
use zmq_testkit::process::raise_descriptor_limit;
use zmq_testkit::script::TcpPeer;

use crate::arguments::Arguments;
use crate::peers;

/// Resident octets an idle peer may cost the bound process, its heartbeat included.
const OCTETS_PER_PEER: u64 = 12 * 1024;

/// Peers that come and go together.
const GROUP: usize = 10;

/// Growth of the resident memory over all cycles that an allocator may cause without anything being kept.
const SLACK: u64 = 2 << 20;

/// The bound process, and the pipes to and from it.
struct Bound {
    child: Child,
    ask: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    endpoint: String,
}

#[derive(Clone, Copy, Debug)]
struct Numbers {
    resident: u64,
    descriptors: usize,
    threads: usize,
}

type Result<T = ()> = std::result::Result<T, String>;

impl Bound {
    fn start(kind: SocketType) -> Result<Bound> {
        let program = std::env::current_exe().map_err(words)?;
        let mut child = Command::new(program)
            .args(["--serve", kind.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(words)?;
        let ask = child.stdin.take();
        let answers = child.stdout.take().ok_or("the child has no output")?;
        let mut bound = Bound {
            child,
            ask,
            answers: BufReader::new(answers),
            endpoint: String::new(),
        };
        bound.endpoint = bound.answer()?;
        Ok(bound)
    }

    fn answer(&mut self) -> Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(words)?;
        if line.is_empty() {
            return Err("the bound process has ended".to_owned());
        }
        Ok(line.trim_end().to_owned())
    }

    fn ask(&mut self, question: &str) -> Result<String> {
        let pipe = self.ask.as_mut().ok_or("the bound process is closed")?;
        writeln!(pipe, "{question}").map_err(words)?;
        self.answer()
    }

    fn await_peers(&mut self, count: usize) -> Result {
        self.ask(&format!("await {count}")).map(drop)
    }

    fn numbers(&mut self) -> Result<Numbers> {
        let answer = self.ask("numbers")?;
        let mut parts = answer.split(' ').map(str::parse::<u64>);
        let mut next = || match parts.next() {
            Some(Ok(number)) => Ok(number),
            _ => Err(format!("numbers were expected, met `{answer}`")),
        };
        Ok(Numbers {
            resident: next()?,
            descriptors: usize::try_from(next()?).map_err(words)?,
            threads: usize::try_from(next()?).map_err(words)?,
        })
    }

    fn end(mut self) -> Result {
        drop(self.ask.take());
        let status = self.child.wait().map_err(words)?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("the bound process ended with {status}"))
        }
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        // Gone already, unless something failed before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

pub(crate) fn run(arguments: &Arguments) -> Result {
    let limit = raise_descriptor_limit();
    if limit < arguments.peers as u64 + 100 {
        return Err(format!(
            "{} peers need more than the {limit} descriptors allowed",
            arguments.peers
        ));
    }
    let mut faults = Vec::new();
    for kind in &arguments.types {
        soak(*kind, arguments, &mut faults)?;
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults.join("\n"))
    }
}

fn soak(kind: SocketType, arguments: &Arguments, faults: &mut Vec<String>) -> Result {
    let name = kind.name();
    let mut bound = Bound::start(kind)?;
    // Pools, tables and threads come with the first peers.
    come_and_go(&mut bound, kind, 20)?;
    let before = bound.numbers()?;

    let idle = idle_peers(&mut bound, kind, arguments)?;
    let full = bound.numbers()?;
    let count = arguments.peers.max(1) as u64;
    let each = full.resident.saturating_sub(before.resident) / count;
    println!(
        "{name}: {} idle peers: {each} octets each ({} -> {} resident), {} descriptors, {} threads",
        arguments.peers, before.resident, full.resident, full.descriptors, full.threads
    );
    if each > OCTETS_PER_PEER {
        faults.push(format!(
            "{name}: an idle peer costs {each} octets, more than {OCTETS_PER_PEER}"
        ));
    }
    drop(idle);
    bound.await_peers(0)?;
    let emptied = bound.numbers()?;

    come_and_go(&mut bound, kind, arguments.cycles / 2)?;
    let half = bound.numbers()?;
    come_and_go(&mut bound, kind, arguments.cycles - arguments.cycles / 2)?;
    let after = bound.numbers()?;
    println!(
        "{name}: emptied {} resident; after {} cycles of {GROUP} peers {} resident, {} descriptors, {} threads",
        emptied.resident, arguments.cycles, after.resident, after.descriptors, after.threads
    );
    if after.descriptors != before.descriptors || after.threads != before.threads {
        faults.push(format!("{name}: {before:?} became {after:?}"));
    }
    if after.resident > half.resident + SLACK || after.resident > emptied.resident + SLACK {
        faults.push(format!(
            "{name}: resident memory grows with every cycle: {} emptied, {} half way, {} at the end",
            emptied.resident, half.resident, after.resident
        ));
    }

    // The same crowd once more fits into what the first one left.
    let again = idle_peers(&mut bound, kind, arguments)?;
    let refilled = bound.numbers()?;
    println!(
        "{name}: the same peers again: {} resident",
        refilled.resident
    );
    if refilled.resident > full.resident + full.resident / 20 + SLACK {
        faults.push(format!(
            "{name}: the first crowd took {} octets, the second {}",
            full.resident, refilled.resident
        ));
    }
    drop(again);
    bound.await_peers(0)?;
    let end = bound.numbers()?;
    if end.descriptors != before.descriptors {
        faults.push(format!("{name}: {before:?} became {end:?} at the end"));
    }
    bound.end()
}

fn idle_peers(bound: &mut Bound, kind: SocketType, arguments: &Arguments) -> Result<Vec<TcpPeer>> {
    let endpoint = bound.endpoint.clone();
    let mut idle = (0..arguments.peers)
        .map(|_| peers::connect(&endpoint, kind).map_err(words))
        .collect::<Result<Vec<_>>>()?;
    bound.await_peers(idle.len())?;
    for _ in 0..arguments.beats {
        peers::answer_pings(&mut idle).map_err(words)?;
    }
    Ok(idle)
}

/// A few peers come, say something, and leave: half of them properly, half by a reset.
fn come_and_go(bound: &mut Bound, kind: SocketType, cycles: usize) -> Result {
    for _ in 0..cycles {
        let mut group = Vec::new();
        for _ in 0..GROUP {
            group.push(peers::connect(&bound.endpoint, kind).map_err(words)?);
        }
        bound.await_peers(GROUP)?;
        if matches!(kind, SocketType::Pull | SocketType::Router) {
            for peer in &mut group {
                peers::speak(peer, kind);
            }
            bound.ask(&format!("take {GROUP}"))?;
        }
        for peer in group.iter().step_by(2) {
            peers::vanish(peer).map_err(words)?;
        }
        drop(group);
        bound.await_peers(0)?;
    }
    Ok(())
}
