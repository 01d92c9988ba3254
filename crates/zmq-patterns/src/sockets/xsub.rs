//! XSUB and SUB (RFC 29): subscriptions to every peer, messages from each in turn.
//!
//! A SUB is an XSUB that never sends and delivers only what it subscribes to.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::Bytes;
use zmtp_wire::{Frame, Message};

use crate::fanout::Fanout;
use crate::hub::Hub;
use crate::prefixes::Prefixes;
use crate::socket::{Choice, Socket};
use crate::take::Take;
use crate::{
    DropReason, Output, PatternOption, PeerInfo, PeerKey, PeerRefused, RecvRefused, Refused, Route,
    SendRefused, Taken,
};

/// XSUB, SUB.
pub(crate) struct XSub {
    /// A SUB.
    filters: bool,
    /// It delivers whatever comes: an XSUB, and a SUB that subscribes to everything.
    unfiltered: bool,
    prefixes: Prefixes,
    fanout: Fanout,
    pub(crate) take: Take,
    /// Peers that are being told everything we subscribe to, each with the last prefix it was told.
    telling: VecDeque<(PeerKey, Option<Bytes>)>,
    invert: bool,
    only_first: bool,
    every_cancel: bool,
}

impl XSub {
    pub(crate) fn new(filters: bool) -> XSub {
        XSub {
            filters,
            unfiltered: !filters,
            prefixes: Prefixes::new(),
            fanout: Fanout::new(),
            take: Take::new(),
            telling: VecDeque::new(),
            invert: false,
            only_first: false,
            every_cancel: false,
        }
    }

    /// Whether it delivers a message that begins like this: a SUB only what it subscribes to.
    #[inline]
    pub(crate) fn passes(&self, first: &[u8]) -> bool {
        self.unfiltered || self.prefixes.matches(first) != self.invert
    }

    /// Whether it looks at no message before it delivers it.
    #[inline]
    pub(crate) fn delivers_all(&self) -> bool {
        self.unfiltered
    }

    /// What it delivers may have changed.
    fn note_filter(&mut self) {
        self.unfiltered = !self.filters || self.prefixes.matches(b"") && !self.invert;
    }

    /// Whether some peer has not been told everything.
    #[inline]
    pub(crate) fn is_telling(&self) -> bool {
        !self.telling.is_empty()
    }

    fn stop_telling(&mut self, gone: PeerKey) {
        self.telling.retain(|(peer, _)| *peer != gone);
    }

    /// Tells the linked peers; the others are told everything when their links come up.
    fn tell(&self, hub: &mut Hub, output: impl Fn(PeerKey) -> Output) {
        let peers: Vec<PeerKey> = self.fanout.with(hub, |peer| peer.linked).collect();
        hub.outputs.extend(peers.into_iter().map(output));
    }

    /// Counts the prefix and tells it, known or not.
    fn add(&mut self, hub: &mut Hub, topic: &[u8]) -> bool {
        let added = self.prefixes.insert(topic);
        self.note_filter();
        if added {
            let topic = Bytes::copy_from_slice(topic);
            self.tell(hub, |peer| Output::Subscribe {
                peer,
                topic: topic.clone(),
            });
        }
        added
    }

    /// Tells only when the count reaches zero, for peers keep a set; answers whether.
    fn cancel(&mut self, hub: &mut Hub, topic: &[u8]) -> bool {
        let told = self.prefixes.remove(topic) || self.every_cancel;
        self.note_filter();
        if told {
            let topic = Bytes::copy_from_slice(topic);
            self.tell(hub, |peer| Output::Cancel {
                peer,
                topic: topic.clone(),
            });
        }
        told
    }

    /// Acts on a frame the application sends if it is a subscription: `None` if it is not, else whether it had an
    /// effect.
    fn obey(&mut self, hub: &mut Hub, frame: &[u8]) -> Option<bool> {
        match frame {
            [1, topic @ ..] => Some(self.add(hub, topic)),
            [0, topic @ ..] => Some(self.cancel(hub, topic)),
            _ => None,
        }
    }

    fn send_all(&mut self, hub: &mut Hub) -> Route {
        let dropped = self.fanout.all(&mut hub.targets);
        if dropped == 0 && hub.targets.is_empty() {
            Route::Nowhere(DropReason::NoPeer)
        } else {
            Route::Many { dropped }
        }
    }
}

