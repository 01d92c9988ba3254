//! The ipc transport: paths and abstract names to unix sockets.
//!
//! # Names that are already there
//!
//! A unix socket leaves its file behind when its process dies, and the next one to bind finds the name taken. Such a
//! file is recognised by asking: nobody answers at a name that nobody listens on. For that to be proof, a name must
//! never exist before its socket listens, so a socket is bound under a name of its own beside the wanted one, made to
//! listen there, and only then linked to the wanted name, which fails if that is taken.
//!
//! Whoever wants to replace a dead file first takes a lock, a file of its own beside the name, and asks once more: of
//! two that have found the same dead file only one may act on it. The lock is one that the system lets go of when its
//! holder dies. Then the dead name and the new one change places, in one step, and what has been taken down is asked a
//! last time before it is removed: a stranger who knows nothing of the lock may have been faster, and the two change
//! back.
//!
//! What is not a dead socket of this very user is never removed: a live socket, another user's, a file, a symbolic
//! link.
//!
//! Where a path leaves no room for a longer name, a directory does not let a second file be made, or the file system
//! knows no links, the wanted name is bound directly, under the same lock; only a stranger who asks in the
//! microseconds between binding and listening is then fooled.

use std::fs::{self, DirBuilder};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::AddressFamily;

use crate::socket::{Family, SocketListener, SocketStream, borrow_bound};
use crate::{AddressError, Connection, Listener, Role, StreamOptions, Transport, sys};

/// How often to look again when a name comes and goes while it is being taken.
const ATTEMPTS: usize = 64;

/// `ipc://path`, `ipc://@name` in Linux's abstract namespace, and to bind also `ipc://*` for a path of its own in a
/// fresh private directory under `TMPDIR`, `TEMPDIR`, `TMP` or the current directory.
///
/// The file is removed when its listener is dropped, unless another has taken its place. A file left behind by a
/// listener that died is replaced; anything else that is at the path makes the bind fail with an error that says what it
/// is: a live socket (`AddrInUse`), another user's (`PermissionDenied`), a file or a symbolic link (`AlreadyExists`).
#[derive(Clone, Debug, Default)]
pub struct Ipc {}

impl Ipc {
    /// The ipc transport.
    pub fn new() -> Ipc {
        Ipc {}
    }
}

impl Transport for Ipc {
    fn schemes(&self) -> &[&'static str] {
        &["ipc"]
    }

    fn check(&self, address: &str, role: Role) -> Result<(), AddressError> {
        let expected = match address {
            "" => Some((0, "a path, or '@' and a name")),
            "@" => Some((1, "a name after '@'")),
            _ => address
                .find('\0')
                .map(|at| (at, "a path without zero octets")),
        };
        if let Some((at, expected)) = expected {
            return Err(AddressError::Unexpected {
                at,
                met: address[at..].chars().next(),
                expected,
            });
        }
        if address.len() > sys::UNIX_PATH_LIMIT {
            return Err(AddressError::TooLong {
                length: address.len(),
                limit: sys::UNIX_PATH_LIMIT,
            });
        }
        if role == Role::Connect && address.starts_with('*') {
            return Err(AddressError::WrongRole {
                role,
                met: "a wildcard path",
            });
        }
        Ok(())
    }

    fn resolve_blocks(&self, _address: &str) -> bool {
        false
    }

    fn connect(&self, target: &str, options: &StreamOptions) -> io::Result<Connection> {
        self.check(target, Role::Connect)?;
        let descriptor = sys::open(AddressFamily::UNIX)?;
        sys::set_buffers(&descriptor, options)?;
        match rustix::net::connect(&descriptor, &sys::unix_address(target)?) {
            Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => {}
            // Not an attempt under way: there is nothing to wait for.
            Err(Errno::AGAIN) => {
                let met = "the listener has too many connections waiting";
                return Err(io::Error::new(io::ErrorKind::ResourceBusy, met));
            }
            Err(errno) => return Err(errno.into()),
        }
        let stream = SocketStream::connecting(descriptor, Family::Ipc, format!("ipc://{target}"));
        Ok(Connection::Bytes(Box::new(stream)))
    }

