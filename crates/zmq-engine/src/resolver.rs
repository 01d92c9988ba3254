//! Asking name services, which may take their time, on a thread that may wait.
//!
//! The thread is the context's own, started with the first name, and not waited for at the end: a name service that does
//! not answer must not hold anybody up.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};

type Job = Box<dyn FnOnce() + Send>;

/// The context's thread for questions that block.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    jobs: Mutex<Option<Sender<Job>>>,
}

impl Resolver {
    /// Runs `job` on the thread.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn ask(&self, job: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut job: Job = Box::new(job);
        if let Some(sender) = &*jobs {
            match sender.send(job) {
                Ok(()) => return Ok(()),
                Err(returned) => job = returned.0,
            }
        }
        let (sender, receiver) = channel::<Job>();
        std::thread::Builder::new()
            .name("zmq-names".to_owned())
            .spawn(move || {
                crate::signals::block_all();
                for job in receiver {
                    job();
                }
            })?;
        // The receiver lives as long as the thread, which waits for it.
        let _ = sender.send(job);
        *jobs = Some(sender);
        Ok(())
    }
}
