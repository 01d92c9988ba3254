//! Two players, each a process of its own, and the sockets that a cell opens at them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use peer_script::{Failure, Process, Side, Value};

/// How long a cell waits for what must come.
pub(crate) const WAIT: Duration = Duration::from_secs(5);

/// How long our side waits before the other is reminded of what waits for it.
const SLICE: Duration = Duration::from_millis(20);

/// One of the two sides of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Player {
    /// The engine under test.
    Ours,
    /// The reference.
    Theirs,
}

impl Player {
    /// Both, for cells that are run with the roles exchanged.
    pub const BOTH: [Player; 2] = [Player::Ours, Player::Theirs];

    /// The one opposite.
    #[must_use]
    pub fn other(self) -> Player {
        match self {
            Player::Ours => Player::Theirs,
            Player::Theirs => Player::Ours,
        }
    }

    /// A word for names of cells.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Player::Ours => "ours",
            Player::Theirs => "theirs",
        }
    }
}

/// A program that plays a side on its standard input and output.
#[derive(Clone, Debug)]
pub struct Program {
    /// What to run.
    pub path: PathBuf,
    /// With these arguments.
    pub arguments: Vec<String>,
}

impl Program {
    fn start(&self) -> Result<Process, Failure> {
        let process = Process::start(Command::new(&self.path).args(&self.arguments));
        process.map_err(|error| Failure::new("GONE", format!("{}: {error}", self.path.display())))
    }
}

/// What a cell came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// What was seen instead of what must be.
    Failed(String),
    /// Why it could not be run.
    Skipped(String),
}

/// The result of a cell or of a step in it.
pub type Outcome<T = ()> = Result<T, Verdict>;

/// A failure with these words.
pub(crate) fn fail<T>(what: impl Into<String>) -> Outcome<T> {
    Err(Verdict::Failed(what.into()))
}

/// A socket of a player.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sock {
    /// Whose it is.
    pub player: Player,
    /// Its type (`PUSH`).
    pub kind: String,
    name: String,
}

/// How the two sides reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// `tcp://127.0.0.1`
    Tcp,
    /// `ipc://` in a folder of this run.
    Ipc,
}

impl Transport {
    /// Both.
    pub const ALL: [Transport; 2] = [Transport::Tcp, Transport::Ipc];

    /// The scheme.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Ipc => "ipc",
        }
    }
}

/// The players of a run. Processes are started when first needed, and anew after a cell has failed.
#[derive(Debug)]
pub struct Arena {
    programs: [Program; 2],
    processes: [Option<Process>; 2],
    open: Vec<Sock>,
    folder: PathBuf,
    serial: u64,
}

impl Arena {
    /// An arena whose ipc sockets live in `folder`.
    #[must_use]
    pub fn new(ours: Program, theirs: Program, folder: &Path) -> Arena {
        Arena {
            programs: [ours, theirs],
            processes: [None, None],
            open: Vec::new(),
            folder: folder.to_owned(),
            serial: 0,
        }
    }

