//! Threads that answer questions which may take their time: files are read on them, and closures of the application run.
//!
//! They start when they are first needed and end with the authenticator. A question that finds the queue full is answered at once: try
//! later. Nobody waits for a worker but the peers whose questions it has.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::Duration;

use zmq_engine::Deadline;

use super::peer::{Decision, Peer};

/// Most questions that wait for a worker of one authenticator. Further peers are told nothing and may try again.
pub const QUESTIONS: usize = 1024;

/// Most questions that closures of one authenticator answer at a time, each on a thread of its own.
pub const WORKERS: usize = 8;

/// How long the future of a closure may take. Then it is dropped, and its peer denied: it would have given up waiting by then.
pub const ANSWER_TIME: Duration = Duration::from_secs(30);

/// A decision that is still being made.
pub(super) type Deciding = Pin<Box<dyn Future<Output = Decision> + Send>>;

/// Makes decisions. Runs on a worker, so it may block.
pub(super) type Judge = dyn Fn(Peer, u64) -> Deciding + Send + Sync;

/// Where a decision goes. Dropped without one, it denies.
pub(super) type Tell = Box<dyn FnOnce(Decision) + Send>;

struct Job {
    peer: Peer,
    tell: Tell,
    number: u64,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    threads: Vec<Thread>,
    idle: usize,
    closed: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    called: Condvar,
    /// Questions asked so far.
    asked: Arc<AtomicU64>,
    judge: Box<Judge>,
    most: usize,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The workers of one authenticator.
pub(super) struct Workers(Arc<Shared>);

impl Workers {
    /// At most `most` threads, none of which runs yet. `judge` is handed each peer and the number of its question.
    pub(super) fn new(most: usize, asked: Arc<AtomicU64>, judge: Box<Judge>) -> Workers {
        Workers(Arc::new(Shared {
            queue: Mutex::default(),
            called: Condvar::new(),
            asked,
            judge,
            most,
        }))
    }

    /// Hands a question over. Never blocks.
    pub(super) fn ask(&self, peer: Peer, tell: Tell) {
        let mut queue = self.0.lock();
        let starts = queue.jobs.len() >= queue.idle && queue.threads.len() < self.0.most;
        if queue.jobs.len() >= QUESTIONS {
            drop(queue);
            let decision = Decision::later("busy: too many peers wait for the authenticator");
            return tell(decision);
        }
        if starts
            && let Err(error) = self.start(&mut queue)
            && queue.threads.is_empty()
        {
            drop(queue);
            return tell(Decision::later(format!("no thread to decide on: {error}")));
        }
        let number = self.0.asked.fetch_add(1, Ordering::SeqCst) + 1;
        queue.jobs.push_back(Job { peer, tell, number });
        drop(queue);
        self.0.called.notify_one();
    }

    fn start(&self, queue: &mut Queue) -> std::io::Result<()> {
        let shared = Arc::clone(&self.0);
        let worker = thread::Builder::new()
            .name("zmq-authenticator".to_owned())
            .spawn(move || work(&shared))?;
        queue.threads.push(worker.thread().clone());
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.closed = true;
        let unanswered = std::mem::take(&mut queue.jobs);
        let threads = std::mem::take(&mut queue.threads);
        drop(queue);
        self.0.called.notify_all();
        for thread in threads {
            thread.unpark();
        }
        // An answer that is dropped denies.
        drop(unanswered);
    }
}

fn work(shared: &Shared) {
    let mut queue = shared.lock();
    while !queue.closed {
        if let Some(job) = queue.jobs.pop_front() {
            drop(queue);
            let Job { peer, tell, number } = job;
            tell(decide(shared, peer, number));
            queue = shared.lock();
            continue;
        }
        queue.idle += 1;
        queue = shared
            .called
            .wait(queue)
            .unwrap_or_else(PoisonError::into_inner);
        queue.idle -= 1;
    }
}

/// Waits for one decision. A panic in it ends nothing but itself.
fn decide(shared: &Shared, peer: Peer, number: u64) -> Decision {
    let decided = catch_unwind(AssertUnwindSafe(|| {
        let mut deciding = (shared.judge)(peer, number);
        let decision = wait_for(shared, deciding.as_mut());
        drop(deciding);
        decision
    }));
    decided.unwrap_or_else(|_| Decision::failed("the authenticator panicked"))
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn wait_for(
    shared: &Shared,
    mut deciding: Pin<&mut (dyn Future<Output = Decision> + Send)>,
) -> Decision {
    let deadline = Deadline::after(Some(ANSWER_TIME));
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(decision) = deciding.as_mut().poll(&mut cx) {
            return decision;
        }
        let left = deadline.left().unwrap_or_default();
        if left.is_zero() {
            return Decision::failed("the authenticator took too long");
        }
        if shared.lock().closed {
            return Decision::failed("the authenticator was dropped");
        }
        thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Workers that hold each question until they are told to go on, and what they were asked.
    fn held(most: usize) -> (Workers, mpsc::Sender<()>, mpsc::Receiver<u64>) {
        let (go_on, held) = mpsc::channel::<()>();
        let (met, meets) = mpsc::channel();
        let (held, met) = (Mutex::new(held), Mutex::new(met));
        let judge = move |_, number| -> Deciding {
            let _ = met.lock().expect("no panic").send(number);
            let _ = held.lock().expect("no panic").recv();
            Box::pin(std::future::ready(Decision::from(true)))
        };
        (
            Workers::new(most, Arc::default(), Box::new(judge)),
            go_on,
            meets,
        )
    }

    #[test]
    fn a_full_queue_answers_at_once_that_it_is_busy() {
        let (workers, go_on, meets) = held(1);
        let (told, hears) = mpsc::channel();
        let ask = || {
            let told = told.clone();
            let tell = move |decision: Decision| {
                let _ = told.send(decision);
            };
            workers.ask(Peer::nobody(), Box::new(tell));
        };
        ask();
        assert_eq!(meets.recv(), Ok(1), "the worker has it");
        for _ in 0..QUESTIONS {
            ask();
        }
        assert!(hears.try_recv().is_err(), "all of them wait");
        ask();
        let met = hears.try_recv().expect("an answer at once");
        assert!(format!("{met:?}").contains("300"), "{met:?}");
        for _ in 0..=QUESTIONS {
            go_on.send(()).expect("the worker waits");
            assert!(hears.recv().expect("a decision").is_accept());
        }
    }

    #[test]
    fn questions_that_nobody_answers_any_more_are_dropped() {
        let (workers, go_on, meets) = held(1);
        let (told, hears) = mpsc::channel();
        for _ in 0..10 {
            let told = told.clone();
            let tell = move |decision: Decision| {
                let _ = told.send(decision);
            };
            workers.ask(Peer::nobody(), Box::new(tell));
        }
        drop(told);
        assert_eq!(meets.recv(), Ok(1), "the worker has it");
        drop(workers);
        go_on.send(()).expect("the worker waits");
        // The one that was under way, and then nothing: what would tell is gone.
        assert!(hears.recv().expect("a decision").is_accept());
        assert!(hears.recv().is_err());
    }

    #[test]
    fn no_more_threads_start_than_there_may_be() {
        let (workers, go_on, meets) = held(3);
        for _ in 0..10 {
            workers.ask(Peer::nobody(), Box::new(drop));
        }
        for _ in 0..3 {
            meets.recv().expect("a thread for each of three");
        }
        assert_eq!(workers.0.lock().threads.len(), 3);
        assert_eq!(workers.0.lock().jobs.len(), 7);
        for _ in 0..10 {
            go_on.send(()).expect("the workers wait");
        }
    }
}
