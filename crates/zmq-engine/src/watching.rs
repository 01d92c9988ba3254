//! Who watches a socket's streams: its callers, or the driver while they are away.

use std::sync::Arc;
use std::time::Duration;

use zmtp_wire::SocketType;

use crate::clock::Nanos;
use crate::context::Command;
use crate::core::{Core, Life};
use crate::handover::{Looks, Whose};
use crate::pipe::Carrier;
use crate::poller::{Found, Interest};
use crate::shared::{DRIBBLE, SIGNAL, SocketShared};

/// A caller that slept longer than this hands its socket to the driver when it goes.
const SPARSE: Duration = Duration::from_millis(40);

/// More messages than this at once are a flood.
const FLOOD: u64 = 64;

/// At the pace at which callers took messages, the rest is used up in this time, and they come for more: twice as long as they may stay away.
const SOON: Duration = Duration::from_millis(40);

/// A pace is measured over this time at least.
const PACE: Duration = Duration::from_millis(5);

/// So often in a row the driver leaves a socket to callers who do not come to look for more.
const LAPSES: u32 = 4;

/// What callers had taken when the driver asked that last, and how often it left the socket to them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Served {
    at: Nanos,
    delivered: u64,
    /// Their turns when it left the socket to them last.
    turns: u64,
    /// How often it did so in a row, without their coming.
    left: u32,
}

impl Core {
    /// Whether much has come since so much had arrived, and callers, who have had so many turns, soon have used up all that is queued and come for
    /// more. Those who are slower want it queued, as peers have marks. Those who want only the latest message, and streams that wait for it, have
    /// the driver at all times; and callers whom a peer keeps busy without their looking at streams, as it is within the process or they let it go on
    /// below its mark, would have all others wait.
    fn is_used_up(&mut self, before: u64, now: Nanos, turns: u64) -> bool {
        let passed = now.since(self.served.at);
        if self.counters.arrived.wrapping_sub(before) <= FLOOD || passed < PACE {
            return false;
        }
        let delivered = self.counters.delivered;
        let taken = delivered.wrapping_sub(self.served.delivered);
        self.served.at = now;
        self.served.delivered = delivered;
        let soon = u128::from(taken).saturating_mul(SOON.as_nanos()) / passed.as_nanos();
        let mut queued = 0_u128;
        for (_, pipe) in self.pipes() {
            queued = queued.saturating_add(pipe.input.len() as u128);
            let busy = pipe.paused || matches!(pipe.carrier, Carrier::Inproc(..));
            if queued > soon || busy || pipe.stalled || pipe.marks.conflate {
                return false;
            }
        }
        if turns != self.served.turns {
            self.served.turns = turns;
            self.served.left = 0;
        }
        let leaves = self.life == Life::Open && self.served.left < LAPSES;
        self.served.left += u32::from(leaves);
        leaves
    }
}

impl SocketShared {
    /// The driver stops watching: a caller is here.
    pub(crate) fn unwatch(&self) {
        self.callers
            .watch(false, || self.tell_driver(Interest::NONE));
    }

    /// The driver watches again: no caller is here.
    pub(crate) fn watch(&self) {
        self.callers
            .watch(true, || self.tell_driver(Interest::READ));
    }

    fn tell_driver(&self, interest: Interest) {
        if !self.ctx.is_foreign_process() {
            self.ctx.watch_socket(self, interest);
        }
    }

    /// The driver has found something ready: whose turn it is.
    pub(crate) fn found_by_driver(self: &Arc<Self>) -> Whose {
        if !self.callers.has_sleepers() && self.waking.is_relied_on() {
            return if self.serve_tasks() {
                Whose::Nobodys
            } else {
                self.callers.left()
            };
        }
        self.callers.found(self.has_waiters(), || self.unwatch())
    }

    /// Whether the driver goes on looking for callers.
    pub(crate) fn stays_on_patrol(self: &Arc<Self>, looks: &mut Looks) -> bool {
        self.callers.stays(
            looks,
            || self.has_waiters() && !self.waking.is_relied_on(),
            || self.serve_links(),
            || self.watch(),
        )
    }

    /// Asks the driver to look in a while whether callers are still here.
    pub(crate) fn patrol(self: &Arc<Self>) {
        if self.callers.begin_patrol() {
            self.ctx.command(Command::Patrol(Arc::clone(self)));
        }
    }

    /// A stream takes no more of what has to leave: whoever goes now leaves it to the driver, which must not look too late.
    pub(crate) fn hurry(&self) {
        if self.callers.must_hurry() {
            self.ctx.command(Command::Hurry { socket: self.id });
        }
    }

    /// A caller that has slept goes.
    pub(crate) fn hand_back(self: &Arc<Self>, slept: Duration) {
        let sparse = slept > SPARSE && !self.callers.is_on_patrol();
        if sparse || self.waking.is_relied_on() {
            // Traffic is sparse: handing the socket over costs a system call, rousing the driver for a patrol costs more.
            self.watch();
        } else {
            self.patrol();
        }
    }

    // ---- the driver ----