    fn listen(&self, address: &str, options: &StreamOptions) -> io::Result<Box<dyn Listener>> {
        self.check(address, Role::Bind)?;
        if let Some(bound) = &options.use_fd {
            let descriptor = borrow_bound(bound, options)?;
            let endpoint = format!("ipc://{}", sys::unix_name(&descriptor)?);
            return Ok(Box::new(SocketListener::new(
                descriptor,
                Family::Ipc,
                endpoint,
                options,
            )));
        }
        if address.starts_with('@') {
            let descriptor = bound(address, options)?;
            sys::listen(&descriptor, options.backlog)?;
            let endpoint = format!("ipc://{address}");
            return Ok(Box::new(SocketListener::new(
                descriptor,
                Family::Ipc,
                endpoint,
                options,
            )));
        }
        let (path, directory) = if address.starts_with('*') {
            let directory = PrivateDirectory::create()?;
            (directory.socket_path()?, Some(directory))
        } else {
            (address.to_owned(), None)
        };
        let (descriptor, mut claim) = listen_at(&path, options)?;
        claim.directory = directory;
        let listener =
            SocketListener::new(descriptor, Family::Ipc, format!("ipc://{path}"), options);
        Ok(Box::new(listener.claiming(claim)))
    }
}

/// A file in the file system that is ours, and is removed with this value if it still is.
#[derive(Debug)]
pub(crate) struct Claim {
    path: PathBuf,
    identity: Identity,
    /// A forked child drops this too, but the file is still its parent's.
    process: u32,
    /// Removed after the file.
    directory: Option<PrivateDirectory>,
}

