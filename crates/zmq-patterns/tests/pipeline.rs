//! PUSH and PULL (RFC 30), PAIR (RFC 31), and what holds for all: pipes, directions, unknown peers.

use bytes::Bytes;
use zmq_patterns::{
    Attach, DropReason, Pattern, PatternOption, PeerInfo, PeerKey, PeerRefused, RecvRefused,
    Refused, Route, SendRefused, Source, Taken,
};
use zmtp_wire::{Frame, Message, SocketType};

const A: PeerKey = PeerKey(0);
const B: PeerKey = PeerKey(1);

fn accept(pattern: &mut Pattern, peer: PeerKey) -> Result<(), PeerRefused> {
    pattern.attach(peer, Attach::default());
    pattern.link_up(peer, &PeerInfo::default())
}

fn dial(pattern: &mut Pattern, peer: PeerKey, immediate: bool) {
    let attach = Attach {
        dialed: true,
        immediate,
        ..Attach::default()
    };
    pattern.attach(peer, attach);
}

fn two() -> Message {
    Message::from(["a", "b"].map(Frame::from))
}

// spec: 30/queue-survives-reconnect
#[test]
fn a_dialed_peer_is_sent_to_before_its_link_is_up_unless_told_otherwise() {
    for (immediate, expected) in [
        (false, Ok(Route::One(A))),
        (true, Err(SendRefused::WouldBlock)),
    ] {
        let mut push = Pattern::new(SocketType::Push, 0);
        dial(&mut push, A, immediate);
        assert_eq!(push.send(&mut two()), expected);
        push.link_up(A, &PeerInfo::default()).unwrap();
        assert_eq!(push.send(&mut two()), Ok(Route::One(A)));
        push.link_down(A);
        assert_eq!(push.send(&mut two()), expected);
        assert_eq!(push.has_peer(), !immediate);
    }
}

#[test]
fn a_message_in_parts_takes_no_turn_but_its_own() {
    let mut push = Pattern::new(SocketType::Push, 0);
    for peer in [A, B, PeerKey(2)] {
        accept(&mut push, peer).unwrap();
    }
    let chosen = push.begin(&Frame::from("a")).unwrap();
    push.set_writable(A, false);
    assert_eq!(push.commit(chosen, &mut two()), Ok(Route::One(A)));
    assert_eq!(push.send(&mut two()), Ok(Route::One(B)));
}

#[test]
fn an_accepted_peer_is_sent_to_while_its_link_is_up() {
    let mut push = Pattern::new(SocketType::Push, 0);
    push.attach(A, Attach::default());
    assert_eq!(push.send(&mut two()), Err(SendRefused::WouldBlock));
    push.link_up(A, &PeerInfo::default()).unwrap();
    assert_eq!(push.send(&mut two()), Ok(Route::One(A)));
    push.link_down(A);
    assert_eq!(push.send(&mut two()), Err(SendRefused::WouldBlock));
}

// spec: 30/push-no-receive
// spec: 30/pull-no-send
// spec: 29/pub-no-receive
// spec: 29/sub-no-send
#[test]
fn the_wrong_direction_is_refused() {
    for socket_type in [SocketType::Push, SocketType::Pub] {
        let mut pattern = Pattern::new(socket_type, 0);
        accept(&mut pattern, A).unwrap();
        pattern.set_readable(A);
        assert!(!pattern.receives());
        assert!(!pattern.can_receive());
        assert_eq!(pattern.next(), Err(RecvRefused::WrongDirection));
        let taken = pattern.take(A, two(), false);
        assert_eq!(taken, Taken::Discard(DropReason::Unexpected));
    }
    for socket_type in [SocketType::Pull, SocketType::Sub, SocketType::Radio] {
        let mut pattern = Pattern::new(socket_type, 0);
        accept(&mut pattern, A).unwrap();
        assert!(!pattern.can_send());
        assert_eq!(pattern.send(&mut two()), Err(SendRefused::WrongDirection));
        let begun = pattern.begin(&Frame::from("a"));
        assert_eq!(begun.unwrap_err(), SendRefused::WrongDirection);
    }
}

