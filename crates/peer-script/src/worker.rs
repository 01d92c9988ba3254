//! One end of a benchmark, the same loops for every implementation.

use std::error::Error;
use std::io::{Read, Write, copy, sink};
use std::str::FromStr;
use std::thread;
use std::time::Instant;

use crate::{Measurement, Percentiles, cpu_time, pin_to_cores};

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// Round trips before the clock starts.
const WARM_UP: u64 = 200;

/// An implementation under measurement. Blocking calls, as a plain program would make them.
pub trait Contender: Sync {
    /// A socket.
    type Socket: Send;

    /// Opens a socket of the named type (`PUSH`, `PUB`). With `unbounded`, both its high-water marks are off.
    ///
    /// # Errors
    /// As the implementation.
    fn open(&self, kind: &str, unbounded: bool) -> Result<Self::Socket>;
    /// Binds, and returns the endpoint as really bound.
    ///
    /// # Errors
    /// As the implementation.
    fn bind(&self, socket: &Self::Socket, endpoint: &str) -> Result<String>;
    /// Connects.
    ///
    /// # Errors
    /// As the implementation.
    fn connect(&self, socket: &Self::Socket, endpoint: &str) -> Result<()>;
    /// Subscribes to everything.
    ///
    /// # Errors
    /// As the implementation.
    fn subscribe(&self, socket: &Self::Socket) -> Result<()>;
    /// Waits until a PUB socket has this many subscribers.
    ///
    /// # Errors
    /// As the implementation.
    fn wait_subscribers(&self, socket: &Self::Socket, count: u64) -> Result<()>;
    /// Sends a message of one frame, without copying it where the implementation can.
    ///
    /// # Errors
    /// As the implementation.
    fn send(&self, socket: &Self::Socket, octets: &'static [u8]) -> Result<()>;
    /// Receives a message of one frame and returns its size in octets.
    ///
    /// # Errors
    /// As the implementation.
    fn recv(&self, socket: &Self::Socket) -> Result<usize>;
    /// Receives a message and sends it back.
    ///
    /// # Errors
    /// As the implementation.
    fn echo(&self, socket: &Self::Socket) -> Result<()>;
    /// Closes a socket after its messages have left.
    ///
    /// # Errors
    /// As the implementation.
    fn close(&self, socket: Self::Socket) -> Result<()>;
}

/// What a worker is to do; one line of arguments: role, endpoint, size, count, peers, cores, `curve` or `clear`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// `push`, `pull`, `req`, `rep`, `pub`, `sub`, `dial`, `inproc-thr` or `inproc-lat`.
    pub role: String,
    /// Where to bind (`pull`, `rep`, `pub`) or connect; unused by the inproc roles.
    pub endpoint: String,
    /// Octets of a message.
    pub size: usize,
    /// Messages, round trips, or connections made one after the other.
    pub count: u64,
    /// Sockets of a `sub`, or subscribers a `pub` waits for.
    pub peers: u64,
    /// The cores to stay on: one, or sender's and receiver's for the inproc roles, or none.
    pub cores: Vec<usize>,
    /// Traffic is sealed with CURVE: the end that binds is the server, with the keys of [`SERVER_KEY`].
    pub sealed: bool,
}

/// Public and secret key of the servers in sealed runs, in Z85. Everybody may know them: they guard nothing.
pub const SERVER_KEY: (&str, &str) = (
    "K3HW^WVq.zo69t)(umF>:XvwTj:QGN^yKlWaVH(S",
    "009c61o!#m2NH?C3>iWS5d]J*6CRx17-skh9337x",
);

/// Public and secret key of the clients in sealed runs.
pub const CLIENT_KEY: (&str, &str) = (
    "hgP.#hDUHSUiE^h?&P6wi8P5^Qk?rT(1ek&+[:+/",
    "ar.{NbQB=+c[cR@eg&FcfFLssg=mfIi5%2YjuU>)",
);

impl Job {
    /// The arguments that [`Job::from_str`] reads.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let cores: Vec<String> = self.cores.iter().map(usize::to_string).collect();
        let cores = if cores.is_empty() {
            "-".to_owned()
        } else {
            cores.join(",")
        };
        let (size, count, peers) = (
            self.size.to_string(),
            self.count.to_string(),
            self.peers.to_string(),
        );
        vec![
            self.role.clone(),
            self.endpoint.clone(),
            size,
            count,
            peers,
            cores,
            if self.sealed { "curve" } else { "clear" }.to_owned(),
        ]
    }
}

impl FromStr for Job {
    type Err = Box<dyn Error + Send + Sync>;

