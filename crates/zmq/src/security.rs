//! How links are secured, and who decides about the peers behind them.
//!
//! A [`Security`] is one value with everything in it: the mechanism with its keys, and for servers who may come in. Give it to
//! [`Options::security`](crate::Options::security).

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use zmq_engine::{self as engine, Admission, OptionError, SocketOptions};

use crate::OpenError;
#[cfg(feature = "curve")]
use crate::curve::{self, KeyPair, PublicKey, ServerKeys};

#[cfg(feature = "curve")]
pub use crate::authenticator::CERTIFICATES;
pub use crate::authenticator::{
    ANSWER_TIME, Authenticator, Decision, LONGEST_PASSWORDS, Origin, OriginError, Peer, QUESTIONS,
    WORKERS,
};
pub use zmq_engine::wire::{Credentials, Established, Mechanism, Step, Transform, Verdict};
pub use zmq_engine::{HandshakeRole, MechanismFactory, Unasked};

/// The ZAP domain of a socket that was told no other. RFC 27 wants one; CZMQ calls it so.
const DOMAIN: &str = "global";
/// Most octets of a ZAP domain (RFC 27).
const LONGEST_DOMAIN: usize = engine::zap::LONGEST;

/// How the links of a socket are secured.
///
/// | | proves who it is | hides what is said |
/// |---|---|---|
/// | [`none`](Security::none), [`null`](Security::null) | nobody | no |
/// | [`plain_client`](Security::plain_client), [`plain_server`](Security::plain_server) | the client, to whoever reads along as well | no |
/// | [`curve_client`](Security::curve_client), [`curve_server`](Security::curve_server) | both | yes |
///
/// Servers let nobody in about whom nobody was asked: the one who decides is part of the value. A secured socket speaks no version of
/// ZMTP older than 3.0, and no mechanism but its own. Each message it receives carries what is known of its sender:
///
/// ```
/// # #[cfg(feature = "curve")] {
/// use zmq::blocking::{Pull, Push};
/// use zmq::{Auth, Security, curve};
///
/// # let context = zmq::Context::new();
/// let keys = curve::generate()?;
/// let server_key = keys.public();
/// let pull = Pull::options().security(Security::curve_server(keys, Auth::any_key())).open(&context);
/// let endpoint = pull.bind("tcp://127.0.0.1:0")?;
///
/// let ours = curve::generate()?;
/// let our_key = ours.public();
/// let push = Push::options().security(Security::curve_client(server_key, ours)).open(&context);
/// push.connect(&endpoint)?;
/// push.send("hello")?;
///
/// let message = pull.recv()?;
/// let sender = message.properties().expect("secured sockets attach them");
/// assert_eq!(sender.get("User-Id").unwrap(), our_key.to_z85().as_str());
/// assert_eq!(sender.get("Peer-Address").unwrap(), "127.0.0.1");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// `inproc` is never secured: whoever is in the context is in the process.
///
/// A name, password or domain that is too long makes the socket fail to open, which
/// [`try_open`](crate::Options::try_open) and every call on the socket report.
#[derive(Clone)]
pub struct Security {
    mechanism: Result<engine::Security, Fault>,
    decides: Decides,
    domain: Option<Bytes>,
}

/// Who decides about the peers of a socket.
#[derive(Clone)]
enum Decides {
    /// This side is the one that is judged, or there is nothing to be judged.
    Nobody,
    Handler,
    Authenticator(Arc<dyn engine::Authenticator>),
}

/// Why a value cannot be used. Kept until a socket is opened with it, so that the value is one line.
#[derive(Clone)]
enum Fault {
    Value(&'static str),
    #[cfg(feature = "curve")]
    Entropy(Arc<std::io::Error>),
}

impl Fault {
    fn into_error(self) -> engine::OpenError {
        match self {
            Fault::Value(expected) => engine::OpenError::Option(OptionError::OutOfRange(expected)),
            #[cfg(feature = "curve")]
            Fault::Entropy(error) => {
                engine::OpenError::Io(std::io::Error::new(error.kind(), error))
            }
        }
    }
}

impl Security {
    fn new(mechanism: engine::Security, decides: Decides) -> Security {
        Security {
            mechanism: Ok(mechanism),
            decides,
            domain: None,
        }
    }

