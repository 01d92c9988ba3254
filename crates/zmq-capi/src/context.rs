//! Contexts.

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zmq_engine::{Context, ContextOptions};

use crate::bodies;
use crate::boundary::{Outcome, done, handle, number};
use crate::clock::Moment;
use crate::errno::Errno;
use crate::raw::{self, Held, Kind, Spare};

const IO_THREADS: c_int = 1;
const MAX_SOCKETS: c_int = 2;
/// Read: the most that can be asked for. Written: the priority of threads.
const SOCKET_LIMIT: c_int = 3;
const THREAD_SCHED_POLICY: c_int = 4;
const MAX_MSGSZ: c_int = 5;
const MSG_T_SIZE: c_int = 6;
const THREAD_AFFINITY_CPU_ADD: c_int = 7;
const THREAD_AFFINITY_CPU_REMOVE: c_int = 8;
const THREAD_NAME_PREFIX: c_int = 9;
const ZERO_COPY_RECV: c_int = 10;
pub(crate) const IPV6: c_int = 42;
pub(crate) const BLOCKY: c_int = 70;

/// The longest prefix of a thread's name.
const NAME_LENGTH: usize = 16;

/// How long giving up an endpoint takes at most.
const RELEASING: Duration = Duration::from_millis(100);

/// What a context was told.
#[derive(Clone, Debug)]
pub(crate) struct Choices {
    io_threads: c_int,
    max_sockets: c_int,
    priority: c_int,
    policy: c_int,
    max_message: c_int,
    processors: Vec<c_int>,
    name: Vec<u8>,
    zero_copy: c_int,
    /// What new sockets begin with.
    pub(crate) ipv6: bool,
    /// Whether closed sockets let their messages out for ever by default.
    pub(crate) blocky: bool,
}

/// A context, as its handle and its sockets share it.
pub(crate) struct ContextState {
    choices: Mutex<Choices>,
    /// Made with the first socket, so that a context that was never used has no thread and outlives a fork.
    engine: Mutex<Option<Context>>,
    ended: AtomicBool,
    /// When an endpoint was last given up, which the driver of the engine does a moment later.
    released: Mutex<Option<Moment>>,
}

/// What a context's handle leads to.
pub(crate) struct ContextHandle(pub(crate) Arc<ContextState>);

static SPARE: Spare<ContextHandle> = Mutex::new(Vec::new());

impl Kind for ContextHandle {
    const TAG: u32 = 0x5A43_5458;

    fn spare() -> &'static Spare<Self> {
        &SPARE
    }
}

fn context(handle: *mut c_void) -> Outcome<Held<ContextHandle>> {
    raw::visit(handle).ok_or(Errno::FAULT)
}

/// The context behind a handle.
pub(crate) fn state_of(handle: *mut c_void) -> Outcome<Arc<ContextState>> {
    Ok(Arc::clone(&context(handle)?.0))
}

impl ContextState {
    pub(crate) fn new() -> ContextState {
        ContextState {
            choices: Mutex::new(Choices {
                io_threads: 1,
                max_sockets: 1023,
                priority: -1,
                policy: -1,
                max_message: c_int::MAX,
                processors: Vec::new(),
                name: Vec::new(),
                zero_copy: 1,
                ipv6: false,
                blocky: true,
            }),
            engine: Mutex::new(None),
            ended: AtomicBool::new(false),
            released: Mutex::new(None),
        }
    }

    pub(crate) fn choices(&self) -> Choices {
        self.locked().clone()
    }

    fn locked(&self) -> MutexGuard<'_, Choices> {
        self.choices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is being terminated: every function of its sockets but closing fails.
    pub(crate) fn check(&self) -> Outcome<()> {
        if self.ended.load(Ordering::SeqCst) {
            return Err(Errno::TERM);
        }
        Ok(())
    }

    /// Whether connections can be served, and not only peers within the context.
    pub(crate) fn has_io(&self) -> bool {
        self.locked().io_threads > 0
    }

    /// An endpoint was given up.
    pub(crate) fn note_release(&self) {
        *self.released.lock().unwrap_or_else(PoisonError::into_inner) = Some(Moment::now());
    }

    /// Whether an endpoint that is in use may be free in a moment.
    pub(crate) fn is_releasing(&self) -> bool {
        let released = *self.released.lock().unwrap_or_else(PoisonError::into_inner);
        released.is_some_and(|released| released.elapsed() < RELEASING)
    }

    pub(crate) fn engine(&self) -> Outcome<Context> {
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        self.check()?;
        if let Some(engine) = &*engine {
            return Ok(engine.clone());
        }
        let mut options = ContextOptions::default();
        options.max_sockets = usize::try_from(self.locked().max_sockets).unwrap_or(usize::MAX);
        options.inproc_mixes = true;
        // Ending a context waits for its sockets by itself, and by nothing else.
        options.drop_wait = Some(Duration::ZERO);
        let made = Context::with(options).map_err(|error| Errno::from(&error))?;
        Ok(engine.insert(made).clone())
    }

    fn shutdown(&self) {
        self.ended.store(true, Ordering::SeqCst);
        let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = &*engine {
            engine.shutdown();
        }
    }

    fn terminate(&self) -> Outcome<()> {
        self.shutdown();
        let engine = self
            .engine
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(engine) = engine {
            engine
                .terminate(None)
                .map_err(|error| Errno::from(&error))?;
        }
        Ok(())
    }

