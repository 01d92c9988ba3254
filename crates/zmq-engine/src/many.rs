//! Several messages under one lock.

use zmtp_wire::{Message, SocketType};

use crate::core::{Core, Life};
use crate::socket::Socket;

/// Most messages that move under one lock: others wait for it meanwhile, about a microsecond.
const AT_ONCE: usize = 64;

impl Socket {
    /// Sends messages from the front of `slots` as long as that is all there is to do, as [`offer_ready`](Socket::offer_ready) does. Says how many; what
    /// is left where they stood is of no meaning. Never waits.
    pub fn offer_many_ready(&self, slots: &mut [Message]) -> usize {
        if self.shared.has_notices() {
            return 0;
        }
        let most = slots.len().min(AT_ONCE);
        let Some(slots) = slots.get_mut(..most) else {
            return 0;
        };
        self.shared.lock_amid().send_many(slots)
    }

    /// Puts up to `most` messages behind `into` as long as that is all there is to do, as [`take_ready`](Socket::take_ready) does. Says how many. Never waits.
    pub fn take_many_ready(&self, into: &mut Vec<Message>, most: usize) -> usize {
        let most = most.min(AT_ONCE);
        // Memory is asked for before the lock is taken.
        into.reserve(most);
        if self.shared.has_notices() {
            return 0;
        }
        self.shared.lock_amid().receive_many(into, most)
    }
}

impl Core {
    /// Messages from the front of `slots` go the short way ([`send_plain`](Core::send_plain)). Says how many did.
    fn send_many(&mut self, slots: &mut [Message]) -> usize {
        if self.life != Life::Open {
            return 0;
        }
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
            sent += pushed;
        }
        self.counters.accepted = self.counters.accepted.wrapping_add(sent as u64);
        sent
    }

    /// Moves up to `most` messages behind `into` by the short way ([`receive_plain`](Core::receive_plain)). Says how many.
    fn receive_many(&mut self, into: &mut Vec<Message>, most: usize) -> usize {
        if self.life != Life::Open || !self.thirsty.is_empty() {
            return 0;
        }
        let mut taken = 0;
        while taken < most
            && let Some(key) = self.pattern.next_plain()
        {
            if self.socket_type == SocketType::Sub && !self.wants_first(key) {
                break;
            }
            let run = if self.pattern.has_one_plain() {
                most - taken
            } else {
                1
            };
            let Some(pipe) = self.pipe(key) else { break };
            let (popped, more) = pipe.pop_many(into, run);
            if popped == 0 {
                break;
            }
            self.pattern.taken_plain(key, more);
            taken += popped;
        }
        self.counters.delivered = self.counters.delivered.wrapping_add(taken as u64);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, SocketOption, SocketOptions};
    use std::time::Duration;

    const LONG: Option<Duration> = Some(Duration::from_secs(20));

    fn open(context: &Context, socket_type: SocketType) -> Socket {
        Socket::open(context, socket_type, SocketOptions::default()).unwrap()
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
        while read() < 2 * count {
            pull.shared.turn();
        }
        (pull, pushes)
    }

    #[test]
    fn messages_of_several_peers_are_taken_in_turn() {
        let context = Context::new().unwrap();
        let (pull, _pushes) = filled(&context, 20);
        let mut list = Vec::new();
        while list.len() < 40 {
            if pull.take_many_ready(&mut list, 7) == 0 {
                list.push(pull.try_recv().unwrap());
            }
        }
        for pair in list.chunks(2) {
            assert_ne!(pair[0], pair[1], "one after the other");
        }
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
        while list.len() < 500 {
            if pull.take_many_ready(&mut list, 64) == 0 {
                list.push(pull.recv(LONG).unwrap());
            }
        }
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
        loop {
            let refused = push.offer_many_ready(std::slice::from_mut(&mut received));
            assert_eq!(refused, 0, "it tells where it came from");
            if push.offer_many_ready(&mut ["x".into()]) == 1 {
                break;
            }
            if push.try_send("x".into()).is_err() {
                while pull.try_recv().is_ok() {}
            }
        }
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
}