    fn from_str(line: &str) -> Result<Job> {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [role, endpoint, size, count, peers, cores, sealed] = words[..] else {
            return Err("expected: role endpoint size count peers cores sealed".into());
        };
        let cores = match cores {
            "-" => Vec::new(),
            list => list
                .split(',')
                .map(str::parse)
                .collect::<std::result::Result<_, _>>()?,
        };
        Ok(Job {
            role: role.to_owned(),
            endpoint: endpoint.to_owned(),
            size: size.parse()?,
            count: count.parse()?,
            peers: peers.parse()?,
            cores,
            sealed: match sealed {
                "curve" => true,
                "clear" => false,
                _ => return Err("expected curve or clear".into()),
            },
        })
    }
}

/// Does a job. Writes `bound <endpoint>` as soon as others can connect, and at the end the measurement.
///
/// The roles `push` and `pub` close their sockets when `input` ends, which should be after the other end has measured:
/// libzmq can lose what a peer sent over ipc when that peer leaves while the receiver is at its high-water mark.
///
/// # Errors
/// As the implementation; an unknown role.
pub fn work<C: Contender>(
    make: impl Fn(&Job) -> Result<C>,
    job: &Job,
    input: &mut impl Read,
    output: &mut impl Write,
) -> Result<()> {
    if let [core, ..] = job.cores[..] {
        pin_to_cores(&[core])?;
    }
    // Made after pinning, so that its threads stay on the core as well.
    let contender = make(job)?;
    let measurement = match job.role.as_str() {
        "push" => push(&contender, job, input)?,
        "pull" => pull(&contender, job, output)?,
        "req" => req(&contender, job)?,
        "dial" => dial(&contender, job)?,
        "rep" => rep(&contender, job, output)?,
        "pub" => publish(&contender, job, (input, output))?,
        "sub" => subscribe(&contender, job)?,
        "inproc-thr" => inproc_push(&contender, job)?,
        "inproc-lat" => inproc_echo(&contender, job)?,
        role => return Err(format!("unknown role {role}").into()),
    };
    writeln!(output, "{measurement}")?;
    Ok(())
}

/// A clock over wall and processor time.
struct Watch {
    start: Instant,
    cpu: std::time::Duration,
}

impl Watch {
    fn start() -> Watch {
        Watch {
            cpu: cpu_time(),
            start: Instant::now(),
        }
    }

    fn stop(&self, messages: u64) -> Measurement {
        let nanoseconds = self.start.elapsed().as_nanos();
        let cpu_nanoseconds = cpu_time().saturating_sub(self.cpu).as_nanos();
        Measurement {
            messages,
            nanoseconds: u64::try_from(nanoseconds).unwrap_or(u64::MAX),
            cpu_nanoseconds: u64::try_from(cpu_nanoseconds).unwrap_or(u64::MAX),
            percentiles: Percentiles::default(),
        }
    }
}

fn payload(size: usize) -> &'static [u8] {
    vec![b'x'; size].leak()
}

fn announce(output: &mut impl Write, endpoint: &str) -> Result<()> {
    writeln!(output, "bound {endpoint}")?;
    Ok(output.flush()?)
}

fn push<C: Contender>(contender: &C, job: &Job, input: &mut impl Read) -> Result<Measurement> {
    let octets = payload(job.size);
    let socket = contender.open("PUSH", false)?;
    contender.connect(&socket, &job.endpoint)?;
    let watch = Watch::start();
    for _ in 0..job.count {
        contender.send(&socket, octets)?;
    }
    copy(input, &mut sink())?;
    let measurement = watch.stop(job.count);
    contender.close(socket)?;
    Ok(measurement)
}

/// Time runs from the first message on, so that connecting is no part of it.
fn take<C: Contender>(contender: &C, socket: &C::Socket, job: &Job) -> Result<Measurement> {
    contender.recv(socket)?;
    let watch = Watch::start();
    for _ in 1..job.count {
        if contender.recv(socket)? != job.size {
            return Err("a message of another size".into());
        }
    }
    Ok(watch.stop(job.count - 1))
}

fn pull<C: Contender>(contender: &C, job: &Job, output: &mut impl Write) -> Result<Measurement> {
    let socket = contender.open("PULL", false)?;
    announce(output, &contender.bind(&socket, &job.endpoint)?)?;
    take(contender, &socket, job)
}

fn req<C: Contender>(contender: &C, job: &Job) -> Result<Measurement> {
    let socket = contender.open("REQ", false)?;
    contender.connect(&socket, &job.endpoint)?;
    ask(contender, &socket, job)
}

fn ask<C: Contender>(contender: &C, socket: &C::Socket, job: &Job) -> Result<Measurement> {
    let octets = payload(job.size);
    let mut samples = Vec::with_capacity(usize::try_from(job.count)?);
    for _ in 0..WARM_UP {
        contender.send(socket, octets)?;
        contender.recv(socket)?;
    }
    let watch = Watch::start();
    let mut before = watch.start;
    for _ in 0..job.count {
        contender.send(socket, octets)?;
        contender.recv(socket)?;
        let now = Instant::now();
        samples.push(u64::try_from((now - before).as_nanos())?);
        before = now;
    }
    let mut measurement = watch.stop(job.count);
    measurement.percentiles = Percentiles::of(&mut samples);
    Ok(measurement)
}

