//! The facade as its users meet it: every pattern over every transport, on every kind of executor and on threads.

mod blocking;
mod cancel;
mod deciding;
mod ending;
mod errors;
mod here;
mod idle;
mod lists;
mod many;
mod monitoring;
mod options;
mod patterns;
mod proxies;
mod refusing;
mod requests;
mod runtimes;
mod securing;
mod streams;
