//! Random days: what a seed did once it does again, and the books balance at the end.

use zmq_testkit::scenario;

const STEPS: u64 = 800;

#[test]
fn two_runs_of_a_seed_are_the_same() {
    for seed in 1..4 {
        let first = scenario::run(seed, STEPS);
        let second = scenario::run(seed, STEPS);
        assert_eq!(first.log.join("\n"), second.log.join("\n"), "seed {seed}");
        assert_eq!(first.hash, second.hash);
    }
}

#[test]
fn two_seeds_are_two_days() {
    assert_ne!(scenario::run(1, 200).hash, scenario::run(2, 200).hash);
}

#[test]
fn the_books_balance_at_the_end_of_every_day() {
    let mut faults = Vec::new();
    let mut received = 0;
    for seed in 10..40 {
        let day = scenario::run(seed, STEPS);
        received += day.received;
        faults.extend(
            day.faults
                .iter()
                .map(|fault| format!("seed {seed}: {fault}")),
        );
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(received > 1_000, "quiet days: {received} messages");
}
