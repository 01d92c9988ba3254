//! Monitors: what happens to a socket's connections, told through another socket.

mod event;

use std::ffi::{c_char, c_int, c_void};
use std::io::{PipeWriter, Write};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, PoisonError};

use zmq_engine::{Message, Monitor, MonitorItem, Socket, SocketOptions, SocketType};

use crate::boundary::{Outcome, done};
use crate::errno::Errno;
use crate::raw::{self, POLLIN, pollfd};
use crate::socket::{SocketHandle, usable};
pub(crate) use event::BIND_FAILED;
use event::{Event, PIPES_STATS, STOPPED, Teller};

/// The events of version 1 fit into two octets.
const VERSION_1: u64 = 0xFFFF;

/// What the thread is told through its pipe: look at what there is, and come to an end.
const LOOK: u8 = 0;
const END: u8 = 1;

/// A monitor of a socket. Without it, once the socket was closed, the thread goes on until the engine has told everything.
pub(crate) struct Monitoring {
    events: u64,
    /// What does not come from the engine.
    extra: Arc<Mutex<Vec<Event>>>,
    /// Wakes the thread.
    wake: PipeWriter,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Monitoring {
    /// Tells an event that the engine does not know of.
    fn tell(&mut self, event: Event) {
        self.extra
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event);
        // The thread may have ended already, with its context.
        let _ = self.wake.write(&[LOOK]);
    }

    /// Ends it and waits until its socket was closed, so that the endpoint can be bound again.
    fn end(mut self) {
        let thread = self.thread.take();
        // It may have ended already, with its context.
        let _ = self.wake.write(&[END]);
        if let Some(thread) = thread {
            // A panic in it was reported when it happened.
            let _ = thread.join();
        }
    }
}

/// The thread that takes events from the engine and sends them.
struct Pump {
    monitor: Monitor,
    socket: Socket,
    teller: Teller,
    extra: Arc<Mutex<Vec<Event>>>,
    wake: std::io::PipeReader,
    /// The monitored socket was closed by its owner.
    alone: bool,
}

impl Pump {
    fn run(mut self) {
        raw::block_signals();
        loop {
            let told = self
                .extra()
                .into_iter()
                .try_for_each(|event| self.send(&event));
            if told.is_err() {
                return;
            }
            match self.monitor.try_next() {
                MonitorItem::Event(event) => {
                    for event in self.teller.translate(&event) {
                        if self.send(&event).is_err() {
                            return;
                        }
                    }
                }
                MonitorItem::Pending => {
                    if !self.sleep(self.monitor.descriptor().as_raw_fd()) {
                        break;
                    }
                }
                MonitorItem::Ended => break,
            }
        }
        if let Some(message) = self.teller.message(&Event::new(STOPPED, 0, "")) {
            // Nobody may be there to hear it.
            let _ = self.socket.try_send(message);
        }
    }

