//! Who may come in, decided here: addresses, users, keys, files that change while we look, and code of the application.

#[cfg(feature = "curve")]
mod directory;
pub(crate) mod fuzzing;
mod origin;
mod peer;
mod users;
mod watched;
mod workers;

use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use zmq_engine as engine;

#[cfg(feature = "curve")]
pub use directory::CERTIFICATES;
pub use origin::{Origin, OriginError};
pub use peer::{Decision, Peer};
pub use users::LONGEST_PASSWORDS;
pub use workers::{ANSWER_TIME, QUESTIONS, WORKERS};

use peer::Claim;
use users::{PasswordFile, Users};
use workers::{Deciding, Workers};

#[cfg(feature = "curve")]
use crate::curve::PublicKey;
#[cfg(feature = "curve")]
use directory::KeyDirectory;

/// Decides who may come in, without a ZAP handler. A new one lets nobody in.
///
/// ```
/// # #[cfg(feature = "curve")] {
/// use zmq::{Authenticator, Security, curve};
///
/// # let (server_keys, ann) = (curve::generate()?, curve::generate()?.public());
/// let auth = Authenticator::new()
///     .allow("10.0.0.0/8".parse()?)                // from the office network only,
///     .deny("10.0.0.13".parse()?)                  // save from there:
///     .key(ann)                                    // Ann, whose key we know,
///     .directory("/etc/my-service/clients");       // and whoever has a certificate there now
/// let security = Security::curve_server(server_keys, auth);
/// # drop(security);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # How it decides
/// 1. Who comes from a place that was [denied](Authenticator::deny) stays out, and so does everybody outside of the places that were
///    [allowed](Authenticator::allow), if any were.
/// 2. Who is known comes in: a [user](Authenticator::user) with the right password, a [key](Authenticator::key) of the list or with a
///    certificate in a [directory](Authenticator::directory), [any key](Authenticator::any_key) if that was said. A peer that brings
///    nothing (NULL) is known by its place alone, so it comes in if its place was allowed.
/// 3. About all others the closure is asked, if there [is](Authenticator::ask) [one](Authenticator::decide).
/// 4. Nobody else comes in.
///
/// It is asked once for each connection: who has come in stays, even if its key is taken away.
///
/// # What it costs others
/// Nothing waits but the handshakes that are asked about. Files are read on one thread of the authenticator's own, closures run on at most
/// [`WORKERS`]; the threads start when they are first needed and end with the authenticator. At most [`QUESTIONS`] peers wait for a thread;
/// more are told nothing and try again. A closure that panics denies the one peer it was asked about.
#[must_use = "an authenticator decides nothing until a socket has it"]
pub struct Authenticator {
    allowed: Vec<Origin>,
    denied: Vec<Origin>,
    users: Users,
    #[cfg(feature = "curve")]
    keys: std::collections::HashMap<PublicKey, Decision>,
    any_key: bool,
    judging: Judging,
    workers: OnceLock<Workers>,
}

/// What may take its time.
#[derive(Clone, Default)]
struct Judging {
    sources: Arc<Mutex<Sources>>,
    has_sources: bool,
    closure: Option<Arc<Closure>>,
    /// Questions handed to the workers so far.
    asked: Arc<AtomicU64>,
}

type Closure = dyn Fn(Peer) -> Deciding + Send + Sync;

/// Files to be looked at before an answer.
#[derive(Default)]
struct Sources {
    passwords: Vec<PasswordFile>,
    #[cfg(feature = "curve")]
    directories: Vec<KeyDirectory>,
    /// The last look began after this many questions had been asked.
    holds_for: u64,
}

impl Authenticator {
    /// Lets nobody in.
    pub fn new() -> Authenticator {
        Authenticator {
            allowed: Vec::new(),
            denied: Vec::new(),
            users: Users::default(),
            #[cfg(feature = "curve")]
            keys: std::collections::HashMap::new(),
            any_key: false,
            judging: Judging::default(),
            workers: OnceLock::new(),
        }
    }

