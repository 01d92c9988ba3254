//! What every back end owes to those above it, tried with each one that this system can run.

use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::signal::{self, Signal};
use super::{EVENTS, Found, Interest, Ready, wait_readable};

const PATIENCE: Duration = Duration::from_secs(20);
const BOTH: Interest = Interest {
    read: true,
    write: true,
};

fn pair() -> (UnixStream, UnixStream) {
    let (one, other) = UnixStream::pair().unwrap();
    one.set_nonblocking(true).unwrap();
    (one, other)
}

/// The interface, so that a claim is written once.
trait BackEnd: Sync + Sized {
    type Wire: signal::Wire + Send + Sync;
    fn new() -> Self;
    fn add(&self, fd: BorrowedFd<'_>, token: u64, interest: Interest);
    fn modify(&self, fd: BorrowedFd<'_>, token: u64, interest: Interest);
    fn remove(&self, fd: BorrowedFd<'_>);
    fn add_poller(&self, poller: &Self, token: u64, interest: Interest);
    fn modify_poller(&self, poller: &Self, token: u64, interest: Interest);
    fn remove_poller(&self, poller: &Self);
    fn descriptor(&self) -> BorrowedFd<'_>;
    fn wait(&self, found: &mut Found, timeout: Option<Duration>);

    fn now(&self) -> Vec<Ready> {
        let mut found = Found::new();
        self.wait(&mut found, Some(Duration::ZERO));
        found.iter().collect()
    }

    /// Waits as those above do: a wait may end early with nothing found.
    fn soon(&self) -> Vec<Ready> {
        let deadline = Instant::now() + PATIENCE;
        let mut found = Found::new();
        while found.count == 0 && Instant::now() < deadline {
            self.wait(&mut found, Some(PATIENCE));
        }
        found.iter().collect()
    }
}

macro_rules! back_end {
    ($name:ident) => {
        impl BackEnd for super::$name::Poller {
            type Wire = super::$name::Wire;
            fn new() -> Self {
                Self::new().unwrap()
            }
            fn add(&self, fd: BorrowedFd<'_>, token: u64, interest: Interest) {
                self.add(fd, token, interest).unwrap();
            }
            fn modify(&self, fd: BorrowedFd<'_>, token: u64, interest: Interest) {
                self.modify(fd, token, interest).unwrap();
            }
            fn remove(&self, fd: BorrowedFd<'_>) {
                self.remove(fd);
            }
            fn add_poller(&self, poller: &Self, token: u64, interest: Interest) {
                self.add_poller(poller, token, interest).unwrap();
            }
            fn modify_poller(&self, poller: &Self, token: u64, interest: Interest) {
                self.modify_poller(poller, token, interest).unwrap();
            }
            fn remove_poller(&self, poller: &Self) {
                self.remove_poller(poller);
            }
            fn descriptor(&self) -> BorrowedFd<'_> {
                self.descriptor()
            }
            fn wait(&self, found: &mut Found, timeout: Option<Duration>) {
                self.wait(found, timeout).unwrap();
            }
        }
    };
}

#[cfg(any(target_os = "linux", target_os = "android"))]
back_end!(epoll);
back_end!(portable);

macro_rules! claims {
    ($($claim:ident)*) => {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        mod epoll {
            $(#[test] fn $claim() { super::$claim::<super::super::epoll::Poller>(); })*
        }
        mod portable {
            $(#[test] fn $claim() { super::$claim::<super::super::portable::Poller>(); })*
        }
    };
}

claims! {
    what_is_ready_is_found_until_it_is_consumed
    nothing_asked_for_is_nothing_told
    room_to_write_is_found_beside_what_is_to_be_read
    what_was_removed_is_silent
    a_hang_up_is_told_though_nothing_was_asked_for
    what_is_watched_already_is_refused
    a_poller_tells_of_the_pollers_it_watches
    a_poller_that_is_wanted_again_ends_a_sleep
    what_is_added_while_a_thread_waits_ends_its_wait
    every_thread_that_waits_hears_of_a_change
    a_table_of_a_watched_poller_may_change_while_a_thread_waits
    what_was_removed_while_a_thread_waits_can_be_closed
    none_of_three_hundred_is_passed_over
    less_than_a_millisecond_is_waited_for_exactly
    the_descriptor_is_readable_while_something_is_ready
    nobody_who_watches_the_descriptor_misses_anything
    the_descriptor_of_one_that_was_let_go_does_not_hang
    a_signal_is_seen_until_it_is_cleared
}

fn what_is_ready_is_found_until_it_is_consumed<P: BackEnd>() {
    let poller = P::new();
    let (mut near, mut far) = pair();
    poller.add(near.as_fd(), 7, Interest::READ);
    assert_eq!(poller.now(), []);
    far.write_all(b"ab").unwrap();
    let ready = Ready {
        token: 7,
        readable: true,
        writable: false,
        broken: false,
    };
    assert_eq!(poller.now(), [ready]);
    assert_eq!(near.read(&mut [0]).unwrap(), 1);
    assert_eq!(poller.soon(), [ready], "there is more to read");
    assert_eq!(near.read(&mut [0]).unwrap(), 1);
    assert_eq!(poller.now(), []);
}

fn nothing_asked_for_is_nothing_told<P: BackEnd>() {
    let poller = P::new();
    let (near, mut far) = pair();
    far.write_all(b"a").unwrap();
    poller.add(near.as_fd(), 1, Interest::NONE);
    assert_eq!(poller.now(), []);
    poller.modify(near.as_fd(), 2, Interest::READ);
    assert_eq!(poller.now().first().map(|ready| ready.token), Some(2));
    poller.modify(near.as_fd(), 2, Interest::NONE);
    assert_eq!(poller.now(), []);
}

fn room_to_write_is_found_beside_what_is_to_be_read<P: BackEnd>() {
    let poller = P::new();
    let (near, mut far) = pair();
    far.write_all(b"a").unwrap();
    poller.add(near.as_fd(), 1, BOTH);
    let ready = poller.now()[0];
    assert!(ready.readable && ready.writable && !ready.broken);
    poller.modify(near.as_fd(), 1, Interest::WRITE);
    let ready = poller.now()[0];
    assert!(!ready.readable && ready.writable);
}

fn what_was_removed_is_silent<P: BackEnd>() {
    let poller = P::new();
    let (near, mut far) = pair();
    far.write_all(b"a").unwrap();
    poller.add(near.as_fd(), 1, Interest::READ);
    poller.remove(near.as_fd());
    assert_eq!(poller.now(), []);
    poller.remove(near.as_fd());
    poller.add(near.as_fd(), 3, Interest::READ);
    assert_eq!(poller.now().len(), 1);
}

fn a_hang_up_is_told_though_nothing_was_asked_for<P: BackEnd>() {
    let poller = P::new();
    let (near, far) = pair();
    poller.add(near.as_fd(), 1, Interest::NONE);
    assert_eq!(poller.now(), []);
    drop(far);
    let ready = poller.soon()[0];
    assert!(ready.broken && !ready.readable && !ready.writable);
}

fn what_is_watched_already_is_refused<P: BackEnd>() {
    let poller = P::new();
    let (near, _far) = pair();
    poller.add(near.as_fd(), 1, Interest::READ);
    let again = std::panic::AssertUnwindSafe(|| poller.add(near.as_fd(), 2, Interest::READ));
    assert!(std::panic::catch_unwind(again).is_err());
}

fn a_poller_tells_of_the_pollers_it_watches<P: BackEnd>() {
    let (parent, child) = (P::new(), P::new());
    let (mut near, mut far) = pair();
    parent.add_poller(&child, 9, Interest::NONE);
    child.add(near.as_fd(), 1, Interest::READ);
    far.write_all(b"a").unwrap();
    assert_eq!(parent.now(), []);
    parent.modify_poller(&child, 9, Interest::READ);
    let ready = Ready {
        token: 9,
        readable: true,
        writable: false,
        broken: false,
    };
    assert_eq!(parent.now(), [ready]);
    assert_eq!(parent.soon(), [ready], "nobody has read");
    assert_eq!(near.read(&mut [0]).unwrap(), 1);
    assert_eq!(parent.now(), []);
    far.write_all(b"a").unwrap();
    parent.modify_poller(&child, 9, Interest::NONE);
    assert_eq!(parent.now(), []);
    parent.modify_poller(&child, 9, Interest::READ);
    parent.remove_poller(&child);
    assert_eq!(parent.now(), []);
}

/// Runs `change` while another thread is about to wait, or waits already: both must end with something found.
fn while_one_waits<P: BackEnd>(poller: &P, change: impl FnOnce()) -> Vec<Ready> {
    let barrier = Barrier::new(2);
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            barrier.wait();
            poller.soon()
        });
        barrier.wait();
        change();
        waiter.join().unwrap()
    })
}

