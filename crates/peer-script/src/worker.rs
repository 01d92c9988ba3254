//! One end of a benchmark, the same loops for every implementation.

mod crowd;
mod fan;
mod inproc;
mod latency;
mod throughput;
mod topics;

use std::cell::RefCell;
use std::io::{Read, Write, copy, sink};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::contender::{Contender, Result};
use crate::{Job, Measurement, Percentiles, cpu_time, pin_to_cores};

/// How often one who waits for the other end's leave looks for it.
const GLANCE: Duration = Duration::from_millis(5);

/// Does a job. Writes `bound <endpoint>` as soon as others can connect, and at the end the measurement.
///
/// | roles | |
/// |---|---|
/// | `push`, `pull` | throughput |
/// | `req`, `rep`; `dealer`, `router` | round trips |
/// | `sparse-req` | round trips 10 ms apart, answered by a `rep` |
/// | `dial` | connections made one after the other, to a `rep` |
/// | `pub`, `sub` | to many subscribers |
/// | `push-many`, `pull-many` | from one to many in turn |
/// | `push-each` | from many to one, which is a `pull` |
/// | `topics-pub`, `topics-sub` | matching |
/// | `crowd-rep`, `crowd` | thousands of connections |
/// | `inproc-thr`, `inproc-lat`, `inproc-fan` | both ends in this process |
///
/// Those that send close their sockets when `input` ends, which should be after the other end has measured: libzmq can lose
/// what a peer sent over ipc when that peer leaves while the receiver is at its high-water mark.
///
/// # Errors
/// As the implementation; an unknown role.
pub fn work<C: Contender>(
    make: impl Fn(&Job) -> Result<C>,
    job: &Job,
    input: impl Read + Send + 'static,
    output: &mut impl Write,
) -> Result<()> {
    if let [core, ..] = job.cores[..] {
        pin_to_cores(&[core])?;
    }
    if job.role == "crowd" {
        // Made of plain streams: the same load for every implementation.
        let measurement = crowd::load(job)?;
        return Ok(writeln!(output, "{measurement}")?);
    }
    // Made after pinning, so that its threads stay on the core as well.
    let contender = make(job)?;
    let ends = Ends {
        contender: &contender,
        job,
        leave: Leave::of(input),
        output: RefCell::new(output),
    };
    let measurement = play(&ends)?;
    writeln!(ends.output.borrow_mut(), "{measurement}")?;
    Ok(())
}

fn play<C: Contender, W: Write>(ends: &Ends<'_, C, W>) -> Result<Measurement> {
    let contender = ends.contender;
    match ends.job.role.as_str() {
        "push" => contender.run(throughput::push(ends)),
        "pull" => contender.run(throughput::pull(ends)),
        "req" => contender.run(latency::ask(ends, "REQ", None)),
        "sparse-req" => contender.run(latency::ask(ends, "REQ", Some(latency::SPARSE))),
        "dealer" => contender.run(latency::ask(ends, "DEALER", None)),
        "dial" => contender.run(latency::dial(ends)),
        "rep" => contender.run(latency::answer(ends, "REP")),
        "router" => contender.run(latency::answer(ends, "ROUTER")),
        "pub" => contender.run(fan::publish(ends)),
        "sub" => contender.run(fan::subscribe(ends)),
        "push-many" => contender.run(fan::push_many(ends)),
        "pull-many" => contender.run(fan::pull_many(ends)),
        "push-each" => contender.run(fan::push_each(ends)),
        "topics-pub" => contender.run(topics::publish(ends)),
        "topics-sub" => contender.run(topics::subscribe(ends)),
        "crowd-rep" => contender.run(crowd::answer(ends)),
        "inproc-thr" => inproc::throughput(contender, ends.job),
        "inproc-lat" => inproc::latency(contender, ends.job),
        "inproc-fan" => inproc::fan(contender, ends.job),
        role => Err(format!("unknown role {role}").into()),
    }
}

/// What the roles work with.
struct Ends<'a, C, W> {
    contender: &'a C,
    job: &'a Job,
    leave: Leave,
    output: RefCell<&'a mut W>,
}

impl<C, W: Write> Ends<'_, C, W> {
    /// Says where others can connect.
    fn announce(&self, endpoint: &str) -> Result<()> {
        let mut output = self.output.borrow_mut();
        writeln!(output, "bound {endpoint}")?;
        Ok(output.flush()?)
    }
}

/// A flag raised by one thread and awaited by another.
#[derive(Clone, Default)]
struct Leave(Arc<AtomicBool>);

impl Leave {
    /// Raised when the input ends.
    fn of(mut input: impl Read + Send + 'static) -> Leave {
        let leave = Leave::default();
        let raised = leave.clone();
        thread::spawn(move || {
            // An input that fails has ended as well.
            let _ = copy(&mut input, &mut sink());
            raised.raise();
        });
        leave
    }

    fn raise(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_raised(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Looks now and then, as a runtime on this thread may have to carry what was sent meanwhile.
    async fn wait(&self, contender: &impl Contender) {
        while !self.is_raised() {
            contender.pause(GLANCE).await;
        }
    }
}

/// A clock over wall and processor time.
struct Watch {
    start: Instant,
    cpu: Duration,
}

impl Watch {
    fn start() -> Watch {
        Watch {
            cpu: cpu_time(),
            start: Instant::now(),
        }
    }

    fn stop(&self, messages: u64) -> Measurement {
        let cpu = cpu_time().saturating_sub(self.cpu);
        Measurement {
            messages,
            nanoseconds: nanoseconds(self.start.elapsed()),
            cpu_nanoseconds: nanoseconds(cpu),
            percentiles: Percentiles::default(),
            octets_each: 0,
            setup_each: 0,
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn payload(size: usize) -> &'static [u8] {
    vec![b'x'; size].leak()
}
