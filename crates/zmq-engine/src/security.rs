//! How links are secured, and the seam to whoever decides about the peers behind them.

use core::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use zmtp_mech_null::Null;
use zmtp_wire::{Credentials, Mechanism, Verdict};

/// How the links of a socket are secured: one value, given to the socket before it opens.
///
/// A socket secured by anything but NULL, or with a ZAP domain or an authenticator, speaks no version of ZMTP that knows no
/// mechanisms, and no other mechanism than its own.
#[derive(Clone, Default)]
pub struct Security(Kind);

#[derive(Clone, Default)]
enum Kind {
    #[default]
    Null,
    PlainClient {
        username: Bytes,
        /// Behind a pointer, so that copies of the socket's options are not copies of it.
        password: Arc<zeroize::Zeroizing<Vec<u8>>>,
    },
    PlainServer,
    #[cfg(feature = "curve")]
    CurveClient {
        server: zmtp_mech_curve::PublicKey,
        keys: Arc<zmtp_mech_curve::KeyPair>,
    },
    #[cfg(feature = "curve")]
    CurveServer(zmtp_mech_curve::ServerKeys),
    Other(Arc<dyn MechanismFactory>),
}

impl Security {
    /// Clear text and no proof of who is there: the NULL mechanism (RFC 23).
    #[must_use]
    pub fn none() -> Security {
        Security(Kind::Null)
    }

    /// Tells servers a name and a password, in the clear (RFC 24).
    ///
    /// # Errors
    /// One of them is longer than 255 octets.
    pub fn plain_client(
        username: &[u8],
        password: &[u8],
    ) -> Result<Security, zmtp_mech_plain::TooLong> {
        zmtp_mech_plain::Client::new(username, password)?;
        Ok(Security(Kind::PlainClient {
            username: Bytes::copy_from_slice(username),
            password: Arc::new(zeroize::Zeroizing::new(password.to_vec())),
        }))
    }

    /// Lets in those whose name and password the authenticator or the ZAP handler accepts (RFC 24).
    #[must_use]
    pub fn plain_server() -> Security {
        Security(Kind::PlainServer)
    }

    /// Talks to the server that has the secret key to `server` and to nobody else, sealed, as the owner of `keys` (RFC 25, 26).
    #[cfg(feature = "curve")]
    #[must_use]
    pub fn curve_client(
        server: zmtp_mech_curve::PublicKey,
        keys: zmtp_mech_curve::KeyPair,
    ) -> Security {
        Security(Kind::CurveClient {
            server,
            keys: Arc::new(keys),
        })
    }

    /// Talks, sealed, to clients that know one of `keys` and that the authenticator or the ZAP handler accepts (RFC 25, 26).
    #[cfg(feature = "curve")]
    #[must_use]
    pub fn curve_server(keys: impl Into<zmtp_mech_curve::ServerKeys>) -> Security {
        Security(Kind::CurveServer(keys.into()))
    }

    /// Links secured by what `factory` makes.
    #[must_use]
    pub fn with(factory: Arc<dyn MechanismFactory>) -> Security {
        Security(Kind::Other(factory))
    }

    /// The mechanism for one new link. `ask` has NULL ask about its peers; the others know whom to ask about.
    pub(crate) fn mechanism(&self, ask: bool) -> io::Result<Box<dyn Mechanism>> {
        Ok(match &self.0 {
            Kind::Null => Box::new(Null::new().with_authentication(ask)),
            Kind::PlainClient { username, password } => Box::new(
                zmtp_mech_plain::Client::new(username, password).map_err(io::Error::other)?,
            ),
            Kind::PlainServer => Box::new(zmtp_mech_plain::Server::new()),
            #[cfg(feature = "curve")]
            Kind::CurveClient { server, keys } => Box::new(
                zmtp_mech_curve::Client::new((**keys).clone(), *server, getrandom::fill)
                    .map_err(io::Error::other)?,
            ),
            #[cfg(feature = "curve")]
            Kind::CurveServer(keys) => Box::new(
                zmtp_mech_curve::Server::new(keys.clone(), getrandom::fill)
                    .map_err(io::Error::other)?
                    .with_authentication(true),
            ),
            Kind::Other(factory) => factory.mechanism()?,
        })
    }

    /// One handshake, for those who shake hands without a socket. NULL asks nobody about its peer.
    ///
    /// # Errors
    /// When it cannot be made, for want of entropy say.
    pub fn handshake(&self) -> io::Result<Box<dyn Mechanism>> {
        self.mechanism(false)
    }

