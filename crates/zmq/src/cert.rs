//! Certificates: CURVE keys in files, as CZMQ and pyzmq write and read them.

mod file;
pub(crate) mod fuzzing;

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use zeroize::Zeroizing;
use zmq_engine::curve::{self, KeyError, KeyPair, PublicKey, SecretKey};
use zpl::{Dialect, Document, Parser};

/// Most octets of a certificate file. Real ones have a few hundred.
const LONGEST: usize = 64 * 1024;

/// How much of the property language a certificate file may have. Real ones have a dozen lines.
const LIMITS: zpl::Limits = zpl::Limits {
    line: 4096,
    depth: 8,
    nodes: 1000,
};

/// How CZMQ writes that there is no secret key: 32 octets of zeros.
const NO_SECRET: [u8; 32] = [0; 32];

/// The keys of somebody, with what is said about them: a public key, the secret key if it is ours, and names with values.
///
/// It lives in two files: `NAME` has the public key and is given to whoever is to trust it, `NAME_secret` has both keys and is for its
/// owner's eyes only. CZMQ (`zcert`) and pyzmq (`zmq.auth`) read what is written here, and the other way round.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("zmq-cert-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// use zmq::Certificate;
///
/// let mut ours = Certificate::generate()?;
/// ours.set("name", "Ann");
/// ours.save(folder.join("ann.key"))?; // ann.key and ann.key_secret
///
/// let for_others = Certificate::load(folder.join("ann.key"))?;
/// assert_eq!(for_others.public_key(), ours.public_key());
/// assert!(for_others.keys().is_none());
///
/// let again = Certificate::load(folder.join("ann.key_secret"))?;
/// assert_eq!(again.keys(), ours.keys());
/// assert_eq!(again.get("name"), Some("Ann"));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    public: PublicKey,
    keys: Option<KeyPair>,
    metadata: Vec<(String, String)>,
}

impl Certificate {
    /// The certificate of these keys.
    #[must_use]
    pub fn new(keys: KeyPair) -> Certificate {
        Certificate {
            public: keys.public(),
            keys: Some(keys),
            metadata: Vec::new(),
        }
    }

    /// A certificate with new keys from the system's generator.
    ///
    /// # Errors
    /// The system has no entropy to give.
    pub fn generate() -> io::Result<Certificate> {
        curve::generate().map(Certificate::new)
    }

