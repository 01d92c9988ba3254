//! The socket types.

mod dealer;
mod pair;
mod pipeline;
mod rep;
mod req;
mod router;
mod xpub;
mod xsub;

pub(crate) use self::{
    dealer::Dealer,
    pair::Pair,
    pipeline::{Inert, Pull, Push},
    rep::Rep,
    req::Req,
    router::Router,
    xpub::XPub,
    xsub::XSub,
};