// spec: 31/one-peer
// spec: 31/next-peer
// spec: 31/waits
#[test]
fn pair_has_one_peer_at_a_time() {
    let mut pair = Pattern::new(SocketType::Pair, 0);
    assert_eq!(pair.send(&mut two()), Err(SendRefused::WouldBlock));
    accept(&mut pair, A).unwrap();
    assert_eq!(accept(&mut pair, B), Err(PeerRefused::SecondPeer));
    pair.set_readable(B);
    assert_eq!(pair.next(), Ok(None));
    let taken = pair.take(B, two(), false);
    assert_eq!(taken, Taken::Discard(DropReason::Unexpected));
    assert_eq!(pair.send(&mut two()), Ok(Route::One(A)));
    assert_eq!(pair.send(&mut two()), Ok(Route::One(A)));
    pair.detach(B);
    pair.detach(A);
    accept(&mut pair, B).unwrap();
    assert_eq!(pair.send(&mut two()), Ok(Route::One(B)));
    pair.set_readable(B);
    assert_eq!(pair.take(B, two(), false), Taken::Deliver(two()));

    let mut pair = Pattern::new(SocketType::Pair, 0);
    dial(&mut pair, A, false);
    assert_eq!(accept(&mut pair, B), Err(PeerRefused::SecondPeer));
}

// spec: 41/single-frame
#[test]
fn single_frame_types_neither_send_nor_deliver_several_frames() {
    for socket_type in [SocketType::Client, SocketType::Channel] {
        let mut pattern = Pattern::new(socket_type, 0);
        accept(&mut pattern, A).unwrap();
        assert_eq!(pattern.send(&mut two()), Err(SendRefused::Multipart));
        assert_eq!(pattern.send(&mut Message::from("a")), Ok(Route::One(A)));
        pattern.set_readable(A);
        let taken = pattern.take(A, two(), true);
        assert_eq!(taken, Taken::Discard(DropReason::Malformed));
        assert_eq!(pattern.next(), Ok(Some(Source::Peer(A))));
        let taken = pattern.take(A, Message::from("a"), false);
        assert_eq!(taken, Taken::Deliver(Message::from("a")));
        assert_eq!(pattern.next(), Ok(None));
    }
}

#[test]
fn calls_about_unknown_peers_have_no_effect() {
    for socket_type in SocketType::all() {
        let mut pattern = Pattern::new(socket_type, 0);
        for peer in [A, PeerKey(u32::MAX)] {
            let unknown = pattern.link_up(peer, &PeerInfo::default());
            assert_eq!(unknown, Err(PeerRefused::Unknown));
            pattern.link_down(peer);
            pattern.set_writable(peer, true);
            pattern.set_readable(peer);
            pattern.set_drained(peer);
            pattern.handle_subscribe(peer, Bytes::new()).unwrap();
            pattern.handle_cancel(peer, Bytes::new()).unwrap();
            pattern.detach(peer);
        }
        pattern.attach(PeerKey(u32::MAX), Attach::default());
        assert!(!pattern.has_peer());
        assert!(!pattern.can_receive());
        assert_eq!(pattern.subscriber_count(), 0);
        assert_eq!(pattern.poll_output(), None);
        assert_eq!(pattern.targets(), []);
    }
}

#[test]
fn a_key_in_use_is_not_attached_twice() {
    let mut pair = Pattern::new(SocketType::Pull, 0);
    accept(&mut pair, A).unwrap();
    pair.set_readable(A);
    pair.attach(A, Attach::default());
    assert_eq!(pair.next(), Ok(Some(Source::Peer(A))));
    pair.set_drained(A);
    assert_eq!(pair.next(), Ok(None));
}

#[test]
fn options_of_other_types_are_refused() {
    let mut pull = Pattern::new(SocketType::Pull, 0);
    let options = [
        PatternOption::RouterMandatory(true),
        PatternOption::XPubVerbose(true),
        PatternOption::ReqRelaxed(true),
        PatternOption::InvertMatching(true),
    ];
    for option in options {
        assert_eq!(pull.set(option), Err(Refused::WrongType));
    }
    assert_eq!(pull.subscribe(b""), Err(Refused::WrongType));
}
