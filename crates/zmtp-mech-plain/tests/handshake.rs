//! PLAIN as the other side sees it: octets as captured from libzmq, verdicts, and everything out of order.

use zmtp_mech_plain::{Client, Server, TooLong};
use zmtp_wire::{
    CommandName, Credentials, Error, Event, Mechanism, Misbehaved, Properties, Refused, Session,
    SessionConfig, SocketType, Step, Time, Verdict,
};

const NOW: Time = Time::from_millis(0);
const HELLO: &[u8] = b"\x04\x13\x05HELLO\x05admin\x06secret";
const WELCOME: &[u8] = b"\x04\x08\x07WELCOME";
const INITIATE: &[u8] = b"\x04\x2c\x08INITIATE\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\0";
const READY: &[u8] = b"\x04\x29\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\0";
const ERROR_400: &[u8] = b"\x04\x0a\x05ERROR\x03400";
const ERROR_500: &[u8] = b"\x04\x0a\x05ERROR\x03500";
const MANGLED_400: &[u8] = b"\x04\x09\x5eRROR\x03400";
const UNEXPECTED: Error = Error::Misbehaved(Misbehaved::UnexpectedCommand);

fn malformed(name: CommandName) -> Error {
    Misbehaved::Malformed(name).into()
}

/// As libzmq sends it: as-server is always 0.
fn greeting() -> Vec<u8> {
    let mut octets = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01PLAIN".to_vec();
    octets.resize(64, 0);
    octets
}

fn said(session: &mut Session) -> Vec<u8> {
    let octets: Vec<u8> = session.output_chunks().flatten().copied().collect();
    session.output_written(octets.len());
    octets
}

fn session(mechanism: impl Mechanism + 'static) -> Session {
    let mut config = SessionConfig::new(SocketType::Dealer);
    config.legacy_allowed = false;
    Session::new(config, Box::new(mechanism), NOW)
}

fn hear(session: &mut Session, octets: &[u8]) -> Result<Option<Event>, Error> {
    session.handle_input(NOW, &mut &octets[..])
}

