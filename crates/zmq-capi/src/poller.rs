//! Pollers (draft): a set of sockets and descriptors to wait for.

use std::ffi::{c_int, c_long, c_short, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::boundary::{Outcome, clip, done, handle, number};
use crate::errno::Errno;
use crate::polling::{self, Item, POLLERR, POLLIN, POLLOUT, POLLPRI, What, patience};
use crate::raw::{self, Descriptor, Held, Kind, Spare};
use crate::socket::{SocketHandle, socket};

/// What is meant by an entry: the address of a socket's handle, or a descriptor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meant {
    Socket(usize),
    Descriptor(Descriptor),
}

#[derive(Clone, Copy)]
struct Entry {
    meant: Meant,
    user_data: usize,
    events: c_short,
}

struct Poller(Mutex<Vec<Entry>>);

static SPARE: Spare<Poller> = Mutex::new(Vec::new());

impl Kind for Poller {
    const TAG: u32 = 0x5A50_4F4C;

    fn spare() -> &'static Spare<Self> {
        &SPARE
    }
}

/// `zmq_poller_event_t`.
#[repr(C)]
pub(crate) struct PollerEvent {
    socket: *mut c_void,
    fd: Descriptor,
    user_data: *mut c_void,
    events: c_short,
}

fn poller(handle: *mut c_void) -> Outcome<Held<Poller>> {
    raw::visit(handle).ok_or(Errno::FAULT)
}

fn check_events(events: c_short) -> Outcome<()> {
    if events & !(POLLIN | POLLOUT | POLLERR | POLLPRI) != 0 {
        return Err(Errno::INVALID);
    }
    Ok(())
}

fn check_descriptor(fd: Descriptor) -> Outcome<Meant> {
    if fd == -1 {
        return Err(Errno::BAD_DESCRIPTOR);
    }
    Ok(Meant::Descriptor(fd))
}

fn check_socket(handle: *mut c_void) -> Outcome<Meant> {
    socket(handle)?;
    Ok(Meant::Socket(handle.addr()))
}

impl Poller {
    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, meant: Meant, user_data: *mut c_void, events: c_short) -> Outcome<()> {
        let mut entries = self.lock();
        if entries.iter().any(|entry| entry.meant == meant) {
            return Err(Errno::INVALID);
        }
        entries.push(Entry {
            meant,
            user_data: user_data.expose_provenance(),
            events,
        });
        Ok(())
    }

    fn modify(&self, meant: Meant, events: c_short) -> Outcome<()> {
        let mut entries = self.lock();
        let entry = entries.iter_mut().find(|entry| entry.meant == meant);
        entry.ok_or(Errno::INVALID)?.events = events;
        Ok(())
    }

    fn remove(&self, meant: Meant) -> Outcome<()> {
        let mut entries = self.lock();
        let place = entries.iter().position(|entry| entry.meant == meant);
        entries.remove(place.ok_or(Errno::INVALID)?);
        Ok(())
    }

    /// Waits; answers how many events were written, which is zero when the time is over.
    fn wait(&self, room: &mut [PollerEvent], timeout: c_long) -> Outcome<usize> {
        let entries = self.lock().clone();
        if timeout < 0 && entries.iter().all(|entry| entry.events == 0) {
            // Nothing could end such a wait.
            return Err(Errno::FAULT);
        }
        let mut held = Vec::with_capacity(entries.len());
        for entry in &entries {
            held.push(match entry.meant {
                Meant::Socket(address) => {
                    let handle = std::ptr::with_exposed_provenance_mut(address);
                    let held: Held<SocketHandle> = socket(handle)?;
                    held.context.check()?;
                    Some(held)
                }
                Meant::Descriptor(_) => None,
            });
        }
        let mut items: Vec<Item<'_>> = entries
            .iter()
            .zip(&held)
            .map(|(entry, held)| Item {
                what: match (held, entry.meant) {
                    (Some(socket), _) => What::Socket(socket),
                    (None, Meant::Descriptor(fd)) => What::Descriptor(fd),
                    (None, Meant::Socket(_)) => What::Descriptor(-1),
                },
                events: entry.events,
                found: 0,
            })
            .collect();
        polling::wait(&mut items, patience(timeout), std::ptr::null())?;
        let ready = items
            .iter()
            .zip(&entries)
            .filter(|(item, _)| item.found != 0);
        let mut count = 0;
        for (place, (item, entry)) in room.iter_mut().zip(ready) {
            *place = PollerEvent::of(entry, item.found);
            count += 1;
        }
        Ok(count)
    }
}

