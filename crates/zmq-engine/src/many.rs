//! Several messages under one lock.

use std::time::Duration;

use zmtp_wire::Message;

use crate::core::{Core, Life};
use crate::effects::Effects;
use crate::error::{RecvError, SendFailure};
use crate::receiving::Taker;
use crate::socket::Socket;

/// Most messages that move under one lock. Others wait for it meanwhile: a microsecond or two, or some tens where several peers are sent bodies of some KiB.
const AT_ONCE: usize = 64;

/// Where messages go, and how many at most.
struct List<'a> {
    into: &'a mut Vec<Message>,
    most: usize,
}

impl<'a> List<'a> {
    /// Has room for what one call takes, as there is to be no waiting for memory under the lock.
    fn new(into: &'a mut Vec<Message>, most: usize) -> List<'a> {
        let most = most.min(AT_ONCE);
        into.reserve(most);
        List { into, most }
    }
}

impl Taker for List<'_> {
    fn take(&mut self, core: &mut Core, effects: &mut Effects) -> Result<(), RecvError> {
        let most = self.most;
        let mut taken = 0_usize;
        // What others are to be told of is told before more is taken: one call of the application's code that panics is to keep it from no others.
        while taken < most && (taken == 0 || effects.is_empty()) {
            let plain = core.receive_many(self.into, most.saturating_sub(taken));
            taken = taken.saturating_add(plain);
            if taken < most {
                // What is behind may need more than the short way does, which then goes on.
                let mut message = Message::empty();
                match core.receive(&mut message, effects) {
                    Ok(()) => self.into.push(message),
                    Err(RecvError::WouldBlock) if taken > 0 => break,
                    Err(error) if taken == 0 => return Err(error),
                    // It will be said to who asks next.
                    Err(_) => break,
                }
                taken = taken.saturating_add(1);
            }
        }
        Ok(())
    }
}

impl Socket {
    /// Sends messages from the front of `slots` as long as that is all there is to do, as [`offer_ready`](Socket::offer_ready) does. Says how many; what
    /// is left where they stood is of no meaning. Never waits.
    pub fn offer_many_ready(&self, slots: &mut [Message]) -> usize {
        if self.shared.has_notices() {
            return 0;
        }
        self.shared.lock_amid().send_many(slots)
    }

    /// Sends messages from the front of `slots`, one at least and perhaps not all, without waiting. Adds to `accepted` how many, before anything else
    /// happens: what is left where they stood is of no meaning, whatever comes of wakers that are called then.
    ///
    /// # Errors
    /// [`SendFailure`]: the first one was not accepted, and is where it was.
    pub fn try_send_many(
        &self,
        slots: &mut [Message],
        accepted: &mut usize,
    ) -> Result<(), SendFailure> {
        match self.offer_many(slots, accepted) {
            Err(SendFailure::WouldBlock) => {}
            done => return done,
        }
        self.shared.flush();
        if self.shared.turn() {
            self.offer_many(slots, accepted)
        } else {
            Err(SendFailure::WouldBlock)
        }
    }

    /// As [`try_send_many`](Self::try_send_many), waiting up to `timeout` for room (`None` waits for ever). Blocks the thread.
    ///
    /// # Errors
    /// [`SendFailure`]: the first one was not accepted, and is where it was.
    pub fn send_many(
        &self,
        slots: &mut [Message],
        accepted: &mut usize,
        timeout: Option<Duration>,
    ) -> Result<(), SendFailure> {
        match self.offer_many(slots, accepted) {
            Err(SendFailure::WouldBlock) => {
                self.wait_and_offer(|| self.offer_many(slots, accepted), timeout)
            }
            done => done,
        }
    }

    fn offer_many(&self, slots: &mut [Message], accepted: &mut usize) -> Result<(), SendFailure> {
        let mut effects = Effects::default();
        let mut core = self.shared.enter_to_send(&mut effects);
        let mut sent = core.send_many(slots);
        let mut result = Ok(());
        while sent < AT_ONCE
            && let Some(next) = slots.get_mut(sent)
            // What is to be written now is not kept for what comes behind it.
            && (sent == 0 || effects.is_empty())
        {
            result = core.send(next, &mut effects);
            if result.is_err() {
                break;
            }
            sent = sent.saturating_add(1);
        }
        drop(core);
        *accepted = accepted.saturating_add(sent);
        self.shared.run(effects);
        if sent > 0 { Ok(()) } else { result }
    }