    /// Clear text and no proof of who is there: the NULL mechanism (RFC 23). The default.
    #[must_use]
    pub fn none() -> Security {
        Security::new(engine::Security::none(), Decides::Nobody)
    }

    /// Clear text and no proof, but somebody is asked about each peer, which can be told by its address alone. NULL has no sides: the
    /// connecting socket may ask as well.
    #[must_use]
    pub fn null(auth: impl Into<Auth>) -> Security {
        Security::new(engine::Security::none(), auth.into().0)
    }

    /// Tells servers a name and a password (RFC 24), each at most 255 octets. Whoever reads the network reads both, and so does whoever
    /// answers in the server's place: use it inside a tunnel, or over `ipc`.
    #[must_use]
    pub fn plain_client(name: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Security {
        let mechanism = engine::Security::plain_client(name.as_ref(), password.as_ref())
            .map_err(|_| Fault::Value("a PLAIN name and a password of at most 255 octets each"));
        Security {
            mechanism,
            decides: Decides::Nobody,
            domain: None,
        }
    }

    /// Lets in those whose name and password `auth` accepts (RFC 24).
    ///
    /// ```
    /// use zmq::{Authenticator, Security};
    ///
    /// let security = Security::plain_server(Authenticator::new().user("ann", "s3cret"));
    /// # drop(security);
    /// ```
    #[must_use]
    pub fn plain_server(auth: impl Into<Auth>) -> Security {
        Security::new(engine::Security::plain_server(), auth.into().0)
    }

    /// Talks with the server that has the secret key to `server` and with nobody else, sealed, as the owner of `keys` (RFC 25, 26).
    ///
    /// ```no_run
    /// # #[cfg(feature = "curve")] {
    /// use zmq::{Certificate, Security};
    ///
    /// let server = Certificate::load("server.key")?.public_key();
    /// let ours = Certificate::load("ann.key_secret")?;
    /// let security = Security::curve_client(server, ours.keys().ok_or("no secret key")?.clone());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "curve")]
    #[must_use]
    pub fn curve_client(server: PublicKey, keys: KeyPair) -> Security {
        Security::new(
            engine::Security::curve_client(server, keys),
            Decides::Nobody,
        )
    }

    /// As [`curve_client`](Security::curve_client) with a key pair made now and kept nowhere: for servers that let any key in. The
    /// server is proved to us, and what is said is hidden.
    #[cfg(feature = "curve")]
    #[must_use]
    pub fn curve_client_anonymous(server: PublicKey) -> Security {
        let keys = curve::generate().map_err(|error| Fault::Entropy(Arc::new(error)));
        Security {
            mechanism: keys.map(|keys| engine::Security::curve_client(server, keys)),
            decides: Decides::Nobody,
            domain: None,
        }
    }

    /// Talks, sealed, to clients that know one of `keys` and that `auth` accepts (RFC 25, 26). `keys` is one
    /// [`KeyPair`], or several ([`ServerKeys`]) while clients move from an old key to a new one.
    #[cfg(feature = "curve")]
    #[must_use]
    pub fn curve_server(keys: impl Into<ServerKeys>, auth: impl Into<KeyAuth>) -> Security {
        Security::new(engine::Security::curve_server(keys), auth.into().0.0)
    }

    /// Links secured by what `factory` makes; `auth` decides when such a mechanism wants somebody authenticated.
    #[must_use]
    pub fn with(factory: Arc<dyn MechanismFactory>, auth: impl Into<Auth>) -> Security {
        Security::new(engine::Security::with(factory), auth.into().0)
    }

    /// What the ZAP handler is told that it is asked for (RFC 27): 1 to 255 octets; an empty domain stands for the default, `global`. On
    /// a [`none`](Security::none) it has the handler asked about each peer.
    #[must_use]
    pub fn zap_domain(mut self, domain: impl Into<Bytes>) -> Security {
        let domain = domain.into();
        if domain.len() > LONGEST_DOMAIN {
            self.mechanism = Err(Fault::Value("a ZAP domain of at most 255 octets"));
        }
        self.domain = Some(domain);
        self
    }

    /// Whether links are in clear text and nobody is asked about peers.
    #[must_use]
    pub fn is_none(&self) -> bool {
        let is_clear = self.mechanism.as_ref().is_ok_and(engine::Security::is_none);
        let has_domain = self
            .domain
            .as_ref()
            .is_some_and(|domain| !domain.is_empty());
        is_clear && !has_domain && matches!(self.decides, Decides::Nobody)
    }

    /// Says now what would keep a socket with it from opening.
    ///
    /// # Errors
    /// A name, password or domain is too long, or the system had no random octets to give for a key.
    pub fn check(&self) -> Result<(), OpenError> {
        self.engine().map(|_| ())
    }

    /// The mechanism as the engine has it.
    pub(crate) fn engine(&self) -> Result<&engine::Security, OpenError> {
        let fault = |fault: &Fault| fault.clone().into_error().into();
        self.mechanism.as_ref().map_err(fault)
    }

    /// Writes all of it into the options of a socket.
    pub(crate) fn apply(self, options: &mut SocketOptions) -> Result<(), engine::OpenError> {
        let mechanism = self.mechanism.map_err(Fault::into_error)?;
        let handler_is_asked = matches!(self.decides, Decides::Handler);
        let is_open = mechanism.is_none() && matches!(self.decides, Decides::Nobody);
        options.security = mechanism;
        options.authenticator = match self.decides {
            Decides::Nobody | Decides::Handler => None,
            Decides::Authenticator(authenticator) => Some(authenticator),
        };
        // Nobody is let in because there is nobody to ask.
        options.admission = Admission::Asked;
        options.zap_enforce_domain = false;
        let domain = self.domain.filter(|domain| !domain.is_empty());
        options.attach_properties = !is_open || domain.is_some();
        // With an empty domain NULL would ask nobody.
        options.zap_domain = match domain {
            Some(domain) => domain,
            None if handler_is_asked || options.authenticator.is_some() => DOMAIN.into(),
            None => Bytes::new(),
        };
        Ok(())
    }
}

impl Default for Security {
    fn default() -> Security {
        Security::none()
    }
}

impl fmt::Debug for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.mechanism.as_ref().map(engine::Security::name);
        f.debug_tuple("Security")
            .field(&name.unwrap_or("unusable"))
            .field(&self.decides)
            .finish()
    }
}

