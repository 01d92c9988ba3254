//! REQ, REP, DEALER and ROUTER (RFC 28).

use std::sync::Arc;

use bytes::Bytes;
use zmq_patterns::{
    Attach, CloseReason, DropReason, Limits, Output, Pattern, PatternOption, PeerInfo, PeerKey,
    PeerRefused, RecvRefused, Refused, Route, RouterNotify, SendRefused, Source, Taken,
};
use zmtp_wire::{Frame, Message, Properties, SocketType};

const A: PeerKey = PeerKey(0);
const B: PeerKey = PeerKey(1);
const C: PeerKey = PeerKey(2);

fn message(frames: &[&str]) -> Message {
    frames.iter().copied().map(Frame::from).collect()
}

fn named(id: &'static str) -> PeerInfo {
    PeerInfo {
        routing_id: Bytes::from_static(id.as_bytes()),
        ..PeerInfo::default()
    }
}

fn accept(pattern: &mut Pattern, peer: PeerKey, id: &'static str) -> Result<(), PeerRefused> {
    pattern.attach(peer, Attach::default());
    pattern.link_up(peer, &named(id))
}

fn with_peers(socket_type: SocketType, peers: &[PeerKey]) -> Pattern {
    let mut pattern = Pattern::new(socket_type, 0xfffe);
    for peer in peers {
        accept(&mut pattern, *peer, "").unwrap();
    }
    pattern
}

fn dial(pattern: &mut Pattern, peer: PeerKey) {
    let dialed = Attach {
        dialed: true,
        ..Attach::default()
    };
    pattern.attach(peer, dialed);
}

fn outputs(pattern: &mut Pattern) -> Vec<Output> {
    std::iter::from_fn(|| pattern.poll_output()).collect()
}

fn deliver(pattern: &mut Pattern, peer: PeerKey, frames: &[&str]) -> Taken {
    pattern.set_readable(peer);
    pattern.take(peer, message(frames), false)
}

// spec: 28/req-envelope
// spec: 28/req-lockstep
#[test]
fn req_asks_with_an_empty_frame_and_awaits_the_reply() {
    let mut req = with_peers(SocketType::Req, &[A]);
    assert_eq!(req.next(), Err(RecvRefused::WrongState));
    let mut request = message(&["a", "b"]);
    assert_eq!(req.send(&mut request), Ok(Route::One(A)));
    assert_eq!(request, message(&["", "a", "b"]));
    assert!(!req.can_send());
    let mut second = message(&["c"]);
    assert_eq!(req.send(&mut second), Err(SendRefused::WrongState));
    assert_eq!(second, message(&["c"]));
    assert_eq!(req.next(), Ok(None));
    assert_eq!(
        deliver(&mut req, A, &["", "d", "e"]),
        Taken::Deliver(message(&["d", "e"]))
    );
    assert_eq!(req.next(), Err(RecvRefused::WrongState));
    assert!(req.can_send());
}

// spec: 28/req-round-robin
// spec: 28/req-waits
#[test]
fn req_spreads_requests_and_keeps_what_nobody_can_take() {
    let mut req = Pattern::new(SocketType::Req, 0);
    let mut request = message(&["a"]);
    assert_eq!(req.send(&mut request), Err(SendRefused::WouldBlock));
    assert_eq!(request, message(&["a"]));
    accept(&mut req, A, "").unwrap();
    accept(&mut req, B, "").unwrap();
    for peer in [A, B, A] {
        assert_eq!(req.send(&mut message(&["a"])), Ok(Route::One(peer)));
        assert!(matches!(
            deliver(&mut req, peer, &["", "r"]),
            Taken::Deliver(_)
        ));
    }
}

// spec: 28/req-reply-peer
// spec: 28/req-malformed-reply
#[test]
fn req_takes_a_well_formed_reply_of_the_peer_it_asked_alone() {
    let mut req = with_peers(SocketType::Req, &[A, B]);
    assert_eq!(req.send(&mut message(&["a"])), Ok(Route::One(A)));
    let stale = Taken::Discard(DropReason::StaleReply);
    assert_eq!(deliver(&mut req, B, &["", "x"]), stale);
    for malformed in [&["x"][..], &[""], &["x", "y"], &["1234", "", "y"]] {
        let taken = deliver(&mut req, A, malformed);
        assert_eq!(taken, Taken::Discard(DropReason::Malformed));
    }
    let good = deliver(&mut req, A, &["", ""]);
    assert_eq!(good, Taken::Deliver(message(&[""])));
    assert_eq!(deliver(&mut req, A, &["", "again"]), stale);
}

