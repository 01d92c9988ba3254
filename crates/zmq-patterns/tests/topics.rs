//! What the indices promise besides being right: depth, memory, and work.

use std::thread;

use zmq_patterns::{PeerKey, Prefixes, Topics};

fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(64 * 1024).spawn(run);
    thread.unwrap().join().unwrap();
}

#[test]
fn a_topic_of_eight_mebibytes_needs_no_stack() {
    on_a_small_stack(|| {
        let long = vec![b'a'; 8 << 20];
        let mut topics = Topics::new();
        topics.insert(PeerKey(0), &long);
        // Prefixes of it split its edges all the way down.
        for length in (1..long.len()).step_by(700_001) {
            topics.insert(PeerKey(1), &long[..length]);
        }
        let mut found = 0;
        topics.for_each_match(&long, |_| found += 1);
        assert_eq!(found, 1 + topics.held(PeerKey(1)).0);
        topics.remove(PeerKey(0), &long);
        let mut gone = 0;
        topics.remove_peer(PeerKey(1), |_, _| gone += 1);
        assert_eq!(gone, found - 1);

        topics.insert(PeerKey(0), &long);
        drop(topics);
        let mut prefixes = Prefixes::new();
        prefixes.insert(&long);
        assert_eq!(prefixes.after(None).unwrap().len(), long.len());
        assert_eq!(prefixes.after(Some(&long)), None);
        drop(prefixes);
    });
}

#[test]
fn memory_comes_back_when_topics_go() {
    let mut topics = Topics::new();
    topics.insert(PeerKey(2), b"stays");
    let topic = |number: u32| format!("md.nyse.trade.{number:06}").into_bytes();
    for number in 0..50_000 {
        topics.insert(PeerKey(number % 2), &topic(number));
    }
    assert!(topics.memory() > 50_000 * 20);
    for number in (0..50_000).step_by(2) {
        topics.remove(PeerKey(0), &topic(number));
    }
    topics.forget_peer(PeerKey(1));
    assert!(topics.memory() < 100_000, "{}", topics.memory());
    let mut found = Vec::new();
    topics.for_each_match(b"stays here", |peer| found.push(peer));
    assert_eq!(found, [PeerKey(2)]);
}

#[test]
fn memory_comes_back_when_topics_go_one_by_one() {
    let mut topics = Topics::new();
    let topic = |number: u32| number.to_be_bytes();
    for number in 0..20_000 {
        topics.insert(PeerKey(0), &topic(number));
    }
    for peer in 0..10_000 {
        topics.insert(PeerKey(peer), b"popular");
    }
    let full = topics.memory();
    for number in 0..20_000 {
        topics.remove(PeerKey(0), &topic(number));
    }
    let popular = topics.memory();
    assert!(popular < full - 20_000 * 60, "{full} {popular}");
    for peer in 0..9_990 {
        topics.remove(PeerKey(peer), b"popular");
    }
    // Their lists, 16 octets each, and most of the set itself, 8 octets for each holder.
    let few = topics.memory();
    assert!(few < popular - 9_990 * (16 + 7), "{popular} {few}");
    for peer in 9_990..10_000 {
        topics.remove(PeerKey(peer), b"popular");
    }
    // What stays is the table of peers: 32 octets for each key seen.
    assert!(topics.memory() < 10_000 * 32 * 2, "{}", topics.memory());
}

#[test]
fn topics_survive_the_rebuilding_of_the_arena() {
    let mut topics = Topics::new();
    let topic = |number: u32| format!("{:08x}", number.wrapping_mul(0x9e37_79b9)).into_bytes();
    for number in 0..20_000 {
        topics.insert(PeerKey(number % 7), &topic(number));
        topics.insert(PeerKey(7), &topic(number));
    }
    for number in (0..20_000).filter(|number| number % 10 != 3) {
        topics.remove(PeerKey(7), &topic(number));
        topics.remove(PeerKey(number % 7), &topic(number));
    }
    for number in 0..20_000 {
        let mut found = Vec::new();
        topics.for_each_match(&topic(number), |peer| found.push(peer));
        if number % 10 == 3 {
            assert_eq!(found, [PeerKey(number % 7), PeerKey(7)]);
        } else {
            assert_eq!(found, []);
        }
    }
    let mut gone = 0;
    for peer in 0..8 {
        topics.remove_peer(PeerKey(peer), |_, _| gone += 1);
    }
    assert_eq!(gone, 4000);
    assert!(topics.is_empty());
}

#[test]
fn a_topic_weighs_less_than_two_hundred_octets() {
    let mut topics = Topics::new();
    let mut state = 1u64;
    let mut count = 0;
    while count < 100_000 {
        let mut topic = [0; 20];
        for octet in &mut topic {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *octet = b'a' + (state >> 40) as u8 % 26;
        }
        topics.insert(PeerKey(0), &topic);
        count += 1;
    }
    assert!(topics.memory() / count < 160, "{}", topics.memory() / count);
}