    fn set(&self, option: c_int, value: c_int) -> Outcome<()> {
        let mut choices = self.locked();
        let not_negative = if value >= 0 {
            Ok(value)
        } else {
            Err(Errno::INVALID)
        };
        match option {
            IO_THREADS => choices.io_threads = not_negative?,
            MAX_SOCKETS if value >= 1 => choices.max_sockets = value,
            SOCKET_LIMIT => choices.priority = not_negative?,
            THREAD_SCHED_POLICY => choices.policy = not_negative?,
            MAX_MSGSZ => choices.max_message = not_negative?,
            THREAD_AFFINITY_CPU_ADD => {
                let processor = not_negative?;
                if !choices.processors.contains(&processor) {
                    choices.processors.push(processor);
                }
            }
            THREAD_AFFINITY_CPU_REMOVE => {
                let place = choices.processors.iter().position(|one| *one == value);
                choices.processors.remove(place.ok_or(Errno::INVALID)?);
            }
            THREAD_NAME_PREFIX => choices.name = not_negative?.to_string().into_bytes(),
            ZERO_COPY_RECV => choices.zero_copy = c_int::from(not_negative? != 0),
            IPV6 => choices.ipv6 = not_negative? != 0,
            BLOCKY => choices.blocky = not_negative? != 0,
            _ => return Err(Errno::INVALID),
        }
        Ok(())
    }

    fn get(&self, option: c_int) -> Outcome {
        let choices = self.locked();
        Ok(match option {
            IO_THREADS => choices.io_threads,
            MAX_SOCKETS => choices.max_sockets,
            SOCKET_LIMIT => 65_535,
            THREAD_SCHED_POLICY => choices.policy,
            MAX_MSGSZ => choices.max_message,
            MSG_T_SIZE => 64,
            THREAD_NAME_PREFIX => std::str::from_utf8(&choices.name)
                .ok()
                .and_then(|name| name.parse().ok())
                .unwrap_or(0),
            ZERO_COPY_RECV => choices.zero_copy,
            IPV6 => c_int::from(choices.ipv6),
            BLOCKY => c_int::from(choices.blocky),
            _ => return Err(Errno::INVALID),
        })
    }
}

/// Makes a context. It has no thread and no descriptor before its first socket.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_ctx_new() -> *mut c_void {
    handle(|| Ok(raw::insert(ContextHandle(Arc::new(ContextState::new())))))
}

/// Ends a context: waits until every socket was closed and has let its messages out.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_ctx_term(handle: *mut c_void) -> c_int {
    done(|| {
        // Held while it waits: a signal ends the wait, and the caller comes again with the same handle.
        let held = context(handle)?;
        held.0.terminate()?;
        drop(raw::take::<ContextHandle>(handle));
        bodies::empty_store();
        Ok(())
    })
}

/// Ends every wait of a context's sockets. They still have to be closed, and the context to be ended.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_ctx_shutdown(handle: *mut c_void) -> c_int {
    done(|| {
        context(handle)?.0.shutdown();
        Ok(())
    })
}

/// Sets an option of a context.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_ctx_set(handle: *mut c_void, option: c_int, value: c_int) -> c_int {
    done(|| context(handle)?.0.set(option, value))
}

/// Gets an option of a context.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_ctx_get(handle: *mut c_void, option: c_int) -> c_int {
    number(|| context(handle)?.0.get(option))
}

/// Sets an option of a context that need not be a number (draft).
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_ctx_set_ext(
    handle: *mut c_void,
    option: c_int,
    value: *const c_void,
    length: usize,
) -> c_int {
    done(|| {
        let held = context(handle)?;
        let value = raw::octets(value, length).ok_or(Errno::INVALID)?;
        if let Ok(value) = value.try_into() {
            let value = c_int::from_ne_bytes(value);
            if option != THREAD_NAME_PREFIX || value >= 0 && value.to_ne_bytes()[3] == 0 {
                return held.0.set(option, value);
            }
        }
        if option != THREAD_NAME_PREFIX || value.is_empty() || value.len() > NAME_LENGTH {
            return Err(Errno::INVALID);
        }
        held.0.locked().name = value.to_vec();
        Ok(())
    })
}

/// Gets an option of a context that need not be a number (draft).
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_ctx_get_ext(
    handle: *mut c_void,
    option: c_int,
    value: *mut c_void,
    length: *mut usize,
) -> c_int {
    done(|| {
        let held = context(handle)?;
        let room = raw::get(length).ok_or(Errno::INVALID)?;
        let found = if option == THREAD_NAME_PREFIX {
            held.0.choices().name
        } else {
            held.0.get(option)?.to_ne_bytes().to_vec()
        };
        if found.len() > room {
            return Err(Errno::INVALID);
        }
        let place = raw::octets_mut(value, found.len()).ok_or(Errno::INVALID)?;
        place.copy_from_slice(&found);
        raw::put(length, found.len());
        Ok(())
    })
}

/// Makes a context with so many threads for connections (old name).
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_init(io_threads: c_int) -> *mut c_void {
    handle(|| {
        let state = ContextState::new();
        state.set(IO_THREADS, io_threads)?;
        Ok(raw::insert(ContextHandle(Arc::new(state))))
    })
}

/// Ends a context (old name).
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_term(handle: *mut c_void) -> c_int {
    zmq_ctx_term(handle)
}

/// Ends a context (old name).
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_ctx_destroy(handle: *mut c_void) -> c_int {
    zmq_ctx_term(handle)
}