#[test]
fn req_throws_away_what_was_queued_before_the_request() {
    let mut req = with_peers(SocketType::Req, &[A, B]);
    req.set_readable(B);
    assert_eq!(req.send(&mut message(&["a"])), Ok(Route::One(A)));
    assert_eq!(outputs(&mut req), [Output::DiscardQueued { peer: B }]);
    assert_eq!(req.next(), Ok(None));
}

#[test]
fn req_takes_any_reply_once_the_peer_it_asked_has_gone() {
    let mut req = with_peers(SocketType::Req, &[A, B]);
    assert_eq!(req.send(&mut message(&["a"])), Ok(Route::One(A)));
    req.detach(A);
    assert_eq!(req.send(&mut message(&["a"])), Err(SendRefused::WrongState));
    let reply = deliver(&mut req, B, &["", "r"]);
    assert_eq!(reply, Taken::Deliver(message(&["r"])));
}

#[test]
fn a_relaxed_correlating_req_takes_only_the_reply_to_its_last_request() {
    let mut req = with_peers(SocketType::Req, &[A]);
    req.set(PatternOption::ReqRelaxed(true)).unwrap();
    req.set(PatternOption::ReqCorrelate(true)).unwrap();
    let mut first = message(&["a"]);
    let mut second = message(&["b"]);
    assert_eq!(req.send(&mut first), Ok(Route::One(A)));
    assert_eq!(req.send(&mut second), Ok(Route::One(A)));
    assert_eq!(first.len(), 3);
    assert_eq!(first.frames()[0].len(), 4);
    assert_ne!(first.frames()[0], second.frames()[0]);
    req.set_readable(A);
    let stale = Taken::Discard(DropReason::StaleReply);
    assert_eq!(req.take(A, first, true), stale);
    let malformed = req.take(A, message(&["", "b"]), true);
    assert_eq!(malformed, Taken::Discard(DropReason::Malformed));
    assert_eq!(req.take(A, second, false), Taken::Deliver(message(&["b"])));
}

#[test]
fn a_request_in_parts_sticks_to_its_peer_and_dies_with_it() {
    let mut req = with_peers(SocketType::Req, &[A, B]);
    let first = Frame::from("a");
    let chosen = req.begin(&first).unwrap();
    req.set_writable(A, false);
    assert_eq!(req.commit(chosen, &mut message(&["a"])), Ok(Route::One(A)));
    assert!(matches!(
        deliver(&mut req, A, &["", "r"]),
        Taken::Deliver(_)
    ));
    let chosen = req.begin(&first).unwrap();
    req.detach(B);
    accept(&mut req, B, "").unwrap();
    let lost = req.commit(chosen, &mut message(&["a"]));
    assert_eq!(lost, Ok(Route::Nowhere(DropReason::NoPeer)));
    assert_eq!(req.send(&mut message(&["a"])), Ok(Route::One(B)));
}

// spec: 28/rep-envelope
// spec: 28/rep-lockstep
// spec: 28/rep-malformed-request
#[test]
fn rep_returns_the_envelope_of_the_request() {
    let mut rep = with_peers(SocketType::Rep, &[A, B]);
    let cases: [(&[&str], &[&str], &[&str]); 4] = [
        (&["", "q"], &["q"], &["", "r"]),
        (&["id", "", "q"], &["q"], &["id", "", "r"]),
        (
            &["i", "j", "", "q", "", "s"],
            &["q", "", "s"],
            &["i", "j", "", "r"],
        ),
        (&["", ""], &[""], &["", "r"]),
    ];
    for (request, body, reply) in cases {
        assert_eq!(rep.send(&mut message(&["r"])), Err(SendRefused::WrongState));
        for malformed in [&["q"][..], &[""], &["id", ""]] {
            let taken = deliver(&mut rep, B, malformed);
            assert_eq!(taken, Taken::Discard(DropReason::Malformed));
        }
        assert_eq!(deliver(&mut rep, A, request), Taken::Deliver(message(body)));
        rep.set_readable(B);
        assert_eq!(rep.next(), Err(RecvRefused::WrongState));
        assert!(rep.can_send() && !rep.can_receive());
        let mut sent = message(&["r"]);
        assert_eq!(rep.send(&mut sent), Ok(Route::One(A)));
        assert_eq!(sent, message(reply));
    }
}