fn a_poller_that_is_wanted_again_ends_a_sleep<P: BackEnd>() {
    for _ in 0..200 {
        let (parent, child) = (P::new(), P::new());
        let (near, mut far) = pair();
        far.write_all(b"a").unwrap();
        parent.add_poller(&child, 9, Interest::NONE);
        child.add(near.as_fd(), 1, Interest::READ);
        let found = while_one_waits(&parent, || {
            parent.modify_poller(&child, 9, Interest::READ);
        });
        assert_eq!(found.len(), 1);
    }
}

fn what_is_added_while_a_thread_waits_ends_its_wait<P: BackEnd>() {
    for round in 0..200 {
        let poller = P::new();
        let (near, mut far) = pair();
        far.write_all(b"a").unwrap();
        if round % 2 == 0 {
            poller.add(near.as_fd(), 1, Interest::NONE);
        }
        let found = while_one_waits(&poller, || {
            if round % 2 == 0 {
                poller.modify(near.as_fd(), 1, Interest::READ);
            } else {
                poller.add(near.as_fd(), 1, Interest::READ);
            }
        });
        assert_eq!(found.len(), 1);
    }
}

fn every_thread_that_waits_hears_of_a_change<P: BackEnd>() {
    let poller = P::new();
    let (near, mut far) = pair();
    far.write_all(b"a").unwrap();
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    poller.soon().len()
                })
            })
            .collect();
        barrier.wait();
        poller.add(near.as_fd(), 1, Interest::READ);
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), 1);
        }
    });
}

