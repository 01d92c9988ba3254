//! What is told to the driver, which sleeps until its signal is raised.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::poller::Signal;

/// A list of commands, until the one who takes them has ended.
#[derive(Debug)]
pub(crate) struct Orders<T>(Mutex<Option<Vec<T>>>);

impl<T> Orders<T> {
    pub(crate) fn new() -> Orders<T> {
        Orders(Mutex::new(Some(Vec::new())))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a command, for one who raises the signal afterwards. Gives it back if nobody takes commands any more.
    pub(crate) fn add(&self, command: T) -> Result<(), T> {
        match &mut *self.lock() {
            Some(commands) => {
                commands.push(command);
                Ok(())
            }
            None => Err(command),
        }
    }

    /// Takes what was added; `woken` if the signal was found raised. It is lowered before the list is taken: whoever adds
    /// afterwards raises it again.
    pub(crate) fn take(&self, signal: &Signal, woken: bool) -> Vec<T> {
        if woken {
            signal.drain();
        }
        self.lock().as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Nobody takes commands any more; gives those that nobody took.
    pub(crate) fn end(&self) -> Option<Vec<T>> {
        self.lock().take()
    }
}
