//! Strangers at secured sockets: peers that shake hands octet by octet and stop where they like.

use std::io::Read;

use zmq_engine::wire::{Mechanism, Step};
use zmq_testkit::octets::{GREETING, command, frame, greeting, property};
use zmq_testkit::script::TcpPeer;
use zmtp_mech_curve::{Client, KeyPair, PublicKey, SecretKey};

/// The same for every test: they guard nothing.
pub fn server_keys() -> KeyPair {
    KeyPair::new(SecretKey::from_octets([7; 32]))
}

pub fn client_keys() -> KeyPair {
    KeyPair::new(SecretKey::from_octets([8; 32]))
}

/// HELLO of PLAIN.
pub fn plain_hello(username: &[u8], password: &[u8]) -> Vec<u8> {
    let length = |octets: &[u8]| u8::try_from(octets.len()).expect("short");
    let data = [&[length(username)], username, &[length(password)], password].concat();
    command("HELLO", &data)
}

/// Properties of a peer of this type, and one more to make them as long as they are to be.
pub fn metadata(socket_type: &str, filling: usize) -> Vec<u8> {
    let mut all = property("Socket-Type", socket_type.as_bytes());
    if filling > 0 {
        all.extend(property("X-Filling", &vec![b'f'; filling]));
    }
    all
}

/// Says a greeting with this mechanism and reads the other end's.
pub fn greet(peer: &mut TcpPeer, mechanism: &str) {
    peer.say(&greeting(1, mechanism, false));
    let mut met = [0; GREETING];
    peer.stream().read_exact(&mut met).expect("a greeting");
}

/// A CURVE client by hand.
pub struct Sealed {
    pub client: Client,
}

impl Sealed {
    /// Knows the server as the owner of `server`.
    pub fn new(keys: KeyPair, server: PublicKey, metadata: &[u8]) -> Sealed {
        let entropy = |octets: &mut [u8]| {
            static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
            let seed = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let mut dice = zmq_testkit::Dice::new(seed);
            octets.fill_with(|| u8::try_from(dice.below(256)).expect("an octet"));
            Ok::<_, std::convert::Infallible>(())
        };
        let Ok(mut client) = Client::new(keys, server, entropy);
        client.start(metadata);
        Sealed { client }
    }

    /// What it says next, as a frame.
    pub fn next(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        assert!(matches!(self.client.poll(&mut body), Step::Command));
        frame(4, &body)
    }

    /// Says HELLO and hears WELCOME.
    pub fn hello(&mut self, peer: &mut TcpPeer) {
        peer.say(&self.next());
        self.hear(peer);
    }

    /// Hears one command.
    pub fn hear(&mut self, peer: &mut TcpPeer) {
        let (flags, body) = peer.frame().expect("a command");
        assert_eq!(flags & 4, 4);
        self.client.handle_command(&body).expect("a good command");
    }
}