impl Claim {
    fn new(path: &str, identity: Identity) -> Claim {
        // The current directory may be another one by the time of removal.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
        Claim {
            path,
            identity,
            process: std::process::id(),
            directory: None,
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.process == std::process::id()
            && Identity::of(&self.path).is_ok_and(|met| met == self.identity)
        {
            // There is nobody to tell, and the next to bind recovers the name.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Which file a name leads to: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    fn of(path: impl AsRef<Path>) -> io::Result<Identity> {
        fs::symlink_metadata(path).map(|file| Identity(file.dev(), file.ino()))
    }
}

/// A directory that only this user can enter.
#[derive(Debug)]
struct PrivateDirectory {
    path: PathBuf,
    process: u32,
    shown: String,
}

impl PrivateDirectory {
    fn create() -> io::Result<PrivateDirectory> {
        let parent = ["TMPDIR", "TEMPDIR", "TMP"]
            .iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty() && Path::new(value).is_dir());
        for _ in 0..ATTEMPTS {
            let name = format!("tmp{}", fresh_name());
            let shown = parent.as_ref().map_or(name.clone(), |parent| {
                format!("{}/{name}", parent.trim_end_matches('/'))
            });
            match DirBuilder::new().mode(0o700).create(&shown) {
                Ok(()) => {
                    let path = std::path::absolute(&shown).unwrap_or_else(|_| shown.clone().into());
                    return Ok(PrivateDirectory {
                        path,
                        process: std::process::id(),
                        shown,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn socket_path(&self) -> Result<String, AddressError> {
        let path = format!("{}/socket", self.shown);
        match path.len() {
            0..=sys::UNIX_PATH_LIMIT => Ok(path),
            length => Err(AddressError::TooLong {
                length,
                limit: sys::UNIX_PATH_LIMIT,
            }),
        }
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            // Only succeeds when it is empty, which is right: what others put there is not ours.
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// Six characters that are unlikely to be taken. Uniqueness comes from the file system, not from these.
fn fresh_name() -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let random = RandomState::new().hash_one(std::process::id());
    (0..6)
        .map(|place| char::from(DIGITS[(random >> (5 * place) & 31) as usize]))
        .collect()
}

/// A socket with a name, not yet listening.
fn bound(name: &str, options: &StreamOptions) -> io::Result<OwnedFd> {
    let descriptor = sys::open(AddressFamily::UNIX)?;
    sys::set_buffers(&descriptor, options)?;
    rustix::net::bind(&descriptor, &sys::unix_address(name)?)?;
    Ok(descriptor)
}

fn listen_at(path: &str, options: &StreamOptions) -> io::Result<(OwnedFd, Claim)> {
    let beside = format!("{path}.{}", fresh_name());
    if beside.len() <= sys::UNIX_PATH_LIMIT {
        match bound(&beside, options) {
            Ok(descriptor) => {
                let scaffold = Scaffold(beside);
                sys::listen(&descriptor, options.backlog)?;
                if let Some(claim) = publish(scaffold, path)? {
                    return Ok((descriptor, claim));
                }
            }
            // Perhaps the very name that is wanted is the only one allowed.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            Err(error) => return Err(error),
        }
    }
    listen_directly(path, options)
}

/// The name under which a socket waits to be published, removed on every way out.
struct Scaffold(String);

impl Drop for Scaffold {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Gives a listening socket its real name. `Ok(None)`: the file system cannot do that.
fn publish(scaffold: Scaffold, path: &str) -> io::Result<Option<Claim>> {
    let identity = Identity::of(&scaffold.0)?;
    for _ in 0..ATTEMPTS {
        match fs::hard_link(&scaffold.0, path) {
            Ok(()) => return Ok(Some(Claim::new(path, identity))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
            Err(_) => return Ok(None),
        }
        if examine(path)? == Finding::Nothing {
            continue;
        }
        let _lock = Lock::take(path)?;
        if examine(path)? == Finding::Nothing {
            continue;
        }
        match sys::exchange_names(&scaffold.0, path) {
            Ok(true) => {
                keep_only_if_dead(scaffold, path)?;
                return Ok(Some(Claim::new(path, identity)));
            }
            // Not in one step, then; should a stranger come between, the link is refused.
            Ok(false) => fs::remove_file(path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        }
    }
    Err(contended(path))
}

/// Looks at what has just been taken down, and puts it back unless it is dead indeed.
fn keep_only_if_dead(scaffold: Scaffold, path: &str) -> io::Result<()> {
    let Err(error) = examine(&scaffold.0) else {
        return Ok(());
    };
    if !matches!(sys::exchange_names(&scaffold.0, path), Ok(true)) {
        // Somebody else's, and it cannot be put back: at least leave it under the name it has now.
        std::mem::forget(scaffold);
    }
    Err(error)
}

/// Binds the wanted name itself. Between binding and listening the socket looks dead to others.
fn listen_directly(path: &str, options: &StreamOptions) -> io::Result<(OwnedFd, Claim)> {
    // A directory that allows no second file allows no lock either, and then nobody else can have one.
    let _lock = match Lock::take(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => None,
        taken => Some(taken?),
    };
    for _ in 0..ATTEMPTS {
        match bound(path, options) {
            Ok(descriptor) => {
                let claim = Claim::new(path, Identity::of(path)?);
                sys::listen(&descriptor, options.backlog)?;
                return Ok((descriptor, claim));
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
        if examine(path)? == Finding::Dead {
            fs::remove_file(path)?;
        }
    }
    Err(contended(path))
}

/// The right to replace what is at a path. It waits for others of the same user, who need microseconds; others cannot
/// open the file.
struct Lock {
    path: String,
    _file: fs::File,
}

impl Lock {
    fn take(wanted: &str) -> io::Result<Lock> {
        let path = format!("{wanted}.takeover");
        for _ in 0..ATTEMPTS {
            let flags = OFlags::RDWR
                | OFlags::CREATE
                | OFlags::NOFOLLOW
                | OFlags::NONBLOCK
                | OFlags::CLOEXEC;
            let file = fs::File::from(rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR)?);
            let opened = file.metadata()?;
            // Nothing but an empty file of ours is a lock: it will be removed.
            if !opened.is_file()
                || opened.len() != 0
                || opened.uid() != rustix::process::geteuid().as_raw()
            {
                let met = format!("{path:?} stands in the way of replacing a dead socket");
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, met));
            }
            retry_on_intr(|| rustix::fs::flock(&file, FlockOperation::LockExclusive))?;
            // The one before may have removed what has been waited for.
            if Identity::of(&path).is_ok_and(|met| met == Identity(opened.dev(), opened.ino())) {
                return Ok(Lock { path, _file: file });
            }
        }
        Err(contended(wanted))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Still held: who waits for it will find that it has gone and make a new one.
        let _ = fs::remove_file(&self.path);
    }
}

fn contended(path: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::AddrInUse,
        format!("others keep taking {path:?}"),
    )
}

/// What is at a name that may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    Nothing,
    /// A socket of this user that nobody listens on.
    Dead,
}

/// Looks at what is at `path`; everything that must stay is an error that says what it is.
fn examine(path: &str) -> io::Result<Finding> {
    let refused = |kind, what: &str| Err(io::Error::new(kind, format!("{path:?} is {what}")));
    let file = match fs::symlink_metadata(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Finding::Nothing),
        Err(error) => return Err(error),
    };
    if file.file_type().is_symlink() {
        return refused(
            io::ErrorKind::AlreadyExists,
            "a symbolic link, which is never replaced",
        );
    }
    if !file.file_type().is_socket() {
        return refused(io::ErrorKind::AlreadyExists, "there and is not a socket");
    }
    let probe = sys::open(AddressFamily::UNIX)?;
    match rustix::net::connect(&probe, &sys::unix_address(path)?) {
        Err(Errno::CONNREFUSED) => {}
        Err(Errno::NOENT) => return Ok(Finding::Nothing),
        Err(Errno::ACCESS | Errno::PERM) => {
            return refused(
                io::ErrorKind::PermissionDenied,
                "a socket that this user may not even ask",
            );
        }
        // Also when its queue is full, or when it is a socket of another kind.
        _ => return refused(io::ErrorKind::AddrInUse, "a socket in use"),
    }
    if file.uid() != rustix::process::geteuid().as_raw() {
        return refused(
            io::ErrorKind::PermissionDenied,
            "a dead socket of another user",
        );
    }
    Ok(Finding::Dead)
}
