//! The command line.

use zmq_engine::SocketType;

pub(crate) const USAGE: &str =
    "soak [--peers N] [--cycles N] [--beats N] [--type PULL|ROUTER|PUB|REP]...";

pub(crate) struct Arguments {
    /// Idle peers at a time.
    pub(crate) peers: usize,
    /// How often a few peers come and go.
    pub(crate) cycles: usize,
    /// How many PINGs each idle peer answers before the memory is measured; one comes every ten seconds.
    pub(crate) beats: usize,
    /// The bound types.
    pub(crate) types: Vec<SocketType>,
    /// This is the child, and binds a socket of this type.
    pub(crate) serve: Option<SocketType>,
}

impl Arguments {
    pub(crate) fn parse(words: &[String]) -> Option<Arguments> {
        let mut arguments = Arguments {
            peers: 1_000,
            cycles: 200,
            beats: 0,
            types: Vec::new(),
            serve: None,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, value),
                None => (word.as_str(), words.next()?.as_str()),
            };
            match name {
                "--peers" => arguments.peers = value.parse().ok()?,
                "--cycles" => arguments.cycles = value.parse().ok()?,
                "--beats" => arguments.beats = value.parse().ok()?,
                "--type" => arguments.types.push(served(value)?),
                "--serve" => arguments.serve = Some(served(value)?),
                _ => return None,
            }
        }
        if arguments.types.is_empty() {
            arguments.types = vec![SocketType::Pull, SocketType::Router, SocketType::Pub];
        }
        Some(arguments)
    }
}

fn served(name: &str) -> Option<SocketType> {
    SocketType::from_name(name.to_uppercase().as_bytes()).filter(|kind| {
        matches!(
            kind,
            SocketType::Pull | SocketType::Router | SocketType::Pub | SocketType::Rep
        )
    })
}