impl fmt::Debug for Decides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Decides::Nobody => f.write_str("nobody is asked"),
            Decides::Handler => f.write_str("the ZAP handler is asked"),
            Decides::Authenticator(authenticator) => authenticator.fmt(f),
        }
    }
}

/// Who decides about the peers of a server: an [`Authenticator`], or the ZAP handler of the context.
#[derive(Clone, Debug)]
pub struct Auth(Decides);

impl Auth {
    /// The ZAP handler decides: whatever socket of the same context is bound at `inproc://zeromq.zap.01` (RFC 27), as in libzmq. While
    /// there is none, nobody is let in.
    #[must_use]
    pub fn handler() -> Auth {
        Auth(Decides::Handler)
    }

    /// Any peer with a valid key is welcome, whoever it is: for servers that want privacy and not to know whom they serve. Its key is
    /// the `User-Id` of its messages, 40 letters of Z85.
    ///
    /// Only CURVE peers have keys:
    ///
    /// ```compile_fail
    /// let security = zmq::Security::plain_server(zmq::Auth::any_key());
    /// ```
    #[cfg(feature = "curve")]
    #[must_use]
    pub fn any_key() -> KeyAuth {
        Authenticator::new().any_key().into()
    }
}

impl From<Authenticator> for Auth {
    fn from(authenticator: Authenticator) -> Auth {
        Auth(Decides::Authenticator(Arc::new(authenticator)))
    }
}

/// Who decides about peers that have proved to own a key: anything that is an [`Auth`], or [`Auth::any_key`].
#[cfg(feature = "curve")]
#[derive(Clone, Debug)]
pub struct KeyAuth(Auth);

#[cfg(feature = "curve")]
impl From<Auth> for KeyAuth {
    fn from(auth: Auth) -> KeyAuth {
        KeyAuth(auth)
    }
}

#[cfg(feature = "curve")]
impl From<Authenticator> for KeyAuth {
    fn from(authenticator: Authenticator) -> KeyAuth {
        KeyAuth(authenticator.into())
    }
}
