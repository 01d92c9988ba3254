//! What is done in a run: by the application, its peers, the streams, the driver and the clock.

use std::time::Duration;

use bytes::Bytes;
use zmtp_wire::{Frame, Message, SocketType};

use super::choices::{OURS, PEERS, bodies, compose, recognise};
use super::wires::{Answer, End};
use super::{CONNECTIONS, MARKS, Run};
use crate::error::{RecvError, SendFailure};
use crate::options::SocketOption;

/// How many octets arrive, or leave, at a time.
const PARTS: [usize; 8] = [usize::MAX, 1, 2, 7, 65, 260, 8_200, 70_000];

/// How many octets are read, or written, at once at most. A descriptor is ready again at once, so that each piece is a turn: smaller ones come by
/// [`PARTS`].
const PIECES: [usize; 8] = [usize::MAX, 65, 100, 260, 1_000, 8_200, 33_000, 70_000];

/// Steps of the clock, in microseconds: within a burst, beyond one, a tick, the driver's looks, a dialer's pause.
const STEPS: [u64; 8] = [1, 4, 6, 100, 1_000, 5_000, 40_000, 110_000];

/// Topics that are subscribed to: all, those of peers, others.
const TOPICS: [&[u8]; 4] = [b"", &[PEERS], &[PEERS, 1], b"z"];

