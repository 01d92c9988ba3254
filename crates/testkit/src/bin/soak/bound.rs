//! The child: binds a socket, and answers what the parent asks on its standard input.

use std::error::Error;
use std::io::{BufRead, Write};
use std::time::Duration;

use zmq_engine::{Context, Heartbeat, Socket, SocketOptions, SocketType};
use zmq_testkit::process;

/// The facade's defaults.
const HEARTBEAT: Heartbeat = Heartbeat {
    interval: Duration::from_secs(10),
    timeout: Duration::from_secs(30),
    ttl: Duration::ZERO,
};

const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn serve(kind: SocketType) -> Result<(), Box<dyn Error>> {
    process::raise_descriptor_limit();
    let context = Context::new()?;
    let mut options = SocketOptions::default();
    options.heartbeat = Some(HEARTBEAT);
    options.stream.backlog = 1_000;
    let socket = Socket::open(&context, kind, options)?;
    answer(&socket.bind("tcp://127.0.0.1:0")?)?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ').unwrap_or((&line, "")) {
            // Until so many peers are connected.
            ("await", count) => await_peers(&socket, count.parse()?)?,
            // Until so many messages were received.
            ("take", count) => {
                for _ in 0..count.parse::<u64>()? {
                    socket.recv(Some(PATIENCE))?;
                }
                answer("taken")?;
            }
            ("numbers", _) => answer(&format!(
                "{} {} {}",
                process::resident(None)?,
                process::descriptors(None)?,
                process::threads(None)?
            ))?,
            _ => return Err(format!("the parent asks for `{line}`").into()),
        }
    }
    socket.close(Some(Duration::ZERO));
    Ok(())
}

fn await_peers(socket: &Socket, count: usize) -> Result<(), Box<dyn Error>> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let waiter = socket.waiter();
    loop {
        let _ = socket.events();
        let met = socket.connected_peers();
        let subscribed =
            socket.socket_type() != SocketType::Pub || socket.subscriber_count() == count;
        if met == count && subscribed {
            return answer(&met.to_string());
        }
        let fd = waiter.descriptor();
        let limit = Timespec {
            tv_sec: 60,
            tv_nsec: 0,
        };
        if poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&limit))? == 0 {
            return Err(format!("{met} peers are connected, not {count}").into());
        }
    }
}

fn answer(text: &str) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}
