//! Callers come and go, look and sleep, and the driver reads for them.

use std::sync::Arc as StdArc;
use std::task::Waker;

use loom::thread;

use super::Bell;
use crate::kernel;
use crate::mirror::wait::{Served, Slept};

/// The peer sends at some time; a caller comes and goes at some time; what was sent is read.
pub(super) fn callers(caller: fn(&Served)) {
    let served = Served::open(1);
    let peer = {
        let served = StdArc::clone(&served);
        thread::spawn(move || served.stream.set(true))
    };
    let caller = {
        let served = StdArc::clone(&served);
        thread::spawn(move || caller(&served))
    };
    served.run_driver();
    peer.join().unwrap();
    caller.join().unwrap();
}

/// One receives a message and goes, and the driver reads the other.
pub(super) fn look() {
    let served = Served::open(2);
    let peer = {
        let served = StdArc::clone(&served);
        thread::spawn(move || {
            served.stream.set(true);
            // What was sent first has been read.
            kernel::wait(|levels| (!levels.is(served.stream)).then_some(()));
            served.stream.set(true);
        })
    };
    let receiver = {
        let served = StdArc::clone(&served);
        thread::spawn(move || served.recv())
    };
    served.run_driver();
    peer.join().unwrap();
    receiver.join().unwrap();
}

/// One receives; another reads the message, perhaps, and does not take it.
pub(super) fn look_beside() {
    let served = Served::open(1);
    let other = {
        let served = StdArc::clone(&served);
        thread::spawn(move || {
            served.stream.set(true);
            served.turn();
        })
    };
    served.recv();
    other.join().unwrap();
}

pub(super) fn callers_task() {
    let served = Served::open(1);
    let peer = {
        let served = StdArc::clone(&served);
        thread::spawn(move || served.stream.set(true))
    };
    let task = {
        let served = StdArc::clone(&served);
        thread::spawn(move || {
            let place = served.waking.enter_task();
            served.waking.set_waker(place, &Waker::from(Bell::new()));
            served.turn();
        })
    };
    served.run_driver();
    peer.join().unwrap();
    task.join().unwrap();
}

/// As the facade waits where the driver watches: the waker, an attempt, `rest`.
pub(super) fn relying(flood: bool) {
    let served = Served::open(2);
    let peer = {
        let served = StdArc::clone(&served);
        thread::spawn(move || {
            served.stream.set(true);
            served.turn_in(flood);
            // What was sent first has been read.
            kernel::wait(|levels| (!levels.is(served.stream)).then_some(()));
            served.stream.set(true);
        })
    };
    let task = {
        let served = StdArc::clone(&served);
        thread::spawn(move || rely_until_read(&served))
    };
    served.run_driver();
    peer.join().unwrap();
    task.join().unwrap();
}

fn rely_until_read(served: &Served) {
    let place = served.waking.enter_task();
    served.waking.rely(true);
    let bell = Bell::new();
    let waker = Waker::from(StdArc::clone(&bell));
    loop {
        served.waking.set_waker(place, &waker);
        if kernel::look(|levels| levels.is(served.read)) {
            break;
        }
        served.rest();
        bell.wait();
    }
    served.waking.rely(false);
    served.waking.leave_task(place);
}

/// The driver, which has read a flood, leaves the rest to callers. One comes at some time, and perhaps only then.
pub(super) fn left(caller: fn(&Served)) {
    let served = Served::open_flooded(2);
    let peer = {
        let served = StdArc::clone(&served);
        thread::spawn(move || {
            served.stream.set(true);
            // What was sent first has been read.
            kernel::wait(|levels| (!levels.is(served.stream)).then_some(()));
            served.stream.set(true);
        })
    };
    let caller = {
        let served = StdArc::clone(&served);
        thread::spawn(move || caller(&served))
    };
    served.run_driver();
    peer.join().unwrap();
    caller.join().unwrap();
}

/// One that relies on the driver until all was read.
pub(super) fn left_to_a_task() {
    left(rely_until_read);
}

pub(super) fn callers_two() {
    let served = Served::open(1);
    let one = {
        let served = StdArc::clone(&served);
        thread::spawn(move || {
            served.turn();
            served.stream.set(true);
        })
    };
    let two = {
        let served = StdArc::clone(&served);
        thread::spawn(move || served.sleep(Slept::Briefly))
    };
    served.run_driver();
    one.join().unwrap();
    two.join().unwrap();
}
