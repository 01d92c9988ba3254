//! This library as a contender, with its default options.

mod asynchronous;
mod blocking;
mod lists;
mod opening;

pub(crate) use asynchronous::{Asynchronous, Executor};
pub(crate) use blocking::Blocking;
pub(crate) use lists::LIST;