impl PollerEvent {
    fn of(entry: &Entry, events: c_short) -> PollerEvent {
        let (socket, fd) = match entry.meant {
            Meant::Socket(address) => (std::ptr::with_exposed_provenance_mut(address), -1),
            Meant::Descriptor(fd) => (std::ptr::null_mut(), fd),
        };
        PollerEvent {
            socket,
            fd,
            user_data: std::ptr::with_exposed_provenance_mut(entry.user_data),
            events,
        }
    }

    fn none() -> PollerEvent {
        PollerEvent {
            socket: std::ptr::null_mut(),
            fd: -1,
            user_data: std::ptr::null_mut(),
            events: 0,
        }
    }
}

/// Makes an empty poller.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_poller_new() -> *mut c_void {
    handle(|| Ok(raw::insert(Poller(Mutex::default()))))
}

/// Ends a poller, and makes the caller's pointer null.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_poller_destroy(handle: *mut *mut c_void) -> c_int {
    done(|| {
        let poller = raw::get(handle).ok_or(Errno::FAULT)?;
        raw::take::<Poller>(poller).ok_or(Errno::FAULT)?;
        raw::put(handle, std::ptr::null_mut());
        Ok(())
    })
}

/// How many sockets and descriptors a poller waits for.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_poller_size(handle: *mut c_void) -> c_int {
    number(|| Ok(clip(poller(handle)?.lock().len())))
}

/// Adds a socket.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_poller_add(
    handle: *mut c_void,
    socket: *mut c_void,
    user_data: *mut c_void,
    events: c_short,
) -> c_int {
    done(|| {
        let held = poller(handle)?;
        let meant = check_socket(socket)?;
        check_events(events)?;
        socket.expose_provenance();
        held.add(meant, user_data, events)
    })
}

/// Changes what a socket is waited for.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_poller_modify(
    handle: *mut c_void,
    socket: *mut c_void,
    events: c_short,
) -> c_int {
    done(|| {
        let held = poller(handle)?;
        let meant = check_socket(socket)?;
        check_events(events)?;
        held.modify(meant, events)
    })
}

/// Takes a socket away.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_poller_remove(handle: *mut c_void, socket: *mut c_void) -> c_int {
    done(|| {
        let held = poller(handle)?;
        held.remove(check_socket(socket)?)
    })
}

/// Adds a descriptor.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_poller_add_fd(
    handle: *mut c_void,
    fd: Descriptor,
    user_data: *mut c_void,
    events: c_short,
) -> c_int {
    done(|| {
        let held = poller(handle)?;
        let meant = check_descriptor(fd)?;
        check_events(events)?;
        held.add(meant, user_data, events)
    })
}

/// Changes what a descriptor is waited for.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_poller_modify_fd(
    handle: *mut c_void,
    fd: Descriptor,
    events: c_short,
) -> c_int {
    done(|| {
        let held = poller(handle)?;
        let meant = check_descriptor(fd)?;
        check_events(events)?;
        held.modify(meant, events)
    })
}

/// Takes a descriptor away.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_poller_remove_fd(handle: *mut c_void, fd: Descriptor) -> c_int {
    done(|| {
        let held = poller(handle)?;
        held.remove(check_descriptor(fd)?)
    })
}

/// Waits for one event.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_poller_wait(
    handle: *mut c_void,
    event: *mut PollerEvent,
    timeout: c_long,
) -> c_int {
    done(|| {
        let held = poller(handle)?;
        let room = raw::items_mut(event, 1).ok_or(Errno::FAULT)?;
        match held.wait(room, timeout)? {
            0 => {
                if let [event] = room {
                    *event = PollerEvent::none();
                }
                Err(Errno::AGAIN)
            }
            _ => Ok(()),
        }
    })
}

/// Waits for events; answers how many there are.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_poller_wait_all(
    handle: *mut c_void,
    events: *mut PollerEvent,
    count: c_int,
    timeout: c_long,
) -> c_int {
    number(|| {
        let held = poller(handle)?;
        let count = usize::try_from(count).map_err(|_| Errno::INVALID)?;
        let room = raw::items_mut(events, count).filter(|_| !events.is_null());
        match held.wait(room.ok_or(Errno::FAULT)?, timeout)? {
            0 => Err(Errno::AGAIN),
            count => Ok(clip(count)),
        }
    })
}

/// The descriptor of a poller of thread-safe sockets. There are none of these yet.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_poller_fd(handle: *mut c_void, fd: *mut Descriptor) -> c_int {
    done(|| {
        poller(handle)?;
        if fd.is_null() {
            return Err(Errno::FAULT);
        }
        Err(Errno::INVALID)
    })
}