impl Socket for XSub {
    fn set(&mut self, _hub: &mut Hub, option: &PatternOption) -> Result<(), Refused> {
        match option {
            PatternOption::InvertMatching(on) => {
                self.invert = *on;
                self.note_filter();
            }
            PatternOption::VerboseUnsubscribe(on) => self.every_cancel = *on,
            PatternOption::OnlyFirstSubscribe(on) if !self.filters => self.only_first = *on,
            _ => return Err(Refused::WrongType),
        }
        Ok(())
    }

    fn link_up(&mut self, _: &mut Hub, peer: PeerKey, _: &PeerInfo) -> Result<(), PeerRefused> {
        if !self.prefixes.is_empty() {
            self.telling.push_back((peer, None));
        }
        Ok(())
    }

    fn link_down(&mut self, _hub: &mut Hub, peer: PeerKey) {
        self.stop_telling(peer);
    }

    fn detach(&mut self, _hub: &mut Hub, peer: PeerKey) {
        self.fanout.remove(peer);
        self.take.remove(peer);
    }

    fn refresh(&mut self, hub: &Hub, peer: PeerKey) {
        self.fanout.refresh(hub, peer);
    }

    fn set_readable(&mut self, _hub: &Hub, peer: PeerKey) {
        self.take.insert(peer);
    }

    fn set_drained(&mut self, peer: PeerKey) {
        self.take.remove(peer);
    }

    fn reserve(&mut self, _hub: &mut Hub, _first: &Frame) -> Result<Choice, SendRefused> {
        if self.filters {
            Err(SendRefused::WrongDirection)
        } else {
            Ok(Choice::Later)
        }
    }

    fn commit(&mut self, h: &mut Hub, _: Choice, m: &mut Message) -> Result<Route, SendRefused> {
        if self.filters {
            return Err(SendRefused::WrongDirection);
        }
        let (every, any) = {
            let is = |frame: &Frame| matches!(frame.first(), Some(0 | 1));
            let frames = m.frames();
            let first = frames.first().is_some_and(is);
            (!self.only_first || first, frames.iter().any(is))
        };
        if !every || !any {
            return Ok(self.send_all(h));
        }
        let properties = m.properties().cloned();
        let message = core::mem::replace(m, Message::single(Frame::empty()));
        let mut rest = Vec::new();
        let mut effect = false;
        for frame in message {
            match self.obey(h, &frame) {
                Some(had) => effect |= had,
                None => rest.push(frame),
            }
        }
        if rest.is_empty() {
            h.targets.clear();
            return Ok(if effect {
                Route::Many { dropped: 0 }
            } else {
                Route::Nowhere(DropReason::FilteredOut)
            });
        }
        *m = Message::from(rest);
        m.set_properties(properties);
        Ok(self.send_all(h))
    }

    fn can_send(&self, _hub: &Hub) -> bool {
        !self.filters
    }

    #[inline]
    fn next(&self) -> Result<Option<PeerKey>, RecvRefused> {
        Ok(self.take.next())
    }

    #[inline]
    fn take(&mut self, _: &mut Hub, peer: PeerKey, message: Message, more: bool) -> Taken {
        self.take.taken(peer, more);
        if self.passes(message.first()) {
            Taken::Deliver(message)
        } else {
            Taken::Discard(DropReason::FilteredOut)
        }
    }

    fn subscribe(&mut self, hub: &mut Hub, topic: &[u8]) -> Result<(), Refused> {
        if self.add(hub, topic) {
            Ok(())
        } else {
            Err(Refused::IndexFull)
        }
    }

    fn unsubscribe(&mut self, hub: &mut Hub, topic: &[u8]) -> Result<(), Refused> {
        self.cancel(hub, topic);
        Ok(())
    }

    fn topics_count(&self) -> usize {
        self.prefixes.len()
    }

    fn poll_output(&mut self, _hub: &mut Hub) -> Option<Output> {
        while let Some((peer, told)) = self.telling.front_mut() {
            if let Some(topic) = self.prefixes.after(told.as_deref()) {
                let peer = *peer;
                *told = Some(topic.clone());
                return Some(Output::Subscribe { peer, topic });
            }
            self.telling.pop_front();
        }
        None
    }
}
