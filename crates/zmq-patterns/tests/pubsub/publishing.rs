//! To whom a publisher sends, and what it tells its application of its subscribers.

use std::sync::Arc;

use zmq_patterns::{
    Attach, CloseReason, DropReason, Limits, Output, Pattern, PatternOption, PeerFault, PeerInfo,
    PeerKey, PeerRefused, Refused, Route, SendRefused, Source, Taken,
};
use zmtp_wire::{Frame, Message, Properties, SocketType};

use crate::{A, B, C, bytes, cancel, message, outputs, subscribe, with_peers};

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
