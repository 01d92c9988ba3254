//! What comes out of a run.

use peer_script::Measurement;

/// What came out of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    /// The measurement of the end whose clock counts.
    pub(crate) timed: Measurement,
    /// Processor time of the sending end for each message, in nanoseconds; both ends where they share a process.
    pub(crate) sender_cpu: f64,
    /// Processor time of the receiving end for each message, in nanoseconds; 0 where the ends share a process.
    pub(crate) receiver_cpu: f64,
    /// Octets of memory for each peer or topic, at the end that says so.
    pub(crate) octets_each: f64,
}

impl Outcome {
    /// Of a run with both ends in one process.
    pub(crate) fn alone(timed: Measurement) -> Outcome {
        Outcome {
            timed,
            sender_cpu: cpu_each(&timed),
            receiver_cpu: 0.0,
            octets_each: timed.octets_each as f64,
        }
    }

    /// Of a run with two ends, and whether the sender's clock is the one that counts.
    pub(crate) fn of(sender: Measurement, receiver: Measurement, sender_times: bool) -> Outcome {
        Outcome {
            timed: if sender_times { sender } else { receiver },
            sender_cpu: cpu_each(&sender),
            receiver_cpu: cpu_each(&receiver),
            octets_each: sender.octets_each.max(receiver.octets_each) as f64,
        }
    }
}

fn cpu_each(measurement: &Measurement) -> f64 {
    measurement.cpu_nanoseconds as f64 / measurement.messages.max(1) as f64
}
