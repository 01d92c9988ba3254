//! How two sockets of one context find each other: one lane, a pipe at each end, and both patterns told.
//!
//! The two locks are taken one after the other, never together. The dialer's end is made first; whatever it writes before
//! the binder's end exists is found by the read at the end.

use std::sync::Arc;

use bytes::Bytes;
use zmq_patterns::{Attach, PeerInfo, PeerKey, PeerRefused};
use zmtp_wire::SocketType;

use crate::core::{Core, Life};
use crate::counters::Loss;
use crate::effects::Effects;
use crate::inproc::{Lane, LaneMarks, Side};
use crate::lanes::read_lane;
use crate::monitor::{CloseReason, Happening};
use crate::pipe::{Carrier, PeerFacts};
use crate::shared::SocketShared;

/// What one end tells the other.
struct Introduction {
    socket_type: SocketType,
    routing_id: Bytes,
    marks: LaneMarks,
    conflates: bool,
}

impl Introduction {
    fn of(core: &Core) -> Introduction {
        Introduction {
            socket_type: core.socket_type,
            routing_id: core.options.routing_id.clone(),
            marks: core.lane_marks(),
            conflates: core.marks().conflate,
        }
    }

    fn info(&self) -> PeerInfo {
        PeerInfo {
            routing_id: self.routing_id.clone(),
            filters_upstream: true,
        }
    }
}

/// Joins a dialer's pipe, named by its key and its dialer's number, to a binder.
pub(crate) fn meet(
    dialer: &Arc<SocketShared>,
    peer: (PeerKey, u64),
    binder: &Arc<SocketShared>,
    endpoint: &str,
) {
    let (key, dialer_id) = peer;
    for socket in [dialer, binder] {
        socket
            .has_lanes
            .store(true, std::sync::atomic::Ordering::Relaxed);
    }
    let binder_says = Introduction::of(&binder.lock());
    let mut effects = Effects::default();
    let mut core = dialer.enter(&mut effects);
    let dialer_says = Introduction::of(&core);
    let wanted = core
        .pipe(key)
        .is_some_and(|pipe| pipe.dialer == Some(dialer_id));
    if !wanted || !matches!(core.life, Life::Open | Life::Closing) {
        // Disconnected meanwhile; the key may have another owner.
        drop(core);
        dialer.run(effects);
        return;
    }
    if !dialer.ctx.inproc_mixes && !dialer_says.socket_type.accepts(binder_says.socket_type) {
        // It connected before anybody was bound, so this is the first to know.
        refuse(&mut core, key, endpoint, None);
        drop(core);
        dialer.run(effects);
        return;
    }
    let lane = Arc::new(Lane::new(
        (Arc::downgrade(dialer), dialer_says.marks),
        (Arc::downgrade(binder), binder_says.marks),
        dialer_says.conflates || binder_says.conflates,
    ));
    lane.set_key(Side::Dialer, key);
    if let Err(refused) = core.pattern.link_up(key, &binder_says.info()) {
        refuse(&mut core, key, endpoint, Some(refused));
        drop(core);
        dialer.run(effects);
        return;
    }
    if let Some(pipe) = core.pipe(key) {
        pipe.facts.socket_type = Some(binder_says.socket_type);
    }
    core.join_lane(key, &lane, Side::Dialer, &mut effects);
    report_ready(&mut core, endpoint, binder_says.socket_type);
    core.settle(&mut effects);
    let closing = core.life == Life::Closing;
    drop(core);
    effects.wake = true;
    dialer.run(effects);
    if closing {
        // The driver waits for the queue that has just moved into the lane, and would not hear of it.
        dialer.ctx.wake.raise();
    }
    greet(binder, &lane, &dialer_says, endpoint);
}

/// The binder's half.
fn greet(binder: &Arc<SocketShared>, lane: &Arc<Lane>, dialer: &Introduction, endpoint: &str) {
    let mut effects = Effects::default();
    let mut core = binder.enter(&mut effects);
    let facts = PeerFacts {
        endpoint: endpoint.to_owned(),
        socket_type: Some(dialer.socket_type),
        ..PeerFacts::default()
    };
    let attach = Attach {
        dialed: false,
        routing_id: None,
        immediate: false,
        inproc: true,
    };
    let key = core.attach(None, facts, attach);
    lane.set_key(Side::Binder, key);
    let refused = match core.life {
        Life::Open => core.pattern.link_up(key, &dialer.info()).err().map(Some),
        _ => Some(None),
    };
    if let Some(refused) = refused {
        let (notice, unread) = lane.close(Side::Binder);
        effects.notices.extend(notice);
        core.counters.lose(Loss::Unread, unread);
        refuse(&mut core, key, endpoint, refused);
        drop(core);
        binder.run(effects);
        return;
    }
    core.mark_live(key, Carrier::Inproc(Arc::clone(lane), Side::Binder));
    core.settle(&mut effects);
    read_lane(&mut core, key, &mut effects);
    core.settle(&mut effects);
    core.note_subscribers(&mut effects);
    report_ready(&mut core, endpoint, dialer.socket_type);
    drop(core);
    effects.wake = true;
    binder.run(effects);
}

fn report_ready(core: &mut Core, endpoint: &str, socket_type: SocketType) {
    core.report(
        endpoint,
        None,
        Happening::Ready {
            socket_type: Some(socket_type),
            version: None,
        },
    );
}

fn refuse(core: &mut Core, key: PeerKey, endpoint: &str, refused: Option<PeerRefused>) {
    let dialer = core.pipe(key).and_then(|pipe| pipe.dialer);
    core.forget_dialer(dialer);
    core.detach(key, Loss::PeerLeft);
    core.report(
        endpoint,
        None,
        Happening::Closed {
            reason: refused.map_or(CloseReason::ByUs, CloseReason::Pattern),
            was_ready: false,
            descriptor: None,
        },
    );
}
