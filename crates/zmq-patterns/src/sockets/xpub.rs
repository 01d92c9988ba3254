//! XPUB and PUB (RFC 29): each message to the peers that subscribe to a prefix of its first frame.
//!
//! A PUB is an XPUB that tells the application nothing of subscriptions and never receives.

use alloc::vec::Vec;

use bytes::Bytes;
use zmtp_wire::{Frame, Message};

use crate::fanout::Fanout;
use crate::hub::{Hub, Notification};
use crate::socket::{Choice, Socket};
use crate::take::Take;
use crate::topics::{Added, Removed, Topics};
use crate::{
    CloseReason, DropReason, Output, PatternOption, PeerFault, PeerInfo, PeerKey, PeerRefused,
    RecvRefused, Refused, Route, SendRefused, Taken,
};

const CANCEL: u8 = 0;
const SUBSCRIBE: u8 = 1;

/// XPUB, PUB.
pub(crate) struct XPub {
    /// An XPUB: the application receives.
    reports: bool,
    /// Who gets what.
    topics: Topics,
    /// When manual, what peers asked for; the application decides what becomes of it.
    requested: Topics,
    fanout: Fanout,
    take: Take,
    every_subscribe: bool,
    every_cancel: bool,
    manual: bool,
    last_value: bool,
    /// When manual, the peer of the notification received last.
    last: Option<PeerKey>,
    no_drop: bool,
    invert: bool,
    only_first: bool,
    welcome: Option<Bytes>,
}

impl XPub {
    pub(crate) fn new(reports: bool) -> XPub {
        XPub {
            reports,
            topics: Topics::new(),
            requested: Topics::new(),
            fanout: Fanout::new(),
            take: Take::new(),
            every_subscribe: false,
            every_cancel: false,
            manual: false,
            last_value: false,
            last: None,
            no_drop: false,
            invert: false,
            only_first: false,
            welcome: None,
        }
    }

    /// Fills `targets`; answers how many peers had no room.
    #[inline]
    fn choose(&mut self, hub: &mut Hub, first: &[u8]) -> u32 {
        let only = self.last.filter(|_| self.manual && self.last_value);
        let mut chooser = self.fanout.choose(&mut hub.targets);
        self.topics.for_each_match(first, |peer| {
            if only.is_none_or(|only| only == peer) {
                chooser.add(peer);
            }
        });
        let dropped = chooser.dropped;
        if self.invert {
            return self.fanout.others(&mut hub.targets);
        }
        dropped
    }

    #[inline]
    fn publish(&mut self, hub: &mut Hub, dropped: u32) -> Route {
        if self.manual && self.last_value {
            self.last = None;
        }
        if dropped == 0 && hub.targets.is_empty() {
            return Route::Nowhere(DropReason::NoSubscriber);
        }
        Route::Many { dropped }
    }

    fn report(&self, hub: &mut Hub, peer: PeerKey, kind: u8, topic: &[u8]) {
        if self.reports {
            let mut frame = Vec::with_capacity(topic.len().saturating_add(1));
            frame.push(kind);
            frame.extend_from_slice(topic);
            hub.notify(peer, Message::single(Frame::from(frame)));
        }
    }

    fn check_room(&self, hub: &Hub, topic: &[u8]) -> Result<(), PeerFault> {
        if topic.len() > hub.limits.topic {
            return Err(PeerFault::TopicTooLong);
        }
        if self.reports && hub.notifications_full() {
            return Err(PeerFault::TooManyNotifications);
        }
        Ok(())
    }

    fn add(&mut self, hub: &mut Hub, peer: PeerKey, topic: &[u8]) -> Result<(), PeerFault> {
        self.check_room(hub, topic)?;
        let index = if self.manual {
            &mut self.requested
        } else {
            &mut self.topics
        };
        let (topics, octets) = index.held(peer);
        let limits = &hub.limits;
        let fault = if topics >= limits.topics_per_peer {
            Some(PeerFault::TooManyTopics)
        } else if octets.saturating_add(topic.len()) > limits.topic_octets_per_peer {
            Some(PeerFault::TooManyTopicOctets)
        } else {
            None
        };
        if let Some(fault) = fault.filter(|_| !index.contains(peer, topic)) {
            return Err(fault);
        }
        let added = index.insert(peer, topic).ok_or(PeerFault::IndexFull)?;
        if self.manual || self.every_subscribe || added == Added::First {
            self.report(hub, peer, SUBSCRIBE, topic);
        }
        Ok(())
    }

    fn cancel(&mut self, hub: &mut Hub, peer: PeerKey, topic: &[u8]) -> Result<(), PeerFault> {
        self.check_room(hub, topic)?;
        let told = if self.manual {
            self.requested.remove(peer, topic);
            true
        } else {
            match self.topics.remove(peer, topic) {
                Removed::Last | Removed::Unknown => true,
                Removed::Left => self.every_cancel,
                // Through a proxy, telling would let one peer cancel what others hold.
                Removed::NotHeld => false,
            }
        };
        if told {
            self.report(hub, peer, CANCEL, topic);
        }
        Ok(())
    }
}

/// The kind and the prefix, if the frame is a subscription or a cancellation.
fn subscription(frame: &[u8]) -> Option<(u8, &[u8])> {
    match frame {
        [kind @ (CANCEL | SUBSCRIBE), topic @ ..] => Some((*kind, topic)),
        _ => None,
    }
}

