//! Requests as lines of text.

use std::time::Duration;

use crate::{Failure, Value};

/// One request to a side.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "each variant is the method of `Side` of the same name"
)]
pub enum Request {
    Open {
        socket: String,
        kind: String,
    },
    Set {
        socket: String,
        option: String,
        value: Value,
    },
    Bind {
        socket: String,
        endpoint: String,
    },
    Connect {
        socket: String,
        endpoint: String,
    },
    Unbind {
        socket: String,
        endpoint: String,
    },
    Disconnect {
        socket: String,
        endpoint: String,
    },
    Subscribe {
        socket: String,
        topic: Vec<u8>,
    },
    Unsubscribe {
        socket: String,
        topic: Vec<u8>,
    },
    Send {
        socket: String,
        wait: Duration,
        frames: Vec<Vec<u8>>,
    },
    Recv {
        socket: String,
        wait: Duration,
    },
    Monitor {
        socket: String,
    },
    Event {
        socket: String,
        name: String,
        wait: Duration,
    },
    Property {
        socket: String,
        name: String,
    },
    Close {
        socket: String,
    },
    Version,
}

impl Request {
    /// Reads a line.
    ///
    /// # Errors
    /// `EINVAL` for a line that is no request.
    pub fn parse(line: &str) -> Result<Request, Failure> {
        let mut words = line.split_ascii_whitespace();
        let verb = words.next().unwrap_or_default();
        if verb == "version" {
            return Ok(Request::Version);
        }
        let mut word = || {
            words
                .next()
                .map(str::to_owned)
                .ok_or_else(|| Failure::new("EINVAL", format!("a word is missing: {line:.80}")))
        };
        let socket = word()?;
        Ok(match verb {
            "open" => Request::Open {
                socket,
                kind: word()?,
            },
            "set" => Request::Set {
                socket,
                option: word()?,
                value: decode_value(&word()?)?,
            },
            "bind" => Request::Bind {
                socket,
                endpoint: word()?,
            },
            "connect" => Request::Connect {
                socket,
                endpoint: word()?,
            },
            "unbind" => Request::Unbind {
                socket,
                endpoint: word()?,
            },
            "disconnect" => Request::Disconnect {
                socket,
                endpoint: word()?,
            },
            "subscribe" => Request::Subscribe {
                socket,
                topic: decode_octets(&word()?)?,
            },
            "unsubscribe" => Request::Unsubscribe {
                socket,
                topic: decode_octets(&word()?)?,
            },
            "send" => Request::Send {
                socket,
                wait: decode_wait(&word()?)?,
                frames: decode_words(words)?,
            },
            "recv" => Request::Recv {
                socket,
                wait: decode_wait(&word()?)?,
            },
            "monitor" => Request::Monitor { socket },
            "event" => Request::Event {
                socket,
                name: word()?,
                wait: decode_wait(&word()?)?,
            },
            "property" => Request::Property {
                socket,
                name: word()?,
            },
            "close" => Request::Close { socket },
            _ => return Err(Failure::new("EINVAL", format!("unknown verb {verb:?}"))),
        })
    }

    /// How long the side may wait before it answers.
    #[must_use]
    pub fn wait(&self) -> Duration {
        match self {
            Request::Send { wait, .. }
            | Request::Recv { wait, .. }
            | Request::Event { wait, .. } => *wait,
            _ => Duration::ZERO,
        }
    }

    /// The line, without its end.
    #[must_use]
    pub fn to_line(&self) -> String {
        match self {
            Request::Open { socket, kind } => format!("open {socket} {kind}"),
            Request::Set {
                socket,
                option,
                value: Value::Int(number),
            } => format!("set {socket} {option} i:{number}"),
            Request::Set {
                socket,
                option,
                value: Value::Bytes(octets),
            } => {
                format!("set {socket} {option} x:{}", encode_octets(octets))
            }
            Request::Bind { socket, endpoint } => format!("bind {socket} {endpoint}"),
            Request::Connect { socket, endpoint } => format!("connect {socket} {endpoint}"),
            Request::Unbind { socket, endpoint } => format!("unbind {socket} {endpoint}"),
            Request::Disconnect { socket, endpoint } => format!("disconnect {socket} {endpoint}"),
            Request::Subscribe { socket, topic } => {
                format!("subscribe {socket} {}", encode_octets(topic))
            }
            Request::Unsubscribe { socket, topic } => {
                format!("unsubscribe {socket} {}", encode_octets(topic))
            }
            Request::Send {
                socket,
                wait,
                frames,
            } => {
                format!(
                    "send {socket} {} {}",
                    wait.as_millis(),
                    encode_frames(frames)
                )
            }
            Request::Recv { socket, wait } => format!("recv {socket} {}", wait.as_millis()),
            Request::Monitor { socket } => format!("monitor {socket}"),
            Request::Event { socket, name, wait } => {
                format!("event {socket} {name} {}", wait.as_millis())
            }
            Request::Property { socket, name } => format!("property {socket} {name}"),
            Request::Close { socket } => format!("close {socket}"),
            Request::Version => "version".to_owned(),
        }
    }
}

