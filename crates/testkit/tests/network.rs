//! The network itself: whatever the weather, every pattern's octets come through in order.

use std::time::Duration;

use zmq_engine::{SocketOptions, SocketType};
use zmq_testkit::books::{Ledger, compose};
use zmq_testkit::{Weather, World};

const SCHEMES: [&str; 2] = ["sim", "simf"];

fn weathers() -> Vec<(&'static str, Weather)> {
    let friendly = |weather: Weather| Weather {
        edges_only: false,
        ..weather
    };
    vec![
        ("fair", Weather::default()),
        ("drip", Weather::drip()),
        ("rough", Weather::rough()),
        ("fair, told more often", friendly(Weather::default())),
        ("drip, told more often", friendly(Weather::drip())),
        ("rough, told more often", friendly(Weather::rough())),
    ]
}

/// Sends so many messages from push to pull and gives how many came.
fn pour(scheme: &str, weather: &Weather, count: u64) -> u64 {
    let mut world = World::new(3);
    world.be_quiet();
    world.net.set_weather(weather.clone());
    let pull = world.open(SocketType::Pull, "pull", SocketOptions::default());
    let push = world.open(SocketType::Push, "push", SocketOptions::default());
    world.bind(pull, &format!("{scheme}://hall"));
    world.connect(push, &format!("{scheme}://hall"));
    for number in 0..count {
        world
            .send(push, compose(1, number))
            .expect("below the mark");
    }
    let mut ledger = Ledger::default();
    let mut idle = 0;
    while ledger.count() < count && idle < 100 {
        let got = world.drain(pull);
        idle = if got.is_empty() { idle + 1 } else { 0 };
        for message in got {
            ledger.enter(0, &message);
        }
        world.run_for(Duration::from_millis(50));
    }
    assert_eq!(ledger.faults(), Vec::<String>::new());
    world
        .books("hall", &[pull], &[push])
        .assert_balanced(&"at the end");
    ledger.count()
}

#[test]
fn everything_comes_through_in_any_weather() {
    let mut faults = Vec::new();
    for scheme in SCHEMES {
        for (name, weather) in weathers() {
            let count = pour(scheme, &weather, 20);
            if count != 20 {
                faults.push(format!("{scheme}, {name}: {count} of 20 came"));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn more_than_one_turn_of_reading_comes_through_without_another_call() {
    // A stream without a descriptor calls once for all that has come; the engine stops reading after 128 KiB to let others
    // have their turn, and has to come back by itself.
    let weather = Weather {
        room: 1 << 20,
        ..Weather::default()
    };
    for scheme in SCHEMES {
        assert_eq!(pour(scheme, &weather, 900), 900, "{scheme}");
    }
}
