//! The verbs of the command line, one file each.

mod dealer;
mod doctor;
mod keygen;
mod pair;
mod proxy;
mod publish;
mod pull;
mod push;
mod rep;
mod req;
mod router;
mod sub;
mod xpub;
mod xsub;

use clap::Subcommand;

pub(crate) use proxy::ProxyType;

use crate::failure::Failure;
use crate::{perf, tour};

/// What the program can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Tour(tour::Arguments),
    Push(push::Arguments),
    Pull(pull::Arguments),
    Pub(publish::Arguments),
    Sub(sub::Arguments),
    Req(req::Arguments),
    Rep(rep::Arguments),
    Dealer(dealer::Arguments),
    Router(router::Arguments),
    Pair(pair::Arguments),
    Xpub(xpub::Arguments),
    Xsub(xsub::Arguments),
    Proxy(proxy::Arguments),
    Perf(perf::Arguments),
    Keygen(keygen::Arguments),
    Doctor(doctor::Arguments),
}

/// Does it.
pub(crate) fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Tour(arguments) => tour::run(&arguments),
        Verb::Push(arguments) => push::run(arguments),
        Verb::Pull(arguments) => pull::run(&arguments),
        Verb::Pub(arguments) => publish::run(arguments),
        Verb::Sub(arguments) => sub::run(&arguments),
        Verb::Req(arguments) => req::run(arguments),
        Verb::Rep(arguments) => rep::run(&arguments),
        Verb::Dealer(arguments) => dealer::run(arguments),
        Verb::Router(arguments) => router::run(arguments),
        Verb::Pair(arguments) => pair::run(arguments),
        Verb::Xpub(arguments) => xpub::run(arguments),
        Verb::Xsub(arguments) => xsub::run(arguments),
        Verb::Proxy(arguments) => proxy::run(&arguments),
        Verb::Perf(arguments) => perf::run(arguments),
        Verb::Keygen(arguments) => keygen::run(&arguments),
        Verb::Doctor(arguments) => doctor::run(&arguments),
    }
}