    /// Whether links are in clear text and nothing is proved.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self.0, Kind::Null)
    }

    /// The name of the mechanism in words, for messages to people.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match &self.0 {
            Kind::Null => "NULL",
            Kind::PlainClient { .. } => "PLAIN, as client",
            Kind::PlainServer => "PLAIN, as server",
            #[cfg(feature = "curve")]
            Kind::CurveClient { .. } => "CURVE, as client",
            #[cfg(feature = "curve")]
            Kind::CurveServer(_) => "CURVE, as server",
            Kind::Other(_) => "a mechanism of the application's",
        }
    }

    /// Which handshake this is, and which side of it.
    #[must_use]
    pub fn role(&self) -> HandshakeRole {
        match &self.0 {
            Kind::Null => HandshakeRole::Null,
            Kind::PlainClient { .. } => HandshakeRole::PlainClient,
            Kind::PlainServer => HandshakeRole::PlainServer,
            #[cfg(feature = "curve")]
            Kind::CurveClient { .. } => HandshakeRole::CurveClient,
            #[cfg(feature = "curve")]
            Kind::CurveServer(_) => HandshakeRole::CurveServer,
            Kind::Other(_) => HandshakeRole::Other,
        }
    }
}

impl fmt::Debug for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Security({})", self.name())
    }
}

/// Mechanism and side of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeRole {
    /// NULL, which has no sides.
    Null,
    /// PLAIN, the side that tells.
    PlainClient,
    /// PLAIN, the side that asks.
    PlainServer,
    /// CURVE, the side that knows the other's key.
    CurveClient,
    /// CURVE, the side whose key is known.
    CurveServer,
    /// A mechanism of the application's.
    Other,
}

/// Makes the mechanism of each new link of a socket.
pub trait MechanismFactory: Send + Sync {
    /// A mechanism at the start of its handshake, for one link.
    ///
    /// # Errors
    /// When it cannot be made, for want of entropy say; the link is closed.
    fn mechanism(&self) -> io::Result<Box<dyn Mechanism>>;
}

/// Whom to let in when a peer asks to be let in and the socket has no authenticator of its own.
///
/// | | NULL, no ZAP domain | NULL, ZAP domain | PLAIN server | CURVE server |
/// |---|---|---|---|---|
/// | `AsLibzmq` | everybody | the handler decides; without one everybody, nobody if the domain is enforced | the handler decides; without one nobody | the handler decides; without one everybody, nobody if the domain is enforced. With an enforced but empty domain everybody |
/// | `Asked` | everybody | the handler decides; without one nobody | the same | the same |
/// | `AnyKey` | everybody | the handler decides; without one nobody | the same | everybody who has a key |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Admission {
    /// What libzmq does.
    #[default]
    AsLibzmq,
    /// Those that somebody has accepted.
    Asked,
    /// Those that somebody has accepted, and CURVE clients whatever their key.
    AnyKey,
}

/// Decides about peers that a mechanism wants to have authenticated.
pub trait Authenticator: Send + Sync + fmt::Debug {
    /// Must not block. The answer may be given at once or later, from any thread; an `answer` that is dropped denies,
    /// as does a panic, which ends nothing else.
    fn authenticate(&self, question: Question<'_>, answer: Answer);
}

/// What is asked about a peer.
#[derive(Debug)]
#[non_exhaustive]
pub struct Question<'a> {
    /// What the peer proved or claimed.
    pub credentials: &'a Credentials,
    /// Where the peer is: a numeric address without port, or `localhost:uid:gid:pid` for ipc.
    pub address: &'a str,
    /// The routing id of the asking socket itself.
    pub routing_id: &'a [u8],
    /// The ZAP domain of the asking socket; empty if it has none.
    pub domain: &'a [u8],
}

/// A verdict and, for this side's monitor, the reason in words. The peer learns the status at most.
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    pub(crate) why: String,
}

/// Carries one verdict back to the link that waits for it.
pub struct Answer {
    give: Option<Box<dyn FnOnce(Judgement) + Send>>,
}

impl Answer {
    pub(crate) fn new(give: impl FnOnce(Judgement) + Send + 'static) -> Answer {
        Answer {
            give: Some(Box::new(give)),
        }
    }

    /// Gives the verdict.
    pub fn give(self, verdict: Verdict) {
        self.tell(verdict, String::new());
    }

    /// Keeps the peer out with a ZAP status: 300 (try later; the peer is told nothing), 400 or 500 (told to the peer). `why` is for
    /// this side's monitor alone.
    pub fn deny(self, status: u16, why: impl Into<String>) {
        self.tell(Verdict::Refuse(status), why.into());
    }

    fn tell(mut self, verdict: Verdict, why: String) {
        if let Some(give) = self.give.take() {
            give(Judgement { verdict, why });
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(give) = self.give.take() {
            give(Judgement {
                verdict: Verdict::Refuse(500),
                why: "the authenticator gave no answer".to_owned(),
            });
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer")
    }
}
