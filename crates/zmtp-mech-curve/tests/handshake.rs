//! CURVE handshakes that somebody tampers with: everything but an honest one ends, and nobody comes in.

mod fixed;
mod forge;

use fixed::{
    CLIENT_METADATA, COOKIE, HELLO, INITIATE, READY, SERVER_METADATA, WELCOME, client, key, octets,
    runs, server, server_keys,
};
use forge::{Hello, Initiate};
use zmtp_mech_curve::{Client, KeyPair, PublicKey, Server, ServerKeys};
use zmtp_wire::{CommandName, Credentials, Error, Mechanism, Misbehaved, Refused, Step, Verdict};

const UNEXPECTED: Error = Error::Misbehaved(Misbehaved::UnexpectedCommand);
const FORGED: Error = Error::Misbehaved(Misbehaved::Cryptographic);
const SEQUENCE: Error = Error::Misbehaved(Misbehaved::Sequence);

const COMMANDS: [(&str, CommandName); 4] = [
    (HELLO, CommandName::Hello),
    (WELCOME, CommandName::Welcome),
    (INITIATE, CommandName::Initiate),
    (READY, CommandName::Ready),
];

fn malformed(name: CommandName) -> Error {
    Misbehaved::Malformed(name).into()
}

/// A handshake up to where it waits for this command.
fn waiting_for(name: CommandName) -> Box<dyn Mechanism> {
    let (mut client, mut server) = (client(), server());
    let mut out = Vec::new();
    client.start(&octets(CLIENT_METADATA));
    server.start(&octets(SERVER_METADATA));
    client.poll(&mut out);
    match name {
        CommandName::Hello => return Box::new(server),
        CommandName::Initiate => {
            server.handle_command(&octets(HELLO)).unwrap();
            server.poll(&mut out);
            return Box::new(server);
        }
        CommandName::Ready => {
            client.handle_command(&octets(WELCOME)).unwrap();
            client.poll(&mut out);
        }
        _ => {}
    }
    Box::new(client)
}

/// What a handshake says to a command it waits for; when it refuses, it refuses for good and has nothing more to say.
fn outcome(name: CommandName, body: &[u8]) -> Result<(), Error> {
    let mut mechanism = waiting_for(name);
    let outcome = mechanism.handle_command(body);
    if let Err(error) = outcome {
        let mut out = Vec::new();
        mechanism.handle_verdict(&Verdict::accept());
        assert!(matches!(mechanism.poll(&mut out), Step::Failed(same) if same == error));
        let (honest, _) = COMMANDS[COMMANDS.iter().position(|(_, met)| *met == name).unwrap()];
        assert_eq!(mechanism.handle_command(&octets(honest)), Err(error));
        assert_eq!(out, b"");
    }
    outcome
}

#[test]
fn forged_by_hand_without_a_lie_the_commands_are_the_honest_ones() {
    assert_eq!(Hello::honest().body(), octets(HELLO));
    assert_eq!(Initiate::honest(&octets(COOKIE)).body(), octets(INITIATE));
    let server_short = key(0x40).public();
    let welcome = forge::welcome(server_short.as_octets(), &octets(COOKIE));
    assert_eq!(welcome, octets(WELCOME));
    assert_eq!(forge::ready(1, &octets(SERVER_METADATA)), octets(READY));
}

#[test]
fn every_command_cut_anywhere_is_refused() {
    for (body, name) in COMMANDS {
        let body = octets(body);
        for cut in 0..body.len() {
            assert!(
                outcome(name, &body[..cut]).is_err(),
                "{name:?} cut at {cut}"
            );
        }
        assert_eq!(outcome(name, &body), Ok(()));
        assert!(outcome(name, &[&body, &b"\0"[..]].concat()).is_err());
    }
    let hello = octets(HELLO);
    assert_eq!(
        outcome(CommandName::Hello, &hello[..199]),
        Err(malformed(CommandName::Hello))
    );
}

// spec: 26/box-fails
#[test]
fn a_bit_flipped_anywhere_is_noticed() {
    for (body, name) in COMMANDS {
        let honest = octets(body);
        for at in 0..honest.len() {
            let mut body = honest.clone();
            body[at] ^= 1;
            // The padding holds nothing.
            let padding = name == CommandName::Hello && (8..80).contains(&at);
            assert_eq!(outcome(name, &body).is_ok(), padding, "{name:?} at {at}");
        }
        let mut body = honest.clone();
        *body.last_mut().unwrap() ^= 0x80;
        assert_eq!(outcome(name, &body), Err(FORGED));
    }
}

