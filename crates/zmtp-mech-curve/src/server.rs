//! The side whose key is known.

use crate::layout::{Hello, Initiate, KEYS_IN_BOX, PROOF, READY, WELCOME, split_keys, split_pair};
use crate::messages::Messages;
use crate::nonce::{self, Random, Received, Sent, long, short};
use crate::seal::{BoxKey, TAG};
use crate::{KeyPair, NAME, PublicKey, SecretKey};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::mem::{replace, take};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;
use zmtp_wire::command::Command;
use zmtp_wire::metadata::Metadata;
use zmtp_wire::{Credentials, Error, Established, Mechanism, Misbehaved, Refused, Step, Verdict};

/// The long-term keys a server answers to: one, or several while clients move from an old one to a new one.
///
/// Cloning shares them. A HELLO does not say which key it is for, so each is tried in order; keep the list short.
#[derive(Clone, Debug)]
pub struct ServerKeys(Arc<[KeyPair]>);

impl ServerKeys {
    /// One key.
    #[must_use]
    pub fn new(keys: KeyPair) -> Self {
        Self(Arc::new([keys]))
    }

    /// One more key, tried after the others.
    #[must_use]
    pub fn and(self, keys: KeyPair) -> Self {
        Self(self.0.iter().cloned().chain([keys]).collect())
    }

    /// The public keys clients may know, in the order they are tried.
    pub fn public(&self) -> impl Iterator<Item = PublicKey> + '_ {
        self.0.iter().map(KeyPair::public)
    }
}

impl From<KeyPair> for ServerKeys {
    fn from(keys: KeyPair) -> Self {
        Self::new(keys)
    }
}

/// One CURVE handshake of a server.
///
/// ```text
/// AwaitHello --HELLO--> Welcome --polled--> AwaitInitiate --INITIATE--> Proven --polled--> Judging --accepted--> Ready
///                                                                       Ready --polled--> Established
///                                                                       Judging --refused--> Refuse --polled--> Failed
/// ```
///
/// Without authentication INITIATE leads to `Ready` at once: any client is welcome that knows the server's key.
pub struct Server {
    keys: ServerKeys,
    ask: bool,
    metadata: Vec<u8>,
    sent: Sent,
    state: State,
}

enum State {
    AwaitHello(Box<Fresh>),
    Welcome(Vec<u8>, Box<Remembered>),
    AwaitInitiate(Box<Remembered>),
    Proven(Box<Proven>),
    Judging(Box<Proven>),
    Ready(Box<Proven>),
    Established(Box<(Vec<u8>, Messages)>),
    Refuse(u16),
    Failed(Error),
}

/// What nobody can guess, unused so far.
struct Fresh {
    short: SecretKey,
    cookie_key: BoxKey,
    cookie: Random,
    welcome: Random,
}

/// All that is kept between WELCOME and INITIATE. The short-term keys of both sides travel in the cookie, which opens once only: this goes
/// when INITIATE comes.
struct Remembered {
    cookie_key: BoxKey,
    hello: Received,
    /// The long-term key the client knows.
    known_as: PublicKey,
}

/// A client that proved to own its long-term key.
struct Proven {
    client: PublicKey,
    metadata: Vec<u8>,
    /// Of both short-term keys.
    key: BoxKey,
    received: Received,
}

const FAILED: State = State::Failed(Error::Misbehaved(Misbehaved::UnexpectedCommand));
const FORGED: Error = Error::Misbehaved(Misbehaved::Cryptographic);

impl Server {
    /// Octets drawn from `entropy`: the short-term key, the key and the nonce of the cookie, the nonce of WELCOME.
    const ENTROPY: usize = 32 + 32 + 16 + 16;

    /// A handshake that lets in whoever knows one of `keys`. `entropy` fills a slice with octets nobody can guess, never the same twice; it
    /// is called once.
    ///
    /// # Errors
    /// Those of `entropy`.
    pub fn new<E>(
        keys: impl Into<ServerKeys>,
        entropy: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut drawn = Zeroizing::new([0; Self::ENTROPY]);
        entropy(&mut *drawn)?;
        let (short, rest) = drawn.split_first_chunk().unwrap_or((&[0; 32], &[]));
        let (cookie_key, rest) = rest.split_first_chunk().unwrap_or((&[0; 32], &[]));
        let (cookie, rest) = rest.split_first_chunk().unwrap_or((&[0; 16], &[]));
        Ok(Self {
            keys: keys.into(),
            ask: false,
            metadata: Vec::new(),
            sent: Sent::nothing(),
            state: State::AwaitHello(Box::new(Fresh {
                short: SecretKey::from_octets(*short),
                cookie_key: BoxKey::new(Zeroizing::new(*cookie_key)),
                cookie: *cookie,
                welcome: rest.first_chunk().copied().unwrap_or_default(),
            })),
        })
    }