    /// The certificate of somebody whose secret key is not known here.
    #[must_use]
    pub fn of(public: PublicKey) -> Certificate {
        Certificate {
            public,
            keys: None,
            metadata: Vec::new(),
        }
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// Both keys, if the secret one is there.
    #[must_use]
    pub fn keys(&self) -> Option<&KeyPair> {
        self.keys.as_ref()
    }

    /// What is said under this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.metadata.iter().find(|(met, _)| met == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Says something about the owner; what was said under this name before is replaced. Both files will have it. Names are made of ASCII
    /// letters, digits and `$-_@.&+/`, values of printable characters; [`save`](Certificate::save) looks.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        match self.metadata.iter_mut().find(|(met, _)| *met == name) {
            Some((_, old)) => *old = value,
            None => self.metadata.push((name, value)),
        }
    }

    /// All names with their values, in order.
    pub fn metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.metadata.iter();
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Where [`save`](Certificate::save) puts the secret part of what is saved at `path`: the same with `_secret` behind.
    #[must_use]
    pub fn secret_path(path: impl AsRef<Path>) -> PathBuf {
        let mut name = path.as_ref().as_os_str().to_owned();
        name.push("_secret");
        name.into()
    }

    /// Reads the certificate file at `path`, and no other: `NAME_secret` is read when it is named. Blocks for as long as the system takes
    /// to read a small file.
    ///
    /// # Errors
    /// [`CertificateError`]: the file cannot be read, is too long, is not of the language, or its keys are not keys or not a pair.
    pub fn load(path: impl AsRef<Path>) -> Result<Certificate, CertificateError> {
        let path = path.as_ref();
        let read = file::read(path, LONGEST).map_err(Cause::System);
        let read = read.and_then(|text| text.ok_or(Cause::TooLong));
        let certificate = read.and_then(|text| parse(&text));
        certificate.map_err(|cause| CertificateError::at(path, cause))
    }

    /// Writes the public part to `path` and, if the secret key is there, both keys to [`Certificate::secret_path`], which only the owner may
    /// read from the first moment on. Neither file may exist. Each appears whole or not at all; should the second one fail, the first is
    /// taken away again. Blocks until the octets are on the disk.
    ///
    /// # Errors
    /// [`CertificateError`]: a file exists, the system refuses, or metadata cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), CertificateError> {
        self.write(path.as_ref(), file::Mode::New)
    }

    /// As [`Certificate::save`], replacing what is there. A symbolic link is replaced, not followed.
    ///
    /// # Errors
    /// As [`Certificate::save`].
    pub fn replace(&self, path: impl AsRef<Path>) -> Result<(), CertificateError> {
        self.write(path.as_ref(), file::Mode::Replace)
    }

    fn write(&self, path: &Path, mode: file::Mode) -> Result<(), CertificateError> {
        let texts = self.public_text().and_then(|public| {
            let secret = self.keys.as_ref().map(|keys| self.secret_text(keys));
            Ok((public, secret.transpose()?))
        });
        let (public, secret) = texts.map_err(|cause| CertificateError::at(path, cause))?;
        let mut files = Vec::new();
        if let Some(text) = secret {
            let path = Certificate::secret_path(path);
            files.push(file::Part {
                path,
                text,
                access: file::OWNER_ONLY,
            });
        }
        files.push(file::Part {
            path: path.to_owned(),
            text: public,
            access: file::EVERYBODY,
        });
        file::write(&files, mode).map_err(|(path, error)| {
            let cause = match error.kind() {
                io::ErrorKind::AlreadyExists => Cause::Exists,
                _ => Cause::System(error),
            };
            CertificateError::at(&path, cause)
        })
    }

    fn public_text(&self) -> Result<Zeroizing<String>, Cause> {
        let mut document = self.document(&[
            "   A ZeroMQ CURVE certificate: the public key of its owner.",
            "   Give it to those who are to trust it, in a way that nobody can tamper with.",
        ]);
        document.put("curve/public-key", self.public.to_z85());
        document.to_text(Dialect::Czmq).map_err(Cause::Metadata)
    }

    fn secret_text(&self, keys: &KeyPair) -> Result<Zeroizing<String>, Cause> {
        let mut document = self.document(&[
            "   A ZeroMQ CURVE certificate with its SECRET key.",
            "   Whoever reads this file can pass for its owner: keep it to yourself, and readable by nobody else.",
        ]);
        document.put("curve/public-key", self.public.to_z85());
        document.put("curve/secret-key", keys.secret().to_z85().as_str());
        document.to_text(Dialect::Czmq).map_err(Cause::Metadata)
    }

    fn document(&self, banner: &[&str]) -> Document {
        let mut document = Document::new();
        for line in banner {
            document.push_banner(*line);
        }
        document.section("metadata");
        for (name, value) in &self.metadata {
            document.add("metadata", name.as_str(), Some(value));
        }
        document
    }
}

impl From<KeyPair> for Certificate {
    fn from(keys: KeyPair) -> Certificate {
        Certificate::new(keys)
    }
}

impl FromStr for Certificate {
    type Err = CertificateError;

    /// Reads the text of a certificate file.
    fn from_str(text: &str) -> Result<Certificate, CertificateError> {
        let read = match text.len() {
            ..=LONGEST => parse(text.as_bytes()),
            _ => Err(Cause::TooLong),
        };
        read.map_err(|cause| CertificateError { path: None, cause })
    }
}

