//! The side that knows the server's key.

use crate::layout::{Counted, HELLO, INITIATE, KEYS_IN_BOX, PADDING, SIGNATURE, Welcome};
use crate::messages::Messages;
use crate::nonce::{self, Random, Received, Sent, long, short};
use crate::seal::{BoxKey, TAG};
use crate::{KeyPair, NAME, PublicKey, SecretKey};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::mem::replace;
use zeroize::Zeroizing;
use zmtp_wire::metadata::Metadata;
use zmtp_wire::{Error, Established, Mechanism, Misbehaved, Step, Verdict};

/// One CURVE handshake of a client.
///
/// ```text
/// Hello --polled--> AwaitWelcome --WELCOME--> Initiate --polled--> AwaitReady --READY--> Established
/// ```
///
/// Anything else ends in `Failed`. ERROR is heeded by the session.
pub struct Client {
    keys: KeyPair,
    server: PublicKey,
    metadata: Vec<u8>,
    sent: Sent,
    state: State,
}

enum State {
    Hello(Box<Fresh>),
    AwaitWelcome(Box<Greeted>),
    Initiate(Box<Welcomed>),
    AwaitReady(BoxKey),
    Established(Box<(Vec<u8>, Messages)>),
    Failed(Error),
}

/// What nobody can guess, unused so far.
struct Fresh {
    short: SecretKey,
    vouch: Random,
}

/// HELLO is out.
struct Greeted {
    short: SecretKey,
    public: PublicKey,
    vouch: Random,
    /// Of the server's long-term key and our short-term one.
    key: BoxKey,
}

/// WELCOME is in.
struct Welcomed {
    public: PublicKey,
    vouch: Random,
    cookie: [u8; KEYS_IN_BOX],
    /// Of our long-term key and the server's short-term one, for the vouch.
    proof: BoxKey,
    /// Of both short-term keys.
    key: BoxKey,
}

const FAILED: State = State::Failed(Error::Misbehaved(Misbehaved::UnexpectedCommand));

impl Client {
    /// Octets drawn from `entropy`: the short-term key, the nonce of the vouch.
    const ENTROPY: usize = 32 + 16;

    /// A handshake with the server whose long-term public key is `server`. `keys` are this client's long-term ones. `entropy` fills a slice
    /// with octets nobody can guess, never the same twice; it is called once.
    ///
    /// # Errors
    /// Those of `entropy`.
    pub fn new<E>(
        keys: KeyPair,
        server: PublicKey,
        entropy: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut drawn = Zeroizing::new([0; Self::ENTROPY]);
        entropy(&mut *drawn)?;
        let (short, vouch) = drawn.split_first_chunk().unwrap_or((&[0; 32], &[]));
        Ok(Self {
            keys,
            server,
            metadata: Vec::new(),
            sent: Sent::nothing(),
            state: State::Hello(Box::new(Fresh {
                short: SecretKey::from_octets(*short),
                vouch: vouch.first_chunk().copied().unwrap_or_default(),
            })),
        })
    }

    fn hello(&mut self, fresh: Fresh, out: &mut Vec<u8>) -> Result<State, Error> {
        let public = fresh.short.public();
        let key = fresh
            .short
            .agree(&self.server)
            .ok_or(Misbehaved::Cryptographic)?;
        let counter = self.sent.next()?;
        out.extend_from_slice(HELLO);
        out.extend_from_slice(&PADDING);
        out.extend_from_slice(public.as_octets());
        out.extend_from_slice(&counter.to_be_bytes());
        key.seal(&short(nonce::HELLO, counter), &[&SIGNATURE], out)
            .map_err(|_| Misbehaved::Cryptographic)?;
        Ok(State::AwaitWelcome(Box::new(Greeted {
            short: fresh.short,
            public,
            vouch: fresh.vouch,
            key,
        })))
    }

