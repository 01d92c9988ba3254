//! Waiting for sockets and descriptors together.

use std::ffi::{c_int, c_long, c_short, c_void};
use std::os::fd::AsRawFd;
use std::time::Duration;

use zmq_engine::Waiter;

use crate::boundary::{Outcome, number};
use crate::clock::Moment;
use crate::errno::Errno;
use crate::raw::{self, Descriptor, Held, pollfd, sigset_t};
use crate::socket::{SocketHandle, usable};

pub(crate) const POLLIN: c_short = 1;
pub(crate) const POLLOUT: c_short = 2;
pub(crate) const POLLERR: c_short = 4;
pub(crate) const POLLPRI: c_short = 8;

/// What is waited for, and what was found of it.
pub(crate) struct Item<'a> {
    pub(crate) what: What<'a>,
    pub(crate) events: c_short,
    pub(crate) found: c_short,
}

/// What can be waited for.
pub(crate) enum What<'a> {
    Socket(&'a SocketHandle),
    Descriptor(Descriptor),
}

/// A time as the C library counts it; negative ones are for ever.
pub(crate) fn patience(timeout: c_long) -> Option<Duration> {
    u64::try_from(timeout).ok().map(Duration::from_millis)
}

/// Waits until one of the items is as wanted, or the time is over; answers how many are.
pub(crate) fn wait(
    items: &mut [Item<'_>],
    timeout: Option<Duration>,
    mask: *const sigset_t,
) -> Outcome<usize> {
    let deadline = timeout.and_then(|timeout| Moment::now().checked_add(timeout));
    // Most calls find something at once: those need not be known to anybody as waiting.
    let ready = look(items)?;
    if ready > 0 || timeout == Some(Duration::ZERO) {
        return Ok(ready);
    }
    let sockets: Vec<&SocketHandle> = items
        .iter()
        .filter_map(|item| match item.what {
            What::Socket(handle) if item.events != 0 => Some(handle),
            _ => None,
        })
        .collect();
    let mut waiters: Vec<Waiter<'_>> = sockets
        .iter()
        .map(|handle| handle.socket.waiter())
        .collect();
    let mut fds = watched(items);
    loop {
        for waiter in &mut waiters {
            waiter.look();
        }
        let ready = look(items)?;
        if ready > 0 {
            return Ok(ready);
        }
        let left = match (timeout, deadline) {
            (Some(_), Some(deadline)) => {
                let left = deadline.saturating_duration_since(Moment::now());
                if left.is_zero() {
                    return Ok(0);
                }
                Some(left)
            }
            _ => None,
        };
        raw::poll(&mut fds, left, mask).map_err(|error| Errno::from(&error))?;
    }
}

/// The descriptors to sleep on.
fn watched(items: &[Item<'_>]) -> Vec<pollfd> {
    items
        .iter()
        .filter(|item| item.events != 0 || matches!(item.what, What::Descriptor(_)))
        .map(|item| match item.what {
            What::Socket(handle) => pollfd {
                fd: handle.socket.descriptor().as_raw_fd(),
                events: raw::POLLIN,
                revents: 0,
            },
            What::Descriptor(fd) => system(fd, item.events),
        })
        .collect()
}

fn system(fd: Descriptor, events: c_short) -> pollfd {
    let mut wanted = 0;
    for (ours, theirs) in [
        (POLLIN, raw::POLLIN),
        (POLLOUT, raw::POLLOUT),
        (POLLPRI, raw::POLLPRI),
    ] {
        if events & ours != 0 {
            wanted |= theirs;
        }
    }
    pollfd {
        fd,
        events: wanted,
        revents: 0,
    }
}

/// Finds out what is ready now; answers how many are.
fn look(items: &mut [Item<'_>]) -> Outcome<usize> {
    let mut fds: Vec<pollfd> = items
        .iter()
        .filter_map(|item| match item.what {
            What::Descriptor(fd) => Some(system(fd, item.events)),
            What::Socket(_) => None,
        })
        .collect();
    if !fds.is_empty() {
        raw::poll(&mut fds, Some(Duration::ZERO), std::ptr::null())
            .map_err(|error| Errno::from(&error))?;
    }
    let mut fds = fds.into_iter();
    let mut ready = 0;
    for item in items {
        item.found = match item.what {
            What::Socket(handle) => {
                let events = c_short::try_from(handle.events()?).unwrap_or(0);
                events & item.events
            }
            What::Descriptor(_) => fds.next().map_or(0, |fd| found(fd.revents)),
        };
        ready += usize::from(item.found != 0);
    }
    Ok(ready)
}

fn found(revents: c_short) -> c_short {
    let mut found = 0;
    for (ours, theirs) in [
        (POLLIN, raw::POLLIN),
        (POLLOUT, raw::POLLOUT),
        (POLLPRI, raw::POLLPRI),
        (POLLERR, raw::POLLERR | raw::POLLHUP | raw::POLLNVAL),
    ] {
        if revents & theirs != 0 {
            found |= ours;
        }
    }
    found
}

/// `zmq_pollitem_t`.
#[repr(C)]
pub(crate) struct PollItem {
    socket: *mut c_void,
    fd: Descriptor,
    events: c_short,
    revents: c_short,
}

fn poll(items: *mut PollItem, count: c_int, timeout: c_long, mask: *const sigset_t) -> Outcome {
    let count = usize::try_from(count).map_err(|_| Errno::INVALID)?;
    let listed = raw::items_mut(items, count).ok_or(Errno::FAULT)?;
    let mut held: Vec<Option<Held<SocketHandle>>> = Vec::with_capacity(count);
    for item in &*listed {
        held.push(if item.socket.is_null() {
            None
        } else {
            Some(usable(item.socket)?)
        });
    }
    let mut watched: Vec<Item<'_>> = listed
        .iter()
        .zip(&held)
        .map(|(item, held)| Item {
            what: match held {
                Some(socket) => What::Socket(socket),
                None => What::Descriptor(item.fd),
            },
            events: item.events,
            found: 0,
        })
        .collect();
    let ready = wait(&mut watched, patience(timeout), mask)?;
    for (item, watched) in listed.iter_mut().zip(&watched) {
        item.revents = watched.found;
    }
    Ok(crate::boundary::clip(ready))
}

/// Waits until one of the items is as wanted; answers how many are, or 0 when the time is over.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_poll(items: *mut PollItem, count: c_int, timeout: c_long) -> c_int {
    number(|| poll(items, count, timeout, std::ptr::null()))
}

/// The same, with another signal mask while it waits (draft).
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_ppoll(
    items: *mut PollItem,
    count: c_int,
    timeout: c_long,
    mask: *const sigset_t,
) -> c_int {
    number(|| poll(items, count, timeout, mask))
}