    /// Puts up to `most` messages behind `into` as long as that is all there is to do, as [`take_ready`](Socket::take_ready) does. Says how many. Never waits.
    pub fn take_many_ready(&self, into: &mut Vec<Message>, most: usize) -> usize {
        if most == 0 || self.shared.has_notices() {
            return 0;
        }
        let list = List::new(into, most);
        self.shared.lock_amid().receive_many(list.into, list.most)
    }

    /// Puts what was read already, or is with an inproc peer, behind `into`: one message at least, up to `most`, and perhaps not all. Never touches a stream.
    ///
    /// # Errors
    /// As [`try_recv_queued`](Socket::try_recv_queued).
    pub fn try_recv_many_queued(
        &self,
        into: &mut Vec<Message>,
        most: usize,
    ) -> Result<(), RecvError> {
        self.take_queued(&mut List::new(into, most))
    }

    /// As [`try_recv_unread`](Socket::try_recv_unread), for one message at least, up to `most`, and perhaps not all, which are put behind `into`.
    ///
    /// # Errors
    /// [`RecvError`].
    pub fn try_recv_many_unread(
        &self,
        into: &mut Vec<Message>,
        most: usize,
    ) -> Result<(), RecvError> {
        self.take_unread(&mut List::new(into, most))
    }

    /// As [`try_recv`](Socket::try_recv), for one message at least, up to `most`, and perhaps not all, which are put behind `into`.
    ///
    /// # Errors
    /// [`RecvError`].
    pub fn try_recv_many(&self, into: &mut Vec<Message>, most: usize) -> Result<(), RecvError> {
        self.take_now(&mut List::new(into, most))
    }

    /// As [`recv`](Socket::recv), for one message at least, up to `most`, and perhaps not all, which are put behind `into`. Blocks the thread.
    ///
    /// # Errors
    /// [`RecvError`].
    pub fn recv_many(
        &self,
        into: &mut Vec<Message>,
        most: usize,
        timeout: Option<Duration>,
    ) -> Result<(), RecvError> {
        self.take_or_wait(&mut List::new(into, most), timeout)
    }
}

impl Core {
    /// Messages from the front of `slots` go the short way ([`send_plain`](Core::send_plain)). Says how many did.
    fn send_many(&mut self, slots: &mut [Message]) -> usize {
        if self.life != Life::Open {
            return 0;
        }
        let slots = slots
            .get_mut(..AT_ONCE.min(slots.len()))
            .unwrap_or_default();
        let mut sent = 0;
        while let Some(key) = self.pattern.next_target() {
            let run = if self.pattern.has_one_target() {
                slots.len()
            } else {
                1
            };
            let Some(pipe) = self.pipe(key) else { break };
            let mut run = slots.iter_mut().skip(sent).take(run);
            let pushed = (0..)
                .take_while(|_| {
                    run.next()
                        .is_some_and(|slot| slot.properties().is_none() && pipe.push_plain(slot))
                })
                .count();
            if pushed == 0 {
                break;
            }
            self.pattern.sent_to_target();
            sent = sent.saturating_add(pushed);
        }
        self.counters.accepted = self.counters.accepted.wrapping_add(sent as u64);
        sent
    }

    /// Moves up to `most` messages behind `into` by the short way ([`receive_plain`](Core::receive_plain)). Says how many.
    fn receive_many(&mut self, into: &mut Vec<Message>, most: usize) -> usize {
        if self.life != Life::Open || !self.thirsty.is_empty() {
            return 0;
        }
        let mut taken = 0_usize;
        while taken < most
            && let Some(key) = self.pattern.next_plain()
        {
            let choosy = !self.pattern.passes_all();
            if choosy && !self.wants_first(key) {
                break;
            }
            let run = if !choosy && self.pattern.has_one_plain() {
                most.saturating_sub(taken)
            } else {
                1
            };
            let Some(pipe) = self.pipe(key) else { break };
            let (popped, more) = pipe.pop_many(into, run);
            if popped == 0 {
                break;
            }
            self.pattern.taken_plain(key, more);
            taken = taken.saturating_add(popped);
        }
        self.counters.delivered = self.counters.delivered.wrapping_add(taken as u64);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, SocketOption, SocketOptions, SocketType};
    use std::time::Duration;

    const LONG: Option<Duration> = Some(Duration::from_secs(20));

    fn open(context: &Context, socket_type: SocketType) -> Socket {
        Socket::open(context, socket_type, SocketOptions::default()).unwrap()
    }

