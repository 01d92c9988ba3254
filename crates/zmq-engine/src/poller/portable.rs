//! For every unix: poll(2) over a table, and pipes.
//!
//! # Why nothing is missed
//!
//! A *sleeper* is a thread inside [`Poller::wait`]. It first puts a *bell* (a pipe that only it waits for) on the list of its
//! poller, then takes a copy of the tables, then calls poll(2) on what they hold and on the bell. Whoever changes a table
//! does so under its lock and rings afterwards. A change is therefore either in the copy, or made after the bell was on the
//! list, so that the sleeper is rung out of poll(2). It returns with nothing found, and its caller waits again: a wait
//! that ends early is allowed, and needs no clock.
//!
//! A poller of a socket (the *child*) is watched by that of its context (the *parent*). The parent does not look at a
//! descriptor of the child: it polls the child's table along with its own, and rings for changes of a child reach the sleepers of the
//! parent. It so sees at once what the child would see.
//!
//! A child that has handed out its descriptor, the *outlet*, has a pipe there, which somebody has to fill while something of its own is ready.
//! That is the parent's sleeper, the driver:
//!
//! - *down*: the pipe is empty and the parent polls the child's table, wanted or not. If something is ready, it fills the pipe and the
//!   outlet is up.
//! - *up*: the pipe is readable and the parent does not poll the table on account of it, so nobody turns in circles. Whoever watches the outlet
//!   is called until a wait on the child finds nothing ready. That wait empties the pipe, the outlet is down, and it rings for the
//!   parent, which polls the table from then on: what became ready between the look and the emptying is seen by it.
//! - *abandoned*: the parent has let the child go and nobody would fill the pipe. It stays readable; the socket has ended and its verbs
//!   fail at once.
//!
//! So the outlet is readable while something is ready, some microseconds late, and after the last thing was done it stays
//! readable for one look that finds nothing. It is true only while the context's driver runs: a manual one between its turns
//! fills nothing.
//!
//! # What it costs
//!
//! Every wait hands the whole table to the system. Every watched descriptor is duplicated, since a sleeper must not hold
//! a number that was closed and given to something else: a connection is closed in truth when the sleepers of its poller have been rung, and a
//! forked child keeps what the threads of its parent were waiting for at the fork until it ends.
//!
//! No lock is held while a thread waits; under a table's lock there are only writes to pipes that do not block. Order: child before
//! parent, and never both but to ring.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};

use super::signal::{self, Signal};
use super::{Found, Interest, Ready, timespec};

/// How long a thread sleeps that has no bell, because the system gave none: it looks at the table again after that.
const NAP: Duration = Duration::from_millis(10);

/// Bells kept for the next sleepers.
const SPARE_BELLS: usize = 2;

#[derive(Clone, Debug)]
struct Watched {
    /// The number it is known by; `fd` is a duplicate.
    number: RawFd,
    fd: Arc<OwnedFd>,
    token: u64,
    interest: Interest,
}

type Table = Arc<Vec<Watched>>;

#[derive(Clone, Debug)]
struct Child {
    set: Arc<Set>,
    token: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outlet {
    /// Nobody has asked for it.
    Unused,
    Down,
    Up,
    Abandoned,
}

#[derive(Debug)]
struct State {
    table: Table,
    children: Vec<Child>,
    sleepers: Vec<Arc<Bell>>,
    spare: Vec<Arc<Bell>>,
    parent: Weak<Set>,
    /// The parent wants to hear when something is ready.
    wanted: bool,
    outlet: Outlet,
}

type Bell = Signal<Wire>;

#[derive(Debug)]
struct Set {
    state: Mutex<State>,
    /// What is handed out.
    pipe: Wire,
    /// Where the next look begins, so that none of many is passed over for ever.
    first: AtomicUsize,
}

/// A set of watched descriptors, and a descriptor that stands for them.
#[derive(Debug)]
pub(crate) struct Poller(Arc<Set>);

impl Poller {
    pub(crate) fn new() -> io::Result<Poller> {
        Ok(Poller(Arc::new(Set {
            state: Mutex::new(State {
                table: Table::default(),
                children: Vec::new(),
                sleepers: Vec::new(),
                spare: Vec::new(),
                parent: Weak::new(),
                wanted: false,
                outlet: Outlet::Unused,
            }),
            pipe: signal::Wire::new()?,
            first: AtomicUsize::new(0),
        })))
    }

