//! REQ (RFC 28): a DEALER that asks and awaits the reply, in strict turns.
//!
//! ```text
//!  Ready --send--> Awaiting(peer) --its reply--> Ready
//!                   | relaxed: send again          peer gone: a reply of any peer
//! ```

use zmtp_wire::{Frame, Message};

use crate::hub::Hub;
use crate::socket::{Choice, Socket};
use crate::sockets::Dealer;
use crate::{
    DropReason, Output, PatternOption, PeerInfo, PeerKey, PeerRefused, RecvRefused, Refused, Route,
    SendRefused, Taken,
};

enum State {
    Ready,
    /// `None`: the peer that was asked is gone. A peer with a routing id may yet reply over a new link.
    Awaiting(Option<PeerKey>),
}

/// REQ.
pub(crate) struct Req {
    dealer: Dealer,
    state: State,
    relaxed: bool,
    correlate: bool,
    /// The number of the last request, sent in little-endian order; to the peer it is opaque.
    number: u32,
}

impl Req {
    pub(crate) fn new(seed: u64) -> Req {
        let [a, b, c, d, ..] = seed.to_le_bytes();
        Req {
            dealer: Dealer::new(),
            state: State::Ready,
            relaxed: false,
            correlate: false,
            number: u32::from_le_bytes([a, b, c, d]),
        }
    }

    fn may_send(&self) -> bool {
        self.relaxed || matches!(self.state, State::Ready)
    }

    /// Takes the envelope off a reply.
    fn open(&self, message: &mut Message) -> Result<(), DropReason> {
        if self.correlate {
            match message.frames() {
                [number, empty, _, ..] if number.len() == 4 && empty.is_empty() => {
                    if *number != self.number.to_le_bytes() {
                        return Err(DropReason::StaleReply);
                    }
                    message.pop_front();
                }
                _ => return Err(DropReason::Malformed),
            }
        }
        match message.frames() {
            [empty, _, ..] if empty.is_empty() => message.pop_front(),
            _ => return Err(DropReason::Malformed),
        };
        Ok(())
    }
}

impl Socket for Req {
    fn set(&mut self, hub: &mut Hub, option: &PatternOption) -> Result<(), Refused> {
        match option {
            PatternOption::ReqRelaxed(on) => self.relaxed = *on,
            PatternOption::ReqCorrelate(on) => self.correlate = *on,
            PatternOption::ProbeRouter(_) => return self.dealer.set(hub, option),
            _ => return Err(Refused::WrongType),
        }
        Ok(())
    }

    fn link_up(&mut self, h: &mut Hub, p: PeerKey, info: &PeerInfo) -> Result<(), PeerRefused> {
        self.dealer.link_up(h, p, info)
    }

    fn detach(&mut self, hub: &mut Hub, peer: PeerKey) {
        self.dealer.detach(hub, peer);
        if let State::Awaiting(asked) = &mut self.state
            && *asked == Some(peer)
        {
            *asked = None;
        }
    }

    fn refresh(&mut self, hub: &Hub, peer: PeerKey) {
        self.dealer.refresh(hub, peer);
    }

    fn set_readable(&mut self, hub: &Hub, peer: PeerKey) {
        self.dealer.set_readable(hub, peer);
    }

    fn set_drained(&mut self, peer: PeerKey) {
        self.dealer.set_drained(peer);
    }

    fn reserve(&mut self, hub: &mut Hub, _first: &Frame) -> Result<Choice, SendRefused> {
        if self.may_send() {
            self.dealer.balance.reserve(hub)
        } else {
            Err(SendRefused::WrongState)
        }
    }

    fn commit(&mut self, h: &mut Hub, c: Choice, m: &mut Message) -> Result<Route, SendRefused> {
        if !self.may_send() {
            return Err(SendRefused::WrongState);
        }
        let peer = match c.redeem(h) {
            Ok(peer) => peer,
            Err(reason) => return Ok(Route::Nowhere(reason)),
        };
        self.dealer.balance.used(peer);
        m.push_front(Frame::empty());
        if self.correlate {
            self.number = self.number.wrapping_add(1);
            m.push_front(Frame::copy_from(&self.number.to_le_bytes()));
        }
        // What is queued now was sent before the request and cannot be its reply.
        while let Some(stale) = self.dealer.take.next() {
            self.dealer.take.remove(stale);
            h.outputs.push_back(Output::DiscardQueued { peer: stale });
        }
        self.state = State::Awaiting(Some(peer));
        Ok(Route::One(peer))
    }

    fn can_send(&self, hub: &Hub) -> bool {
        self.may_send() && self.dealer.can_send(hub)
    }

    fn next(&self) -> Result<Option<PeerKey>, RecvRefused> {
        match self.state {
            State::Ready => Err(RecvRefused::WrongState),
            State::Awaiting(_) => self.dealer.next(),
        }
    }

    fn discards_queued(&mut self, peer: PeerKey) -> bool {
        let stale = matches!(self.state, State::Ready);
        if stale {
            self.dealer.take.remove(peer);
        }
        stale
    }

    fn take(&mut self, _: &mut Hub, peer: PeerKey, mut message: Message, more: bool) -> Taken {
        self.dealer.take.taken(peer, more);
        match self.state {
            State::Awaiting(None) => {}
            State::Awaiting(Some(asked)) if asked == peer => {}
            _ => return Taken::Discard(DropReason::StaleReply),
        }
        match self.open(&mut message) {
            Ok(()) => {
                self.state = State::Ready;
                Taken::Deliver(message)
            }
            Err(reason) => Taken::Discard(reason),
        }
    }
}