    /// Tries until it is done, but not for ever.
    fn patiently(mut done: impl FnMut() -> bool) {
        let until = std::time::Instant::now() + LONG.unwrap();
        while !done() {
            assert!(std::time::Instant::now() < until, "not done in {LONG:?}");
        }
    }

    /// A PULL that has read these messages of two peers, of each in a row.
    fn filled(context: &Context, count: usize) -> (Socket, [Socket; 2]) {
        let pull = open(context, SocketType::Pull);
        let endpoint = pull.bind("tcp://127.0.0.1:0").unwrap();
        let pushes = ["a", "b"].map(|name| {
            let push = open(context, SocketType::Push);
            push.connect(&endpoint).unwrap();
            for _ in 0..count {
                push.send(name.into(), LONG).unwrap();
            }
            push
        });
        let read = || {
            let mut core = pull.shared.lock();
            let keys = core.keys();
            keys.into_iter()
                .filter_map(|key| core.pipe(key).map(|pipe| pipe.input.len()))
                .sum::<usize>()
        };
        patiently(|| {
            pull.shared.turn();
            read() == 2 * count
        });
        (pull, pushes)
    }

    #[test]
    fn messages_of_several_peers_are_taken_in_turn() {
        let context = Context::new().unwrap();
        let (pull, _pushes) = filled(&context, 20);
        let mut list = Vec::new();
        let mut taken = 0;
        while list.len() < 40 {
            match pull.take_many_ready(&mut list, 7) {
                0 => list.push(pull.try_recv().unwrap()),
                more => taken += more,
            }
        }
        let first = list[0].clone();
        for (place, met) in list.iter().enumerate() {
            assert_eq!(*met == first, place % 2 == 0, "one after the other");
        }
        assert!(taken > 20, "{taken} in lists");
    }

    #[test]
    fn no_more_are_taken_than_are_asked_for_and_none_are_kept_from_others() {
        let context = Context::new().unwrap();
        let (pull, _pushes) = filled(&context, 200);
        let mut list = Vec::new();
        assert_eq!(pull.take_many_ready(&mut list, 0), 0);
        assert_eq!(pull.take_many_ready(&mut list, 3), 3);
        assert_eq!(pull.take_many_ready(&mut list, usize::MAX), AT_ONCE);
        assert_eq!(list.len(), AT_ONCE + 3);
    }

    #[test]
    fn a_link_that_waits_for_room_goes_on() {
        let context = Context::new().unwrap();
        let (push, pull) = (
            open(&context, SocketType::Push),
            open(&context, SocketType::Pull),
        );
        pull.set(SocketOption::RecvHwm(Some(10))).unwrap();
        push.connect(&pull.bind("tcp://127.0.0.1:0").unwrap())
            .unwrap();
        for number in 0..500_u32 {
            push.send(number.to_be_bytes().to_vec().into(), LONG)
                .unwrap();
        }
        let mut list = Vec::new();
        let mut taken = 0;
        while list.len() < 500 {
            match pull.take_many_ready(&mut list, 64) {
                0 => list.push(pull.recv(LONG).unwrap()),
                more => taken += more,
            }
        }
        assert!(taken > 50, "{taken} in lists");
        for (number, met) in (0_u32..).zip(&list) {
            assert_eq!(*met, Message::from(number.to_be_bytes().to_vec()));
        }
    }

    #[test]
    fn no_more_are_sent_than_the_mark_allows_and_none_with_metadata() {
        let context = Context::new().unwrap();
        let push = open(&context, SocketType::Push);
        push.set(SocketOption::SendHwm(Some(40))).unwrap();
        let (pull, _pushes) = filled(&context, 1);
        push.connect(&pull.bound_endpoints()[0]).unwrap();
        let mut received = pull.recv(LONG).unwrap();
        received.set_properties(Some(std::sync::Arc::default()));
        // A burst is under way once messages follow each other.
        patiently(|| {
            let refused = push.offer_many_ready(std::slice::from_mut(&mut received));
            assert_eq!(refused, 0, "it tells where it came from");
            let burst = push.offer_many_ready(&mut ["x".into()]) == 1;
            if !burst && push.try_send("x".into()).is_err() {
                while pull.try_recv().is_ok() {}
            }
            burst
        });
        let mut list: Vec<Message> = (0..100_000).map(|_| "x".into()).collect();
        let mut sent = 0;
        loop {
            let accepted = push.offer_many_ready(&mut list[sent..]);
            let waiting = push.shared.lock().unsent();
            assert!(waiting <= 40, "{waiting} wait");
            if accepted == 0 {
                break;
            }
            sent += accepted;
        }
    }