/// A client after the greetings.
fn client() -> Session {
    let mut client = session(Client::new(b"admin", b"secret").unwrap());
    assert_eq!(hear(&mut client, &greeting()), Ok(None));
    let octets = said(&mut client);
    assert_eq!(octets[12..33], *b"PLAIN\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    assert_eq!(octets[64..], *HELLO);
    client
}

/// A server after HELLO.
fn server() -> Session {
    let mut server = session(Server::new());
    assert_eq!(hear(&mut server, &greeting()), Ok(None));
    assert_eq!(said(&mut server)[32], 1, "a server says that it is one");
    let asked = hear(&mut server, HELLO);
    assert_eq!(asked, Ok(Some(Event::Authenticate(credentials()))));
    assert_eq!(said(&mut server), b"", "nothing before the verdict");
    server
}

fn credentials() -> Credentials {
    Credentials::Plain {
        username: b"admin".to_vec(),
        password: b"secret".to_vec(),
    }
}

// spec: 24/hello, 24/initiate
#[test]
fn a_client_says_what_libzmq_says() {
    let mut client = client();
    assert_eq!(hear(&mut client, WELCOME), Ok(None));
    assert_eq!(said(&mut client), INITIATE);
    let Ok(Some(Event::Ready(peer))) = hear(&mut client, READY) else {
        panic!("not ready")
    };
    assert_eq!(peer.socket_type, Some(SocketType::Dealer));
    client.send(&"x".into());
    assert_eq!(said(&mut client), b"\x00\x01x");
}

// spec: 24/welcome, 24/ready, 27/plain-credentials
#[test]
fn a_server_says_what_libzmq_says() {
    let mut server = server();
    let vouched = Properties::from_iter([("User-Id", "joe")]);
    assert_eq!(
        server.handle_verdict(Verdict::Accept(vouched), NOW),
        Ok(None)
    );
    assert_eq!(said(&mut server), WELCOME);
    let Ok(Some(Event::Ready(peer))) = hear(&mut server, INITIATE) else {
        panic!("not ready")
    };
    assert_eq!(peer.properties.get("User-Id").unwrap(), "joe");
    assert_eq!(said(&mut server), READY);
}

// spec: 24/error, 27/status-300, 27/status-400, 27/status-500
#[test]
fn only_an_accepted_client_ever_sees_welcome() {
    for (status, told) in [
        (300, &b""[..]),
        (400, ERROR_400),
        (500, ERROR_500),
        (0, ERROR_500),
        (200, ERROR_500),
    ] {
        let mut server = server();
        let refused = Error::Refused(Refused::ByVerdict(status));
        assert_eq!(
            server.handle_verdict(Verdict::Refuse(status), NOW),
            Err(refused)
        );
        assert_eq!(said(&mut server), told, "status {status}");
        assert_eq!(hear(&mut server, INITIATE), Err(refused));
    }
}

// spec: libzmq/plain-error-spelling
#[test]
fn a_client_understands_both_spellings_of_error_at_both_places() {
    for (told, reason) in [
        (MANGLED_400, Some(400)),
        (ERROR_400, Some(400)),
        (b"\x04\x09\x5eRROR\x03300", Some(300)),
        (b"\x04\x0b\x5eRROR\x05never", None),
    ] {
        for welcomed in [false, true] {
            let mut client = client();
            if welcomed {
                assert_eq!(hear(&mut client, WELCOME), Ok(None));
            }
            assert_eq!(hear(&mut client, told), Err(Refused::ByPeer(reason).into()));
        }
    }
    let cut = b"\x04\x08\x5eRROR\x0340";
    assert_eq!(hear(&mut client(), cut), Err(malformed(CommandName::Error)));
    // Only a server refuses: from a client it is no command at all.
    let mut server = server();
    server.handle_verdict(Verdict::accept(), NOW).unwrap();
    assert_eq!(hear(&mut server, MANGLED_400), Err(UNEXPECTED));
}

#[test]
fn names_and_passwords_are_short_enough_or_refused() {
    let [longest, longer] = [[b'x'; 255].as_slice(), &[b'x'; 256]];
    assert!(Client::new(longest, longest).is_ok());
    let refused = Some(TooLong { length: 256 });
    assert_eq!(Client::new(longer, b"").err(), refused);
    assert_eq!(Client::new(b"", longer).err(), refused);

    for (name, password) in [(longest, longest), (b"", b""), (b"a", b"")] {
        let mut client = Client::new(name, password).unwrap();
        let mut hello = Vec::new();
        assert!(matches!(client.poll(&mut hello), Step::Command));
        let mut server = Server::new();
        assert_eq!(server.handle_command(&hello), Ok(()));
        let Step::Authenticate(Credentials::Plain {
            username,
            password: met,
        }) = server.poll(&mut Vec::new())
        else {
            panic!("nobody asked")
        };
        assert_eq!((&username[..], &met[..]), (name, password));
    }
}

#[test]
fn a_password_is_not_printed() {
    let client = Client::new(b"admin\n", b"secret").unwrap();
    let printed = format!("{client:?} {:?} {:?}", Server::new(), credentials());
    assert!(
        printed.contains("admin\\n") && !printed.contains("secret"),
        "{printed}"
    );
}

/// A handshake up to where it waits for the command that `body` stands for.
fn waiting_for(body: &[u8]) -> Box<dyn Mechanism> {
    let mut out = Vec::new();
    let mut client = Client::new(b"admin", b"secret").unwrap();
    client.poll(&mut out);
    let mut server = Server::new();
    match body {
        _ if body == &HELLO[2..] => {}
        _ if body == &INITIATE[2..] => {
            server.handle_command(&HELLO[2..]).unwrap();
            server.poll(&mut out);
            server.handle_verdict(&Verdict::accept());
            server.poll(&mut out);
        }
        _ if body == &WELCOME[2..] => return Box::new(client),
        _ => {
            client.handle_command(&WELCOME[2..]).unwrap();
            client.poll(&mut out);
            return Box::new(client);
        }
    }
    Box::new(server)
}

const COMMANDS: [(&[u8], CommandName); 4] = [
    (HELLO, CommandName::Hello),
    (WELCOME, CommandName::Welcome),
    (INITIATE, CommandName::Initiate),
    (READY, CommandName::Ready),
];

#[test]
fn every_command_cut_anywhere_is_refused() {
    for (frame, name) in COMMANDS {
        let body = &frame[2..];
        let metadata = matches!(name, CommandName::Initiate | CommandName::Ready);
        let start = 1 + usize::from(body[0]);
        for cut in 0..body.len() {
            // Between two properties nothing is missing.
            let whole = metadata && [start, start + 22].contains(&cut);
            let outcome = waiting_for(body).handle_command(&body[..cut]);
            assert_eq!(outcome.is_ok(), whole, "{name:?} cut at {cut}");
            if cut < start {
                assert_eq!(outcome, Err(UNEXPECTED));
            }
        }
        assert_eq!(waiting_for(body).handle_command(body), Ok(()));
        let longer = [body, b"\0"].concat();
        assert!(waiting_for(body).handle_command(&longer).is_err());
    }
}

// spec: 24/order
#[test]
fn every_command_in_the_place_of_another_is_refused_for_good() {
    for (due, _) in COMMANDS {
        for (met, _) in COMMANDS.into_iter().filter(|(met, _)| *met != due) {
            let mut mechanism = waiting_for(&due[2..]);
            let mut out = Vec::new();
            assert_eq!(mechanism.handle_command(&met[2..]), Err(UNEXPECTED));
            assert!(matches!(mechanism.poll(&mut out), Step::Failed(UNEXPECTED)));
            assert_eq!(mechanism.handle_command(&due[2..]), Err(UNEXPECTED));
            mechanism.handle_verdict(&Verdict::accept());
            assert!(matches!(mechanism.poll(&mut out), Step::Failed(UNEXPECTED)));
            assert_eq!(out, b"");
        }
    }
}

#[test]
fn a_command_repeated_or_come_too_early_is_refused() {
    for (frame, _) in COMMANDS {
        let mut mechanism = waiting_for(&frame[2..]);
        assert_eq!(mechanism.handle_command(&frame[2..]), Ok(()));
        assert_eq!(mechanism.handle_command(&frame[2..]), Err(UNEXPECTED));
    }
    let mut fresh = Client::new(b"", b"").unwrap();
    assert_eq!(fresh.handle_command(&WELCOME[2..]), Err(UNEXPECTED));
}

#[test]
fn what_a_side_said_does_no_good_when_it_comes_back() {
    let mut client = client();
    assert_eq!(hear(&mut client, HELLO), Err(UNEXPECTED));
    let mut server = server();
    server.handle_verdict(Verdict::accept(), NOW).unwrap();
    let own = said(&mut server);
    assert_eq!(hear(&mut server, &own), Err(UNEXPECTED));
}

#[test]
fn commands_that_came_during_the_verdict_count_after_it() {
    let mut server = server();
    assert_eq!(hear(&mut server, INITIATE), Ok(None));
    assert_eq!(server.handle_verdict(Verdict::accept(), NOW), Ok(None));
    assert!(matches!(hear(&mut server, b""), Ok(Some(Event::Ready(_)))));
}

#[test]
fn an_oversized_command_is_refused_by_its_header() {
    let mut server = session(Server::new());
    hear(&mut server, &greeting()).unwrap();
    let header = b"\x06\0\0\0\0\0\0\x20\x01";
    assert_eq!(
        hear(&mut server, header),
        Err(Misbehaved::CommandTooLarge(8193).into())
    );
}

#[test]
fn peers_without_this_mechanism_are_not_spoken_to() {
    let null = {
        let mut octets = greeting();
        octets[12..17].copy_from_slice(b"NULL\0");
        octets
    };
    let cut = b"PLAIN";
    let longer = {
        let mut octets = greeting();
        octets[12..18].copy_from_slice(b"PLAINS");
        octets
    };
    // ZMTP 2.0 and 1.0 know no mechanisms.
    let two = b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x05\0\0".to_vec();
    let one = b"\x01\0\x06\0hello".to_vec();
    for octets in [null, longer, two, one, cut.to_vec()] {
        for mut session in [
            session(Server::new()),
            session(Client::new(b"admin", b"secret").unwrap()),
        ] {
            let met = hear(&mut session, &octets);
            assert!(matches!(met, Err(Error::Incompatible(_))), "{met:?}");
            assert!(!said(&mut session).windows(6).any(|part| part == b"secret"));
        }
    }
}