    /// The player's process, started if need be.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn side(&mut self, player: Player) -> Outcome<&mut Process> {
        let index = player as usize;
        if self.processes[index].is_none() {
            let process = self.programs[index].start();
            self.processes[index] =
                Some(process.map_err(|failure| Verdict::Failed(failure.to_string()))?);
        }
        match &mut self.processes[index] {
            Some(process) => Ok(process),
            None => fail("no process"),
        }
    }

    /// Kills the player's process, and with it all its sockets.
    pub fn kill(&mut self, player: Player) {
        self.processes[player as usize] = None;
        self.open.retain(|sock| sock.player != player);
    }

    /// What the monitors of our side have recorded and nobody asked about, to explain a failure.
    #[must_use]
    pub fn history(&mut self) -> String {
        let mut history = String::new();
        for sock in self.open.clone() {
            if let (Player::Ours, Some(process)) =
                (sock.player, &mut self.processes[sock.player as usize])
                && let Err(failure) = process.event(&sock.name, "-", Duration::ZERO)
                && failure.is_again()
            {
                history.push_str(&format!("; {} {}", sock.kind, failure.text));
            }
        }
        history
    }

    /// Ends a cell: closes its sockets, or after a failure both processes.
    pub fn clear(&mut self, failed: bool) {
        for sock in std::mem::take(&mut self.open) {
            let closed = match &mut self.processes[sock.player as usize] {
                Some(process) if !failed => process.close(&sock.name).is_ok(),
                _ => true,
            };
            if !closed {
                self.processes[sock.player as usize] = None;
            }
        }
        if failed {
            self.processes = [None, None];
        }
    }

    fn act<T>(
        &mut self,
        sock: &Sock,
        what: &str,
        act: impl FnOnce(&mut Process, &str) -> Result<T, Failure>,
    ) -> Outcome<T> {
        let result = act(self.side(sock.player)?, &sock.name);
        result.map_err(|failure| match failure.code.as_str() {
            // An implementation that is older than what is tried.
            "UNSUPPORTED" => Verdict::Skipped(failure.text),
            _ => Verdict::Failed(format!(
                "{} {} {what}: {failure}",
                sock.player.name(),
                sock.kind
            )),
        })
    }

    /// Opens a socket that never lingers.
    ///
    /// # Errors
    /// As the player.
    pub fn open(&mut self, player: Player, kind: &str) -> Outcome<Sock> {
        self.serial += 1;
        let name = format!("s{}", self.serial);
        let sock = Sock {
            player,
            kind: kind.to_owned(),
            name,
        };
        self.act(&sock, "open", |side, name| side.open(name, kind))?;
        self.open.push(sock.clone());
        self.set(&sock, "LINGER", 0)?;
        Ok(sock)
    }

    /// Sets an option.
    ///
    /// # Errors
    /// As the player.
    pub fn set(&mut self, sock: &Sock, option: &str, value: impl Into<Value>) -> Outcome {
        let value = value.into();
        self.act(sock, &format!("set {option}"), |side, name| {
            side.set(name, option, &value)
        })
    }

    /// Octets that no other call gives.
    #[must_use]
    pub fn unique(&mut self) -> Vec<u8> {
        self.serial += 1;
        self.serial.to_string().into_bytes()
    }

    /// A new endpoint to bind to; tcp leaves the port to the system.
    #[must_use]
    pub fn fresh(&mut self, transport: Transport) -> String {
        self.serial += 1;
        match transport {
            Transport::Tcp => "tcp://127.0.0.1:0".to_owned(),
            Transport::Ipc => format!("ipc://{}/{}", self.folder.display(), self.serial),
        }
    }

    /// Binds, and returns the endpoint as really bound.
    ///
    /// # Errors
    /// As the player.
    pub fn bind(&mut self, sock: &Sock, endpoint: &str) -> Outcome<String> {
        self.act(sock, "bind", |side, name| side.bind(name, endpoint))
    }

    /// Connects.
    ///
    /// # Errors
    /// As the player.
    pub fn connect(&mut self, sock: &Sock, endpoint: &str) -> Outcome {
        self.act(sock, "connect", |side, name| side.connect(name, endpoint))
    }

    /// Binds one socket and connects the other.
    ///
    /// # Errors
    /// As the players.
    pub fn join(
        &mut self,
        binder: &Sock,
        connector: &Sock,
        transport: Transport,
    ) -> Outcome<String> {
        let endpoint = self.fresh(transport);
        let endpoint = self.bind(binder, &endpoint)?;
        self.connect(connector, &endpoint)?;
        Ok(endpoint)
    }

    /// Subscribes, by a message where the type has no other way.
    ///
    /// # Errors
    /// As the player.
    pub fn subscribe(&mut self, sock: &Sock, topic: &[u8]) -> Outcome {
        if sock.kind == "XSUB" {
            return self.send(sock, &[[&[1], topic].concat()]);
        }
        self.act(sock, "subscribe", |side, name| side.subscribe(name, topic))
    }

    /// Takes a subscription back.
    ///
    /// # Errors
    /// As the player.
    pub fn unsubscribe(&mut self, sock: &Sock, topic: &[u8]) -> Outcome {
        if sock.kind == "XSUB" {
            return self.send(sock, &[[&[0], topic].concat()]);
        }
        self.act(sock, "unsubscribe", |side, name| {
            side.unsubscribe(name, topic)
        })
    }

    /// Sends, waiting for room.
    ///
    /// # Errors
    /// As the player.
    pub fn send(&mut self, sock: &Sock, frames: &[Vec<u8>]) -> Outcome {
        self.act(sock, "send", |side, name| side.send(name, frames, WAIT))
    }

    /// Sends, and says with which code it failed.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn try_send(
        &mut self,
        sock: &Sock,
        frames: &[Vec<u8>],
        wait: Duration,
    ) -> Outcome<Result<(), String>> {
        codes(self.side(sock.player)?.send(&sock.name, frames, wait))
    }

    /// Receives what must come.
    ///
    /// # Errors
    /// As the player.
    pub fn recv(&mut self, sock: &Sock) -> Outcome<Vec<Vec<u8>>> {
        let received = self.receive(sock, WAIT)?;
        received.map_err(|failure| {
            Verdict::Failed(format!(
                "{} {} recv: {failure}",
                sock.player.name(),
                sock.kind
            ))
        })
    }

    /// Receives what may come, or says with which code it failed.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn try_recv(
        &mut self,
        sock: &Sock,
        wait: Duration,
    ) -> Outcome<Result<Vec<Vec<u8>>, String>> {
        codes(self.receive(sock, wait)?)
    }

    fn receive(&mut self, sock: &Sock, wait: Duration) -> Outcome<Result<Vec<Vec<u8>>, Failure>> {
        let deadline = Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let slice = if sock.player == Player::Ours {
                left.min(SLICE)
            } else {
                left
            };
            match self.side(sock.player)?.recv(&sock.name, slice) {
                Err(failure) if failure.is_again() && left > slice => self.remind()?,
                result => return Ok(result),
            }
        }
    }

    /// libzmq learns about new peers, and sends them its subscriptions, inside calls of its user: makes one without effect.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn remind(&mut self) -> Outcome {
        for sock in self.open.clone() {
            if sock.player == Player::Theirs {
                // Fails: nothing is connected to it.
                let _ = codes(
                    self.side(Player::Theirs)?
                        .disconnect(&sock.name, "tcp://127.0.0.1:1"),
                )?;
            }
        }
        Ok(())
    }

    /// Receives, and compares.
    ///
    /// # Errors
    /// When another message comes, or none.
    pub fn expect(&mut self, sock: &Sock, frames: &[Vec<u8>]) -> Outcome {
        let expected = describe(frames);
        let met = self.recv(sock).map_err(|verdict| match verdict {
            Verdict::Failed(why) => Verdict::Failed(format!("{why}, where {expected} must come")),
            skipped => skipped,
        })?;
        if met == frames {
            return Ok(());
        }
        let met = describe(&met);
        fail(format!(
            "{} {} received {met} instead of {expected}",
            sock.player.name(),
            sock.kind
        ))
    }

    /// Starts to record events.
    ///
    /// # Errors
    /// As the player.
    pub fn monitor(&mut self, sock: &Sock) -> Outcome {
        self.act(sock, "monitor", |side, name| side.monitor(name))
    }

    /// Waits for an event that must come.
    ///
    /// # Errors
    /// As the player.
    pub fn event(&mut self, sock: &Sock, event: &str) -> Outcome<String> {
        self.act(sock, &format!("event {event}"), |side, name| {
            side.event(name, event, WAIT)
        })
    }

    /// Ends a bind before the socket is closed, which takes its time.
    ///
    /// # Errors
    /// As the player.
    pub fn unbind(&mut self, sock: &Sock, endpoint: &str) -> Outcome {
        self.act(sock, "unbind", |side, name| side.unbind(name, endpoint))
    }

    /// A property of the connection that the last received message came over, which must have it.
    ///
    /// # Errors
    /// As the player.
    pub fn property(&mut self, sock: &Sock, property: &str) -> Outcome<String> {
        self.act(sock, &format!("property {property}"), |side, name| {
            side.property(name, property)
        })
    }

    /// Watches that an event does not come.
    ///
    /// # Errors
    /// When it comes.
    pub fn no_event(&mut self, sock: &Sock, event: &str, watch: Duration) -> Outcome {
        let player = sock.player.name();
        match self.side(sock.player)?.event(&sock.name, event, watch) {
            Ok(text) => fail(format!("{player} {} saw {text}", sock.kind)),
            Err(failure) if failure.is_again() => Ok(()),
            Err(failure) => fail(failure.to_string()),
        }
    }

    /// Closes a socket before the end of the cell.
    ///
    /// # Errors
    /// As the player.
    pub fn close(&mut self, sock: &Sock) -> Outcome {
        self.open.retain(|other| other != sock);
        self.act(sock, "close", |side, name| side.close(name))
    }
}

fn codes<T>(result: Result<T, Failure>) -> Outcome<Result<T, String>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(failure) if failure.code == "GONE" => fail(failure.to_string()),
        Err(failure) => Ok(Err(failure.code)),
    }
}

/// Frames for people: short ones in full, long ones by their size.
#[must_use]
pub(crate) fn describe(frames: &[Vec<u8>]) -> String {
    let words: Vec<String> = frames
        .iter()
        .map(|frame| match frame.len() {
            0..=20 => format!("\"{}\"", frame.escape_ascii()),
            length => format!("({length} octets)"),
        })
        .collect();
    format!("[{}]", words.join(", "))
}