#[test]
fn a_key_that_means_the_same_point_in_other_octets_is_noticed_by_the_vouch() {
    // Curve25519 passes over the top bit, so HELLO's box opens; the vouch is for the octets.
    let mut hello = octets(HELLO);
    hello[80 + 31] ^= 0x80;
    let mut server = server();
    server.handle_command(&hello).unwrap();
    let mut welcome = Vec::new();
    server.poll(&mut welcome);
    let mut client = client();
    client.start(&octets(CLIENT_METADATA));
    client.poll(&mut Vec::new());
    client.handle_command(&welcome).unwrap();
    let mut initiate = Vec::new();
    client.poll(&mut initiate);
    assert_eq!(server.handle_command(&initiate), Err(FORGED));
}

#[test]
fn every_command_in_the_place_of_another_is_refused() {
    let strangers = ["0548454c4c4f", "04504f4e47", "00", ""];
    let all = COMMANDS.map(|(body, _)| body).into_iter().chain(strangers);
    for met in all {
        for (due, name) in COMMANDS {
            let outcome = outcome(name, &octets(met));
            match (due == met, name, met) {
                (true, ..) => assert_eq!(outcome, Ok(())),
                (_, CommandName::Hello, "0548454c4c4f") => {
                    assert_eq!(outcome, Err(malformed(CommandName::Hello)));
                }
                _ => assert_eq!(outcome, Err(UNEXPECTED), "{name:?}"),
            }
        }
    }
}

#[test]
fn a_command_repeated_or_come_too_early_is_refused() {
    for (body, name) in COMMANDS {
        let mut mechanism = waiting_for(name);
        assert_eq!(mechanism.handle_command(&octets(body)), Ok(()));
        assert_eq!(mechanism.handle_command(&octets(body)), Err(UNEXPECTED));
        assert!(matches!(
            mechanism.poll(&mut Vec::new()),
            Step::Failed(UNEXPECTED)
        ));
    }
    // WELCOME before HELLO has left.
    assert_eq!(client().handle_command(&octets(WELCOME)), Err(UNEXPECTED));
}

#[test]
fn versions_other_than_1_0_and_other_lengths_are_refused() {
    for version in [[2, 0], [1, 1], [0, 0]] {
        let mut hello = Hello::honest();
        hello.head[6..].copy_from_slice(&version);
        let refused = Err(malformed(CommandName::Hello));
        assert_eq!(outcome(CommandName::Hello, &hello.body()), refused);
    }
}

// spec: 26/hello-padding
#[test]
fn hello_is_larger_than_what_it_brings_about_and_its_padding_counts_for_nothing() {
    assert!(octets(HELLO).len() > octets(WELCOME).len());
    let mut hello = Hello::honest();
    hello.padding = [0xff; 72];
    assert_eq!(outcome(CommandName::Hello, &hello.body()), Ok(()));
}

// spec: 26/low-order-key
#[test]
fn keys_of_low_order_are_refused_wherever_they_stand() {
    let mut of_order_one = [0; 32];
    of_order_one[0] = 1;
    for low in [[0; 32], of_order_one] {
        let mut hello = Hello::honest();
        hello.client_short = low;
        assert_eq!(outcome(CommandName::Hello, &hello.body()), Err(FORGED));
        // A box under the secret everybody knows.
        hello.server = low;
        assert_eq!(outcome(CommandName::Hello, &hello.body()), Err(FORGED));

        let welcome = forge::welcome(&low, &octets(COOKIE));
        assert_eq!(outcome(CommandName::Welcome, &welcome), Err(FORGED));

        let mut initiate = Initiate::honest(&octets(COOKIE));
        (initiate.client, initiate.vouch_to) = (low, low);
        assert_eq!(
            outcome(CommandName::Initiate, &initiate.body()),
            Err(FORGED)
        );

        let entropy = runs(&[(0x60, 32), (0xc0, 16)]);
        let Ok(mut client) =
            Client::new(fixed::client_keys(), PublicKey::from_octets(low), entropy);
        let mut out = Vec::new();
        assert!(matches!(client.poll(&mut out), Step::Failed(FORGED)));
    }
}