/// Connects, asks once and leaves, again and again. Time runs from the end of the warm-up on.
fn dial<C: Contender>(contender: &C, job: &Job) -> Result<Measurement> {
    let octets = payload(job.size);
    let once = || {
        let socket = contender.open("REQ", false)?;
        contender.connect(&socket, &job.endpoint)?;
        contender.send(&socket, octets)?;
        contender.recv(&socket)?;
        contender.close(socket)
    };
    for _ in 0..WARM_UP {
        once()?;
    }
    let watch = Watch::start();
    for _ in 0..job.count {
        once()?;
    }
    Ok(watch.stop(job.count))
}

fn answer<C: Contender>(contender: &C, socket: &C::Socket, job: &Job) -> Result<Measurement> {
    for _ in 0..WARM_UP {
        contender.echo(socket)?;
    }
    let watch = Watch::start();
    for _ in 0..job.count {
        contender.echo(socket)?;
    }
    Ok(watch.stop(job.count))
}

fn rep<C: Contender>(contender: &C, job: &Job, output: &mut impl Write) -> Result<Measurement> {
    let socket = contender.open("REP", false)?;
    announce(output, &contender.bind(&socket, &job.endpoint)?)?;
    let measurement = answer(contender, &socket, job)?;
    // The last reply must have left before the process ends.
    contender.close(socket)?;
    Ok(measurement)
}

/// Marks are off: PUB drops above them, and the subscribers here wait for every message.
fn publish<C: Contender>(
    contender: &C,
    job: &Job,
    (input, output): (&mut impl Read, &mut impl Write),
) -> Result<Measurement> {
    let octets = payload(job.size);
    let socket = contender.open("PUB", true)?;
    announce(output, &contender.bind(&socket, &job.endpoint)?)?;
    contender.wait_subscribers(&socket, job.peers)?;
    let watch = Watch::start();
    for _ in 0..job.count {
        contender.send(&socket, octets)?;
    }
    copy(input, &mut sink())?;
    let measurement = watch.stop(job.count * job.peers);
    contender.close(socket)?;
    Ok(measurement)
}

fn subscribe<C: Contender>(contender: &C, job: &Job) -> Result<Measurement> {
    let mut sockets = Vec::new();
    for _ in 0..job.peers {
        let socket = contender.open("SUB", true)?;
        contender.subscribe(&socket)?;
        contender.connect(&socket, &job.endpoint)?;
        sockets.push(socket);
    }
    for socket in &sockets {
        contender.recv(socket)?;
    }
    let watch = Watch::start();
    for _ in 1..job.count {
        for socket in &sockets {
            contender.recv(socket)?;
        }
    }
    Ok(watch.stop((job.count - 1) * job.peers))
}

const INPROC: &str = "inproc://bench";

/// Runs `other` on a thread of its own, on the second core when there is one.
fn beside<T: Send>(
    job: &Job,
    other: impl FnOnce() -> Result<()> + Send,
    here: impl FnOnce() -> Result<T>,
) -> Result<T> {
    thread::scope(|scope| {
        let core = job.cores.get(1).copied();
        let thread = scope.spawn(move || {
            if let Some(core) = core {
                pin_to_cores(&[core])?;
            }
            other()
        });
        let result = here();
        thread.join().map_err(|_| "the other thread panicked")??;
        result
    })
}

fn inproc_push<C: Contender>(contender: &C, job: &Job) -> Result<Measurement> {
    let pull = contender.open("PULL", false)?;
    contender.bind(&pull, INPROC)?;
    let push = contender.open("PUSH", false)?;
    contender.connect(&push, INPROC)?;
    let octets = payload(job.size);
    let send = move || {
        for _ in 0..job.count {
            contender.send(&push, octets)?;
        }
        contender.close(push)
    };
    beside(job, send, || take(contender, &pull, job))
}

fn inproc_echo<C: Contender>(contender: &C, job: &Job) -> Result<Measurement> {
    let rep = contender.open("REP", false)?;
    contender.bind(&rep, INPROC)?;
    let req = contender.open("REQ", false)?;
    contender.connect(&req, INPROC)?;
    beside(
        job,
        move || answer(contender, &rep, job).map(drop),
        || ask(contender, &req, job),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_survives_its_arguments() {
        let job = Job {
            role: "push".to_owned(),
            endpoint: "tcp://127.0.0.1:1".to_owned(),
            size: 64,
            count: 10,
            peers: 1,
            cores: vec![0, 1],
            sealed: true,
        };
        assert_eq!(job.arguments().join(" ").parse::<Job>().unwrap(), job);
        assert!("push tcp://a 1 2".parse::<Job>().is_err());
        assert!("push tcp://a 1 2 1 - maybe".parse::<Job>().is_err());
    }
}
