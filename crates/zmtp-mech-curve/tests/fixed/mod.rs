//! One CURVE conversation with every key and nonce fixed, computed with libsodium.
//!
//! s is 00..1f, c is 20..3f, s' is 40..5f, c' is 60..7f, the cookie's key is 80..9f; the nonces of cookie, WELCOME and vouch are a0..af, b0..bf
//! and c0..cf.
#![allow(dead_code, reason = "each test file uses a part")]

use std::convert::Infallible;
use zmtp_mech_curve::{Client, KeyPair, SecretKey, Server};

pub(crate) const CLIENT_PUBLIC: &str =
    "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254";
pub(crate) const SERVER_PUBLIC: &str =
    "8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f";
pub(crate) const CLIENT_SHORT: &str =
    "675dd574ed7789310b3d2e7681f3790b466c773b1521fecf36577958371ea52f";
pub(crate) const SERVER_SHORT: &str =
    "79a631eede1bf9c98f12032cdeadd0e7a079398fc786b88cc846ec89af85a51a";
/// Secret keys and their public ones in Z85, from the table of the digest.
pub(crate) const PRINTED: [(u8, &str, Option<&str>); 3] = [
    (
        0x00,
        "009c61o!#m2NH?C3>iWS5d]J*6CRx17-skh9337x",
        Some("K3HW^WVq.zo69t)(umF>:XvwTj:QGN^yKlWaVH(S"),
    ),
    (
        0x20,
        "ar.{NbQB=+c[cR@eg&FcfFLssg=mfIi5%2YjuU>)",
        Some("hgP.#hDUHSUiE^h?&P6wi8P5^Qk?rT(1ek&+[:+/"),
    ),
    (0x40, "kTv.7l}6Nnnj=ADoIFnTp/ga?r8($2sxO*itWpVy", None),
];

