//! What a driver is told.

use std::sync::Arc as StdArc;

use loom::thread;

use crate::handover::Orders;
use crate::kernel::{self, File};
use crate::poller::Signal;

/// A signal is waited for by a driver that takes its commands.
pub(super) fn signal() {
    let orders = StdArc::new(Orders::new());
    let signal = StdArc::new(Signal::new().unwrap());
    let file = File::opened_last();
    let teller = {
        let (orders, signal) = (StdArc::clone(&orders), StdArc::clone(&signal));
        thread::spawn(move || {
            for command in 0..3 {
                assert_eq!(orders.add(command), Ok(()));
                signal.raise();
            }
        })
    };
    let mut taken = 0;
    while taken < 3 {
        kernel::wait(|levels| levels.is(file).then_some(()));
        taken += orders.take(&signal, true).len();
    }
    teller.join().unwrap();
}

pub(super) fn orders_ended() {
    let orders = StdArc::new(Orders::new());
    let teller = {
        let orders = StdArc::clone(&orders);
        thread::spawn(move || orders.add(()).is_ok())
    };
    let left = orders.end().map_or(0, |left| left.len());
    let told = teller.join().unwrap();
    assert_eq!(left, usize::from(told));
}