    /// With `ask`, the session asks its owner for a verdict about the client's key before it sends READY.
    #[must_use]
    pub const fn with_authentication(mut self, ask: bool) -> Self {
        self.ask = ask;
        self
    }

    fn handle_hello(&self, fresh: Fresh, body: &[u8]) -> Result<State, Error> {
        let hello = Hello::parse(body)?;
        let client_short = PublicKey::from_octets(hello.client_short);
        let nonce = short(nonce::HELLO, hello.counter);
        let opened = self.keys.0.iter().find_map(|keys| {
            let key = keys.secret().agree(&client_short)?;
            let mut signature = [0; 64];
            key.open(&nonce, hello.signature, &mut signature).ok()?;
            Some((keys.public(), key))
        });
        let (known_as, key) = opened.ok_or(FORGED)?;
        let mut cookie = Vec::with_capacity(KEYS_IN_BOX);
        cookie.extend_from_slice(&fresh.cookie);
        let kept = [&hello.client_short[..], fresh.short.as_octets()];
        fresh
            .cookie_key
            .seal(&long(nonce::COOKIE, &fresh.cookie), &kept, &mut cookie)
            .map_err(|_| FORGED)?;
        let mut welcome = WELCOME.to_vec();
        welcome.extend_from_slice(&fresh.welcome);
        let public = fresh.short.public();
        let content = [&public.as_octets()[..], &cookie];
        key.seal(
            &long(nonce::WELCOME, &fresh.welcome),
            &content,
            &mut welcome,
        )
        .map_err(|_| FORGED)?;
        let remembered = Box::new(Remembered {
            cookie_key: fresh.cookie_key,
            hello: Received::first(hello.counter),
            known_as,
        });
        Ok(State::Welcome(welcome, remembered))
    }

    fn handle_initiate(&self, remembered: &Remembered, body: &[u8]) -> Result<State, Error> {
        let initiate = Initiate::parse(body)?;
        let received = remembered.hello.advance(initiate.counter)?;
        let (client_short, short_secret) = open_cookie(&remembered.cookie_key, initiate.cookie)?;
        let key = short_secret.agree(&client_short).ok_or(FORGED)?;
        let mut content = vec![0; initiate.sealed.len().saturating_sub(TAG)];
        let nonce = short(nonce::INITIATE, initiate.counter);
        key.open(&nonce, initiate.sealed, &mut content)
            .map_err(|_| FORGED)?;
        let (proof, metadata) = content.split_first_chunk::<PROOF>().ok_or(FORGED)?;
        let (client, vouch) = proof.split_first_chunk().ok_or(FORGED)?;
        let client = PublicKey::from_octets(*client);
        let vouch = vouch.first_chunk().ok_or(FORGED)?;
        let vouched = open_vouch(&short_secret, &client, vouch)?;
        let (for_short, for_server) = split_pair(&vouched).ok_or(FORGED)?;
        // Both: a vouch for another connection, or one made for another server, is somebody else's.
        let same = for_short.ct_eq(client_short.as_octets())
            & for_server.ct_eq(remembered.known_as.as_octets());
        if !bool::from(same) {
            return Err(FORGED);
        }
        Metadata::new(metadata).try_for_each(|property| property.map(|_| ()))?;
        let proven = Box::new(Proven {
            client,
            metadata: metadata.to_vec(),
            key,
            received,
        });
        Ok(if self.ask {
            State::Proven(proven)
        } else {
            State::Ready(proven)
        })
    }

    fn ready(&mut self, proven: Proven, out: &mut Vec<u8>) -> Result<State, Error> {
        let counter = self.sent.next()?;
        out.extend_from_slice(READY);
        out.extend_from_slice(&counter.to_be_bytes());
        proven
            .key
            .seal(
                &short(nonce::READY, counter),
                &[&take(&mut self.metadata)],
                out,
            )
            .map_err(|_| FORGED)?;
        // The numbers go on where the handshake ends.
        let sent = replace(&mut self.sent, Sent::nothing());
        let messages = Messages::of_server(proven.key, sent, proven.received);
        Ok(State::Established(Box::new((proven.metadata, messages))))
    }
}