    /// Asks `closure` about each peer. It runs on a thread of the authenticator's own, and so does its future: no executor is needed, and
    /// one that is there is not used (a future that needs tokio's reactor brings a handle to it). At most [`WORKERS`] are under way at a
    /// time; one that is not done after [`ANSWER_TIME`] is dropped, and its peer denied.
    ///
    /// ```
    /// use zmq::security::Decision;
    /// use zmq::{Authenticator, Security};
    ///
    /// # async fn look_up(name: &[u8]) -> Option<String> { (name == b"ann").then(|| "s3cret".to_owned()) }
    /// let auth = Authenticator::ask(|peer| async move {
    ///     let name = peer.name().unwrap_or_default();
    ///     match look_up(name).await {
    ///         Some(password) if peer.has_password(&password) => Decision::accept(name.to_vec()),
    ///         _ => Decision::deny("unknown user or wrong password"),
    ///     }
    /// });
    /// let security = Security::plain_server(auth);
    /// # drop(security);
    /// ```
    pub fn ask<F, D>(closure: impl Fn(Peer) -> F + Send + Sync + 'static) -> Authenticator
    where
        F: Future<Output = D> + Send + 'static,
        D: Into<Decision>,
    {
        Authenticator::with_closure(Arc::new(move |peer| {
            let deciding = closure(peer);
            Box::pin(async move { deciding.await.into() })
        }))
    }

    /// As [`ask`](Authenticator::ask) for a closure that blocks, or decides at once. It cannot be dropped on its way, so it holds up one
    /// of the [`WORKERS`] for as long as it takes.
    ///
    /// ```
    /// use zmq::Authenticator;
    ///
    /// let from_here = Authenticator::decide(|peer| peer.ip().is_some_and(|ip| ip.is_loopback()));
    /// # drop(from_here);
    /// ```
    pub fn decide<D: Into<Decision>>(
        closure: impl Fn(Peer) -> D + Send + Sync + 'static,
    ) -> Authenticator {
        Authenticator::with_closure(Arc::new(move |peer| {
            let decision = closure(peer).into();
            Box::pin(std::future::ready(decision))
        }))
    }

    fn with_closure(closure: Arc<Closure>) -> Authenticator {
        let mut authenticator = Authenticator::new();
        authenticator.judging.closure = Some(closure);
        authenticator
    }

    /// Lets peers in from here, and from elsewhere only if that is allowed as well. Peers that bring a password or a key must
    /// be known besides.
    pub fn allow(mut self, origin: Origin) -> Authenticator {
        self.allowed.push(origin);
        self
    }

    /// Keeps peers from here out, whatever else is said about them.
    pub fn deny(mut self, origin: Origin) -> Authenticator {
        self.denied.push(origin);
        self
    }

    /// Lets in who knows this name and its password (PLAIN), each at most 255 octets. The name is the `User-Id` of their messages.
    pub fn user(mut self, name: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Authenticator {
        self.users.insert(name.as_ref(), password.as_ref());
        self
    }

    /// Lets in users (PLAIN) that are in this file at the time they come. A line is `name=password`, the password is everything behind
    /// the first `=`; lines that begin with `#` say nothing. A file that cannot be read, has another line in it, or is longer than
    /// [`LONGEST_PASSWORDS`] lets nobody in. Replace it as a whole (write another, rename it), so that nobody meets half of it.
    pub fn passwords(mut self, path: impl Into<PathBuf>) -> Authenticator {
        let file = PasswordFile::new(path.into());
        self.sources(|sources| sources.passwords.push(file));
        self
    }

    /// Lets in the owner of this key (CURVE). The key is the `User-Id` of their messages, 40 letters of Z85.
    #[cfg(feature = "curve")]
    pub fn key(self, key: PublicKey) -> Authenticator {
        self.key_as(key, Decision::accept(key.to_z85()))
    }

    /// Decides about the owner of this key (CURVE): lets them in under a name, with properties, or keeps them out whatever the
    /// directories say.
    #[cfg(feature = "curve")]
    pub fn key_as(mut self, key: PublicKey, decision: Decision) -> Authenticator {
        self.keys.insert(key, decision);
        self
    }

    /// Lets in the owners of the certificates (CURVE) that are in this directory at the time they come: a certificate that is put there
    /// counts from the next handshake on, one that is taken away no longer. Nothing needs to be restarted.
    ///
    /// Each file is a [`Certificate`](crate::Certificate) as CZMQ, pyzmq and `zmq keygen` write them. Hidden files and those whose names
    /// end in `_secret` are passed over; those that are no certificates let nobody in, and the monitor says so. A directory may have
    /// [`CERTIFICATES`] files; with more it lets nobody in. The metadata of a certificate become properties of its owner's messages;
    /// `user-id` among them is the `User-Id`, else the key is, in 40 letters of Z85.
    #[cfg(feature = "curve")]
    pub fn directory(mut self, path: impl Into<PathBuf>) -> Authenticator {
        let directory = KeyDirectory::new(path.into());
        self.sources(|sources| sources.directories.push(directory));
        self
    }

    /// Lets in whoever has a key (CURVE). The key is the `User-Id` of their messages, 40 letters of Z85.
    #[cfg(feature = "curve")]
    pub fn any_key(mut self) -> Authenticator {
        self.any_key = true;
        self
    }

    fn sources(&mut self, change: impl FnOnce(&mut Sources)) {
        self.judging.has_sources = true;
        change(&mut lock(&self.judging.sources));
    }

    /// The decision if it needs neither files nor code of the application.
    fn decide_at_once(&self, peer: &Peer) -> Option<Decision> {
        let place = peer.place();
        let from = |origins: &[Origin]| origins.iter().any(|origin| origin.has(place));
        if from(&self.denied) {
            return Some(Decision::deny(format!("{} is denied", peer.address())));
        }
        let is_allowed = from(&self.allowed);
        if !is_allowed && !self.allowed.is_empty() {
            return Some(Decision::deny(format!(
                "{} is not among the places allowed",
                peer.address()
            )));
        }
        match peer.claim() {
            Claim::Nothing if is_allowed => return Some(Decision::accept("")),
            Claim::Password { name, password } if self.users.has(name, password) => {
                return Some(Decision::accept(name.clone()));
            }
            #[cfg(feature = "curve")]
            Claim::Key(key) => {
                if let Some(decision) = self.keys.get(key) {
                    return Some(decision.clone());
                }
                if self.any_key {
                    return Some(Decision::accept(key.to_z85()));
                }
            }
            _ => {}
        }
        let knows_all = !self.judging.has_sources && self.judging.closure.is_none();
        knows_all.then(|| Decision::deny(unknown(peer)))
    }

    fn workers(&self) -> &Workers {
        self.workers.get_or_init(|| {
            // One look at the files serves all who wait, so more threads would only wait for each other.
            let most = self.judging.closure.as_ref().map_or(1, |_| WORKERS);
            let judging = self.judging.clone();
            let asked = Arc::clone(&self.judging.asked);
            Workers::new(
                most,
                asked,
                Box::new(move |peer, number| judging.judge(peer, number)),
            )
        })
    }
}

impl Default for Authenticator {
    fn default() -> Authenticator {
        Authenticator::new()
    }
}

impl engine::Authenticator for Authenticator {
    fn authenticate(&self, question: engine::Question<'_>, answer: engine::Answer) {
        let peer = Peer::of(&question);
        match self.decide_at_once(&peer) {
            Some(decision) => decision.give(answer),
            None => {
                let tell = move |decision: Decision| decision.give(answer);
                self.workers().ask(peer, Box::new(tell));
            }
        }
    }
}

impl Judging {
    /// Runs on a worker.
    fn judge(&self, peer: Peer, number: u64) -> Deciding {
        let found = if self.has_sources {
            let mut sources = lock(&self.sources);
            if sources.holds_for < number {
                sources.refresh(self.asked.load(Ordering::SeqCst));
            }
            sources.find(&peer)
        } else {
            Err(unknown(&peer))
        };
        match (found, &self.closure) {
            (Err(_), Some(closure)) => closure(peer),
            (Ok(decision), _) => Box::pin(std::future::ready(decision)),
            (Err(why), None) => Box::pin(std::future::ready(Decision::deny(why))),
        }
    }
}

impl Sources {
    /// Looks at everything. What it finds holds for all questions asked before.
    fn refresh(&mut self, asked: u64) {
        for passwords in &mut self.passwords {
            passwords.refresh();
        }
        #[cfg(feature = "curve")]
        for directory in &mut self.directories {
            directory.refresh();
        }
        self.holds_for = asked;
    }

    /// Whom the files know, or why they do not.
    fn find(&self, peer: &Peer) -> Result<Decision, String> {
        let mut why = None;
        match peer.claim() {
            Claim::Password { name, password } => {
                for file in &self.passwords {
                    match file.users() {
                        Ok(users) if users.has(name, password) => {
                            return Ok(Decision::accept(name.clone()));
                        }
                        Ok(_) => {}
                        Err(error) => why = Some(error.to_owned()),
                    }
                }
            }
            #[cfg(feature = "curve")]
            Claim::Key(key) => {
                for directory in &self.directories {
                    match directory.find(key) {
                        Ok(decision) => return Ok(decision),
                        Err(error) => why = Some(error),
                    }
                }
            }
            _ => {}
        }
        Err(why.unwrap_or_else(|| unknown(peer)))
    }
}

/// Why nobody lets a peer in, for this side's monitor.
fn unknown(peer: &Peer) -> String {
    match peer.claim() {
        Claim::Nothing => "it brings no proof, and its place is not among those allowed".to_owned(),
        // Which of the two was wrong nobody needs to know.
        Claim::Password { name, .. } => {
            format!("no user \"{}\" has that password", name.escape_ascii())
        }
        #[cfg(feature = "curve")]
        Claim::Key(key) => format!("nobody knows the key {key}"),
        Claim::Other => "what it brings is unknown here".to_owned(),
    }
}

/// A look at the files that panicked has left nothing half done that the next one would not do again.
fn lock(sources: &Mutex<Sources>) -> std::sync::MutexGuard<'_, Sources> {
    sources.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut authenticator = f.debug_struct("Authenticator");
        authenticator
            .field("allowed", &self.allowed)
            .field("denied", &self.denied)
            .field("users", &self.users.len());
        #[cfg(feature = "curve")]
        authenticator.field("keys", &self.keys.len());
        authenticator
            .field("any_key", &self.any_key)
            .field("files", &self.judging.has_sources)
            .field("closure", &self.judging.closure.is_some())
            .finish_non_exhaustive()
    }
}
