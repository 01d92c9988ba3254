//! `zmq doctor`: what is at an endpoint, and whether it would let us in.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use clap::Args;
use serde_json::json;
use zmq::Security;
use zmq::probe::{Finding, Foreign, Report, probe};

use crate::arguments::milliseconds;
use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::security::ClientArgs;

const EXAMPLES: &str = "\
Examples:
  zmq doctor tcp://127.0.0.1:5555                             # version, mechanism, socket type
  zmq doctor ipc:///run/app.sock --json
  zmq doctor tcp://example.org:5555 --curve server            # is that its key? server is a certificate file
  zmq doctor tcp://example.org:5555 --curve server --curve-cert ann_secret      # and does it know ann?
  zmq doctor tcp://example.org:5555 --plain-user ann --plain-password-file password

The socket there gains no peer by it and loses no message. Exit code 0: a ZeroMQ socket is there, and what was given as key
or password fits; 3: it did not answer in time; 1: anything else.";

/// Find out what is at an endpoint, and whether keys and passwords fit
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Where to look: tcp:// or ipc://
    endpoint: Endpoint,
    /// Give up after this time, milliseconds
    #[arg(short, long, value_name = "MS", value_parser = milliseconds, default_value = "5000")]
    timeout: Duration,
    /// One line of JSON instead of words
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let endpoint = match &arguments.endpoint {
        Endpoint::Connect(endpoint) => endpoint,
        Endpoint::Bind(_) => {
            return Err(Failure::Usage(
                "doctor looks at what others have bound: leave the @ out".to_owned(),
            ));
        }
    };
    let security = arguments.client.security()?;
    let report = probe(endpoint, &security, arguments.timeout)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let told = if arguments.json {
        format!("{}\n", as_json(endpoint, &report))
    } else {
        in_words(&report, &security)
    };
    let mut stdout = io::stdout().lock();
    let printed = stdout.write_all(told.as_bytes());
    let printed = printed.and_then(|()| stdout.flush());
    printed.map_err(|error| Failure::output(&error))?;
    verdict(endpoint, &report)
}

fn verdict(endpoint: &str, report: &Report) -> Result<(), Failure> {
    let finding = report.finding;
    if finding.is_well() {
        return Ok(());
    }
    let mut told = format!("{endpoint}: {finding}");
    if let Some(detail) = &report.detail {
        let _ = write!(told, " ({detail})");
    }
    Err(if finding.is_timeout() {
        Failure::TimedOut(told)
    } else {
        Failure::Error(told)
    })
}

fn in_words(report: &Report, security: &Security) -> String {
    let mut lines = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{name:<10} {value}");
    };
    if let Some(target) = &report.target {
        line("address", target);
    }
    if let Some((major, minor)) = report.version {
        line("protocol", &format!("ZMTP {major}.{minor}"));
    }
    if let Some(mechanism) = &report.mechanism {
        let role = match report.as_server {
            Some(true) => ", and says that it is the server",
            _ if mechanism == "NULL" => "",
            _ => ", and does not say that it is the server (libzmq never does)",
        };
        line("mechanism", &format!("{mechanism}{role}"));
    }
    if let Some(socket_type) = &report.socket_type {
        line("socket", socket_type);
    }
    if report.finding.is_well() {
        line("finding", &report.finding.to_string());
    }
    if security.is_none() {
        match report.mechanism.as_deref().unwrap_or_default() {
            "CURVE" => line("next", "try keys: --curve KEY-OR-FILE --curve-cert FILE"),
            "PLAIN" => line(
                "next",
                "try credentials: --plain-user USER --plain-password-file FILE",
            ),
            _ => {}
        }
    }
    lines
}

fn as_json(endpoint: &str, report: &Report) -> serde_json::Value {
    json!({
        "endpoint": endpoint,
        "address": report.target,
        "version": report.version.map(|(major, minor)| format!("{major}.{minor}")),
        "mechanism": report.mechanism,
        "as_server": report.as_server,
        "socket_type": report.socket_type,
        "well": report.finding.is_well(),
        "finding": code(report.finding),
        "words": report.finding.to_string(),
        "detail": report.detail,
    })
}

/// The finding as programs read it.
fn code(finding: Finding) -> &'static str {
    match finding {
        Finding::NotResolved => "not-resolved",
        Finding::NothingListens => "nothing-listens",
        Finding::Forbidden => "forbidden",
        Finding::Unreachable => "unreachable",
        Finding::NoConnection => "no-connection",
        Finding::Silent => "silent",
        Finding::Closed => "closed",
        Finding::Foreign(Foreign::Http) => "http",
        Finding::Foreign(Foreign::Tls) => "tls",
        Finding::Foreign(Foreign::Ssh) => "ssh",
        Finding::Foreign(Foreign::Smtp) => "smtp",
        Finding::Foreign(Foreign::Telnet) => "telnet",
        Finding::Foreign(_) => "foreign",
        Finding::Broken => "broken",
        Finding::Zmtp => "zmtp",
        Finding::OtherMechanism => "other-mechanism",
        Finding::AlsoClient => "also-client",
        Finding::Admitted => "admitted",
        Finding::Denied(_) => "denied",
        Finding::RejectedHello => "rejected-hello",
        Finding::RejectedInitiate => "rejected-initiate",
        Finding::Unanswered => "unanswered",
        _ => "other",
    }
}