    /// The driver does what is ready, for a socket whose callers are away. Where there is much of it, and callers are using up what they had
    /// before, it leaves the rest to them: one who goes round many sockets reads what comes in less time than it takes to hand it over. Says
    /// whether it does.
    pub(crate) fn serve(self: &Arc<Self>) -> bool {
        // Who sends as well may have something waiting.
        let receives = matches!(self.socket_type, SocketType::Pull | SocketType::Sub);
        let arrived = || self.lock_amid().counters.arrived;
        let before = if receives { arrived() } else { 0 };
        let mut found = Found::new();
        let unsettled = self.poller.wait(&mut found, Some(Duration::ZERO)).is_ok()
            && self.handle_but_signal(&found);
        receives && !unsettled && !found.is_full() && self.leave(before, self.ctx.clock.now())
    }

    /// Leaves what comes next to callers, if much has come since so much had arrived, and they soon have used it up. Says whether it does.
    fn leave(&self, before: u64, now: Nanos) -> bool {
        let turns = self.callers.turns();
        if !self.lock_amid().is_used_up(before, now, turns) {
            return false;
        }
        self.unwatch();
        if self.has_waiters() {
            // One waits since then, and found the driver watching for it.
            self.watch();
            return false;
        }
        true
    }

    /// The driver does what is ready for callers who were called and do not come. Says whether there was anything, or the signal
    /// still waits for threads to look.
    fn serve_links(self: &Arc<Self>) -> bool {
        let mut found = Found::new();
        if self.poller.wait(&mut found, Some(Duration::ZERO)).is_err() {
            return false;
        }
        let mut busy = false;
        for ready in found.iter() {
            let settled = self.handle_ready(ready);
            // A signal that is down again has done its part: tasks were woken by their wakers.
            busy |= ready.token != SIGNAL || !settled;
        }
        busy
    }

    /// The driver does what is ready for tasks that sleep and leave that to it. Where there is much, it leaves the rest to them.
    fn serve_tasks(self: &Arc<Self>) -> bool {
        let arrived = || {
            let core = self.lock();
            core.counters.arrived.wrapping_add(core.bulk)
        };
        let before = arrived();
        let mut found = Found::new();
        let unsettled = self.poller.wait(&mut found, Some(Duration::ZERO)).is_ok()
            && self.handle_but_signal(&found);
        let came = arrived().wrapping_sub(before);
        if came <= DRIBBLE && !unsettled {
            return true;
        }
        self.unwatch();
        if !unsettled && self.waking.has_wakers() {
            // One sleeps already, or again, and found the driver watching.
            self.watch();
            return true;
        }
        false
    }

