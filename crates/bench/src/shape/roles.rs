//! Who plays what in each kind of traffic.

use super::Kind;

/// One of the two processes of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Binder,
    Connector,
}

/// The roles of a kind of traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Roles {
    pub(crate) binder: &'static str,
    pub(crate) connector: &'static str,
    /// For both ends in one process.
    pub(crate) inproc: Option<&'static str>,
    /// The one that sends or asks.
    pub(crate) sender: End,
    /// The one whose clock counts.
    pub(crate) clock: End,
    /// The one that is done first; the other goes on until it hears of that.
    pub(crate) first: End,
}

impl Roles {
    pub(crate) fn of(kind: Kind) -> Roles {
        match kind {
            Kind::PushPull => Roles::throughput("pull", "push", Some("inproc-thr")),
            Kind::PushMany => Roles::throughput("pull-many", "push-many", None),
            Kind::ManyPush => Roles::throughput("pull", "push-each", None),
            Kind::ReqRep | Kind::MeanReqRep => Roles::trips("rep", "req", Some("inproc-lat")),
            Kind::DealerRouter => Roles::trips("router", "dealer", None),
            Kind::SparseReqRep => Roles::trips("rep", "sparse-req", None),
            Kind::Dial => Roles::trips("rep", "dial", None),
            Kind::Crowd => Roles::trips("crowd-rep", "crowd", None),
            Kind::PubSub => Roles {
                binder: "pub",
                connector: "sub",
                inproc: Some("inproc-fan"),
                sender: End::Binder,
                clock: End::Connector,
                first: End::Connector,
            },
            Kind::Topics => Roles {
                binder: "topics-pub",
                connector: "topics-sub",
                inproc: None,
                sender: End::Binder,
                clock: End::Binder,
                first: End::Connector,
            },
        }
    }

    /// Throughput is what arrives.
    fn throughput(
        binder: &'static str,
        connector: &'static str,
        inproc: Option<&'static str>,
    ) -> Roles {
        Roles {
            binder,
            connector,
            inproc,
            sender: End::Connector,
            clock: End::Binder,
            first: End::Binder,
        }
    }

    /// A round trip is measured where it begins.
    fn trips(binder: &'static str, connector: &'static str, inproc: Option<&'static str>) -> Roles {
        Roles {
            binder,
            connector,
            inproc,
            sender: End::Connector,
            clock: End::Connector,
            first: End::Connector,
        }
    }
}