    #[test]
    fn a_call_gives_what_is_there_whatever_is_between() {
        use SocketType::{Dealer, Pair, Pull, Push};
        let context = Context::new().unwrap();
        for (place, [from, to]) in [[Pair, Pair], [Dealer, Dealer], [Push, Pull]]
            .iter()
            .enumerate()
        {
            for endpoint in [
                "tcp://127.0.0.1:0".to_owned(),
                format!("inproc://many-{place}"),
            ] {
                let (from, to) = (open(&context, *from), open(&context, *to));
                from.connect(&to.bind(&endpoint).unwrap()).unwrap();
                // One who is silent is among those who are looked after.
                let silent = open(&context, Push);
                if to.socket_type() == Pull {
                    let silent_place = format!("inproc://silent-{endpoint}");
                    to.bind(&silent_place).unwrap();
                    silent.connect(&silent_place).unwrap();
                }
                let mut list: Vec<Message> = (0..=200_u8).map(|n| vec![n].into()).collect();
                let mut sent = 0;
                while sent < list.len() {
                    let mut accepted = 0;
                    from.send_many(&mut list[sent..], &mut accepted, LONG)
                        .unwrap();
                    assert!((1..=AT_ONCE).contains(&accepted));
                    sent += accepted;
                }
                list.clear();
                let streamed = endpoint.starts_with("tcp");
                patiently(|| {
                    to.shared.turn();
                    !streamed || to.counters().arrived == 201
                });
                let mut calls = 0;
                while list.len() < 201 {
                    calls += usize::from(to.recv_many(&mut list, 1000, LONG).is_ok());
                }
                assert!(calls < 20, "{calls} calls for 201 messages at {endpoint}");
                for (number, met) in (0_u8..).zip(&list) {
                    assert_eq!(*met, Message::from(vec![number]));
                }
            }
        }
    }

    /// Panics when it is called.
    struct Panics;

    impl std::task::Wake for Panics {
        fn wake(self: std::sync::Arc<Self>) {
            panic!("as it is meant to");
        }
    }

    #[test]
    fn what_was_accepted_counts_before_wakers_are_called() {
        let context = Context::new().unwrap();
        let (from, to) = (
            open(&context, SocketType::Push),
            open(&context, SocketType::Pull),
        );
        from.connect(&to.bind("inproc://panics").unwrap()).unwrap();
        let watcher = to.watcher();
        watcher.set_waker(&std::task::Waker::from(std::sync::Arc::new(Panics)));
        assert_eq!(to.try_recv(), Err(RecvError::WouldBlock));
        let mut list = ["first".into(), "second".into()];
        let mut accepted = 0;
        let sending = std::panic::AssertUnwindSafe(|| from.try_send_many(&mut list, &mut accepted));
        assert!(
            std::panic::catch_unwind(sending).is_err(),
            "nobody was called"
        );
        drop(watcher);
        let mut received = Vec::new();
        to.try_recv_many(&mut received, 9).unwrap();
        assert_eq!(received.len(), accepted);
        assert_eq!(
            list[accepted..],
            ["first".into(), "second".into()][accepted..]
        );
    }

    #[test]
    fn a_waker_that_panics_keeps_nobody_else_from_hearing() {
        let panicking = std::task::Waker::from(std::sync::Arc::new(Panics));
        for bad in [0, 1] {
            let context = Context::new().unwrap();
            let pull = open(&context, SocketType::Pull);
            pull.set(SocketOption::RecvHwm(Some(5))).unwrap();
            pull.bind("inproc://hear").unwrap();
            let pushes = [0, 1].map(|_| {
                let push = open(&context, SocketType::Push);
                push.set(SocketOption::SendHwm(Some(5))).unwrap();
                push.connect("inproc://hear").unwrap();
                push
            });
            let watchers = pushes.each_ref().map(|push| {
                let watcher = push.watcher();
                while push.try_send("x".into()).is_ok() {}
                watcher
            });
            watchers[bad].set_waker(&panicking);
            let mut list = Vec::new();
            while list.len() < 20 {
                let taking = std::panic::AssertUnwindSafe(|| pull.try_recv_many(&mut list, 64));
                if let Ok(taken) = std::panic::catch_unwind(taking) {
                    taken.unwrap();
                }
            }
            drop(watchers);
            for push in &pushes {
                push.try_send("there is room".into()).unwrap();
            }
        }
    }
}