    fn initiate(&mut self, welcomed: Welcomed, out: &mut Vec<u8>) -> Result<State, Error> {
        let failed = |_| Misbehaved::Cryptographic;
        let counter = self.sent.next()?;
        let mut vouch = Vec::with_capacity(KEYS_IN_BOX);
        vouch.extend_from_slice(&welcomed.vouch);
        let vouched = [&welcomed.public.as_octets()[..], self.server.as_octets()];
        welcomed
            .proof
            .seal(&long(nonce::VOUCH, &welcomed.vouch), &vouched, &mut vouch)
            .map_err(failed)?;
        out.extend_from_slice(INITIATE);
        out.extend_from_slice(&welcomed.cookie);
        out.extend_from_slice(&counter.to_be_bytes());
        let public = self.keys.public();
        let content = [&public.as_octets()[..], &vouch, &self.metadata];
        welcomed
            .key
            .seal(&short(nonce::INITIATE, counter), &content, out)
            .map_err(failed)?;
        Ok(State::AwaitReady(welcomed.key))
    }

    fn handle_welcome(&self, greeted: Greeted, body: &[u8]) -> Result<State, Error> {
        let welcome = Welcome::parse(body)?;
        let mut content = [0; 32 + KEYS_IN_BOX];
        greeted
            .key
            .open(
                &long(nonce::WELCOME, &welcome.nonce),
                welcome.sealed,
                &mut content,
            )
            .map_err(|_| Misbehaved::Cryptographic)?;
        let (server_short, cookie) = content
            .split_first_chunk()
            .ok_or(Misbehaved::Cryptographic)?;
        let server_short = PublicKey::from_octets(*server_short);
        let agree = |ours: &SecretKey| ours.agree(&server_short).ok_or(Misbehaved::Cryptographic);
        Ok(State::Initiate(Box::new(Welcomed {
            public: greeted.public,
            vouch: greeted.vouch,
            cookie: cookie.first_chunk().copied().unwrap_or([0; KEYS_IN_BOX]),
            proof: agree(self.keys.secret())?,
            key: agree(&greeted.short)?,
        })))
    }

    fn handle_ready(&mut self, key: BoxKey, body: &[u8]) -> Result<State, Error> {
        let ready = Counted::parse_ready(body)?;
        let mut metadata = vec![0; ready.sealed.len().saturating_sub(TAG)];
        key.open(
            &short(nonce::READY, ready.counter),
            ready.sealed,
            &mut metadata,
        )
        .map_err(|_| Misbehaved::Cryptographic)?;
        Metadata::new(&metadata).try_for_each(|property| property.map(|_| ()))?;
        // The numbers go on where the handshake ends.
        let sent = replace(&mut self.sent, Sent::nothing());
        let messages = Messages::of_client(key, sent, Received::first(ready.counter));
        Ok(State::Established(Box::new((metadata, messages))))
    }
}

impl Mechanism for Client {
    fn name(&self) -> [u8; 20] {
        NAME
    }

    fn as_server(&self) -> bool {
        false
    }

    fn start(&mut self, metadata: &[u8]) {
        self.metadata = metadata.to_vec();
    }

    fn handle_command(&mut self, body: &[u8]) -> Result<(), Error> {
        let next = match replace(&mut self.state, FAILED) {
            State::AwaitWelcome(greeted) => self.handle_welcome(*greeted, body),
            State::AwaitReady(key) => self.handle_ready(key, body),
            State::Failed(error) => Err(error),
            _ => Err(Misbehaved::UnexpectedCommand.into()),
        };
        self.state = next.inspect_err(|error| self.state = State::Failed(*error))?;
        Ok(())
    }

    fn poll(&mut self, out: &mut Vec<u8>) -> Step {
        let next = match replace(&mut self.state, FAILED) {
            State::Hello(fresh) => self.hello(*fresh, out),
            State::Initiate(welcomed) => self.initiate(*welcomed, out),
            State::Established(established) => {
                let (metadata, messages) = *established;
                return Step::Established(Established {
                    metadata,
                    transform: Some(Box::new(messages)),
                });
            }
            State::Failed(error) => Err(error),
            waiting => {
                self.state = waiting;
                return Step::Wait;
            }
        };
        match next {
            Ok(next) => {
                self.state = next;
                Step::Command
            }
            Err(error) => {
                self.state = State::Failed(error);
                Step::Failed(error)
            }
        }
    }

    /// A client authenticates the server by its key and asks nobody.
    fn handle_verdict(&mut self, _: &Verdict) {}
}

impl core::fmt::Debug for Client {
    /// Secrets stay out of logs.
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("Client")
            .field("key", &self.keys.public())
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}
