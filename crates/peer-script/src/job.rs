//! What one end of a benchmark is told.

use std::error::Error;
use std::str::FromStr;

use crate::contender::Result;

/// What a worker is to do; one line of arguments: role, endpoint, size, count, peers, cores, `curve` or `clear`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// One of those that [`work`](crate::work) lists.
    pub role: String,
    /// Where to bind or connect; with commas between them if there are several. Unused by the inproc roles.
    pub endpoint: String,
    /// Octets of a message.
    pub size: usize,
    /// Messages, round trips, or connections made one after the other.
    pub count: u64,
    /// Sockets at this end or connections to it, or topics.
    pub peers: u64,
    /// The cores to stay on: one, or receiver's and sender's for the inproc roles, or none.
    pub cores: Vec<usize>,
    /// Traffic is sealed with CURVE: the end that binds is the server, with the keys of [`SERVER_KEY`].
    pub sealed: bool,
}

/// Public and secret key of the servers in sealed runs, in Z85. Everybody may know them: they guard nothing.
pub const SERVER_KEY: (&str, &str) = (
    "K3HW^WVq.zo69t)(umF>:XvwTj:QGN^yKlWaVH(S",
    "009c61o!#m2NH?C3>iWS5d]J*6CRx17-skh9337x",
);

/// Public and secret key of the clients in sealed runs.
pub const CLIENT_KEY: (&str, &str) = (
    "hgP.#hDUHSUiE^h?&P6wi8P5^Qk?rT(1ek&+[:+/",
    "ar.{NbQB=+c[cR@eg&FcfFLssg=mfIi5%2YjuU>)",
);

impl Job {
    /// The arguments that [`Job::from_str`] reads.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let cores: Vec<String> = self.cores.iter().map(usize::to_string).collect();
        let cores = if cores.is_empty() {
            "-".to_owned()
        } else {
            cores.join(",")
        };
        vec![
            self.role.clone(),
            self.endpoint.clone(),
            self.size.to_string(),
            self.count.to_string(),
            self.peers.to_string(),
            cores,
            if self.sealed { "curve" } else { "clear" }.to_owned(),
        ]
    }
}

impl FromStr for Job {
    type Err = Box<dyn Error + Send + Sync>;

    fn from_str(line: &str) -> Result<Job> {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [role, endpoint, size, count, peers, cores, sealed] = words[..] else {
            return Err("expected: role endpoint size count peers cores sealed".into());
        };
        let cores = match cores {
            "-" => Vec::new(),
            list => list
                .split(',')
                .map(str::parse)
                .collect::<std::result::Result<_, _>>()?,
        };
        Ok(Job {
            role: role.to_owned(),
            endpoint: endpoint.to_owned(),
            size: size.parse()?,
            count: count.parse()?,
            peers: peers.parse()?,
            cores,
            sealed: match sealed {
                "curve" => true,
                "clear" => false,
                _ => return Err("expected curve or clear".into()),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_survives_its_arguments() {
        let job = Job {
            role: "push".to_owned(),
            endpoint: "tcp://127.0.0.1:1".to_owned(),
            size: 64,
            count: 10,
            peers: 1,
            cores: vec![0, 1],
            sealed: true,
        };
        assert_eq!(job.arguments().join(" ").parse::<Job>().unwrap(), job);
        assert!("push tcp://a 1 2".parse::<Job>().is_err());
        assert!("push tcp://a 1 2 1 - maybe".parse::<Job>().is_err());
    }
}