    /// A task sleeps from now on and leaves the streams to the driver.
    pub(crate) fn rest(&self) {
        if !self.callers.has_sleepers() {
            self.watch();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, ContextOptions, DriverMode, Socket, SocketOptions};
    use std::time::Instant;
    use zmtp_wire::Message;

    const LONG: Option<Duration> = Some(Duration::from_secs(20));

    /// Many at once: whoever reads finds more than a few of them.
    fn send(push: &Socket, count: u64) {
        let mut list: Vec<Message> = (0..count).map(|_| "a".into()).collect();
        let mut left = list.as_mut_slice();
        while !left.is_empty() {
            let mut accepted = 0;
            push.send_many(left, &mut accepted, LONG).unwrap();
            left = left.split_at_mut(accepted).1;
        }
    }

    /// A PUSH, and a PULL whose driver does what it is told.
    struct Pair {
        push: Socket,
        pull: Socket,
        contexts: (Context, Context),
    }

    impl Pair {
        fn open(pulls: SocketOptions) -> Pair {
            let manual = Context::with(ContextOptions {
                driver: DriverMode::Manual,
                ..ContextOptions::default()
            })
            .unwrap();
            let context = Context::new().unwrap();
            let pull = Socket::open(&manual, SocketType::Pull, pulls).unwrap();
            let push = Socket::open(&context, SocketType::Push, SocketOptions::default()).unwrap();
            push.connect(&pull.bind("tcp://127.0.0.1:0").unwrap())
                .unwrap();
            let limit = Instant::now() + LONG.unwrap();
            while pull.shared.lock().keys().is_empty() {
                assert!(Instant::now() < limit, "no peer in {LONG:?}");
                manual.turn(Duration::from_millis(1));
            }
            pull.shared.watch();
            Pair {
                push,
                pull,
                contexts: (manual, context),
            }
        }

        /// Sends so many messages, which are read. Says how many had arrived before.
        fn send(&self, count: u64) -> u64 {
            let arrived = || self.pull.shared.lock().counters.arrived;
            let before = arrived();
            send(&self.push, count);
            let limit = Instant::now() + LONG.unwrap();
            while arrived() < before + count {
                assert!(Instant::now() < limit, "not there in {LONG:?}");
                let _ = self.push.events();
                self.pull.shared.peek();
            }
            before
        }

        /// Says whether the driver, which has read all that came since so many messages had arrived, leaves what comes next to callers at this time.
        fn leaves_after(&self, before: u64, millis: u64) -> bool {
            self.pull.shared.watch();
            let now = Nanos(0).plus_millis(1000 + millis);
            let left = self.pull.shared.leave(before, now);
            assert_eq!(left, !self.pull.shared.callers.is_watched());
            left
        }

        /// The same, for so many messages that are sent now.
        fn leaves(&self, count: u64, millis: u64) -> bool {
            self.leaves_after(self.send(count), millis)
        }

        fn take(&self, count: u64) {
            for _ in 0..count {
                self.pull.try_recv().unwrap();
            }
        }
    }

    #[test]
    fn a_flood_is_left_to_callers_who_soon_have_used_up_what_was_read() {
        let pair = Pair::open(SocketOptions::default());
        assert!(!pair.leaves(100, 0), "nobody takes any");
        pair.take(100);
        assert!(!pair.leaves(FLOOD, 10), "few come");
        pair.take(FLOOD);
        // A hundred and sixty-four in 10 ms: six hundred and fifty-six in 40.
        assert!(!pair.leaves(657, 10), "too many to be used up soon");
        pair.take(656);
        assert!(pair.leaves(100, 20));
        assert!(!pair.leaves(100, 30), "nobody has taken any since");
        pair.take(200);
        assert!(!pair.leaves(100, 34), "too short a time for a pace");
        pair.take(1);
        assert!(pair.leaves(100, 35));
    }

    #[test]
    fn callers_who_do_not_come_have_the_rest_read_after_a_few_times() {
        let pair = Pair::open(SocketOptions::default());
        assert!(!pair.leaves(100, 0));
        for round in 0..2 {
            for time in 1..=LAPSES {
                pair.take(100);
                let millis = 10 * u64::from(round * (LAPSES + 2) + time);
                assert!(pair.leaves(100, millis), "{round} {time}");
            }
            pair.take(100);
            let millis = 10 * u64::from((round + 1) * (LAPSES + 2) - 1);
            assert!(!pair.leaves(100, millis));
            pair.pull.shared.callers.called();
        }
    }

    #[test]
    fn the_driver_reads_on_for_others_than_a_peer_that_keeps_callers_busy() {
        let pair = Pair::open(SocketOptions {
            recv_hwm: Some(500),
            ..SocketOptions::default()
        });
        assert!(!pair.leaves(100, 0));
        pair.take(100);
        // At the mark: callers have the link go on when they have taken half of it.
        assert!(!pair.leaves(500, 1));
        pair.take(100);
        assert!(!pair.leaves_after(0, 10));
        pair.take(300);
        assert!(pair.leaves(100, 20));
        let within = pair.pull.bind("inproc://within").unwrap();
        let other =
            Socket::open(&pair.contexts.0, SocketType::Push, SocketOptions::default()).unwrap();
        other.connect(&within).unwrap();
        pair.take(200);
        assert!(!pair.leaves(100, 30));
    }

    #[test]
    fn the_driver_reads_on_for_tasks_that_rest() {
        let pair = Pair::open(SocketOptions::default());
        assert!(!pair.leaves(300, 0));
        pair.take(300);
        let task = pair.pull.watcher();
        assert!(!pair.leaves(300, 10));
        drop(task);
        pair.take(300);
        assert!(pair.leaves(300, 20));
    }

    #[test]
    fn the_driver_reads_on_for_those_who_want_the_latest() {
        let pair = Pair::open(SocketOptions {
            conflate: true,
            ..SocketOptions::default()
        });
        assert!(!pair.leaves(300, 0));
        pair.take(1);
        assert!(!pair.leaves(300, 10));
    }

    #[test]
    fn the_driver_reads_on_for_streams_that_wait_for_it() {
        let pair = Pair::open(SocketOptions::default());
        assert!(!pair.leaves(300, 0));
        pair.take(300);
        let before = pair.send(100);
        let stalls = |stalled| {
            let mut core = pair.pull.shared.lock();
            for key in core.keys() {
                core.pipe(key).unwrap().stalled = stalled;
            }
        };
        stalls(true);
        assert!(!pair.leaves_after(before, 10));
        stalls(false);
        pair.take(100);
        assert!(pair.leaves(100, 20));
    }

    #[test]
    fn what_was_left_to_callers_who_do_not_come_is_read_all_the_same() {
        let context = Context::new().unwrap();
        let open = |kind| Socket::open(&context, kind, SocketOptions::default()).unwrap();
        let (push, pull) = (open(SocketType::Push), open(SocketType::Pull));
        push.connect(&pull.bind("tcp://127.0.0.1:0").unwrap())
            .unwrap();
        let limit = Instant::now() + LONG.unwrap();
        let (mut sent, mut left) = (0, 0);
        // What comes behind what was left is read, too.
        while left < 3 {
            send(&push, 300);
            sent += 300;
            let mut leaves = false;
            while pull.counters().arrived < sent {
                assert!(Instant::now() < limit, "not there in {LONG:?}");
                let _ = push.events();
                leaves |= !pull.shared.callers.is_watched();
            }
            left += u32::from(leaves);
            pull.shared.callers.called();
            while pull.counters().delivered < sent {
                assert!(pull.take_ready(&mut Message::empty()));
            }
        }
    }
}