/// Octets from their hexadecimal digits.
pub(crate) fn octets(digits: &str) -> Vec<u8> {
    let digit = |letter: u8| char::from(letter).to_digit(16).unwrap() as u8;
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

/// 32 octets that count up from `first`.
pub(crate) fn key(first: u8) -> SecretKey {
    SecretKey::from_octets(std::array::from_fn(|at| first + at as u8))
}

pub(crate) fn server_keys() -> KeyPair {
    key(0x00).into()
}

pub(crate) fn client_keys() -> KeyPair {
    key(0x20).into()
}

/// Entropy that is runs of octets counting up: (first, length).
pub(crate) fn runs(
    runs: &[(u8, usize)],
) -> impl FnOnce(&mut [u8]) -> Result<(), Infallible> + use<> {
    let octets: Vec<u8> = runs
        .iter()
        .flat_map(|&(first, length)| (0..length).map(move |at| first + at as u8))
        .collect();
    move |out| {
        out.copy_from_slice(&octets);
        Ok(())
    }
}

pub(crate) fn client() -> Client {
    let Ok(client) = Client::new(
        client_keys(),
        server_keys().public(),
        runs(&[(0x60, 32), (0xc0, 16)]),
    );
    client
}

pub(crate) fn server() -> Server {
    let entropy = runs(&[(0x40, 32), (0x80, 32), (0xa0, 16), (0xb0, 16)]);
    let Ok(server) = Server::new(server_keys(), entropy);
    server
}

/// HELLO command body, 200 octets.
pub(crate) const HELLO: &str = concat!(
    "0548454c4c4f0100000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "00000000000000000000000000000000675dd574ed7789310b3d2e7681f3790b",
    "466c773b1521fecf36577958371ea52f0000000000000001f335064d437d93b2",
    "fb9e976f7dae93c6c9760134704c067eb3000fc14b3fcd48458d6854fd588d5b",
    "ae6c341706d9e7f4b8d9df86b67cb6695c66c42b62dadd99f235835e8622077d",
    "5c690c419c3b7843",
);

/// cookie (96), 96 octets.
pub(crate) const COOKIE: &str = concat!(
    "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf19e1c463cbc7cb5e642e3b20bd1eb869",
    "9b1fa1aa5a9cc0d899f4ba8e4ab86531428f3e4cd3d142beace9a6eb4426d536",
    "0ea3455263ad1c5c9d0f73c7e7eae7a914149712eea1f8455ddecd893360fc73",
);

/// WELCOME command body, 168 octets.
pub(crate) const WELCOME: &str = concat!(
    "0757454c434f4d45b0b1b2b3b4b5b6b7b8b9babbbcbdbebf713e668949153b2f",
    "b59fdaf53e82a9fcbb0dd58d29be1eca0d1176ab2eb935f20d178479280672c6",
    "46038343fe9e5cfe703496ac781e14109de675b58da883b8795766038d153483",
    "4287a0cdc28d6cc025dece0cd85cd3c3ede14ac135687264c9b401d3cad5ad8d",
    "647a25124bd299c2c604ed7eedeb286011bdaea96247d17027073af52b80fa41",
    "60d7ce003836e6b1",
);

/// vouch (16+80), 96 octets.
pub(crate) const VOUCH: &str = concat!(
    "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfa911da39654b3a47e1ff3aa06fbb20db",
    "03e6ddbe29d98d1ae95cb6ba7c4f201c2af86e03332ca5acc9d2e87bfdccbcf4",
    "8a134d6e131059f682df2659399b66183fca4da7a58ff376df779562bd1a3905",
);

/// client metadata (plaintext), 35 octets.
pub(crate) const CLIENT_METADATA: &str = concat!(
    "0b536f636b65742d54797065000000064445414c4552084964656e7469747900",
    "000000",
);

/// INITIATE command body, 292 octets.
pub(crate) const INITIATE: &str = concat!(
    "08494e495449415445a0a1a2a3a4a5a6a7a8a9aaabacadaeaf19e1c463cbc7cb",
    "5e642e3b20bd1eb8699b1fa1aa5a9cc0d899f4ba8e4ab86531428f3e4cd3d142",
    "beace9a6eb4426d5360ea3455263ad1c5c9d0f73c7e7eae7a914149712eea1f8",
    "455ddecd893360fc730000000000000002fece245ed9ff27cafc22ae2be68255",
    "8bde705b3fe050388c066cb0116492640e6b1acdee30cd7efc9186238b0e4ef3",
    "35ec999468652afaede59ff09e6ae914a9a56fab3690bd44c86765dc20ae168e",
    "1ef814331544b6bfe30c89b6a21b2bce2941ffc871f1f22b2b18b12fb31c4de9",
    "2b71f25d43e0a5fbdf83ae4637820e84465d0c5440a4b255647b970bbe11e646",
    "2b5754b26440a38e00fda82e52a83c628f69e3f7ba73c063d1795e3572c9d4a5",
    "e9d1d3f9",
);

/// server metadata (plaintext), 35 octets.
pub(crate) const SERVER_METADATA: &str = concat!(
    "0b536f636b65742d5479706500000006524f55544552084964656e7469747900",
    "000000",
);

/// READY command body, 65 octets.
pub(crate) const READY: &str = concat!(
    "05524541445900000000000000019ffdf514f234e8d5d1deb3c73459fd89ba2f",
    "1141bbd8e0b66ef5b53406390a5e2783d0fdf50ea343000c89136bf79e0b7f2c",
    "63",
);

/// MESSAGE C→S, nonce 3, flags 00, data "hello", 38 octets.
pub(crate) const MESSAGE_HELLO: &str = concat!(
    "074d4553534147450000000000000003946d459dbd9b0803e57120660f41b293",
    "216b6caf3955",
);

/// MESSAGE S→C, nonce 2, flags 01 (MORE), data "part1", 38 octets.
pub(crate) const MESSAGE_PART: &str = concat!(
    "074d455353414745000000000000000226d72beb9aad214da1d7ae15a6c5cc88",
    "c35852f2b535",
);

/// MESSAGE S→C, nonce 3, flags 00, empty data, 33 octets.
pub(crate) const MESSAGE_EMPTY: &str = concat!(
    "074d45535341474500000000000000039739fdc44b0af7c2d3c7b200bc532629",
    "af",
);

/// MESSAGE C→S, nonce 4, flags 02, data PING ttl 0 (04 50 49 4e 47 00 00), 40 octets.
pub(crate) const MESSAGE_PING: &str = concat!(
    "074d4553534147450000000000000004598119aaaeb9c6ae1c582f942218de14",
    "71e10d041b64a47e",
);

/// MESSAGE C→S, nonce 5, flags 02, data SUBSCRIBE "A" (09 … 41), 44 octets.
pub(crate) const MESSAGE_SUBSCRIBE: &str = concat!(
    "074d455353414745000000000000000581777b582295453cd37c474f98073fee",
    "e57b2cc5c0fe1da06c568bcf",
);