// spec: 26/vouch
#[test]
fn a_vouch_counts_for_its_own_connection_server_and_owner_only() {
    let honest = Initiate::honest(&octets(COOKIE));
    let other = *key(0x70).public().as_octets();
    let lies = [
        Initiate {
            vouched_short: other,
            ..honest.clone()
        },
        Initiate {
            vouched_server: other,
            ..honest.clone()
        },
        Initiate {
            client: other,
            ..honest.clone()
        },
        Initiate {
            voucher: *key(0x70).as_octets(),
            ..honest.clone()
        },
        // As libzmq's half of the check would let through: nothing of the server in it.
        Initiate {
            vouched_server: [0; 32],
            ..honest.clone()
        },
    ];
    for lie in lies {
        assert_eq!(outcome(CommandName::Initiate, &lie.body()), Err(FORGED));
    }
    assert_eq!(outcome(CommandName::Initiate, &honest.body()), Ok(()));
}

// spec: 26/cookie
#[test]
fn a_cookie_opens_on_its_own_connection_only() {
    // The same client on another connection of the same server: other entropy, other cookie.
    let entropy = runs(&[(0x41, 32), (0x81, 32), (0xa1, 16), (0xb1, 16)]);
    let Ok(mut elsewhere) = Server::new(server_keys(), entropy);
    elsewhere.handle_command(&octets(HELLO)).unwrap();
    elsewhere.poll(&mut Vec::new());
    assert_eq!(elsewhere.handle_command(&octets(INITIATE)), Err(FORGED));

    for at in 0..96 {
        let mut cookie = octets(COOKIE);
        cookie[at] ^= 0x10;
        let initiate = Initiate::honest(&cookie);
        assert_eq!(
            outcome(CommandName::Initiate, &initiate.body()),
            Err(FORGED)
        );
    }
}

// spec: 26/nonce-rises, 26/nonce-gaps
#[test]
fn numbers_rise_from_hello_to_initiate_with_or_without_gaps() {
    for (hello_counter, initiate_counter, expected) in [
        (0, 1, Ok(())),
        (1, 2, Ok(())),
        (1, u64::MAX, Ok(())),
        (u64::MAX - 1, u64::MAX, Ok(())),
        (1, 1, Err(SEQUENCE)),
        (1, 0, Err(SEQUENCE)),
        (0, 0, Err(SEQUENCE)),
        (u64::MAX, u64::MAX, Err(SEQUENCE)),
    ] {
        let mut server = server();
        let hello = Hello {
            counter: hello_counter,
            ..Hello::honest()
        };
        server.handle_command(&hello.body()).unwrap();
        server.poll(&mut Vec::new());
        let initiate = Initiate {
            counter: initiate_counter,
            ..Initiate::honest(&octets(COOKIE))
        };
        assert_eq!(server.handle_command(&initiate.body()), expected);
    }
}

#[test]
fn metadata_is_whole_before_ready_is_said() {
    for metadata in [
        &b"\x05"[..],
        b"\x01X\0\0\0\x01",
        b"\x00\0\0\0\0",
        b"\x01X\xff\xff\xff\xff",
    ] {
        let initiate = Initiate {
            metadata: metadata.to_vec(),
            ..Initiate::honest(&octets(COOKIE))
        };
        let refused = Err(Misbehaved::MalformedMetadata.into());
        assert_eq!(outcome(CommandName::Initiate, &initiate.body()), refused);
        assert_eq!(
            outcome(CommandName::Ready, &forge::ready(1, metadata)),
            refused
        );
    }
    let none = Initiate {
        metadata: Vec::new(),
        ..Initiate::honest(&octets(COOKIE))
    };
    assert_eq!(outcome(CommandName::Initiate, &none.body()), Ok(()));
    assert_eq!(outcome(CommandName::Ready, &forge::ready(0, b"")), Ok(()));
}

#[test]
fn what_a_side_said_does_no_good_when_it_comes_back() {
    assert_eq!(
        outcome(CommandName::Welcome, &octets(HELLO)),
        Err(UNEXPECTED)
    );
    assert_eq!(
        outcome(CommandName::Ready, &octets(INITIATE)),
        Err(UNEXPECTED)
    );
    assert_eq!(
        outcome(CommandName::Initiate, &octets(WELCOME)),
        Err(UNEXPECTED)
    );
    // The two short-term keys share the same secret in both directions; only the nonce's prefix tells them apart.
    let initiate = octets(INITIATE);
    let reflected = [b"\x05READY", &initiate[105..113], &initiate[113..]].concat();
    assert_eq!(outcome(CommandName::Ready, &reflected), Err(FORGED));
}