/// The short-term keys: the client's public one, ours.
fn open_cookie(key: &BoxKey, cookie: &[u8; KEYS_IN_BOX]) -> Result<(PublicKey, SecretKey), Error> {
    let (nonce, sealed) = split_keys(cookie).ok_or(FORGED)?;
    let mut kept = Zeroizing::new([0; 64]);
    key.open(&long(nonce::COOKIE, nonce), sealed, &mut *kept)
        .map_err(|_| FORGED)?;
    let (client_short, short_secret) = split_pair(&kept).ok_or(FORGED)?;
    Ok((
        PublicKey::from_octets(*client_short),
        SecretKey::from_octets(*short_secret),
    ))
}

/// The keys the owner of `client` vouches for.
fn open_vouch(
    short_secret: &SecretKey,
    client: &PublicKey,
    vouch: &[u8; KEYS_IN_BOX],
) -> Result<[u8; 64], Error> {
    let key = short_secret.agree(client).ok_or(FORGED)?;
    let (nonce, sealed) = split_keys(vouch).ok_or(FORGED)?;
    let mut vouched = [0; 64];
    key.open(&long(nonce::VOUCH, nonce), sealed, &mut vouched)
        .map_err(|_| FORGED)?;
    Ok(vouched)
}

impl Mechanism for Server {
    fn name(&self) -> [u8; 20] {
        NAME
    }

    fn as_server(&self) -> bool {
        true
    }

    fn start(&mut self, metadata: &[u8]) {
        self.metadata = metadata.to_vec();
    }

    fn handle_command(&mut self, body: &[u8]) -> Result<(), Error> {
        let next = match replace(&mut self.state, FAILED) {
            State::AwaitHello(fresh) => self.handle_hello(*fresh, body),
            State::AwaitInitiate(remembered) => self.handle_initiate(&remembered, body),
            State::Failed(error) => Err(error),
            _ => Err(Misbehaved::UnexpectedCommand.into()),
        };
        self.state = next.inspect_err(|error| self.state = State::Failed(*error))?;
        Ok(())
    }

    fn poll(&mut self, out: &mut Vec<u8>) -> Step {
        let next = match replace(&mut self.state, FAILED) {
            State::Welcome(welcome, remembered) => {
                out.extend_from_slice(&welcome);
                Ok(State::AwaitInitiate(remembered))
            }
            State::Proven(proven) => {
                let public_key = *proven.client.as_octets();
                self.state = State::Judging(proven);
                return Step::Authenticate(Credentials::Curve { public_key });
            }
            State::Ready(proven) => self.ready(*proven, out),
            State::Established(established) => {
                let (metadata, messages) = *established;
                return Step::Established(Established {
                    metadata,
                    transform: Some(Box::new(messages)),
                });
            }
            State::Refuse(status) => {
                let failed = Error::Refused(Refused::ByVerdict(status));
                self.state = State::Failed(failed);
                // A temporary refusal is not told to the peer: it may try again (RFC 27).
                let Some(reason) = reason(status) else {
                    return Step::Failed(failed);
                };
                Command::Error(reason).emit(out);
                return Step::Command;
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

    fn handle_verdict(&mut self, verdict: &Verdict) {
        self.state = match replace(&mut self.state, FAILED) {
            State::Judging(proven) => match verdict {
                Verdict::Accept(_) => State::Ready(proven),
                Verdict::Refuse(status) => State::Refuse(*status),
            },
            other => other,
        };
    }
}

/// What the peer is told: nothing for a temporary refusal, an internal error for anything that is no ZAP status.
fn reason(status: u16) -> Option<&'static [u8]> {
    match status {
        300 => None,
        400 => Some(b"400"),
        _ => Some(b"500"),
    }
}

impl core::fmt::Debug for Server {
    /// Secrets stay out of logs.
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("Server")
            .field("keys", &self.keys)
            .field("ask", &self.ask)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_costs_little_before_it_has_proven_who_it_is() {
        // All that a connection holds up to INITIATE, its own metadata aside.
        assert!(size_of::<Server>() + size_of::<Fresh>() <= 256);
        assert_eq!(size_of::<Remembered>(), 32 + 8 + 32);
    }
}
