//! Options that say who we are and whom we trust.

mod secret;

use std::path::{Path, PathBuf};

use clap::Args;
use zmq::curve::{self, KeyPair, PublicKey};
use zmq::{Certificate, Security};

use crate::failure::Failure;

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
    Security::plain_client(user.as_bytes(), password.as_bytes())
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