#[test]
fn a_request_with_too_long_an_envelope_is_dropped() {
    let mut rep = with_peers(SocketType::Rep, &[A]);
    let mut frames = vec!["x"; Limits::default().envelope + 1];
    frames.extend(["", "q"]);
    let malformed = Taken::Discard(DropReason::Malformed);
    assert_eq!(deliver(&mut rep, A, &frames), malformed);
    assert!(matches!(
        deliver(&mut rep, A, &frames[1..]),
        Taken::Deliver(_)
    ));
}

// spec: 28/rep-gone-peer
#[test]
fn a_reply_is_dropped_when_its_peer_has_gone_or_is_full() {
    let mut rep = with_peers(SocketType::Rep, &[A, B]);
    let gone = Ok(Route::Nowhere(DropReason::NoPeer));
    assert!(matches!(
        deliver(&mut rep, A, &["", "q"]),
        Taken::Deliver(_)
    ));
    rep.detach(A);
    accept(&mut rep, A, "").unwrap();
    assert_eq!(rep.send(&mut message(&["r"])), gone);

    assert!(matches!(
        deliver(&mut rep, B, &["", "q"]),
        Taken::Deliver(_)
    ));
    rep.detach(A);
    rep.set_writable(B, false);
    let full = Ok(Route::Nowhere(DropReason::PeerFull));
    assert_eq!(rep.send(&mut message(&["r"])), full);

    dial(&mut rep, C);
    rep.link_up(C, &PeerInfo::default()).unwrap();
    assert!(matches!(
        deliver(&mut rep, C, &["", "q"]),
        Taken::Deliver(_)
    ));
    rep.link_down(C);
    rep.link_up(C, &PeerInfo::default()).unwrap();
    assert_eq!(rep.send(&mut message(&["r"])), gone);
}

#[test]
fn a_malformed_request_of_one_peer_costs_no_other_its_reply() {
    let mut rep = with_peers(SocketType::Rep, &[A, B]);
    rep.set_readable(A);
    rep.set_readable(B);
    let taken = rep.take(A, message(&["no delimiter"]), false);
    assert_eq!(taken, Taken::Discard(DropReason::Malformed));
    rep.detach(A);
    assert_eq!(rep.next(), Ok(Some(Source::Peer(B))));
    assert!(matches!(
        rep.take(B, message(&["", "q"]), false),
        Taken::Deliver(_)
    ));
    let mut reply = message(&["r"]);
    assert_eq!(rep.send(&mut reply), Ok(Route::One(B)));
    assert_eq!(reply, message(&["", "r"]));
}

// spec: 28/router-identity-frame
// spec: 28/router-routes
#[test]
fn router_speaks_of_peers_by_their_ids() {
    let mut router = Pattern::new(SocketType::Router, 0);
    accept(&mut router, A, "anna").unwrap();
    accept(&mut router, B, "bert").unwrap();
    let taken = deliver(&mut router, B, &["", "x"]);
    assert_eq!(taken, Taken::Deliver(message(&["bert", "", "x"])));
    let mut reply = message(&["anna", "", "y"]);
    assert_eq!(router.send(&mut reply), Ok(Route::One(A)));
    assert_eq!(reply, message(&["", "y"]));
    let first = Frame::from("bert");
    let chosen = router.begin(&first).unwrap();
    let mut parts = message(&["bert", "z"]);
    assert_eq!(router.commit(chosen, &mut parts), Ok(Route::One(B)));
    assert_eq!(parts, message(&["z"]));
    let only_id = router.send(&mut message(&["anna"]));
    assert_eq!(only_id, Ok(Route::Nowhere(DropReason::Malformed)));
}