/// Both sides with these keys of the server, until one refuses or the client has said INITIATE.
fn meet(keys: ServerKeys, known: PublicKey) -> Result<(), Error> {
    let Ok(mut server) = Server::new(
        keys,
        runs(&[(0x40, 32), (0x80, 32), (0xa0, 16), (0xb0, 16)]),
    );
    let Ok(mut client) = Client::new(fixed::client_keys(), known, runs(&[(0x60, 32), (0xc0, 16)]));
    server.start(b"");
    client.start(b"");
    let said = |mechanism: &mut dyn Mechanism| {
        let mut out = Vec::new();
        assert!(matches!(mechanism.poll(&mut out), Step::Command));
        out
    };
    server.handle_command(&said(&mut client))?;
    client.handle_command(&said(&mut server))?;
    server.handle_command(&said(&mut client))?;
    client.handle_command(&said(&mut server))
}

#[test]
fn a_server_answers_to_each_of_its_keys_and_to_no_other() {
    let pair = |first| KeyPair::from(key(first));
    let keys = ServerKeys::new(pair(0x01)).and(pair(0x02)).and(pair(0x03));
    for first in [0x01, 0x02, 0x03] {
        assert_eq!(meet(keys.clone(), pair(first).public()), Ok(()));
    }
    assert_eq!(meet(keys.clone(), pair(0x04).public()), Err(FORGED));
    let public: Vec<PublicKey> = keys.public().collect();
    assert_eq!(public, [0x01, 0x02, 0x03].map(|first| pair(first).public()));
}

#[test]
fn a_vouch_for_one_key_of_a_server_does_not_count_for_another() {
    // HELLO was for the first key; the vouch names the second one.
    let keys = ServerKeys::new(server_keys()).and(key(0x10).into());
    let Ok(mut server) = Server::new(
        keys,
        runs(&[(0x40, 32), (0x80, 32), (0xa0, 16), (0xb0, 16)]),
    );
    server.handle_command(&octets(HELLO)).unwrap();
    server.poll(&mut Vec::new());
    let lie = Initiate {
        vouched_server: *key(0x10).public().as_octets(),
        ..Initiate::honest(&octets(COOKIE))
    };
    assert_eq!(server.handle_command(&lie.body()), Err(FORGED));
}

// spec: 26/error, 27/status-300, 27/status-400, 27/status-500, 27/curve-credentials
#[test]
fn only_an_accepted_client_ever_sees_ready() {
    for (status, told) in [
        (300, &b""[..]),
        (400, b"\x05ERROR\x03400"),
        (500, b"\x05ERROR\x03500"),
        (0, b"\x05ERROR\x03500"),
        (200, b"\x05ERROR\x03500"),
    ] {
        let mut server = server().with_authentication(true);
        server.handle_command(&octets(HELLO)).unwrap();
        server.poll(&mut Vec::new());
        server.handle_command(&octets(INITIATE)).unwrap();
        let mut out = Vec::new();
        let public_key = *key(0x20).public().as_octets();
        let asked = server.poll(&mut out);
        assert!(
            matches!(asked, Step::Authenticate(met) if met == Credentials::Curve { public_key })
        );
        assert!(matches!(server.poll(&mut out), Step::Wait));
        assert_eq!(out, b"");
        server.handle_verdict(&Verdict::Refuse(status));
        // A second thought does not count.
        server.handle_verdict(&Verdict::accept());
        if !told.is_empty() {
            assert!(matches!(server.poll(&mut out), Step::Command));
        }
        assert_eq!(out, told, "status {status}");
        let refused = Error::Refused(Refused::ByVerdict(status));
        for _ in 0..2 {
            assert!(matches!(server.poll(&mut out), Step::Failed(met) if met == refused));
        }
        assert_eq!(out, told, "status {status}");
    }
}

// spec: 26/short-term-keys
#[test]
fn two_handshakes_share_no_octets_but_names_and_padding() {
    let bodies = [(0x60, 0xc0), (0x61, 0xc1)].map(|(short, vouch)| {
        let entropy = runs(&[(short, 32), (vouch, 16)]);
        let Ok(mut client) = Client::new(fixed::client_keys(), server_keys().public(), entropy);
        let mut body = Vec::new();
        client.poll(&mut body);
        body
    });
    assert_ne!(bodies[0][80..112], bodies[1][80..112]);
    assert_ne!(bodies[0][120..], bodies[1][120..]);
}

#[test]
fn entropy_that_fails_makes_no_handshake() {
    let none = |_: &mut [u8]| Err("no entropy");
    assert_eq!(Server::new(server_keys(), none).err(), Some("no entropy"));
    let client = Client::new(fixed::client_keys(), server_keys().public(), none);
    assert_eq!(client.err(), Some("no entropy"));
    assert_eq!(KeyPair::generate(none).err(), Some("no entropy"));
}