fn a_table_of_a_watched_poller_may_change_while_a_thread_waits<P: BackEnd>() {
    for _ in 0..200 {
        let (parent, child) = (P::new(), P::new());
        parent.add_poller(&child, 9, Interest::READ);
        let (near, mut far) = pair();
        far.write_all(b"a").unwrap();
        let found = while_one_waits(&parent, || child.add(near.as_fd(), 1, Interest::READ));
        assert_eq!(found.len(), 1);
    }
}

fn what_was_removed_while_a_thread_waits_can_be_closed<P: BackEnd>() {
    for wanted in [Interest::READ, Interest::NONE] {
        let (parent, child) = (P::new(), P::new());
        let (near, mut far) = pair();
        let stop: Signal<P::Wire> = Signal::new().unwrap();
        parent.add(stop.as_fd(), 0, Interest::READ);
        parent.add_poller(&child, 9, Interest::READ);
        child.add(near.as_fd(), 1, Interest::READ);
        let waits = Barrier::new(2);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                waits.wait();
                parent.soon()
            });
            waits.wait();
            // The sleeper may hold on to what it was told to watch before.
            parent.modify_poller(&child, 9, wanted);
            child.remove(near.as_fd());
            drop(near);
            far.set_read_timeout(Some(PATIENCE)).unwrap();
            assert_eq!(far.read(&mut [0]).unwrap(), 0, "the other end sees it");
            stop.raise();
            assert_eq!(waiter.join().unwrap().len(), 1);
        });
    }
}

fn none_of_three_hundred_is_passed_over<P: BackEnd>() {
    let poller = P::new();
    let pairs: Vec<_> = (0..300).map(|_| pair()).collect();
    for (token, (near, far)) in pairs.iter().enumerate() {
        poller.add(near.as_fd(), token as u64, Interest::READ);
        (&*far).write_all(b"a").unwrap();
    }
    let mut seen = vec![false; pairs.len()];
    for _ in 0..pairs.len().div_ceil(EVENTS) {
        for ready in poller.now() {
            seen[ready.token as usize] = true;
        }
    }
    let missed = seen.iter().filter(|seen| !**seen).count();
    assert_eq!(missed, 0, "and nothing was consumed");
}

