//! The end of a handshake: the pattern finds a place for the peer, and the link passes from the driver to the socket.

use std::sync::{Arc, MutexGuard};

use zmq_patterns::{Attach, PeerInfo, PeerRefused};
use zmq_transport::Source;
use zmtp_wire::Peer;

use crate::core::{Core, Life};
use crate::counters::Loss;
use crate::driver::Driver;
use crate::effects::Effects;
use crate::io::{Channel, Io};
use crate::link::Want;
use crate::monitor::{CloseReason, Happening};
use crate::pipe::{Carrier, PeerFacts};
use crate::shake::{Origin, Shaking};
use crate::wakers::link_waker;

impl Driver {
    /// The handshake is over: from here on the link belongs to the socket.
    pub(crate) fn go_live(&mut self, id: u64, mut io: MutexGuard<'_, Io>, peer: Peer) {
        let Some(shaking) = self.take_shaking(id) else {
            return;
        };
        if let Some(Source::Descriptor(fd)) = io.channel.as_ref().map(Channel::source) {
            self.ctx.poller.remove(fd);
        }
        let socket = Arc::clone(&shaking.whence.socket);
        let mut effects = Effects::default();
        let mut core = socket.enter(&mut effects);
        let outcome = self.admit(&mut core, &shaking, &peer);
        let key = match outcome {
            Ok(key) => key,
            Err(refused) => {
                drop(core);
                drop(io.channel.take());
                drop(io);
                socket.run(effects);
                let reason = refused.map_or(CloseReason::ByUs, CloseReason::Pattern);
                self.shake_failed(&shaking.whence, reason);
                return;
            }
        };
        if core.options.attach_properties {
            let mut properties = (*peer.properties).clone();
            properties.push("Peer-Address", shaking.whence.address.clone().into_bytes());
            if let Some(descriptor) = io.channel.as_ref().and_then(Channel::descriptor) {
                properties.push("__fd", descriptor.to_string().into_bytes());
            }
            io.properties = Some(Arc::new(properties));
        }
        shaking.link.set_key(key);
        core.mark_live(key, Carrier::Link(Arc::clone(&shaking.link)));
        if let Some(pipe) = core.pipe(key) {
            pipe.packs = io.session.takes_packs();
        }
        core.report(
            &shaking.whence.endpoint,
            Some(&shaking.whence.address),
            Happening::Ready {
                socket_type: peer.socket_type,
                version: Some(peer.version),
            },
        );
        core.settle(&mut effects);
        core.note_subscribers(&mut effects);
        drop(core);
        if let Some(channel) = &mut io.channel {
            channel.set_waker(&link_waker(&socket, key));
        }
        if let Origin::Dialed(dialer) = shaking.whence.origin {
            self.dial_succeeded(dialer);
        }
        effects.wake = true;
        let want = Want {
            read: true,
            write: true,
        };
        shaking.link.drive_held(io, &socket, want);
        socket.run(effects);
    }

    /// Asks the pattern whether it has a place for the peer.
    fn admit(
        &self,
        core: &mut Core,
        shaking: &Shaking,
        peer: &Peer,
    ) -> Result<zmq_patterns::PeerKey, Option<PeerRefused>> {
        let facts = PeerFacts {
            endpoint: shaking.whence.endpoint.to_string(),
            address: Some(shaking.whence.address.clone()),
            socket_type: peer.socket_type,
            version: Some(peer.version),
        };
        let info = PeerInfo {
            routing_id: peer.routing_id.clone(),
            filters_upstream: peer.filters_upstream,
        };
        let key = match shaking.whence.origin {
            Origin::Accepted => {
                if core.life != Life::Open {
                    return Err(None);
                }
                let attach = Attach {
                    dialed: false,
                    routing_id: None,
                    immediate: false,
                    inproc: false,
                };
                core.attach(None, facts, attach)
            }
            Origin::Dialed(dialer) => {
                let key = self.dialers.get(&dialer).map(|dialer| dialer.key);
                let pipe = key
                    .and_then(|key| core.pipe(key))
                    .filter(|pipe| pipe.dialer == Some(dialer));
                let (Some(key), Some(pipe)) = (key, pipe) else {
                    return Err(None);
                };
                pipe.facts = facts;
                key
            }
        };
        if let Err(refused) = core.pattern.link_up(key, &info) {
            if shaking.whence.origin == Origin::Accepted {
                core.detach(key, Loss::PeerLeft);
            }
            return Err(Some(refused));
        }
        if core.options.attach_properties {
            core.pattern
                .set_properties(key, Arc::clone(&peer.properties));
        }
        Ok(key)
    }
}
