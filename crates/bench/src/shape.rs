//! The shapes of traffic that are measured.

mod list;
mod roles;

use peer_script::Job;

pub(crate) use self::list::{chosen, of_perf_programs};
pub(crate) use self::roles::{End, Roles};
use crate::metric::Metric;

/// Octets that the first run of a throughput shape carries, before it is known how fast the machine is.
const FIRST_OCTETS: usize = 32 << 20;
/// From so many topics on, what they take of memory is more than the process varies by itself.
const WORTH_WEIGHING: u64 = 10_000;
pub(crate) const SENDER: usize = 0;
pub(crate) const RECEIVER: usize = 1;

/// Who talks to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    PushPull,
    /// From one to many, in turn.
    PushMany,
    /// From many to one.
    ManyPush,
    PubSub,
    ReqRep,
    DealerRouter,
    /// Each round trip finds everybody asleep.
    SparseReqRep,
    /// As libzmq's own programs do it, which say no more than the mean.
    MeanReqRep,
    /// Connections made one after the other: connect, one round trip, leave.
    Dial,
    /// Messages that nobody wants, against many subscriptions.
    Topics,
    /// Thousands of connections to one socket.
    Crowd,
}

/// One kind of traffic over one transport at one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    /// The scheme of the endpoints.
    pub(crate) transport: &'static str,
    /// Octets of a message.
    pub(crate) size: usize,
    /// With CURVE.
    pub(crate) sealed: bool,
    /// How many the many are, or how many topics.
    pub(crate) peers: u64,
}

/// What the two processes of a run do; the inproc shapes have one process for both ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    /// The end that binds, or does everything.
    pub(crate) binder: Job,
    /// The end that connects.
    pub(crate) connector: Option<Job>,
    pub(crate) roles: Roles,
}

impl Shape {
    /// What it is, without size.
    pub(crate) fn title(&self) -> String {
        let peers = self.peers;
        let who = match self.kind {
            Kind::PushPull => "push-pull".to_owned(),
            Kind::PushMany => format!("push-{peers}-pull"),
            Kind::ManyPush => format!("{peers}-push-pull"),
            Kind::PubSub => format!("pub-{peers}-sub"),
            Kind::ReqRep | Kind::MeanReqRep => "req-rep".to_owned(),
            Kind::DealerRouter => "dealer-router".to_owned(),
            Kind::SparseReqRep => "sparse-req-rep".to_owned(),
            Kind::Dial => "handshakes".to_owned(),
            Kind::Topics => "topics".to_owned(),
            Kind::Crowd => format!("{peers}-connections"),
        };
        let guard = if self.sealed { "curve " } else { "" };
        format!("{guard}{who} {}", self.transport)
    }

    pub(crate) fn name(&self) -> String {
        let what = match self.kind {
            Kind::Topics => self.peers,
            _ => self.size as u64,
        };
        format!("{} {what}", self.title())
    }

    pub(crate) fn metrics(&self) -> &'static [Metric] {
        match self.kind {
            Kind::PushPull | Kind::PushMany | Kind::ManyPush | Kind::PubSub | Kind::Dial => {
                &[Metric::Rate]
            }
            Kind::ReqRep | Kind::DealerRouter => &[Metric::P50, Metric::P99, Metric::P999],
            Kind::SparseReqRep => &[Metric::P50],
            Kind::MeanReqRep => &[Metric::Mean],
            Kind::Topics if self.peers < WORTH_WEIGHING => &[Metric::Match],
            Kind::Topics => &[Metric::Match, Metric::Octets],
            Kind::Crowd => &[Metric::SetUp, Metric::Octets, Metric::Rate],
        }
    }

    /// Messages (each counted once, however many receive it) or round trips of the first run.
    pub(crate) fn first_count(&self) -> u64 {
        let messages = (FIRST_OCTETS / self.size).clamp(64, 100_000) as u64;
        match self.kind {
            Kind::PushPull | Kind::ManyPush => messages,
            Kind::PubSub | Kind::PushMany => messages / self.peers,
            Kind::ReqRep | Kind::MeanReqRep | Kind::DealerRouter => 2000,
            Kind::SparseReqRep => 50,
            Kind::Dial => 200,
            Kind::Topics => 2_000_000,
            Kind::Crowd => 50_000,
        }
    }

    /// What each end does. `endpoint` is where the binder binds; the connector is still to be told where that became.
    pub(crate) fn parts(&self, endpoint: &str, count: u64, pinned: bool) -> Parts {
        let roles = Roles::of(self.kind);
        let job = |role: &str, cores: &[usize]| Job {
            role: role.to_owned(),
            endpoint: endpoint.to_owned(),
            size: self.size,
            count,
            peers: self.peers,
            cores: if pinned { cores.to_vec() } else { Vec::new() },
            sealed: self.sealed,
        };
        if let (Some(role), "inproc") = (roles.inproc, self.transport) {
            return Parts {
                binder: job(role, &[RECEIVER, SENDER]),
                connector: None,
                roles,
            };
        }
        let core = |end| {
            if roles.sender == end {
                SENDER
            } else {
                RECEIVER
            }
        };
        Parts {
            binder: job(roles.binder, &[core(End::Binder)]),
            connector: Some(job(roles.connector, &[core(End::Connector)])),
            roles,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sender_has_core_0_and_the_receiver_core_1_whoever_binds() {
        for shape in chosen("") {
            let parts = shape.parts("tcp://127.0.0.1:0", 10, true);
            let Some(connector) = &parts.connector else {
                continue;
            };
            let (sender, receiver) = match parts.roles.sender {
                End::Binder => (&parts.binder, connector),
                End::Connector => (connector, &parts.binder),
            };
            assert_eq!(sender.cores, [SENDER]);
            assert_eq!(receiver.cores, [RECEIVER]);
            let loose = shape.parts("tcp://127.0.0.1:0", 10, false);
            assert!(loose.binder.cores.is_empty());
        }
    }
}