// spec: 28/router-unroutable
// spec: 28/router-never-blocks
#[test]
fn router_drops_what_it_cannot_route_unless_it_is_mandatory() {
    let mut router = Pattern::new(SocketType::Router, 0);
    accept(&mut router, A, "anna").unwrap();
    router.set_writable(A, false);
    let unknown = ["nobody", "x"].map(Frame::from);
    let full = ["anna", "x"].map(Frame::from);
    let send =
        |router: &mut Pattern, frames: &[Frame; 2]| router.send(&mut Message::from(frames.clone()));
    assert!(router.can_send());
    let dropped = |reason| Ok(Route::Nowhere(reason));
    assert_eq!(send(&mut router, &unknown), dropped(DropReason::Unroutable));
    assert_eq!(send(&mut router, &full), dropped(DropReason::PeerFull));
    router.set(PatternOption::RouterMandatory(true)).unwrap();
    assert!(!router.can_send());
    assert_eq!(send(&mut router, &unknown), Err(SendRefused::Unroutable));
    assert_eq!(
        router.begin(&unknown[0]).unwrap_err(),
        SendRefused::Unroutable
    );
    assert_eq!(send(&mut router, &full), Err(SendRefused::WouldBlock));
    router.set_writable(A, true);
    assert!(router.can_send());
    assert_eq!(send(&mut router, &full), Ok(Route::One(A)));
}

// spec: 28/router-auto-identity
#[test]
fn router_invents_ids_that_no_peer_can_claim() {
    let mut router = Pattern::new(SocketType::Router, 0x0102_0304);
    accept(&mut router, A, "").unwrap();
    assert_eq!(router.routing_id(A).unwrap(), &b"\0\x01\x02\x03\x04"[..]);
    let claimed = accept(&mut router, B, "\0\x01\x02\x03\x05");
    assert_eq!(claimed, Err(PeerRefused::ReservedRoutingId));
    assert_eq!(router.routing_id(B), None);

    let chosen = Attach {
        dialed: true,
        routing_id: Some(Bytes::from_static(b"\0\x01\x02\x03\x05")),
        ..Attach::default()
    };
    assert!(!router.routing_id_taken(b"\0\x01\x02\x03\x05"));
    router.attach(C, chosen);
    assert!(router.routing_id_taken(b"\0\x01\x02\x03\x05"));
    router.detach(B);
    accept(&mut router, B, "").unwrap();
    assert_eq!(router.routing_id(B).unwrap(), &b"\0\x01\x02\x03\x06"[..]);
}

// spec: 28/router-duplicate-identity
#[test]
fn a_second_peer_with_the_same_id_is_refused_or_takes_over() {
    let mut router = Pattern::new(SocketType::Router, 0);
    accept(&mut router, A, "id").unwrap();
    let refused = accept(&mut router, B, "id");
    assert_eq!(refused, Err(PeerRefused::DuplicateRoutingId));
    assert_eq!(router.send(&mut message(&["id", "x"])), Ok(Route::One(A)));
    router.detach(B);
    assert!(router.routing_id_taken(b"id"));

    router.set(PatternOption::RouterHandover(true)).unwrap();
    router.set_readable(A);
    accept(&mut router, B, "id").unwrap();
    let why = CloseReason::HandedOver;
    assert_eq!(outputs(&mut router), [Output::Close { peer: A, why }]);
    assert_eq!(router.next(), Ok(None));
    router.set(PatternOption::RouterMandatory(true)).unwrap();
    router.set_writable(B, false);
    assert!(!router.can_send());
    router.set_writable(B, true);
    let late = deliver(&mut router, A, &["x"]);
    assert_eq!(late, Taken::Discard(DropReason::HandedOver));
    router.detach(A);
    assert_eq!(router.send(&mut message(&["id", "x"])), Ok(Route::One(B)));
    let long: &'static str = std::str::from_utf8(&[b'x'; 256]).unwrap().to_owned().leak();
    let refused = accept(&mut router, C, long);
    assert_eq!(refused, Err(PeerRefused::RoutingIdTooLong));
}

#[test]
fn a_dialed_peer_keeps_its_id_and_its_queue_while_the_link_is_down() {
    let mut router = Pattern::new(SocketType::Router, 0);
    dial(&mut router, A);
    assert_eq!(
        router.send(&mut message(&["id", "x"])),
        Ok(Route::Nowhere(DropReason::Unroutable))
    );
    router.link_up(A, &named("id")).unwrap();
    router.link_down(A);
    assert_eq!(router.send(&mut message(&["id", "x"])), Ok(Route::One(A)));
    router.link_up(A, &named("other")).unwrap();
    assert_eq!(router.routing_id(A).unwrap(), "id");
}

