//! What a socket has done, in numbers. Every message that was accepted and did not arrive is in one of them.

use zmq_patterns::DropReason;

/// Why a message was lost. The first kind is decided by the pattern, the others by what happened to links and sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Loss {
    /// The pattern dropped it.
    Pattern(DropReason),
    /// The link was cut while the message was half written.
    Cut,
    /// The peer left, and its queue of unsent messages with it.
    PeerLeft,
    /// The socket was closed before the message could leave and its linger time was over.
    Lingered,
    /// It was received and nobody took it before the socket was closed.
    Unread,
    /// A request was taken and its reply given up.
    Abandoned,
    /// A newer message took its place (conflate).
    Conflated,
}

impl core::fmt::Display for Loss {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Loss::Pattern(reason) => match reason {
                DropReason::NoPeer => "no peer to send it to",
                DropReason::PeerFull => "the peer's queue was full",
                DropReason::Unroutable => "its routing id belonged to no peer",
                DropReason::NoSubscriber => "nobody had subscribed to it",
                DropReason::FilteredOut => "it matched no subscription",
                DropReason::Malformed => "it was no message of this pattern",
                DropReason::StaleReply => "a reply to a request that was given up",
                DropReason::Unexpected => "sockets of this type do not receive",
                DropReason::HandedOver => "its sender lost its routing id to another",
                _ => "the pattern dropped it",
            },
            Loss::Cut => "the link was cut in the middle of it",
            Loss::PeerLeft => "its peer left",
            Loss::Lingered => "the linger time was over",
            Loss::Unread => "nobody read it",
            Loss::Abandoned => "its reply was given up",
            Loss::Conflated => "a newer one took its place",
        })
    }
}

/// The numbers of one socket since it was opened. A snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Messages accepted from the application. A message that goes to many peers counts once.
    pub accepted: u64,
    /// Messages handed to the application.
    pub delivered: u64,
    /// Messages handed to links or to inproc peers; for a fan-out, one for each peer.
    pub transmitted: u64,
    /// Messages that arrived from peers, before the pattern looked at them.
    pub arrived: u64,
    /// Handshakes that ended well.
    pub links_made: u64,
    /// Links that ended after a handshake.
    pub links_lost: u64,
    /// Connections that ended before their handshake did.
    pub handshakes_failed: u64,
    losses: Vec<(Loss, u64)>,
}

impl Counters {
    /// How many messages were lost for `reason`.
    #[must_use]
    pub fn lost(&self, reason: Loss) -> u64 {
        self.losses
            .iter()
            .find(|(known, _)| *known == reason)
            .map_or(0, |(_, count)| *count)
    }

    /// Every reason for which messages were lost, and how many.
    #[must_use]
    pub fn losses(&self) -> &[(Loss, u64)] {
        &self.losses
    }

    pub(crate) fn lose(&mut self, reason: Loss, count: u64) {
        if count == 0 {
            return;
        }
        match self.losses.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, total)) => *total = total.saturating_add(count),
            None => self.losses.push((reason, count)),
        }
    }
}