fn parse(text: &[u8]) -> Result<Certificate, Cause> {
    let mut parser = Parser::new(Dialect::Czmq, LIMITS);
    parser.feed(text).map_err(Cause::Syntax)?;
    let document = parser.finish().map_err(Cause::Syntax)?;
    let public = document.get("curve/public-key").unwrap_or_default();
    if public.is_empty() {
        return Err(Cause::NoPublicKey);
    }
    let public = PublicKey::from_str(public).map_err(|error| Cause::Key("public", error))?;
    let secret = document.get("curve/secret-key").unwrap_or_default();
    let keys = if secret.is_empty() {
        None
    } else {
        let secret = SecretKey::from_str(secret).map_err(|error| Cause::Key("secret", error))?;
        let there = secret != SecretKey::from_octets(NO_SECRET);
        there.then(|| KeyPair::new(secret))
    };
    if keys.as_ref().is_some_and(|keys| keys.public() != public) {
        return Err(Cause::Mismatch);
    }
    let mut certificate = Certificate {
        public,
        keys,
        metadata: Vec::new(),
    };
    for item in document
        .find("metadata")
        .iter()
        .flat_map(|metadata| metadata.children())
    {
        certificate.set(item.name(), item.value().unwrap_or_default());
    }
    Ok(certificate)
}

/// A certificate that could not be read or written. It never holds a secret.
#[derive(Debug)]
pub struct CertificateError {
    /// The file; none when a text was read.
    path: Option<PathBuf>,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    System(io::Error),
    Exists,
    TooLong,
    Syntax(zpl::Error),
    NoPublicKey,
    Key(&'static str, KeyError),
    Mismatch,
    Metadata(zpl::PrintError),
}

/// What is wrong with a certificate, for code that decides by it. The text of the error says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateFault {
    /// The system refused to read or write the file.
    System(io::ErrorKind),
    /// There is a file of this name, and it was not to be replaced.
    Exists,
    /// The file is longer than certificates are.
    TooLong,
    /// It is not written in the property language.
    Syntax {
        /// The line, counted from 1.
        line: usize,
        /// The octet of the line, counted from 1.
        column: usize,
    },
    /// It has no public key.
    NoPublicKey,
    /// One of its keys is not 40 letters of Z85.
    BadKey,
    /// Its secret key belongs to another public key.
    Mismatch,
    /// A name or a value of the metadata cannot be written.
    Metadata,
}

impl CertificateError {
    fn at(path: &Path, cause: Cause) -> CertificateError {
        CertificateError {
            path: Some(path.to_owned()),
            cause,
        }
    }

    /// The file in question; none when a text was read.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What is wrong.
    #[must_use]
    pub fn fault(&self) -> CertificateFault {
        match &self.cause {
            Cause::System(error) => CertificateFault::System(error.kind()),
            Cause::Exists => CertificateFault::Exists,
            Cause::TooLong => CertificateFault::TooLong,
            Cause::Syntax(error) => CertificateFault::Syntax {
                line: error.line,
                column: error.column,
            },
            Cause::NoPublicKey => CertificateFault::NoPublicKey,
            Cause::Key(..) => CertificateFault::BadKey,
            Cause::Mismatch => CertificateFault::Mismatch,
            Cause::Metadata(_) => CertificateFault::Metadata,
        }
    }
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "certificate {}: ", path.display())?,
            None => f.write_str("certificate: ")?,
        }
        match &self.cause {
            Cause::System(error) => error.fmt(f),
            Cause::Exists => f.write_str("the file exists"),
            Cause::TooLong => write!(f, "met a longer file, expected at most {LONGEST} octets"),
            Cause::Syntax(error) => error.fmt(f),
            Cause::NoPublicKey => f.write_str("has no `public-key` in a section `curve`"),
            Cause::Key(which, error) => {
                write!(f, "the {which} key is not 40 letters of Z85: {error}")
            }
            Cause::Mismatch => f.write_str("its secret key does not belong to its public key"),
            Cause::Metadata(error) => error.fmt(f),
        }
    }
}

impl Error for CertificateError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            Cause::System(error) => Some(error),
            Cause::Syntax(error) => Some(error),
            Cause::Key(_, error) => Some(error),
            Cause::Metadata(error) => Some(error),
            Cause::Exists | Cause::TooLong | Cause::NoPublicKey | Cause::Mismatch => None,
        }
    }
}