#[test]
fn nothing_is_to_be_done_for_a_peer_that_was_detached() {
    let mut router = Pattern::new(SocketType::Router, 0);
    router.set(PatternOption::RouterHandover(true)).unwrap();
    dial(&mut router, A);
    router.link_up(A, &named("id")).unwrap();
    router.link_down(A);
    accept(&mut router, B, "id").unwrap();
    router.detach(A);
    assert_eq!(outputs(&mut router), []);
}

#[test]
fn router_tells_of_links_that_come_and_go() {
    let mut router = Pattern::new(SocketType::Router, 0);
    let both = RouterNotify {
        connect: true,
        disconnect: true,
    };
    router.set(PatternOption::RouterNotify(both)).unwrap();
    let bye = Some(Bytes::from_static(b"bye"));
    router.set(PatternOption::DisconnectMessage(bye)).unwrap();
    router.attach(A, Attach::default());
    let mut properties = Properties::new();
    properties.push("User-Id", Bytes::from_static(b"anna"));
    router.set_properties(A, Arc::new(properties));
    router.link_up(A, &named("a")).unwrap();
    router.link_down(A);
    router.detach(A);
    let mut told = Vec::new();
    while router.next() == Ok(Some(Source::Own)) {
        told.extend(router.take_own());
    }
    let expected = [&["a", ""][..], &["a", "bye"], &["a", ""]].map(message);
    assert_eq!(told, expected);
    let user = told[0].properties().and_then(|all| all.get("user-id"));
    assert_eq!(user.unwrap(), "anna");
    assert_eq!(router.take_own(), None);
}

#[test]
fn a_router_whose_application_sleeps_refuses_more_links_to_tell_of() {
    let mut router = Pattern::new(SocketType::Router, 0);
    let mut limits = Limits::default();
    limits.pending_notifications = 1;
    router.set(PatternOption::Limits(limits)).unwrap();
    let connect = RouterNotify {
        connect: true,
        disconnect: false,
    };
    router.set(PatternOption::RouterNotify(connect)).unwrap();
    accept(&mut router, A, "").unwrap();
    let refused = accept(&mut router, B, "");
    assert_eq!(refused, Err(PeerRefused::TooManyNotifications));
}

#[test]
fn probes_and_hellos_go_out_on_every_link() {
    for socket_type in [SocketType::Dealer, SocketType::Router] {
        let mut pattern = Pattern::new(socket_type, 0);
        pattern.set(PatternOption::ProbeRouter(true)).unwrap();
        let hello = Some(Bytes::from_static(b"hello"));
        pattern.set(PatternOption::HelloMessage(hello)).unwrap();
        dial(&mut pattern, A);
        assert_eq!(outputs(&mut pattern), []);
        for _ in 0..2 {
            pattern.link_up(A, &PeerInfo::default()).unwrap();
            let send = |text: &str| Output::Send {
                peer: A,
                message: Message::from(text),
            };
            assert_eq!(outputs(&mut pattern), [send(""), send("hello")]);
            pattern.link_down(A);
        }
    }
    let mut rep = Pattern::new(SocketType::Rep, 0);
    let refused = rep.set(PatternOption::ProbeRouter(true));
    assert_eq!(refused, Err(Refused::WrongType));
}

#[test]
fn a_dealer_is_told_when_a_peer_it_dialed_is_lost() {
    let mut dealer = Pattern::new(SocketType::Dealer, 0);
    let hiccup = Some(Bytes::from_static(b"hic"));
    dealer.set(PatternOption::HiccupMessage(hiccup)).unwrap();
    dial(&mut dealer, A);
    accept(&mut dealer, B, "").unwrap();
    dealer.link_up(A, &PeerInfo::default()).unwrap();
    dealer.link_down(A);
    dealer.link_down(B);
    assert_eq!(dealer.take_own(), Some(message(&["hic"])));
    assert_eq!(dealer.next(), Ok(None));
}