    pub(crate) fn add(&self, fd: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()> {
        let number = fd.as_raw_fd();
        let fd = Arc::new(fd.try_clone_to_owned()?);
        let mut state = self.0.lock();
        if state.table.iter().any(|known| known.number == number) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Arc::make_mut(&mut state.table).push(Watched {
            number,
            fd,
            token,
            interest,
        });
        Set::changed(state);
        Ok(())
    }

    pub(crate) fn modify(
        &self,
        fd: BorrowedFd<'_>,
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        let number = fd.as_raw_fd();
        let mut state = self.0.lock();
        let known = Arc::make_mut(&mut state.table)
            .iter_mut()
            .find(|known| known.number == number)
            .ok_or(io::ErrorKind::NotFound)?;
        known.token = token;
        known.interest = interest;
        Set::changed(state);
        Ok(())
    }

    pub(crate) fn remove(&self, fd: BorrowedFd<'_>) {
        let number = fd.as_raw_fd();
        let mut state = self.0.lock();
        // A descriptor that is not watched any more is what was asked for.
        if let Some(place) = state.table.iter().position(|known| known.number == number) {
            // In order: what came first is told first.
            Arc::make_mut(&mut state.table).remove(place);
            Set::shrunk(state);
        }
    }

    /// Watches another poller, which nobody else does: readable while something of its own is ready.
    pub(crate) fn add_poller(
        &self,
        poller: &Poller,
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        let mut child = poller.0.lock();
        child.parent = Arc::downgrade(&self.0);
        child.wanted = interest.read;
        drop(child);
        let mut state = self.0.lock();
        state.children.push(Child {
            set: Arc::clone(&poller.0),
            token,
        });
        Set::changed(state);
        Ok(())
    }

    pub(crate) fn modify_poller(
        &self,
        poller: &Poller,
        _: u64,
        interest: Interest,
    ) -> io::Result<()> {
        let mut child = poller.0.lock();
        child.wanted = interest.read;
        drop(child);
        if interest.read {
            // Sleepers who poll its table though it is no longer wanted find that out when something is ready.
            self.0.lock().ring_sleepers();
        }
        Ok(())
    }

    pub(crate) fn remove_poller(&self, poller: &Poller) {
        let mut child = poller.0.lock();
        child.parent = Weak::new();
        child.wanted = false;
        child.outlet = Outlet::Abandoned;
        signal::Wire::fill(&poller.0.pipe);
        drop(child);
        let mut state = self.0.lock();
        state
            .children
            .retain(|known| !Arc::ptr_eq(&known.set, &poller.0));
        Set::changed(state);
    }

    /// For whoever wants to watch this poller by means of their own: readable while something is ready.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        let mut state = self.0.lock();
        if state.outlet == Outlet::Unused {
            state.outlet = Outlet::Down;
            Set::changed(state);
        }
        self.0.pipe.as_fd()
    }

    /// Waits until something is ready, `timeout` has passed, or a signal came (an error of kind `Interrupted`). It may also
    /// end earlier with nothing found.
    pub(crate) fn wait(&self, found: &mut Found, timeout: Option<Duration>) -> io::Result<()> {
        found.clear();
        let bell = match timeout {
            Some(Duration::ZERO) => None,
            _ => self.0.lie_down(),
        };
        let timeout = match (&bell, timeout) {
            (None, None) => Some(NAP),
            (None, Some(timeout)) => Some(timeout.min(NAP)),
            (Some(_), timeout) => timeout,
        };
        let result = self.0.look(found, bell.as_deref(), timeout);
        if let Some(bell) = bell {
            self.0.get_up(bell);
        }
        result
    }
}

impl State {
    fn ring_sleepers(&self) {
        for bell in &self.sleepers {
            bell.raise();
        }
    }

    /// Whether the parent has a reason to poll the table: it wants to hear, or has the outlet to fill.
    fn is_minded(&self) -> bool {
        self.wanted || self.outlet == Outlet::Down
    }
}

impl Set {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has everybody who polls a copy of these tables take a new one.
    fn changed(state: MutexGuard<'_, State>) {
        state.ring_sleepers();
        if state.is_minded() {
            Set::ring_parent(state);
        }
    }

    /// The same after something was taken out. The parent may poll a copy from the time when it had a reason to, and is rung to
    /// let go of it.
    fn shrunk(state: MutexGuard<'_, State>) {
        state.ring_sleepers();
        Set::ring_parent(state);
    }

    fn ring_parent(state: MutexGuard<'_, State>) {
        let parent = state.parent.upgrade();
        drop(state);
        if let Some(parent) = parent {
            parent.lock().ring_sleepers();
        }
    }

    /// Puts a bell on the list, if the system gives one.
    fn lie_down(&self) -> Option<Arc<Bell>> {
        let mut state = self.lock();
        let bell = match state.spare.pop() {
            Some(bell) => bell,
            None => Arc::new(Signal::new().ok()?),
        };
        state.sleepers.push(Arc::clone(&bell));
        Some(bell)
    }

