//! `rzmq` as a side of the bench.
//!
//! With what its guide advises for speed: large marks, no throttle. Without TCP_CORK, which makes it four times slower over
//! the loopback. On one thread, as each end has one core.

use std::error::Error;
use std::future::Future;
use std::io::{stdin, stdout};
use std::time::Duration;

use peer_script::{Contender, Job, work};
use rzmq::socket::options::{
    ADAPTIVE_THROTTLE, LAST_ENDPOINT, RCVHWM, SNDHWM, SUBSCRIBE, XPUB_NODROP,
};
use rzmq::{Context, Msg, Socket, SocketType};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// As in its own benchmarks.
const MARK: i32 = 100_000;
/// How long subscriptions may take to arrive: there is no way to ask.
const ARRIVAL: Duration = Duration::from_millis(300);
/// Sockets do not wait for what they were given to send.
const LAST: Duration = Duration::from_millis(20);

fn main() -> Result<()> {
    let job = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    work(Side::new, &job.parse()?, stdin(), &mut stdout().lock())
}

struct Side {
    context: std::sync::OnceLock<Context>,
}

impl Side {
    fn new(_: &Job) -> Result<Side> {
        Ok(Side {
            context: std::sync::OnceLock::new(),
        })
    }

    /// Made inside the runtime, which it uses.
    fn context(&self) -> Result<&Context> {
        if self.context.get().is_none() {
            let _ = self.context.set(Context::new()?);
        }
        Ok(self.context.get().ok_or("no context")?)
    }
}

impl Contender for Side {
    type Socket = Socket;

    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build();
        runtime.expect("tokio starts").block_on(work)
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn open(&self, kind: &str, _: bool) -> Result<Socket> {
        let number = match kind {
            "PUSH" => SocketType::Push,
            "PULL" => SocketType::Pull,
            "REQ" => SocketType::Req,
            "REP" => SocketType::Rep,
            "PUB" => SocketType::Pub,
            "SUB" => SocketType::Sub,
            _ => return Err(format!("no {kind} here").into()),
        };
        let socket = self.context()?.socket(number)?;
        socket.set_option(SNDHWM, MARK).await?;
        socket.set_option(RCVHWM, MARK).await?;
        socket.set_option(ADAPTIVE_THROTTLE, 0i32).await?;
        if kind == "PUB" {
            socket.set_option(XPUB_NODROP, 1i32).await?;
        }
        Ok(socket)
    }

    async fn bind(&self, socket: &mut Socket, endpoint: &str) -> Result<String> {
        socket.bind(endpoint).await?;
        if endpoint.starts_with("inproc") {
            return Ok(endpoint.to_owned());
        }
        let bound = String::from_utf8(socket.get_option(LAST_ENDPOINT).await?)?;
        Ok(bound.trim_end_matches('\0').to_owned())
    }

    async fn connect(&self, socket: &mut Socket, endpoint: &str) -> Result<()> {
        Ok(socket.connect(endpoint).await?)
    }

    async fn subscribe(&self, socket: &mut Socket, topic: &[u8]) -> Result<()> {
        Ok(socket.set_option_raw(SUBSCRIBE, topic).await?)
    }

    async fn wait_subscribers(&self, socket: &mut Socket, count: u64) -> Result<()> {
        let monitor = socket.monitor_default().await?;
        let mut seen = 0;
        while seen < count {
            let event = monitor.recv().await?;
            if matches!(event, rzmq::socket::SocketEvent::HandshakeSucceeded { .. }) {
                seen += 1;
            }
        }
        self.pause(ARRIVAL).await;
        Ok(())
    }

    async fn send(&self, socket: &mut Socket, octets: &'static [u8]) -> Result<()> {
        Ok(socket.send(Msg::from_static(octets)).await?)
    }

    async fn recv(&self, socket: &mut Socket) -> Result<usize> {
        Ok(socket.recv().await?.size())
    }

    async fn echo(&self, socket: &mut Socket) -> Result<()> {
        let message = socket.recv().await?;
        Ok(socket.send(message).await?)
    }

    async fn close(&self, socket: Socket) -> Result<()> {
        self.pause(LAST).await;
        drop(socket);
        Ok(())
    }
}
