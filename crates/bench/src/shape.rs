//! The shapes of traffic that are measured.

use peer_script::Job;

pub(crate) use crate::metric::Metric;

/// Sizes of messages in octets, for throughput.
const SIZES: [usize; 7] = [16, 64, 256, 1024, 4096, 65_536, 1_048_576];
/// The same for sealed traffic.
const SEALED_SIZES: [usize; 3] = [64, 1024, 65_536];
/// The same for libzmq's own programs.
const PERF_SIZES: [usize; 5] = [16, 64, 256, 1024, 65_536];
/// Subscribers of the fan-out.
const SUBSCRIBERS: u64 = 100;
/// Octets that the first run of a throughput shape carries, before it is known how fast the machine is.
const FIRST_OCTETS: usize = 32 << 20;
/// Ratios from here on count as no slower: the machine is never quiet.
const NO_SLOWER: f64 = 0.95;
/// What sealed throughput is to reach: there is a better cipher to be had than libzmq's.
const SEALED_GOAL: f64 = 1.5;
pub(crate) const SENDER: usize = 0;
pub(crate) const RECEIVER: usize = 1;

/// Who talks to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    PushPull,
    ReqRep,
    /// As libzmq's own programs do it, which say no more than the mean.
    MeanReqRep,
    PubSub,
    /// Connections made one after the other: connect, one round trip, leave.
    Dial,
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
}

/// What the two processes of a run do; the inproc shapes have one process for both ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    /// The end that binds, or does everything.
    pub(crate) binder: Job,
    /// The end that connects.
    pub(crate) connector: Option<Job>,
    /// The clock of the end that connects counts.
    pub(crate) connector_times: bool,
    /// The end that binds is the one that sends (or asks).
    pub(crate) binder_sends: bool,
}

impl Shape {
    pub(crate) fn name(&self) -> String {
        let who = match self.kind {
            Kind::PushPull => "push-pull".to_owned(),
            Kind::ReqRep | Kind::MeanReqRep => "req-rep".to_owned(),
            Kind::PubSub => format!("pub-{SUBSCRIBERS}-sub"),
            Kind::Dial => "handshakes".to_owned(),
        };
        let guard = if self.sealed { "curve " } else { "" };
        format!("{guard}{who} {} {}", self.transport, self.size)
    }

    /// The least ratio that is good enough.
    pub(crate) fn goal(&self) -> f64 {
        if self.sealed && self.kind == Kind::PushPull {
            SEALED_GOAL
        } else {
            NO_SLOWER
        }
    }

    pub(crate) fn metrics(&self) -> &'static [Metric] {
        match self.kind {
            Kind::PushPull | Kind::PubSub | Kind::Dial => &[Metric::Rate],
            Kind::ReqRep => &[Metric::P50, Metric::P99],
            Kind::MeanReqRep => &[Metric::Mean],
        }
    }

    /// Messages (each counted once, however many receive it) or round trips of the first run.
    pub(crate) fn first_count(&self) -> u64 {
        let messages = (FIRST_OCTETS / self.size).clamp(64, 100_000) as u64;
        match self.kind {
            Kind::PushPull => messages,
            Kind::PubSub => messages / SUBSCRIBERS,
            Kind::ReqRep | Kind::MeanReqRep => 2000,
            Kind::Dial => 200,
        }
    }

    /// What each end does. `endpoint` is where the binder binds; the connector is still to be told where that became.
    pub(crate) fn parts(&self, endpoint: &str, count: u64, pinned: bool) -> Parts {
        let job = |role: &str, cores: &[usize]| Job {
            role: role.to_owned(),
            endpoint: endpoint.to_owned(),
            size: self.size,
            count,
            peers: match self.kind {
                Kind::PubSub => SUBSCRIBERS,
                _ => 1,
            },
            cores: if pinned { cores.to_vec() } else { Vec::new() },
            sealed: self.sealed,
        };
        let (binder, connector) = match (self.kind, self.transport) {
            (Kind::ReqRep | Kind::MeanReqRep, "inproc") => {
                (job("inproc-lat", &[SENDER, RECEIVER]), None)
            }
            (_, "inproc") => (job("inproc-thr", &[RECEIVER, SENDER]), None),
            (Kind::PushPull, _) => (job("pull", &[RECEIVER]), Some(job("push", &[SENDER]))),
            (Kind::ReqRep | Kind::MeanReqRep, _) => {
                (job("rep", &[RECEIVER]), Some(job("req", &[SENDER])))
            }
            (Kind::Dial, _) => (job("rep", &[RECEIVER]), Some(job("dial", &[SENDER]))),
            (Kind::PubSub, _) => (job("pub", &[SENDER]), Some(job("sub", &[RECEIVER]))),
        };
        Parts {
            // Throughput is what arrives; a round trip is measured where it begins.
            connector_times: connector.is_some() && self.kind != Kind::PushPull,
            binder_sends: self.kind == Kind::PubSub,
            binder,
            connector,
        }
    }
}

/// All shapes whose names contain `filter`.
pub(crate) fn chosen(filter: &str) -> Vec<Shape> {
    let shape = |kind, transport, size| Shape {
        kind,
        transport,
        size,
        sealed: false,
    };
    let sealed = |kind, size| Shape {
        sealed: true,
        ..shape(kind, "tcp", size)
    };
    let mut all = Vec::new();
    for transport in ["tcp", "ipc"] {
        all.extend(SIZES.map(|size| shape(Kind::PushPull, transport, size)));
    }
    all.push(shape(Kind::ReqRep, "tcp", 1));
    all.push(shape(Kind::PubSub, "tcp", 64));
    all.extend([64, 1024].map(|size| shape(Kind::PushPull, "inproc", size)));
    all.push(shape(Kind::ReqRep, "inproc", 1));
    all.push(shape(Kind::Dial, "tcp", 1));
    all.extend(SEALED_SIZES.map(|size| sealed(Kind::PushPull, size)));
    all.push(sealed(Kind::Dial, 1));
    all.retain(|shape| shape.name().contains(filter));
    all
}

/// Those of libzmq's own programs.
pub(crate) fn of_perf_programs(filter: &str) -> Vec<Shape> {
    let mut all = Vec::new();
    for transport in ["tcp", "inproc"] {
        let shape = |kind, size| Shape {
            kind,
            transport,
            size,
            sealed: false,
        };
        all.extend(PERF_SIZES.map(|size| shape(Kind::PushPull, size)));
        all.push(shape(Kind::MeanReqRep, 1));
    }
    all.retain(|shape| shape.name().contains(filter));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_choose_shapes_and_no_two_are_alike() {
        let all = chosen("");
        let mut names: Vec<String> = all.iter().map(Shape::name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all.len());
        assert_eq!(
            chosen("push-pull tcp").len(),
            SIZES.len() + SEALED_SIZES.len()
        );
        assert!(chosen("curve").iter().all(|shape| shape.sealed));
        assert!(chosen("carrier pigeon").is_empty());
    }

    #[test]
    fn the_sender_has_core_0_and_the_receiver_core_1_whoever_binds() {
        for shape in chosen("") {
            let parts = shape.parts("tcp://127.0.0.1:0", 10, true);
            let Some(connector) = &parts.connector else {
                continue;
            };
            let (sender, receiver) = if parts.binder_sends {
                (&parts.binder, connector)
            } else {
                (connector, &parts.binder)
            };
            assert_eq!(sender.cores, [SENDER]);
            assert_eq!(receiver.cores, [RECEIVER]);
            let loose = shape.parts("tcp://127.0.0.1:0", 10, false);
            assert!(loose.binder.cores.is_empty());
        }
    }
}