    fn get_up(&self, bell: Arc<Bell>) {
        let mut state = self.lock();
        state.sleepers.retain(|other| !Arc::ptr_eq(other, &bell));
        if state.spare.len() < SPARE_BELLS {
            // It is rung only under this lock, and by nobody once it is off the list.
            bell.clear();
            state.spare.push(bell);
        }
    }

    fn table_for_parent(&self) -> Option<Table> {
        let state = self.lock();
        state.is_minded().then(|| Arc::clone(&state.table))
    }

    /// Something is ready: the parent fills the outlet. Says whether it wants to hear of it too.
    fn told_parent(&self) -> bool {
        let mut state = self.lock();
        if state.outlet == Outlet::Down {
            state.outlet = Outlet::Up;
            signal::Wire::fill(&self.pipe);
        }
        state.wanted
    }

    /// Nothing was ready: whoever watches the outlet has done its part.
    fn found_nothing(&self) {
        let mut state = self.lock();
        if state.outlet == Outlet::Up {
            state.outlet = Outlet::Down;
            signal::Wire::empty(&self.pipe);
            Set::ring_parent(state);
        }
    }

    fn look(
        &self,
        found: &mut Found,
        bell: Option<&Bell>,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        let state = self.lock();
        let table = Arc::clone(&state.table);
        let children = state.children.clone();
        drop(state);
        let children: Vec<(&Child, Table)> = children
            .iter()
            .filter_map(|child| Some((child, child.set.table_for_parent()?)))
            .collect();
        let tables = children.iter().flat_map(|(_, table)| table.iter());
        let mut polled: Vec<PollFd<'_>> = table.iter().chain(tables).map(poll_fd).collect();
        if let Some(bell) = bell {
            polled.push(PollFd::from_borrowed_fd(bell.as_fd(), PollFlags::IN));
        }
        let timeout = timeout.map(timespec);
        rustix::event::poll(&mut polled, timeout.as_ref())?;
        let mut flags = polled.iter().map(PollFd::revents);
        let mut ready: Vec<Ready> = table
            .iter()
            .zip(flags.by_ref())
            .filter_map(|(watched, flags)| readiness(watched.token, flags))
            .collect();
        for (child, table) in &children {
            // All of them are taken out of the iterator, not only up to the first that is ready.
            let some = table
                .iter()
                .zip(flags.by_ref())
                .fold(false, |some, (_, flags)| some | !flags.is_empty());
            if some && child.set.told_parent() {
                ready.extend(readiness(child.token, PollFlags::IN));
            }
        }
        self.report(found, &ready);
        Ok(())
    }

    fn report(&self, found: &mut Found, ready: &[Ready]) {
        if ready.is_empty() {
            self.found_nothing();
            return;
        }
        let first = self.first.load(Ordering::Relaxed) % ready.len();
        let (late, early) = ready.split_at(first);
        for (count, one) in early.iter().chain(late).enumerate() {
            if !found.push(*one) {
                self.first.store(first + count, Ordering::Relaxed);
                break;
            }
        }
    }
}

fn poll_fd(watched: &Watched) -> PollFd<'_> {
    let mut flags = PollFlags::empty();
    if watched.interest.read {
        flags |= PollFlags::IN;
    }
    if watched.interest.write {
        flags |= PollFlags::OUT;
    }
    PollFd::from_borrowed_fd(watched.fd.as_fd(), flags)
}

fn readiness(token: u64, flags: PollFlags) -> Option<Ready> {
    (!flags.is_empty()).then(|| Ready {
        token,
        readable: flags.contains(PollFlags::IN),
        writable: flags.contains(PollFlags::OUT),
        broken: flags.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL),
    })
}

/// A pipe. A signal writes one octet before it is read again, so that no write is refused.
#[derive(Debug)]
pub(crate) struct Wire {
    reader: io::PipeReader,
    writer: io::PipeWriter,
}

impl signal::Wire for Wire {
    fn new() -> io::Result<Wire> {
        let (reader, writer) = io::pipe()?;
        rustix::io::ioctl_fionbio(&reader, true)?;
        rustix::io::ioctl_fionbio(&writer, true)?;
        Ok(Wire { reader, writer })
    }

    fn fill(&self) {
        let _ = rustix::io::write(&self.writer, &[1]);
    }

    fn empty(&self) {
        let mut octets = [0_u8; 64];
        while rustix::io::read(&self.reader, &mut octets[..])
            .is_ok_and(|count| count == octets.len())
        {}
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}
