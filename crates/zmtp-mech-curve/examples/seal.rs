//! What sealing and opening cost with each back end, and what a handshake costs: the numbers in `src/seal.rs`.
//!
//! `cargo run --release -p zmtp-mech-curve --example seal`
#![allow(clippy::print_stdout, reason = "it measures and prints")]
#![forbid(unsafe_code)]

use core::convert::Infallible;
use std::hint::black_box;
use std::time::Instant;
use zmtp_mech_curve::measuring::{Fast, Few, Portable, SecretBox};
use zmtp_mech_curve::{Client, KeyPair, SecretKey, Server, ServerKeys};
use zmtp_wire::{Mechanism, Step, Transform};

/// Rounds, of which the fastest counts: the others met something else on the machine.
const ROUNDS: usize = 15;

fn best(iterations: u32, mut measured: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..iterations {
            measured();
        }
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(iterations));
    }
    best
}

fn back_end<C: SecretBox>(size: usize) -> (f64, f64) {
    let (key, nonce) = ([7; 32], [9; 24]);
    let iterations = 4_000_000 / (size as u32 + 1000) + 1;
    let mut octets = vec![1; size + 16];
    let seal = best(iterations, || {
        C::seal(&key, &nonce, black_box(&mut octets)).expect("longer than a tag");
    });
    octets.fill(1);
    C::seal(&key, &nonce, &mut octets).expect("longer than a tag");
    let mut content = vec![0; size];
    let open = best(iterations, || {
        C::open(&key, &nonce, black_box(&octets), &mut content).expect("honest");
    });
    (seal, open)
}

/// The back end for few octets: nothing at lengths it does not take.
fn few(size: usize) -> (f64, f64) {
    let few = Few::new(&[7; 32], &[9; 16]);
    let mut octets = vec![1; size + 16];
    if few.seal(&[9; 8], &mut octets).is_err() {
        return (f64::NAN, f64::NAN);
    }
    let mut content = vec![0; size];
    let open = best(4000, || {
        few.open(&[9; 8], black_box(&octets), &mut content)
            .expect("honest");
    });
    let seal = best(4000, || {
        few.seal(&[9; 8], black_box(&mut octets)).expect("short");
    });
    (seal, open)
}

fn entropy(seed: u8) -> impl FnOnce(&mut [u8]) -> Result<(), Infallible> {
    move |octets| {
        octets.fill(seed);
        Ok(())
    }
}

fn pair(seed: u8) -> KeyPair {
    SecretKey::from_octets([seed; 32]).into()
}

/// A whole handshake, both sides.
fn handshake(keys: &ServerKeys, client: &KeyPair) -> (Box<dyn Transform>, Box<dyn Transform>) {
    let known = keys.public().next().expect("at least one key");
    let (Ok(mut client), Ok(mut server)) = (
        Client::new(client.clone(), known, entropy(3)),
        Server::new(keys.clone(), entropy(4)),
    );
    let mut body = Vec::new();
    loop {
        body.clear();
        if let Step::Established(ours) = client.poll(&mut body) {
            let Step::Established(theirs) = server.poll(&mut body) else {
                unreachable!("READY was said")
            };
            let (Some(ours), Some(theirs)) = (ours.transform, theirs.transform) else {
                unreachable!("CURVE seals")
            };
            return (ours, theirs);
        }
        server.handle_command(&body).expect("honest");
        body.clear();
        server.poll(&mut body);
        client.handle_command(&body).expect("honest");
    }
}

fn main() {
    println!(
        "ns a box             Portable               Fast                   Few                    a frame (default)"
    );
    println!(
        "size                 seal       open        seal       open        seal       open        seal       open"
    );
    let (keys, client) = (ServerKeys::new(pair(2)), pair(1));
    for size in [
        1,
        32,
        64,
        96,
        128,
        160,
        256,
        1024,
        4096,
        16 * 1024,
        64 * 1024,
    ] {
        let (portable, fast) = (back_end::<Portable>(size), back_end::<Fast>(size));
        let few = few(size);
        let (mut ours, mut theirs) = handshake(&keys, &client);
        let body = vec![1; size];
        let iterations = 4_000_000 / (size as u32 + 1000) + 1;
        let (mut sealed, mut open) = (Vec::new(), Vec::new());
        let seal = best(iterations, || {
            sealed.clear();
            ours.seal(0, black_box(&body), &mut sealed)
                .expect("nonces enough");
        });
        let both = best(iterations, || {
            sealed.clear();
            ours.seal(0, black_box(&body), &mut sealed)
                .expect("nonces enough");
            open = Vec::with_capacity(size);
            theirs.open(&sealed, &mut open).expect("honest");
        });
        println!(
            "{size:<12} {:>12.0} {:>10.0} {:>11.0} {:>10.0} {:>11.0} {:>10.0} {seal:>11.0} {:>10.0}",
            portable.0,
            portable.1,
            fast.0,
            fast.1,
            few.0,
            few.1,
            both - seal
        );
    }
    let whole = best(50, || {
        black_box(handshake(&keys, &client));
    });
    println!("a handshake, both sides: {:.0} us", whole / 1000.0);
}
