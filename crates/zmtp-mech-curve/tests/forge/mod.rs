//! CURVE's boxes made by hand, to say what no honest peer says.
#![allow(dead_code, reason = "each test file uses a part")]

use crate::fixed::key;
use curve25519_dalek::MontgomeryPoint;
use xsalsa20poly1305::aead::{AeadInPlace, KeyInit};
use xsalsa20poly1305::{Kdf, XSalsa20Poly1305};

/// `box(content; nonce, public, secret)`, laid out as NaCl does.
pub(crate) fn sealed(
    nonce: [u8; 24],
    public: &[u8; 32],
    secret: &[u8; 32],
    content: &[u8],
) -> Vec<u8> {
    let shared = MontgomeryPoint(*public).mul_clamped(*secret).0;
    let key: [u8; 32] = XSalsa20Poly1305::kdf(&shared.into(), &[0; 16].into()).into();
    let mut body = content.to_vec();
    let tag = XSalsa20Poly1305::new(&key.into())
        .encrypt_in_place_detached(&nonce.into(), &[], &mut body)
        .unwrap();
    [&tag[..], &body].concat()
}

fn short(prefix: &[u8; 16], counter: u64) -> [u8; 24] {
    [&prefix[..], &counter.to_be_bytes()]
        .concat()
        .try_into()
        .unwrap()
}

/// HELLO of the client whose short-term secret is 60..7f, to the server whose secret is 00..1f.
#[derive(Clone)]
pub(crate) struct Hello {
    pub(crate) head: [u8; 8],
    pub(crate) padding: [u8; 72],
    pub(crate) client_short: [u8; 32],
    pub(crate) counter: u64,
    pub(crate) server: [u8; 32],
}

impl Hello {
    pub(crate) fn honest() -> Self {
        Self {
            head: *b"\x05HELLO\x01\0",
            padding: [0; 72],
            client_short: *key(0x60).public().as_octets(),
            counter: 1,
            server: *key(0x00).public().as_octets(),
        }
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let nonce = short(b"CurveZMQHELLO---", self.counter);
        let signature = sealed(nonce, &self.server, key(0x60).as_octets(), &[0; 64]);
        [
            &self.head[..],
            &self.padding,
            &self.client_short,
            &self.counter.to_be_bytes(),
            &signature,
        ]
        .concat()
    }
}

/// INITIATE of the client whose secret is 20..3f, to the server whose short-term secret is 40..5f.
#[derive(Clone)]
pub(crate) struct Initiate {
    pub(crate) cookie: Vec<u8>,
    pub(crate) counter: u64,
    /// The key it claims to own.
    pub(crate) client: [u8; 32],
    /// The secret that makes the vouch.
    pub(crate) voucher: [u8; 32],
    /// The public key the vouch's box is made for.
    pub(crate) vouch_to: [u8; 32],
    /// The short-term key vouched for.
    pub(crate) vouched_short: [u8; 32],
    /// The server vouched for.
    pub(crate) vouched_server: [u8; 32],
    pub(crate) metadata: Vec<u8>,
}

impl Initiate {
    pub(crate) fn honest(cookie: &[u8]) -> Self {
        Self {
            cookie: cookie.to_vec(),
            counter: 2,
            client: *key(0x20).public().as_octets(),
            voucher: *key(0x20).as_octets(),
            vouch_to: *key(0x40).public().as_octets(),
            vouched_short: *key(0x60).public().as_octets(),
            vouched_server: *key(0x00).public().as_octets(),
            metadata: crate::fixed::octets(crate::fixed::CLIENT_METADATA),
        }
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let server_short = key(0x40).public();
        let random: Vec<u8> = (0xc0..0xd0).collect();
        let nonce = [b"VOUCH---", &random[..]].concat().try_into().unwrap();
        let vouched = [self.vouched_short, self.vouched_server].concat();
        let vouch = sealed(nonce, &self.vouch_to, &self.voucher, &vouched);
        let content = [&self.client[..], &random, &vouch, &self.metadata].concat();
        let nonce = short(b"CurveZMQINITIATE", self.counter);
        let content = sealed(
            nonce,
            server_short.as_octets(),
            key(0x60).as_octets(),
            &content,
        );
        [
            b"\x08INITIATE",
            &self.cookie[..],
            &self.counter.to_be_bytes(),
            &content,
        ]
        .concat()
    }
}

/// WELCOME of the server whose secret is 00..1f, with any short-term key.
pub(crate) fn welcome(server_short: &[u8; 32], cookie: &[u8]) -> Vec<u8> {
    let random: Vec<u8> = (0xb0..0xc0).collect();
    let nonce = [b"WELCOME-", &random[..]].concat().try_into().unwrap();
    let content = [&server_short[..], cookie].concat();
    let client_short = key(0x60).public();
    let content = sealed(
        nonce,
        client_short.as_octets(),
        key(0x00).as_octets(),
        &content,
    );
    [b"\x07WELCOME", &random[..], &content].concat()
}

/// READY of the server, with any metadata.
pub(crate) fn ready(counter: u64, metadata: &[u8]) -> Vec<u8> {
    let nonce = short(b"CurveZMQREADY---", counter);
    let client_short = key(0x60).public();
    let content = sealed(
        nonce,
        client_short.as_octets(),
        key(0x40).as_octets(),
        metadata,
    );
    [b"\x05READY", &counter.to_be_bytes()[..], &content].concat()
}

/// MESSAGE of the client (`C`) or the server (`S`), with any content.
pub(crate) fn message(side: u8, counter: u64, content: &[u8]) -> Vec<u8> {
    let mut prefix = *b"CurveZMQMESSAGE-";
    prefix[15] = side;
    let client_short = key(0x60).public();
    let nonce = short(&prefix, counter);
    let content = sealed(
        nonce,
        client_short.as_octets(),
        key(0x40).as_octets(),
        content,
    );
    [b"\x07MESSAGE", &counter.to_be_bytes()[..], &content].concat()
}
