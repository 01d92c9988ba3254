//! `zmq keygen`: key pairs for CURVE, in certificate files or on standard output.

use std::fmt;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use zmq::{Certificate, CertificateError, CertificateFault};

use crate::failure::{Failure, note};

const EXAMPLES: &str = "\
Examples:
  zmq keygen server                         # server (for clients) and server_secret (for the server alone)
  zmq keygen ann.key --meta name=Ann        # ann.key and ann.key_secret, as pyzmq names them
  zmq keygen --show                         # a pair in Z85, nothing on the disk
  zmq keygen --public server_secret         # the public key of a certificate file, to hand out

CZMQ and pyzmq read the files. The secret one can be read by its owner alone from the first moment on.";

/// Make keys for CURVE: a public and a secret certificate file
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("what").required(true).args(["name", "show", "public"]))]
pub(crate) struct Arguments {
    /// The file for the public key; the one with both keys has _secret behind its name. The public key is printed
    #[arg(value_name = "NAME")]
    name: Option<PathBuf>,
    /// Print a new key pair and write nothing
    #[arg(long)]
    show: bool,
    /// Print the public key of this certificate file, public or secret
    #[arg(long, value_name = "FILE")]
    public: Option<PathBuf>,
    /// Replace files that are there
    #[arg(long, conflicts_with_all = ["show", "public"])]
    force: bool,
    /// Say something about the owner in both files; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair, conflicts_with_all = ["show", "public"])]
    meta: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(path) = &arguments.public {
        let certificate = Certificate::load(path).map_err(Failure::error)?;
        return print(certificate.public_key());
    }
    let mut certificate = Certificate::generate()
        .map_err(|error| Failure::Error(format!("no entropy for a key: {error}")))?;
    let Some(name) = &arguments.name else {
        return show(&certificate);
    };
    for (name, value) in &arguments.meta {
        certificate.set(name, value);
    }
    let written = if arguments.force {
        certificate.replace(name)
    } else {
        certificate.save(name)
    };
    written.map_err(not_written)?;
    let secret = Certificate::secret_path(name);
    note(format_args!(
        "wrote {} for others and {} for its owner alone",
        name.display(),
        secret.display()
    ));
    print(certificate.public_key())
}

fn not_written(error: CertificateError) -> Failure {
    match error.fault() {
        CertificateFault::Exists => Failure::Error(format!("{error}; --force replaces it")),
        CertificateFault::Metadata => Failure::Usage(error.to_string()),
        _ => Failure::error(error),
    }
}

fn show(certificate: &Certificate) -> Result<(), Failure> {
    let keys = certificate.keys();
    let secret = keys.map(|keys| keys.secret().to_z85());
    print(format_args!(
        "public-key = \"{}\"\nsecret-key = \"{}\"",
        certificate.public_key(),
        secret.as_ref().map_or("", |secret| secret.as_str())
    ))
}

fn print(what: impl fmt::Display) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let printed = writeln!(stdout, "{what}").and_then(|()| stdout.flush());
    printed.map_err(|error| Failure::output(&error))
}
