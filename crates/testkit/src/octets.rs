//! Conversations of ZMTP as octets, for peers that follow a script: right ones, and ones no honest peer would send.

/// The length of a greeting (RFC 37).
pub const GREETING: usize = 64;

/// A greeting of ZMTP 3.`minor` with this mechanism.
#[must_use]
pub fn greeting(minor: u8, mechanism: &str, as_server: bool) -> Vec<u8> {
    let mut octets = vec![0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, minor];
    octets.extend_from_slice(mechanism.as_bytes());
    octets.resize(32, 0);
    octets.push(u8::from(as_server));
    octets.resize(GREETING, 0);
    octets
}

/// A frame with these flags; the long form from 256 octets on.
#[must_use]
pub fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    let mut octets = header(flags, body.len() as u64);
    octets.extend_from_slice(body);
    octets
}

/// The header of a frame that says it has `length` octets.
#[must_use]
pub fn header(flags: u8, length: u64) -> Vec<u8> {
    match u8::try_from(length) {
        Ok(short) => vec![flags, short],
        Err(_) => {
            let mut octets = vec![flags | 2];
            octets.extend_from_slice(&length.to_be_bytes());
            octets
        }
    }
}

/// A command frame: its name and what follows.
#[must_use]
pub fn command(name: &str, data: &[u8]) -> Vec<u8> {
    let mut body = vec![u8::try_from(name.len()).unwrap_or(u8::MAX)];
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(data);
    frame(4, &body)
}

/// One property of a handshake.
#[must_use]
pub fn property(name: &str, value: &[u8]) -> Vec<u8> {
    let mut octets = vec![u8::try_from(name.len()).unwrap_or(u8::MAX)];
    octets.extend_from_slice(name.as_bytes());
    octets.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
    octets.extend_from_slice(value);
    octets
}

/// READY for a socket of this type, with an empty identity.
#[must_use]
pub fn ready(socket_type: &str) -> Vec<u8> {
    let mut data = property("Socket-Type", socket_type.as_bytes());
    data.extend(property("Identity", b""));
    command("READY", &data)
}

/// Everything a NULL peer of this type says before its first message.
#[must_use]
pub fn opening(socket_type: &str) -> Vec<u8> {
    let mut octets = greeting(1, "NULL", false);
    octets.extend(ready(socket_type));
    octets
}

/// A message of one frame.
#[must_use]
pub fn message(body: &[u8]) -> Vec<u8> {
    frame(0, body)
}

/// PING with a time to live in tenths of a second and a context (RFC 37).
#[must_use]
pub fn ping(ttl: u16, context: &[u8]) -> Vec<u8> {
    let mut data = ttl.to_be_bytes().to_vec();
    data.extend_from_slice(context);
    command("PING", &data)
}

/// PONG with the context of the PING it answers.
#[must_use]
pub fn pong(context: &[u8]) -> Vec<u8> {
    command("PONG", context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_is_what_rfc_37_shows() {
        let octets = opening("PULL");
        assert_eq!(&octets[..12], b"\xFF\0\0\0\0\0\0\0\x01\x7F\x03\x01");
        assert_eq!(&octets[12..16], b"NULL");
        assert_eq!(octets[GREETING], 4);
        assert_eq!(&octets[GREETING + 2..GREETING + 8], b"\x05READY");
        assert_eq!(frame(1, &[7; 256])[..9], [3, 0, 0, 0, 0, 0, 0, 1, 0]);
    }
}