/// Frames as words: hexadecimal, `-` for an empty one.
#[must_use]
pub fn encode_frames(frames: &[Vec<u8>]) -> String {
    let words: Vec<String> = frames.iter().map(|frame| encode_octets(frame)).collect();
    words.join(" ")
}

/// The reverse of [`encode_frames`].
///
/// # Errors
/// `EINVAL` for a word that is not hexadecimal.
pub fn decode_frames(words: &str) -> Result<Vec<Vec<u8>>, Failure> {
    decode_words(words.split_ascii_whitespace())
}

fn decode_words<'a>(words: impl Iterator<Item = &'a str>) -> Result<Vec<Vec<u8>>, Failure> {
    words.map(decode_octets).collect()
}

fn encode_octets(octets: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    if octets.is_empty() {
        return "-".to_owned();
    }
    let mut word = String::with_capacity(octets.len() * 2);
    for octet in octets {
        word.push(DIGITS[usize::from(octet >> 4)]);
        word.push(DIGITS[usize::from(octet & 15)]);
    }
    word
}

fn decode_octets(word: &str) -> Result<Vec<u8>, Failure> {
    if word == "-" {
        return Ok(Vec::new());
    }
    let bad = || Failure::new("EINVAL", format!("not hexadecimal: {word:.40}"));
    let digit = |character: u8| (character as char).to_digit(16).map(|digit| digit as u8);
    let pairs = word.as_bytes().chunks(2);
    pairs
        .map(|pair| match *pair {
            [high, low] => Ok(digit(high).ok_or_else(bad)? << 4 | digit(low).ok_or_else(bad)?),
            _ => Err(bad()),
        })
        .collect()
}

fn decode_value(word: &str) -> Result<Value, Failure> {
    match word.split_once(':') {
        Some(("i", number)) => number
            .parse()
            .map(Value::Int)
            .map_err(|error| Failure::new("EINVAL", error)),
        Some(("x", octets)) => decode_octets(octets).map(Value::Bytes),
        _ => Err(Failure::new("EINVAL", format!("not a value: {word:.40}"))),
    }
}

fn decode_wait(word: &str) -> Result<Duration, Failure> {
    word.parse()
        .map(Duration::from_millis)
        .map_err(|error| Failure::new("EINVAL", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_survives_its_line() {
        let socket = || "a".to_owned();
        let requests = [
            Request::Open {
                socket: socket(),
                kind: "PUSH".to_owned(),
            },
            Request::Set {
                socket: socket(),
                option: "LINGER".to_owned(),
                value: Value::Int(-1),
            },
            Request::Set {
                socket: socket(),
                option: "ROUTING_ID".to_owned(),
                value: "ME".into(),
            },
            Request::Subscribe {
                socket: socket(),
                topic: Vec::new(),
            },
            Request::Send {
                socket: socket(),
                wait: Duration::from_millis(5),
                frames: vec![vec![0, 255], Vec::new(), b"x".to_vec()],
            },
            Request::Event {
                socket: socket(),
                name: "CONNECTED".to_owned(),
                wait: Duration::from_secs(1),
            },
            Request::Property {
                socket: socket(),
                name: "User-Id".to_owned(),
            },
            Request::Version,
        ];
        for request in requests {
            assert_eq!(Request::parse(&request.to_line()), Ok(request));
        }
    }

    #[test]
    fn a_line_that_is_no_request_is_refused() {
        for line in [
            "",
            "open",
            "open a",
            "recv a soon",
            "send a 1 0",
            "send a 1 zz",
            "set a X y:1",
            "jump a",
        ] {
            assert!(Request::parse(line).is_err(), "{line}");
        }
    }
}