    fn extra(&self) -> Vec<Event> {
        std::mem::take(&mut *self.extra.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for this descriptor or for news from the monitored socket's side. Says whether to go on.
    fn sleep(&mut self, descriptor: c_int) -> bool {
        let wake = if self.alone {
            -1
        } else {
            self.wake.as_raw_fd()
        };
        let mut fds = [descriptor, wake].map(|fd| pollfd {
            fd,
            events: POLLIN,
            revents: 0,
        });
        // Signals are blocked here.
        let _ = raw::poll(&mut fds, None, std::ptr::null());
        let [_, wake] = fds;
        if wake.revents == 0 {
            return true;
        }
        let mut told = [LOOK; 64];
        match std::io::Read::read(&mut self.wake, &mut told) {
            Ok(0) => self.alone = true,
            Ok(count) => return !told.iter().take(count).any(|what| *what == END),
            Err(_) => return false,
        }
        true
    }

    /// Sends an event, waiting for whoever is to hear it. An error says that it is time to end.
    fn send(&mut self, event: &Event) -> Result<(), ()> {
        let Some(message) = self.teller.message(event) else {
            return Ok(());
        };
        let mut message: Message = message;
        loop {
            message = match self.socket.try_send(message) {
                Ok(()) => return Ok(()),
                Err(error) if error.is_would_block() => error.message,
                Err(_) => return Err(()),
            };
            if self.alone {
                // Nobody may ever come to hear it, and the context waits for this thread.
                return Err(());
            }
            let registration = self.socket.register();
            let ready = self.socket.events().writable;
            let go_on = ready || self.sleep(self.socket.descriptor().as_raw_fd());
            self.socket.unregister(registration);
            if !go_on {
                return Err(());
            }
        }
    }
}

impl SocketHandle {
    fn stop_monitor(&self) {
        let old = self
            .monitoring
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(old) = old {
            old.end();
        }
    }

    fn start_monitor(&self, endpoint: &str, wish: Wish, kind: SocketType) -> Outcome<()> {
        let Wish {
            events, version, ..
        } = wish;
        // First of all: what happens meanwhile is to be told too.
        let monitor = self.socket.monitor().map_err(|error| Errno::from(&error))?;
        let mut options = SocketOptions::default();
        options.linger = Some(std::time::Duration::ZERO);
        let socket = Socket::open(&self.context.engine()?, kind, options)
            .map_err(|error| Errno::from(&error))?;
        socket.bind(endpoint).map_err(|error| Errno::from(&error))?;
        let (reader, writer) = std::io::pipe().map_err(|error| Errno::from(&error))?;
        let extra = Arc::new(Mutex::default());
        let pump = Pump {
            monitor,
            socket,
            teller: Teller::new(version, events),
            extra: Arc::clone(&extra),
            wake: reader,
            alone: false,
        };
        let thread = std::thread::Builder::new()
            .name("zmq-monitor".to_owned())
            .spawn(move || pump.run())
            .map_err(|error| Errno::from(&error))?;
        *self
            .monitoring
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Monitoring {
            events,
            extra,
            wake: writer,
            thread: Some(thread),
        });
        Ok(())
    }

    /// Tells the monitor, if there is one, what the engine does not.
    pub(crate) fn tell_monitor(&self, number: u64, value: u64, endpoint: &str) {
        let mut monitoring = self
            .monitoring
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(monitoring) = &mut *monitoring {
            monitoring.tell(Event::new(number, value, endpoint));
        }
    }
}

/// What is to be told, in which version, through a socket of which type.
#[derive(Clone, Copy)]
struct Wish {
    events: u64,
    version: c_int,
    kind: c_int,
}

fn monitor(handle: *mut c_void, address: *const c_char, wish: Wish) -> Outcome<()> {
    let held = usable(handle)?;
    let kind = match wish.kind {
        0 => SocketType::Pair,
        1 => SocketType::Pub,
        8 => SocketType::Push,
        _ => return Err(Errno::INVALID),
    };
    if !(1..=2).contains(&wish.version) || wish.version == 1 && wish.events & !VERSION_1 != 0 {
        return Err(Errno::INVALID);
    }
    let Some(address) = raw::text(address) else {
        held.stop_monitor();
        return Ok(());
    };
    let address = std::str::from_utf8(address).map_err(|_| Errno::INVALID)?;
    let (scheme, name) = address.split_once("://").ok_or(Errno::INVALID)?;
    if name.is_empty() || scheme.is_empty() {
        return Err(Errno::INVALID);
    }
    if scheme != "inproc" {
        return Err(Errno::PROTOCOL);
    }
    held.stop_monitor();
    held.start_monitor(address, wish, kind)
}

/// Tells what happens to a socket's connections through a PAIR bound to an inproc endpoint.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_socket_monitor(
    handle: *mut c_void,
    address: *const c_char,
    events: c_int,
) -> c_int {
    let wish = Wish {
        events: u64::from(events.cast_unsigned()),
        version: 1,
        kind: 0,
    };
    done(|| monitor(handle, address, wish))
}

/// The same, in this version of the events, through a socket of this type (draft).
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_socket_monitor_versioned(
    handle: *mut c_void,
    address: *const c_char,
    events: u64,
    version: c_int,
    kind: c_int,
) -> c_int {
    let wish = Wish {
        events,
        version,
        kind,
    };
    done(|| monitor(handle, address, wish))
}

/// Has a monitor told how much waits in the queues of each peer (draft).
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_socket_monitor_pipes_stats(handle: *mut c_void) -> c_int {
    done(|| {
        let held = usable(handle)?;
        let peers = held.socket.peers();
        let mut monitoring = held
            .monitoring
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let monitoring = monitoring
            .as_mut()
            .filter(|one| one.events & PIPES_STATS != 0)
            .ok_or(Errno::INVALID)?;
        if peers.is_empty() {
            return Err(Errno::AGAIN);
        }
        for peer in peers {
            monitoring.tell(Event::of_pipe(&peer));
        }
        Ok(())
    })
}
