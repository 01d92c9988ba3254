//! Messages per second from one thread to another, through the untyped engine.
#![allow(clippy::print_stdout, reason = "the numbers are its output")]

use std::time::{Duration, Instant};
use zmq_engine::{Context, Socket, SocketOptions, SocketType};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = std::env::args()
        .nth(1)
        .unwrap_or("tcp://127.0.0.1:0".into());
    let size: usize = std::env::args()
        .nth(2)
        .map_or(Ok(64), |size| size.parse())?;
    let count: u64 = std::env::args()
        .nth(3)
        .map_or(Ok(1_000_000), |count| count.parse())?;
    let context = Context::new()?;
    let pull = Socket::open(&context, SocketType::Pull, SocketOptions::default())?;
    let endpoint = pull.bind(&endpoint)?;
    let sender = std::thread::spawn({
        let context = context.clone();
        move || {
            let push = Socket::open(&context, SocketType::Push, SocketOptions::default()).unwrap();
            push.connect(&endpoint).unwrap();
            let body = vec![7_u8; size];
            for _ in 0..count {
                push.send(body.as_slice().into(), None).unwrap();
            }
            push.close(Some(Duration::from_secs(10)))
        }
    });
    pull.recv(None)?;
    let start = Instant::now();
    for _ in 1..count {
        pull.recv(None)?;
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{size} octets: {:.2} M msg/s", count as f64 / seconds / 1e6);
    println!("{:?}", sender.join().map_err(|_| "sender failed")?);
    // Round trips.
    let rep = Socket::open(&context, SocketType::Rep, SocketOptions::default())?;
    let endpoint = rep.bind("tcp://127.0.0.1:0")?;
    let trips = 20_000;
    let server = std::thread::spawn(move || {
        for _ in 0..trips {
            let request = rep.recv(None).unwrap();
            rep.send(request, None).unwrap();
        }
        rep
    });
    let req = Socket::open(&context, SocketType::Req, SocketOptions::default())?;
    req.connect(&endpoint)?;
    let start = Instant::now();
    for _ in 0..trips {
        req.send("x".into(), None)?;
        req.recv(None)?;
    }
    println!(
        "round trip {:.1} us",
        start.elapsed().as_secs_f64() * 1e6 / f64::from(trips)
    );
    drop(server.join());
    Ok(())
}
