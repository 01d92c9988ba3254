//! PUB, SUB, XPUB and XSUB (RFC 29).

use std::sync::Arc;

use bytes::Bytes;
use zmq_patterns::{
    Attach, CloseReason, DropReason, Limits, Output, Pattern, PatternOption, PeerFault, PeerInfo,
    PeerKey, PeerRefused, Refused, Route, SendRefused, Source, Taken,
};
use zmtp_wire::{Frame, Message, Properties, SocketType};

const A: PeerKey = PeerKey(0);
const B: PeerKey = PeerKey(1);
const C: PeerKey = PeerKey(2);

fn message(frames: &[&str]) -> Message {
    frames.iter().copied().map(Frame::from).collect()
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn with_peers(socket_type: SocketType, peers: &[PeerKey]) -> Pattern {
    let mut pattern = Pattern::new(socket_type, 0);
    for peer in peers {
        pattern.attach(*peer, Attach::default());
        pattern.link_up(*peer, &PeerInfo::default()).unwrap();
    }
    pattern
}

fn subscribe(pattern: &mut Pattern, peer: PeerKey, topic: &'static str) {
    pattern.handle_subscribe(peer, bytes(topic)).unwrap();
}

fn cancel(pattern: &mut Pattern, peer: PeerKey, topic: &'static str) {
    pattern.handle_cancel(peer, bytes(topic)).unwrap();
}

/// What the application of an XPUB receives now, as text: `+topic` and `-topic`.
fn told(pattern: &mut Pattern) -> Vec<String> {
    let mut told = Vec::new();
    while pattern.next() == Ok(Some(Source::Own)) {
        let message = pattern.take_own().unwrap();
        let (kind, topic) = message.first().split_first().unwrap();
        let sign = if *kind == 1 { '+' } else { '-' };
        told.push(format!("{sign}{}", String::from_utf8_lossy(topic)));
    }
    told
}

fn outputs(pattern: &mut Pattern) -> Vec<Output> {
    std::iter::from_fn(|| pattern.poll_output()).collect()
}

fn to_subscribe(peer: PeerKey, topic: &'static str) -> Output {
    let topic = bytes(topic);
    Output::Subscribe { peer, topic }
}

fn to_cancel(peer: PeerKey, topic: &'static str) -> Output {
    let topic = bytes(topic);
    Output::Cancel { peer, topic }
}

/// Who gets the message, in order of keys, and how many are full.
fn publish(pattern: &mut Pattern, topic: &str) -> (Vec<PeerKey>, u32) {
    match pattern.send(&mut message(&[topic, "body"])).unwrap() {
        Route::Many { dropped } => {
            let mut targets = pattern.targets().to_vec();
            targets.sort_unstable();
            (targets, dropped)
        }
        Route::Nowhere(DropReason::NoSubscriber) => (vec![], 0),
        other => panic!("{other:?}"),
    }
}

// spec: 29/prefix-match
// spec: 29/empty-prefix
// spec: 29/one-copy
#[test]
fn a_message_goes_once_to_each_peer_with_a_prefix_of_its_first_frame() {
    for socket_type in [SocketType::Pub, SocketType::XPub] {
        let mut publisher = with_peers(socket_type, &[A, B, C]);
        subscribe(&mut publisher, A, "a");
        subscribe(&mut publisher, A, "ab");
        subscribe(&mut publisher, B, "abc");
        subscribe(&mut publisher, C, "");
        let cases: [(&str, &[PeerKey]); 5] = [
            ("", &[C]),
            ("b", &[C]),
            ("a", &[A, C]),
            ("abc", &[A, B, C]),
            ("abd", &[A, C]),
        ];
        for (topic, expected) in cases {
            assert_eq!(publish(&mut publisher, topic), (expected.to_vec(), 0));
        }
        publisher.detach(C);
        assert_eq!(publish(&mut publisher, "x"), (vec![], 0));
        assert_eq!(publisher.subscriber_count(), 2);
        assert_eq!(publisher.topics_count(), 3);
    }
}

// spec: 29/pub-never-blocks
#[test]
fn a_message_is_dropped_for_full_peers_alone() {
    let mut publisher = with_peers(SocketType::Pub, &[A, B]);
    subscribe(&mut publisher, A, "");
    subscribe(&mut publisher, B, "b");
    publisher.set_writable(A, false);
    assert!(publisher.can_send());
    assert_eq!(publish(&mut publisher, "b"), (vec![B], 1));
    assert_eq!(publish(&mut publisher, "a"), (vec![], 1));
    publisher.set_writable(A, true);
    assert_eq!(publish(&mut publisher, "b"), (vec![A, B], 0));
}

#[test]
fn a_publisher_that_drops_nothing_refuses_instead() {
    let mut publisher = with_peers(SocketType::Pub, &[A, B]);
    publisher.set(PatternOption::XPubNoDrop(true)).unwrap();
    subscribe(&mut publisher, A, "a");
    subscribe(&mut publisher, B, "b");
    publisher.set_writable(A, false);
    let refused = Err(SendRefused::WouldBlock);
    assert_eq!(publisher.send(&mut message(&["a"])), refused);
    let begun = publisher.begin(&Frame::from("a"));
    assert_eq!(begun.unwrap_err(), SendRefused::WouldBlock);
    assert_eq!(publish(&mut publisher, "b"), (vec![B], 0));
}

#[test]
fn inverted_matching_reaches_the_others() {
    let mut publisher = with_peers(SocketType::Pub, &[A, B, C]);
    publisher.set(PatternOption::InvertMatching(true)).unwrap();
    subscribe(&mut publisher, A, "a");
    publisher.set_writable(C, false);
    assert_eq!(publish(&mut publisher, "a"), (vec![B], 1));
    assert_eq!(publish(&mut publisher, "b"), (vec![A, B], 1));
}

#[test]
fn a_peer_that_cannot_subscribe_counts_as_subscribed_to_everything() {
    let mut publisher = Pattern::new(SocketType::XPub, 0);
    publisher.attach(A, Attach::default());
    let old = PeerInfo {
        filters_upstream: false,
        ..PeerInfo::default()
    };
    publisher.link_up(A, &old).unwrap();
    assert_eq!(publish(&mut publisher, "x"), (vec![A], 0));
    assert_eq!(told(&mut publisher), ["+"]);
}

#[test]
fn a_welcome_goes_out_on_every_link() {
    let mut publisher = Pattern::new(SocketType::XPub, 0);
    let welcome = Some(bytes("hi"));
    publisher
        .set(PatternOption::WelcomeMessage(welcome))
        .unwrap();
    publisher.attach(A, Attach::default());
    publisher.link_up(A, &PeerInfo::default()).unwrap();
    let expected = Output::Send {
        peer: A,
        message: message(&["hi"]),
    };
    assert_eq!(outputs(&mut publisher), [expected]);
}

// spec: 29/xpub-notifications
// spec: 29/xpub-peer-gone
#[test]
fn xpub_tells_of_first_subscriptions_and_last_cancellations() {
    let mut publisher = with_peers(SocketType::XPub, &[A, B]);
    subscribe(&mut publisher, A, "a");
    subscribe(&mut publisher, A, "a");
    subscribe(&mut publisher, B, "a");
    subscribe(&mut publisher, B, "b");
    subscribe(&mut publisher, B, "");
    cancel(&mut publisher, A, "a");
    cancel(&mut publisher, A, "a");
    assert_eq!(told(&mut publisher), ["+a", "+b", "+"]);
    publisher.detach(B);
    assert_eq!(told(&mut publisher), ["-", "-a", "-b"]);
    cancel(&mut publisher, A, "never");
    assert_eq!(told(&mut publisher), ["-never"]);
}

#[test]
fn a_peer_cannot_cancel_upstream_what_others_hold() {
    for option in [
        PatternOption::XPubVerbose(true),
        PatternOption::XPubVerboser(true),
    ] {
        let mut publisher = with_peers(SocketType::XPub, &[A, B]);
        publisher.set(option).unwrap();
        subscribe(&mut publisher, A, "a");
        cancel(&mut publisher, B, "a");
        assert_eq!(told(&mut publisher), ["+a"]);
    }
}

#[test]
fn a_verbose_xpub_tells_of_every_subscription_a_verboser_one_of_cancellations_too() {
    let story = |option| {
        let mut publisher = with_peers(SocketType::XPub, &[A, B, C]);
        publisher.set(PatternOption::XPubVerboser(true)).unwrap();
        publisher.set(option).unwrap();
        for peer in [A, B, C] {
            subscribe(&mut publisher, peer, "a");
        }
        cancel(&mut publisher, A, "a");
        publisher.detach(B);
        publisher.detach(C);
        told(&mut publisher)
    };
    let verbose = story(PatternOption::XPubVerbose(true));
    assert_eq!(verbose, ["+a", "+a", "+a", "-a"]);
    let verboser = story(PatternOption::XPubVerboser(true));
    assert_eq!(verboser, ["+a", "+a", "+a", "-a", "-a", "-a"]);
    let neither = story(PatternOption::XPubVerbose(false));
    assert_eq!(neither, ["+a", "-a"]);
}

#[test]
fn a_manual_xpub_lets_the_application_decide_for_the_peer_heard_last() {
    let mut publisher = with_peers(SocketType::XPub, &[A, B]);
    assert_eq!(publisher.subscribe(b"x"), Err(Refused::NotManual));
    publisher.set(PatternOption::XPubManual(true)).unwrap();
    publisher.subscribe(b"nobody was heard yet").unwrap();
    assert_eq!(publisher.topics_count(), 0);

    subscribe(&mut publisher, A, "a");
    subscribe(&mut publisher, B, "b");
    assert_eq!(publish(&mut publisher, "a"), (vec![], 0));
    assert_eq!(publisher.take_own(), Some(Message::from("\x01a")));
    publisher.subscribe(b"x").unwrap();
    assert_eq!(publisher.take_own(), Some(Message::from("\x01b")));
    publisher.subscribe(b"y").unwrap();
    assert_eq!(publish(&mut publisher, "x"), (vec![A], 0));
    assert_eq!(publish(&mut publisher, "y"), (vec![B], 0));
    publisher.unsubscribe(b"y").unwrap();
    assert_eq!(publish(&mut publisher, "y"), (vec![], 0));

    subscribe(&mut publisher, A, "a");
    cancel(&mut publisher, A, "other");
    assert_eq!(told(&mut publisher), ["+a", "-other"]);
    publisher.detach(A);
    publisher.subscribe(b"z").unwrap();
    assert_eq!(publish(&mut publisher, "z"), (vec![], 0));
    assert_eq!(publish(&mut publisher, "x"), (vec![], 0));
    assert_eq!(told(&mut publisher), ["-a"]);
}

#[test]
fn the_peer_of_a_notification_is_not_the_next_one_with_its_key() {
    let mut publisher = with_peers(SocketType::XPub, &[A]);
    publisher.set(PatternOption::XPubManual(true)).unwrap();
    subscribe(&mut publisher, A, "a");
    publisher.detach(A);
    publisher.attach(A, Attach::default());
    publisher.link_up(A, &PeerInfo::default()).unwrap();
    assert_eq!(publisher.take_own(), Some(Message::from("\x01a")));
    publisher.subscribe(b"a").unwrap();
    assert_eq!(publish(&mut publisher, "a"), (vec![], 0));
}

#[test]
fn an_xpub_that_is_manual_no_longer_forgets_what_was_asked_of_it() {
    let mut publisher = with_peers(SocketType::XPub, &[A]);
    publisher.set(PatternOption::XPubManual(true)).unwrap();
    subscribe(&mut publisher, A, "a");
    assert_eq!(told(&mut publisher), ["+a"]);
    publisher.set(PatternOption::XPubManual(false)).unwrap();
    publisher.detach(A);
    assert_eq!(told(&mut publisher), Vec::<String>::new());
    publisher.attach(A, Attach::default());
    publisher.link_up(A, &PeerInfo::default()).unwrap();
    publisher.set(PatternOption::XPubManual(true)).unwrap();
    publisher.detach(A);
    assert_eq!(told(&mut publisher), Vec::<String>::new());
}

#[test]
fn the_last_value_goes_once_to_the_peer_that_asked_last() {
    let mut publisher = with_peers(SocketType::XPub, &[A, B]);
    let option = PatternOption::XPubManualLastValue(true);
    publisher.set(option).unwrap();
    for peer in [A, B] {
        subscribe(&mut publisher, peer, "a");
        assert!(publisher.take_own().is_some());
        publisher.subscribe(b"a").unwrap();
    }
    assert_eq!(publish(&mut publisher, "a"), (vec![B], 0));
    assert_eq!(publish(&mut publisher, "a"), (vec![A, B], 0));
}

#[test]
fn messages_of_subscribers_are_delivered_without_the_subscriptions_among_their_frames() {
    let frames = ["user", "\x01a", "more", "\x00b"];
    let subscription_first = ["\x01a", "user", "\x01b"];
    let take = |publisher: &mut Pattern, frames: &[&str]| {
        publisher.set_readable(A);
        let taken = publisher.take(A, message(frames), false);
        (taken, told(publisher))
    };
    let mut publisher = with_peers(SocketType::XPub, &[A]);
    let (taken, heard) = take(&mut publisher, &frames);
    assert_eq!(taken, Taken::Deliver(message(&["user", "more"])));
    assert_eq!(heard, ["+a", "-b"]);
    let (taken, heard) = take(&mut publisher, &["\x00a"]);
    assert_eq!((taken, heard), (Taken::Consumed, vec!["-a".into()]));

    publisher
        .set(PatternOption::OnlyFirstSubscribe(true))
        .unwrap();
    let (taken, heard) = take(&mut publisher, &frames);
    assert_eq!(taken, Taken::Deliver(message(&frames)));
    assert_eq!(heard, Vec::<String>::new());
    let (taken, heard) = take(&mut publisher, &subscription_first);
    assert_eq!(taken, Taken::Deliver(message(&["user"])));
    assert_eq!(heard, ["+a", "+b"]);
}

#[test]
fn notifications_carry_the_metadata_of_the_subscriber() {
    let mut publisher = Pattern::new(SocketType::XPub, 0);
    publisher.attach(A, Attach::default());
    let mut properties = Properties::new();
    properties.push("User-Id", bytes("anna"));
    publisher.set_properties(A, Arc::new(properties));
    publisher.link_up(A, &PeerInfo::default()).unwrap();
    subscribe(&mut publisher, A, "a");
    let told = publisher.take_own().unwrap();
    assert_eq!(told.properties().unwrap().get("User-Id").unwrap(), "anna");
}

#[test]
fn a_peer_beyond_the_limits_is_closed() {
    let mut limits = Limits::default();
    limits.topic = 4;
    limits.topics_per_peer = 3;
    limits.topic_octets_per_peer = 6;
    limits.pending_notifications = 5;
    let publisher = || {
        let mut publisher = with_peers(SocketType::XPub, &[A, B]);
        publisher.set(PatternOption::Limits(limits)).unwrap();
        publisher
    };
    let cases: [(&[&'static str], PeerFault); 3] = [
        (&["a", "b", "c", "d"], PeerFault::TooManyTopics),
        (&["12345"], PeerFault::TopicTooLong),
        (&["1234", "567"], PeerFault::TooManyTopicOctets),
    ];
    for (topics, expected) in cases {
        let mut publisher = publisher();
        let (last, before) = topics.split_last().unwrap();
        for topic in before {
            subscribe(&mut publisher, A, topic);
            // Again is not more.
            subscribe(&mut publisher, A, topic);
        }
        assert_eq!(publisher.handle_subscribe(A, bytes(last)), Err(expected));
        if expected != PeerFault::TopicTooLong {
            subscribe(&mut publisher, B, last);
        }
        publisher.set_readable(A);
        let frame = Message::from(format!("\x01{last}"));
        assert_eq!(publisher.take(A, frame, false), Taken::Consumed);
        let why = CloseReason::Fault(expected);
        assert_eq!(outputs(&mut publisher), [Output::Close { peer: A, why }]);
    }
    let mut publisher = publisher();
    for _ in 0..5 {
        cancel(&mut publisher, A, "x");
    }
    let many = Err(PeerFault::TooManyNotifications);
    assert_eq!(publisher.handle_cancel(A, bytes("x")), many);
    assert_eq!(publisher.handle_subscribe(B, bytes("x")), many);
    assert_eq!(told(&mut publisher).len(), 5);
    subscribe(&mut publisher, B, "x");
}

#[test]
fn an_old_subscriber_is_refused_while_the_application_sleeps() {
    let mut limits = Limits::default();
    limits.pending_notifications = 0;
    let mut publisher = Pattern::new(SocketType::XPub, 0);
    publisher.set(PatternOption::Limits(limits)).unwrap();
    let welcome = Some(bytes("hi"));
    publisher
        .set(PatternOption::WelcomeMessage(welcome))
        .unwrap();
    publisher.attach(A, Attach::default());
    let old = PeerInfo {
        filters_upstream: false,
        ..PeerInfo::default()
    };
    let refused = publisher.link_up(A, &old);
    assert_eq!(refused, Err(PeerRefused::TooManyNotifications));
    assert_eq!(outputs(&mut publisher), []);
    assert_eq!(publish(&mut publisher, ""), (vec![], 0));
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
