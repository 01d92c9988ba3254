//! Options that say who we are and whom we trust.

mod guests;
mod secret;

use std::path::{Path, PathBuf};

use clap::Args;
use zmq::curve::{self, KeyPair, PublicKey};
use zmq::{Authenticator, Certificate, Options, Security};

use crate::failure::Failure;

/// Who we are, and whom we let in: a socket is either a client or a server of a mechanism, whoever of the two binds.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SecurityArgs {
    #[command(flatten)]
    client: ClientArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Whom we let in.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Security, as a server")]
struct ServerArgs {
    /// PLAIN: let in the users of --users
    #[arg(long, group = "serving", requires = "users", conflicts_with_all = ["plain", "plain_user", "curve"])]
    plain_server: bool,
    /// PLAIN: a file with a line NAME=PASSWORD for each user
    #[arg(long, value_name = "FILE", requires = "plain_server")]
    users: Option<PathBuf>,
    /// CURVE: our secret certificate file (see `zmq keygen`)
    #[arg(long, value_name = "FILE", group = "serving", conflicts_with_all = ["plain", "plain_user", "curve"])]
    curve_server: Option<PathBuf>,
    /// CURVE: let in the owners of the certificates in this folder, as it is when they come
    #[arg(
        long,
        value_name = "DIR",
        requires = "curve_server",
        conflicts_with = "any_key"
    )]
    allow_dir: Option<PathBuf>,
    /// CURVE: let in whoever knows our public key
    #[arg(long, requires = "curve_server")]
    any_key: bool,
    /// What those who decide are told that they are asked for (RFC 27), at most 255 octets [default: global]
    #[arg(long, value_name = "NAME", requires = "serving")]
    zap_domain: Option<String>,
}

/// How the sockets of a command are secured.
#[derive(Clone)]
pub(crate) struct Secured {
    security: Security,
}

impl SecurityArgs {
    /// Reads the files that the options name.
    pub(crate) fn read(&self) -> Result<Secured, Failure> {
        let ServerArgs {
            plain_server,
            users,
            curve_server,
            allow_dir,
            any_key,
            zap_domain,
        } = &self.server;
        let security = match (users, curve_server) {
            (Some(users), _) if *plain_server => Security::plain_server(guests::users(users)?),
            (_, Some(certificate)) => {
                let guests = match allow_dir {
                    Some(folder) => guests::keys(folder)?,
                    None if *any_key => Authenticator::new().any_key(),
                    None => {
                        return Err(Failure::Usage(
                            "--curve-server expected whom to let in, met neither --allow-dir nor --any-key"
                                .to_owned(),
                        ));
                    }
                };
                Security::curve_server(own_keys(certificate)?, guests)
            }
            _ => self.client.security()?,
        };
        let security = match zap_domain {
            Some(domain) => usable(security.zap_domain(domain.clone()))?,
            None => security,
        };
        Ok(Secured { security })
    }
}

impl Secured {
    /// The options of a socket with this security.
    pub(crate) fn on<S: zmq::kind::Socket>(&self, options: Options<S>) -> Options<S> {
        options.security(self.security.clone())
    }
}

/// Who we are towards a server that wants to know.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Security, as a client")]
pub(crate) struct ClientArgs {
    /// PLAIN: name and password. Everybody on this machine can read them in the list of processes; the two options below are for secrets
    #[arg(long, value_name = "USER:PASSWORD", value_parser = credentials)]
    plain: Option<Credentials>,
    /// PLAIN: the name, with --plain-password-file
    #[arg(
        long,
        value_name = "USER",
        requires = "plain_password_file",
        conflicts_with = "plain"
    )]
    plain_user: Option<String>,
    /// PLAIN: a file with the password as its first line
    #[arg(long, value_name = "FILE", requires = "plain_user")]
    plain_password_file: Option<PathBuf>,
    /// CURVE: the server's public key, 40 letters of Z85 or a certificate file
    #[arg(long, value_name = "KEY-OR-FILE", conflicts_with_all = ["plain", "plain_user"])]
    curve: Option<String>,
    /// CURVE: our own secret certificate file (see `zmq keygen`) [default: a new key pair]
    #[arg(long, value_name = "FILE", requires = "curve")]
    curve_cert: Option<PathBuf>,
}

/// A name and a password. Not shown.
#[derive(Clone)]
struct Credentials(String, String);

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({:?}, ..)", self.0)
    }
}

fn credentials(text: &str) -> Result<Credentials, String> {
    match text.split_once(':') {
        Some((user, password)) if !user.is_empty() => {
            Ok(Credentials(user.to_owned(), password.to_owned()))
        }
        _ => Err("expected USER:PASSWORD".to_owned()),
    }
}

impl ClientArgs {
    /// Who we are: nobody, when nothing was said.
    pub(crate) fn security(&self) -> Result<Security, Failure> {
        if let Some(Credentials(user, password)) = &self.plain {
            return plain(user, password);
        }
        if let (Some(user), Some(file)) = (&self.plain_user, &self.plain_password_file) {
            return plain(user, &secret::first_line(file)?);
        }
        let Some(server) = &self.curve else {
            return Ok(Security::none());
        };
        let keys = match &self.curve_cert {
            Some(file) => own_keys(file)?,
            None => curve::generate()
                .map_err(|error| Failure::Error(format!("no entropy for a key: {error}")))?,
        };
        Ok(Security::curve_client(server_key(server)?, keys))
    }
}

fn plain(user: &str, password: &str) -> Result<Security, Failure> {
    usable(Security::plain_client(user, password))
}

/// What sockets would not open with is told before they are.
fn usable(security: Security) -> Result<Security, Failure> {
    let checked = security.check();
    checked
        .map(|()| security)
        .map_err(|error| Failure::Usage(error.to_string()))
}

/// A key as it is, or as it stands in a file.
fn server_key(text: &str) -> Result<PublicKey, Failure> {
    let no_key = match text.parse() {
        Ok(key) => return Ok(key),
        Err(error) => error,
    };
    if !Path::new(text).exists() {
        return Err(Failure::Usage(format!(
            "--curve expected a public key (40 letters of Z85) or a certificate file, met {text:?}: {no_key}, and there is no such file"
        )));
    }
    let certificate = Certificate::load(text).map_err(Failure::error)?;
    Ok(certificate.public_key())
}

/// The keys in a secret certificate.
fn own_keys(file: &Path) -> Result<KeyPair, Failure> {
    secret::warn(file);
    let certificate = Certificate::load(file).map_err(Failure::error)?;
    certificate.keys().cloned().ok_or_else(|| {
        Failure::Error(format!(
            "certificate {}: has no secret key, expected a file that `zmq keygen` named NAME_secret",
            file.display()
        ))
    })
}