impl Socket for XPub {
    fn set(&mut self, _hub: &mut Hub, option: &PatternOption) -> Result<(), Refused> {
        match option {
            PatternOption::XPubNoDrop(on) => self.no_drop = *on,
            PatternOption::WelcomeMessage(message) => self.welcome = message.clone(),
            PatternOption::InvertMatching(on) => self.invert = *on,
            PatternOption::OnlyFirstSubscribe(on) => self.only_first = *on,
            _ if !self.reports => return Err(Refused::WrongType),
            PatternOption::XPubVerbose(on) => {
                self.every_subscribe = *on;
                self.every_cancel = false;
            }
            PatternOption::XPubVerboser(on) => {
                self.every_subscribe = *on;
                self.every_cancel = *on;
            }
            PatternOption::XPubManual(on) => self.manual = *on,
            PatternOption::XPubManualLastValue(on) => {
                self.manual = *on;
                self.last_value = *on;
            }
            _ => return Err(Refused::WrongType),
        }
        Ok(())
    }

    fn link_up(&mut self, h: &mut Hub, p: PeerKey, info: &PeerInfo) -> Result<(), PeerRefused> {
        if !info.filters_upstream {
            // It cannot ask, and filters by itself.
            self.add(h, p, &[])
                .map_err(|_| PeerRefused::TooManyNotifications)?;
        }
        if let Some(welcome) = &self.welcome {
            h.send_first(p, welcome);
        }
        Ok(())
    }

    fn detach(&mut self, hub: &mut Hub, peer: PeerKey) {
        self.fanout.remove(peer);
        self.take.remove(peer);
        if self.last == Some(peer) {
            self.last = None;
        }
        let mut gone = Vec::new();
        if !self.reports {
            self.topics.forget_peer(peer);
        } else if self.manual {
            self.topics.forget_peer(peer);
            self.requested
                .remove_peer(peer, |topic, _| gone.push(topic));
        } else {
            let every = self.every_cancel;
            self.topics.remove_peer(peer, |topic, last| {
                if last || every {
                    gone.push(topic);
                }
            });
            self.requested.forget_peer(peer);
        }
        gone.sort_unstable();
        for topic in gone {
            self.report(hub, peer, CANCEL, &topic);
        }
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

    fn reserve(&mut self, hub: &mut Hub, first: &Frame) -> Result<Choice, SendRefused> {
        if self.no_drop && self.choose(hub, first) > 0 {
            return Err(SendRefused::WouldBlock);
        }
        Ok(Choice::Later)
    }

    fn commit(&mut self, h: &mut Hub, _: Choice, m: &mut Message) -> Result<Route, SendRefused> {
        let dropped = self.choose(h, m.first());
        Ok(self.publish(h, dropped))
    }

    #[inline]
    fn send(&mut self, hub: &mut Hub, message: &mut Message) -> Result<Route, SendRefused> {
        let dropped = self.choose(hub, message.first());
        if self.no_drop && dropped > 0 {
            return Err(SendRefused::WouldBlock);
        }
        Ok(self.publish(hub, dropped))
    }

    fn can_send(&self, _hub: &Hub) -> bool {
        true
    }

    fn receives(&self) -> bool {
        self.reports
    }

    fn next(&self) -> Result<Option<PeerKey>, RecvRefused> {
        if self.reports {
            Ok(self.take.next())
        } else {
            Err(RecvRefused::WrongDirection)
        }
    }

    /// Subscriptions among the frames are taken out, the others are a message of the application's.
    fn take(&mut self, hub: &mut Hub, peer: PeerKey, message: Message, more: bool) -> Taken {
        self.take.taken(peer, more);
        let every = !self.only_first || subscription(message.first()).is_some();
        let properties = message.properties().cloned();
        let mut rest = Vec::new();
        for (place, frame) in message.into_frames().into_iter().enumerate() {
            let result = match subscription(&frame).filter(|_| place == 0 || every) {
                Some((SUBSCRIBE, topic)) => self.add(hub, peer, topic),
                Some((_, topic)) => self.cancel(hub, peer, topic),
                None => {
                    rest.push(frame);
                    Ok(())
                }
            };
            if let Err(fault) = result {
                let why = CloseReason::Fault(fault);
                hub.outputs.push_back(Output::Close { peer, why });
                return Taken::Consumed;
            }
        }
        if rest.is_empty() {
            return Taken::Consumed;
        }
        if !self.reports {
            return Taken::Discard(DropReason::Unexpected);
        }
        let mut message = Message::from(rest);
        message.set_properties(properties);
        Taken::Deliver(message)
    }

    fn own_taken(&mut self, hub: &Hub, notification: &Notification) {
        let about = notification.about;
        self.last = hub
            .is_still(about, notification.serial)
            .then_some(about)
            .filter(|_| self.manual);
    }

    fn handle_subscribe(&mut self, h: &mut Hub, p: PeerKey, t: &Bytes) -> Result<(), PeerFault> {
        self.add(h, p, t)
    }

    fn handle_cancel(&mut self, h: &mut Hub, p: PeerKey, t: &Bytes) -> Result<(), PeerFault> {
        self.cancel(h, p, t)
    }

    fn subscribe(&mut self, _hub: &mut Hub, topic: &[u8]) -> Result<(), Refused> {
        if !self.reports {
            return Err(Refused::WrongType);
        }
        if !self.manual {
            return Err(Refused::NotManual);
        }
        if let Some(peer) = self.last {
            self.topics.insert(peer, topic).ok_or(Refused::IndexFull)?;
        }
        Ok(())
    }

    fn unsubscribe(&mut self, _hub: &mut Hub, topic: &[u8]) -> Result<(), Refused> {
        if !self.reports {
            return Err(Refused::WrongType);
        }
        if !self.manual {
            return Err(Refused::NotManual);
        }
        if let Some(peer) = self.last {
            self.topics.remove(peer, topic);
        }
        Ok(())
    }

    fn subscriber_count(&self) -> usize {
        self.topics.peers()
    }

    fn topics_count(&self) -> usize {
        self.topics.len()
    }
}