impl Run<'_> {
    /// Does what the next octet says.
    pub(super) fn act(&mut self) {
        match self.choices.octet() % 32 {
            0 | 1 => self.send_some(1),
            2 | 3 => {
                let count = u32::from(self.choices.octet()) + 1;
                self.send_some(count * 3);
            }
            4 => drop(self.receive()),
            5 | 6 => {
                let most = usize::from(self.choices.octet());
                self.receive_many(most);
            }
            7 => {
                let _ = self.socket.events();
            }
            8 => self.receive_ready(),
            9 => {
                self.turn();
            }
            10 => self.settle(),
            11 | 12 => {
                let step = self.choices.of(&STEPS);
                self.advance(Duration::from_micros(step));
            }
            13 => self.subscribe(),
            14 => self.change_endpoints(),
            15 => self.change_marks(),
            16 => self.check(),
            17 => {
                self.socket.abandon_reply();
            }
            18 => self.begin_close(),
            19 => self.answer(),
            20 => {
                if self.wires.count() < CONNECTIONS {
                    self.wires.dial("hall");
                }
            }
            _ => self.act_of_a_peer(),
        }
        self.look();
    }

    fn act_of_a_peer(&mut self) {
        let act = self.choices.octet();
        let place = usize::from(act >> 4);
        let count = self.peers.len();
        if count == 0 {
            return;
        }
        let peer = &mut self.peers[place % count];
        let (choices, wires) = (&mut self.choices, &self.wires);
        match act & 15 {
            0 | 1 => peer.say_message(wires, choices.octet()),
            2 | 3 => {
                let (count, shape) = (u32::from(choices.octet()) + 1, choices.octet());
                for _ in 0..count * 3 {
                    peer.say_message(wires, shape & 0x37);
                }
            }
            4 | 5 => {
                wires.release(peer.wire, choices.of(&PARTS));
            }
            6 | 7 => {
                wires.take(peer.wire, choices.of(&PARTS));
            }
            8 => {
                // From now on octets come and go as they are let.
                peer.swift = false;
                let (read_piece, write_piece) = (choices.of(&PIECES), choices.of(&PIECES));
                let room = choices.of(&PARTS);
                wires.with(peer.wire, |wire| {
                    wire.read_piece = read_piece;
                    wire.write_piece = write_piece;
                    wire.room = room;
                });
                // Where there was none there may be some now.
                wires.wake(peer.wire);
            }
            9 => {
                peer.swift = true;
            }
            10 => {
                let count = usize::from(choices.octet() & 31);
                peer.say_garbage(wires, choices.octets(count));
            }
            11 => peer.end(wires, End::Finished),
            12 => peer.end(wires, choices.of(&[End::Broken, End::Deaf])),
            13 | 14 => peer.say_command(wires, choices),
            _ => peer.greet(wires),
        }
    }

    // ---- sending ----

    fn send_some(&mut self, count: u32) {
        let way = self.choices.octet();
        if way >> 6 == 3 {
            return self.send_list(count, way & 63);
        }
        // Large ones come one by one, or in a short flood.
        let large = way & 15 > 8;
        let count = if large { count.min(8) } else { count };
        for place in 0..count {
            let message = compose(OURS, 127, self.sent, way & 63);
            let octets = message.byte_len();
            if octets > self.budget || !self.send(message, way >> 6, place) {
                break;
            }
            self.budget -= octets;
        }
    }

    /// As [`send_some`](Self::send_some), as many at once as go the short way.
    fn send_list(&mut self, count: u32, shape: u8) {
        if self.own == SocketType::Router {
            return;
        }
        let count = if shape & 15 > 8 { count.min(8) } else { count };
        let mut list = Vec::new();
        for number in (self.sent..).take(count as usize) {
            let message = compose(OURS, 127, number, shape);
            let Some(left) = self.budget.checked_sub(message.byte_len()) else {
                break;
            };
            self.budget = left;
            list.push(message);
        }
        let whole = list.clone();
        let mut rest = &mut list[..];
        while !rest.is_empty() {
            let mut accepted = self.socket.offer_many_ready(rest);
            assert!(accepted <= rest.len());
            if accepted == 0 {
                let first = std::mem::replace(&mut rest[0], Message::empty());
                let place = whole.len() - rest.len();
                assert_eq!(bodies(&first), bodies(&whole[place]), "it was left alone");
                if !self.send(first, 2, 0) {
                    break;
                }
                accepted = 1;
            } else {
                assert!(!self.closing, "a closed socket accepts nothing");
                self.sent += u32::try_from(accepted).unwrap_or(u32::MAX);
                self.look();
            }
            rest = &mut rest[accepted..];
        }
    }

    /// Says whether the message was accepted.
    fn send(&mut self, mut message: Message, way: u8, place: u32) -> bool {
        if self.own == SocketType::Router {
            message.push_front(self.somebody(place));
        }
        let whole = message.clone();
        let result = match way {
            0 if self.socket.offer_ready(&mut message) => Ok(()),
            1 => self.send_by_parts(message),
            _ => self.socket.try_send(message).map_err(|error| {
                assert_eq!(bodies(&error.message), bodies(&whole), "it is given back");
                error.reason
            }),
        };
        match result {
            Ok(()) => {
                assert!(!self.closing, "a closed socket accepts nothing");
                self.look();
                self.sent += 1;
                true
            }
            Err(
                SendFailure::WouldBlock
                | SendFailure::Unroutable
                | SendFailure::WrongState(_)
                | SendFailure::WrongDirection(_)
                | SendFailure::Closed,
            ) => false,
            Err(other) => panic!("no reason to refuse a message: {other}"),
        }
    }

    fn send_by_parts(&self, message: Message) -> Result<(), SendFailure> {
        let first = message.frames()[0].clone();
        let reservation = self.socket.try_begin(&first)?;
        self.socket
            .commit(reservation, message)
            .map_err(|error| error.reason)
    }

    /// The address of a peer, or of nobody.
    fn somebody(&self, place: u32) -> Frame {
        let peers = self.socket.peers();
        let known: Vec<Bytes> = peers
            .into_iter()
            .filter_map(|peer| peer.routing_id)
            .collect();
        match place as usize % (known.len() + 1) {
            0 if known.is_empty() => Frame::from("nobody"),
            place => Frame::from(known[place % known.len()].to_vec()),
        }
    }

    // ---- receiving ----

    /// Says whether there was a message.
    pub(super) fn receive(&mut self) -> bool {
        match self.socket.try_recv() {
            Ok(message) => {
                self.note_received(&message);
                true
            }
            Err(
                RecvError::WouldBlock
                | RecvError::WrongState(_)
                | RecvError::WrongDirection(_)
                | RecvError::Closed,
            ) => false,
            Err(RecvError::Terminated) if self.context.is_terminated() => false,
            Err(other) => panic!("no reason to refuse to receive: {other}"),
        }
    }

    pub(super) fn receive_many(&mut self, most: usize) {
        for _ in 0..=most {
            if !self.receive() {
                break;
            }
        }
    }

    fn receive_ready(&mut self) {
        let mut list = Vec::new();
        let most = usize::from(self.choices.octet());
        let taken = self.socket.take_many_ready(&mut list, most);
        assert!(taken == list.len() && taken <= most);
        for message in &list {
            self.note_received(message);
        }
        let mut message = Message::empty();
        while self.socket.take_ready(&mut message) {
            let taken = std::mem::replace(&mut message, Message::empty());
            self.note_received(&taken);
        }
    }

    fn note_received(&mut self, message: &Message) {
        self.received += 1;
        if self.peers.len() > 120 {
            // Two have one name.
            return;
        }
        let frames = bodies(message);
        if let Some(met) = recognise(PEERS, &frames) {
            let peer = self.peers.get_mut(usize::from(met.owner));
            peer.expect("a message is from somebody")
                .was_received(met.number, met.whole);
            return;
        }
        let subscription = self.own == SocketType::XPub && matches!(frames[..], [[0 | 1, ..]]);
        assert!(
            subscription || self.peers.iter().any(|peer| peer.spoilt),
            "received what nobody has said: {frames:?}"
        );
    }

    // ---- changing ----

    fn subscribe(&mut self) {
        let which = self.choices.octet();
        let topic = TOPICS[usize::from(which >> 1 & 3)];
        let changed = if which & 1 == 0 {
            self.socket.subscribe(topic)
        } else {
            self.socket.unsubscribe(topic)
        };
        // Not every type subscribes.
        let _ = changed;
    }

    fn change_endpoints(&mut self) {
        let which = self.choices.octet();
        let endpoint = if which & 8 == 0 {
            "pit://there"
        } else {
            "pit://elsewhere"
        };
        // What is not there cannot be left, and what is closed changes no more.
        let _ = match which & 7 {
            0..=2 => {
                if self.wires.count() < CONNECTIONS {
                    self.socket.connect(endpoint)
                } else {
                    Ok(())
                }
            }
            3 => self.part(|socket| socket.disconnect(endpoint)),
            4 => {
                self.unheard = true;
                self.part(|socket| socket.disconnect_unread(endpoint))
            }
            5 => self.part(|socket| socket.unbind("pit://hall")),
            6 => self.part(|socket| socket.unbind_and_part("pit://hall")),
            _ => self.socket.bind("pit://hall").map(|_| ()),
        };
    }

    fn part<T>(&mut self, part: impl FnOnce(&crate::Socket) -> T) -> T {
        self.parted = true;
        part(&self.socket)
    }

    fn change_marks(&mut self) {
        let which = self.choices.octet();
        let mark = MARKS[usize::from(which >> 1 & 7)];
        let (option, highest) = if which & 1 == 0 {
            (SocketOption::SendHwm(mark), &mut self.send_mark)
        } else {
            (SocketOption::RecvHwm(mark), &mut self.recv_mark)
        };
        if self.socket.set(option).is_ok() {
            *highest = highest.zip(mark).map(|(old, new)| old.max(new));
        }
    }

    fn answer(&mut self) {
        let answer = self.choices.of(&[Answer::Yes, Answer::No, Answer::Silence]);
        self.wires.set_answer(answer);
        if answer == Answer::Silence {
            return;
        }
        for wire in 0..self.wires.count() {
            if self.wires.with(wire, |wire| wire.answer) == Answer::Silence {
                self.wires.answer(wire, answer);
            }
        }
    }
}
