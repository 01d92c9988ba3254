//! What a subscriber tells its publishers, and what it lets through.

use zmq_patterns::{
    Attach, DropReason, Output, Pattern, PatternOption, PeerInfo, PeerKey, Route, Taken,
};
use zmtp_wire::{Frame, Message, SocketType};

use crate::{A, B, C, bytes, cancel, message, outputs, subscribe, with_peers};

fn to_subscribe(peer: PeerKey, topic: &'static str) -> Output {
    let topic = bytes(topic);
    Output::Subscribe { peer, topic }
}

fn to_cancel(peer: PeerKey, topic: &'static str) -> Output {
    let topic = bytes(topic);
    Output::Cancel { peer, topic }
}

// spec: 29/sub-filter
// spec: 29/sub-nothing-by-default
#[test]
fn sub_delivers_what_it_subscribed_to_and_nothing_else() {
    let mut sub = with_peers(SocketType::Sub, &[A]);
    let take = |sub: &mut Pattern, topic: &str| {
        sub.set_readable(A);
        sub.take(A, message(&[topic, "body"]), false)
    };
    let filtered = Taken::Discard(DropReason::FilteredOut);
    assert_eq!(take(&mut sub, ""), filtered);
    sub.subscribe(b"a").unwrap();
    assert_eq!(take(&mut sub, "b"), filtered);
    assert_eq!(
        take(&mut sub, "ab"),
        Taken::Deliver(message(&["ab", "body"]))
    );
    sub.set(PatternOption::InvertMatching(true)).unwrap();
    assert_eq!(take(&mut sub, "ab"), filtered);
    assert_eq!(take(&mut sub, "b"), Taken::Deliver(message(&["b", "body"])));
}

// spec: 29/subscription-count
// spec: 37/subscribe-additive
#[test]
fn every_subscription_is_told_and_the_cancellation_of_the_last() {
    let mut sub = with_peers(SocketType::Sub, &[A]);
    for _ in 0..2 {
        sub.subscribe(b"a").unwrap();
        assert_eq!(outputs(&mut sub), [to_subscribe(A, "a")]);
    }
    sub.unsubscribe(b"a").unwrap();
    assert_eq!(outputs(&mut sub), []);
    sub.unsubscribe(b"a").unwrap();
    assert_eq!(outputs(&mut sub), [to_cancel(A, "a")]);
    sub.unsubscribe(b"a").unwrap();
    assert_eq!(outputs(&mut sub), []);
    sub.set(PatternOption::VerboseUnsubscribe(true)).unwrap();
    sub.unsubscribe(b"a").unwrap();
    assert_eq!(outputs(&mut sub), [to_cancel(A, "a")]);
}

// spec: 29/resubscribe
#[test]
fn every_prefix_is_told_once_and_in_order_on_every_link() {
    let mut sub = Pattern::new(SocketType::Sub, 0);
    for topic in ["b", "a", "b", "abc", ""] {
        sub.subscribe(topic.as_bytes()).unwrap();
    }
    sub.attach(
        A,
        Attach {
            dialed: true,
            ..Attach::default()
        },
    );
    assert_eq!(outputs(&mut sub), []);
    for _ in 0..2 {
        sub.link_up(A, &PeerInfo::default()).unwrap();
        let expected = ["", "a", "abc", "b"].map(|topic| to_subscribe(A, topic));
        assert_eq!(outputs(&mut sub), expected);
        sub.link_down(A);
        assert_eq!(outputs(&mut sub), []);
    }
}

#[test]
fn subscriptions_that_change_while_they_are_told_end_as_they_are() {
    let mut sub = Pattern::new(SocketType::Sub, 0);
    for topic in ["a", "b", "c"] {
        sub.subscribe(topic.as_bytes()).unwrap();
    }
    sub.attach(A, Attach::default());
    sub.link_up(A, &PeerInfo::default()).unwrap();
    assert_eq!(sub.poll_output(), Some(to_subscribe(A, "a")));
    sub.unsubscribe(b"a").unwrap();
    sub.unsubscribe(b"c").unwrap();
    sub.subscribe(b"d").unwrap();
    let expected = [
        to_cancel(A, "a"),
        to_cancel(A, "c"),
        to_subscribe(A, "d"),
        to_subscribe(A, "b"),
        to_subscribe(A, "d"),
    ];
    assert_eq!(outputs(&mut sub), expected);
    sub.link_down(A);
    sub.link_up(A, &PeerInfo::default()).unwrap();
    assert_eq!(sub.poll_output(), Some(to_subscribe(A, "b")));
    sub.detach(A);
    assert_eq!(outputs(&mut sub), []);
}