fn less_than_a_millisecond_is_waited_for_exactly<P: BackEnd>() {
    let poller = P::new();
    let short = Duration::from_micros(300);
    let mut best = Duration::MAX;
    for _ in 0..50 {
        let began = Instant::now();
        poller.wait(&mut Found::new(), Some(short));
        let took = began.elapsed();
        assert!(took >= short, "woken after {took:?}");
        best = best.min(took);
    }
    // Where the system counts whole milliseconds, it waits for one.
    let exact = cfg!(any(target_os = "linux", target_os = "android"));
    assert!(!exact || best < Duration::from_millis(1), "{best:?}");
}

/// Runs `body` while a thread waits on `parent` again and again, as a driver does; gives how often it did.
fn with_driver<P: BackEnd>(parent: &P, body: impl FnOnce()) -> u64 {
    const STOP: u64 = u64::MAX;
    let stop: Signal<P::Wire> = Signal::new().unwrap();
    parent.add(stop.as_fd(), STOP, Interest::READ);
    let over = AtomicBool::new(false);
    let rounds = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                rounds.fetch_add(1, Ordering::SeqCst);
                parent.wait(&mut Found::new(), None);
            }
        });
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
        over.store(true, Ordering::SeqCst);
        stop.raise();
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    });
    parent.remove(stop.as_fd());
    rounds.load(Ordering::SeqCst)
}

fn the_descriptor_is_readable_while_something_is_ready<P: BackEnd>() {
    let (parent, child) = (P::new(), P::new());
    let (mut near, mut far) = pair();
    parent.add_poller(&child, 9, Interest::NONE);
    child.add(near.as_fd(), 1, Interest::READ);
    let rounds = with_driver(&parent, || {
        for _ in 0..20 {
            let fd = child.descriptor();
            assert!(!wait_readable(fd, Some(Duration::ZERO)).unwrap());
            far.write_all(b"ab").unwrap();
            assert!(wait_readable(fd, Some(PATIENCE)).unwrap());
            assert_eq!(child.now().len(), 1);
            assert_eq!(near.read(&mut [0]).unwrap(), 1);
            assert!(wait_readable(fd, Some(PATIENCE)).unwrap(), "there is more");
            assert_eq!(near.read(&mut [0]).unwrap(), 1);
            assert_eq!(child.now(), []);
        }
    });
    assert!(rounds < 200, "nobody turns in circles: {rounds} rounds");
}

fn nobody_who_watches_the_descriptor_misses_anything<P: BackEnd>() {
    let (parent, child) = (P::new(), P::new());
    let (mut near, mut far) = pair();
    parent.add_poller(&child, 9, Interest::NONE);
    child.add(near.as_fd(), 1, Interest::READ);
    let rounds = 5_000_u64;
    let received = AtomicU64::new(0);
    let taken: Signal<P::Wire> = Signal::new().unwrap();
    with_driver(&parent, || {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0..rounds {
                    while received.load(Ordering::SeqCst) < round {
                        if !wait_readable(taken.as_fd(), Some(PATIENCE)).unwrap() {
                            return;
                        }
                        taken.drain();
                    }
                    far.write_all(b"a").unwrap();
                }
            });
            while received.load(Ordering::SeqCst) < rounds {
                assert!(wait_readable(child.descriptor(), Some(PATIENCE)).unwrap());
                for _ in child.now() {
                    if near.read(&mut [0]).is_ok() {
                        received.fetch_add(1, Ordering::SeqCst);
                        taken.raise();
                    }
                }
            }
        });
    });
}

fn the_descriptor_of_one_that_was_let_go_does_not_hang<P: BackEnd>() {
    let (parent, child) = (P::new(), P::new());
    let (near, mut far) = pair();
    parent.add_poller(&child, 9, Interest::READ);
    child.add(near.as_fd(), 1, Interest::READ);
    parent.remove_poller(&child);
    far.write_all(b"a").unwrap();
    assert!(wait_readable(child.descriptor(), Some(PATIENCE)).unwrap());
}

fn a_signal_is_seen_until_it_is_cleared<P: BackEnd>() {
    let signal: Signal<P::Wire> = Signal::new().unwrap();
    let up = || wait_readable(signal.as_fd(), Some(Duration::ZERO)).unwrap();
    assert!(!up());
    signal.raise();
    signal.raise();
    assert!(up());
    assert!(up());
    signal.clear();
    assert!(!up());
    signal.clear();
    signal.raise();
    assert!(up());
    signal.drain();
    assert!(!up());
}
