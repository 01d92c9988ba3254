//! The indices against lists of prefixes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use zmq_patterns::{Added, PeerKey, Prefixes, Removed, Topics};

/// Few octets, few lengths and now and then a long run: so that edges split, join and chain.
fn topic() -> impl Strategy<Value = Vec<u8>> {
    let short = proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'b'), any::<u8>()], 0..6);
    prop_oneof![
        6 => short.clone(),
        1 => (short, 200usize..600).prop_map(|(mut topic, length)| {
            topic.resize(topic.len() + length, b'z');
            topic
        }),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u32, Vec<u8>),
    Remove(u32, Vec<u8>),
    RemovePeer(u32),
    ForgetPeer(u32),
    Match(Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    let peer = 0u32..5;
    prop_oneof![
        8 => (peer.clone(), topic()).prop_map(|(peer, topic)| Step::Insert(peer, topic)),
        4 => (peer.clone(), topic()).prop_map(|(peer, topic)| Step::Remove(peer, topic)),
        1 => peer.clone().prop_map(Step::RemovePeer),
        1 => peer.prop_map(Step::ForgetPeer),
        4 => topic().prop_map(Step::Match),
    ]
}

type Model = BTreeSet<(Vec<u8>, u32)>;

fn holders(model: &Model, topic: &[u8]) -> usize {
    model.iter().filter(|(held, _)| held == topic).count()
}

fn clear(model: &mut Model, peer: u32) -> Vec<(Vec<u8>, bool)> {
    let gone: Vec<_> = model
        .iter()
        .filter(|(_, holder)| *holder == peer)
        .map(|(topic, _)| (topic.clone(), holders(model, topic) == 1))
        .collect();
    model.retain(|(_, holder)| *holder != peer);
    gone
}

fn check_counts(topics: &Topics, model: &Model) {
    let prefixes: BTreeSet<_> = model.iter().map(|(topic, _)| topic).collect();
    let peers: BTreeSet<_> = model.iter().map(|(_, peer)| peer).collect();
    assert_eq!(topics.len(), prefixes.len());
    assert_eq!(topics.peers(), peers.len());
    for peer in 0..5 {
        let held: Vec<_> = model.iter().filter(|(_, p)| *p == peer).collect();
        let octets = held.iter().map(|(topic, _)| topic.len()).sum();
        assert_eq!(topics.held(PeerKey(peer)), (held.len(), octets));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    // spec: 29/prefix-match
    #[test]
    fn the_index_concerns_the_same_peers_as_a_list_of_prefixes(
        steps in proptest::collection::vec(step(), 0..120),
    ) {
        let mut topics = Topics::new();
        let mut model = Model::new();
        for step in steps {
            match step {
                Step::Insert(peer, topic) => {
                    let others = holders(&model, &topic);
                    let expected = match model.insert((topic.clone(), peer)) {
                        false => Added::Already,
                        true if others == 0 => Added::First,
                        true => Added::Joined,
                    };
                    prop_assert_eq!(topics.insert(PeerKey(peer), &topic), Some(expected));
                    prop_assert!(topics.contains(PeerKey(peer), &topic));
                }
                Step::Remove(peer, topic) => {
                    let had = model.remove(&(topic.clone(), peer));
                    let expected = match (had, holders(&model, &topic)) {
                        (true, 0) => Removed::Last,
                        (true, _) => Removed::Left,
                        (false, 0) => Removed::Unknown,
                        (false, _) => Removed::NotHeld,
                    };
                    prop_assert_eq!(topics.remove(PeerKey(peer), &topic), expected);
                }
                Step::RemovePeer(peer) => {
                    let mut gone = Vec::new();
                    topics.remove_peer(PeerKey(peer), |topic, last| gone.push((topic, last)));
                    gone.sort();
                    prop_assert_eq!(gone, clear(&mut model, peer));
                }
                Step::ForgetPeer(peer) => {
                    topics.forget_peer(PeerKey(peer));
                    clear(&mut model, peer);
                }
                Step::Match(topic) => {
                    let mut found = Vec::new();
                    topics.for_each_match(&topic, |peer| found.push(peer.0));
                    found.sort_unstable();
                    let mut expected: Vec<_> = model
                        .iter()
                        .filter(|(prefix, _)| topic.starts_with(prefix))
                        .map(|(_, peer)| *peer)
                        .collect();
                    expected.sort_unstable();
                    prop_assert_eq!(found, expected);
                }
            }
            check_counts(&topics, &model);
        }
        for peer in 0..5 {
            topics.forget_peer(PeerKey(peer));
        }
        prop_assert!(topics.is_empty());
    }

    #[test]
    fn prefixes_count_match_and_come_in_byte_order(
        steps in proptest::collection::vec((any::<bool>(), topic()), 0..120),
        probes in proptest::collection::vec(topic(), 0..20),
    ) {
        let mut prefixes = Prefixes::new();
        let mut model: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
        for (add, topic) in steps {
            if add {
                prop_assert!(prefixes.insert(&topic));
                *model.entry(topic).or_default() += 1;
            } else {
                let count = model.get(&topic).copied().unwrap_or_default();
                prop_assert_eq!(prefixes.remove(&topic), count == 1);
                match count {
                    0 => {}
                    1 => drop(model.remove(&topic)),
                    _ => drop(model.insert(topic, count - 1)),
                }
            }
            prop_assert_eq!(prefixes.len(), model.len());
        }
        for probe in &probes {
            let expected = model.keys().any(|prefix| probe.starts_with(prefix));
            prop_assert_eq!(prefixes.matches(probe), expected);
            let after = prefixes.after(Some(probe)).map(Vec::from);
            prop_assert_eq!(after.as_ref(), model.keys().find(|prefix| *prefix > probe));
        }
        let mut listed = Vec::new();
        while let Some(next) = prefixes.after(listed.last().map(Vec::as_slice)) {
            listed.push(next.to_vec());
        }
        prop_assert!(listed.iter().eq(model.keys()));
    }
}