// spec: 29/xsub-forwards
// spec: 29/xsub-unfiltered
#[test]
fn xsub_tells_subscriptions_and_sends_all_else_to_everybody() {
    let mut xsub = with_peers(SocketType::XSub, &[A, B]);
    xsub.attach(
        C,
        Attach {
            dialed: true,
            ..Attach::default()
        },
    );
    let told = Ok(Route::Many { dropped: 0 });
    assert_eq!(xsub.send(&mut message(&["\x01a"])), told);
    assert_eq!(xsub.targets(), []);
    let expected = [to_subscribe(A, "a"), to_subscribe(B, "a")];
    assert_eq!(outputs(&mut xsub), expected);
    let nothing = Ok(Route::Nowhere(DropReason::FilteredOut));
    assert_eq!(xsub.send(&mut message(&["\x00b"])), nothing);
    assert_eq!(outputs(&mut xsub), []);
    assert_eq!(xsub.topics_count(), 1);

    xsub.set_writable(B, false);
    let mut user = message(&["user", "\x00a"]);
    assert_eq!(xsub.send(&mut user), Ok(Route::Many { dropped: 1 }));
    assert_eq!(xsub.targets(), [A, C]);
    assert_eq!(user, message(&["user"]));
    assert_eq!(outputs(&mut xsub), [to_cancel(A, "a"), to_cancel(B, "a")]);

    xsub.set(PatternOption::OnlyFirstSubscribe(true)).unwrap();
    let mut user = message(&["user", "\x01a"]);
    assert_eq!(xsub.send(&mut user), Ok(Route::Many { dropped: 1 }));
    assert_eq!(user, message(&["user", "\x01a"]));
    assert_eq!(outputs(&mut xsub), []);

    xsub.set_readable(A);
    let unfiltered = Taken::Deliver(message(&["x"]));
    assert_eq!(xsub.take(A, message(&["x"]), false), unfiltered);
    let alone = with_peers(SocketType::XSub, &[]).send(&mut message(&["x"]));
    assert_eq!(alone, Ok(Route::Nowhere(DropReason::NoPeer)));
}

#[test]
fn only_publishers_heed_subscriptions_of_peers() {
    for socket_type in [SocketType::Pull, SocketType::Router, SocketType::Sub] {
        let mut pattern = with_peers(socket_type, &[A]);
        subscribe(&mut pattern, A, "a");
        cancel(&mut pattern, A, "b");
        assert_eq!(pattern.next(), Ok(None));
        assert_eq!(pattern.topics_count(), 0);
    }
}

#[test]
fn a_subscriber_says_of_each_message_of_the_short_way_whether_it_passes() {
    for (socket_type, inverted, passes) in [
        (SocketType::Sub, false, [true, false]),
        (SocketType::Sub, true, [false, true]),
        (SocketType::XSub, false, [true, true]),
        (SocketType::Pull, false, [true, true]),
    ] {
        let mut pattern = Pattern::new(socket_type, 1);
        pattern.attach(PeerKey(0), Attach::default());
        if socket_type != SocketType::Pull {
            pattern
                .set(PatternOption::InvertMatching(inverted))
                .unwrap();
            pattern.subscribe(b"a").unwrap();
        }
        assert_eq!(pattern.next_plain(), None);
        pattern.set_readable(PeerKey(0));
        assert_eq!(pattern.next_plain(), Some(PeerKey(0)));
        for (topic, pass) in [&b"ab"[..], b"b"].into_iter().zip(passes) {
            let message = Message::single(Frame::copy_from(topic));
            assert_eq!(pattern.passes(message.frames()), pass, "{socket_type:?}");
        }
        pattern.taken_plain(PeerKey(0), false);
        assert_eq!(pattern.next_plain(), None);
    }
}

#[test]
fn a_subscriber_to_everything_need_not_look_at_messages() {
    let mut sub = with_peers(SocketType::Sub, &[A]);
    let inverted = |sub: &mut Pattern, on| sub.set(PatternOption::InvertMatching(on)).unwrap();
    let met = |sub: &mut Pattern| {
        sub.set_readable(A);
        let delivered = matches!(sub.take(A, message(&["b"]), false), Taken::Deliver(_));
        sub.set_readable(A);
        let unseen = sub.take_unseen(A, false);
        assert_eq!(unseen, sub.passes_all());
        (delivered, unseen)
    };
    sub.subscribe(b"a").unwrap();
    assert_eq!(met(&mut sub), (false, false));
    for _ in 0..2 {
        sub.subscribe(b"").unwrap();
        assert_eq!(met(&mut sub), (true, true));
    }
    inverted(&mut sub, true);
    assert_eq!(met(&mut sub), (false, false));
    inverted(&mut sub, false);
    assert_eq!(met(&mut sub), (true, true));
    sub.unsubscribe(b"").unwrap();
    assert_eq!(met(&mut sub), (true, true), "one is left");
    sub.unsubscribe(b"").unwrap();
    assert_eq!(met(&mut sub), (false, false));
    inverted(&mut sub, true);
    assert_eq!(met(&mut sub), (true, false));
    assert!(with_peers(SocketType::XSub, &[A]).passes_all());
    assert!(with_peers(SocketType::Pull, &[A]).passes_all());
}
