//! Listeners over tcp, each on a thread of its own: programs that are no sockets, and peers that shake hands and do nothing else.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use zmtp_mech_curve::{KeyPair, SecretKey};
use zmtp_wire::{Event, Mechanism, Session, SessionConfig, SocketType, Time, Verdict};

/// Handles connections one after the other; gives where it listens. The thread ends with the test program.
///
/// # Panics
/// Without a free port.
pub fn serve(mut handle: impl FnMut(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for stream in listener.incoming() {
            handle(stream.expect("a connection"));
        }
    });
    format!("tcp://{address}")
}

/// Says this and then listens until the other end has gone.
pub fn saying(octets: impl Into<Vec<u8>>) -> String {
    let octets = octets.into();
    serve(move |mut stream| {
        stream.write_all(&octets).expect("the other end is there");
        let _ = stream.read_to_end(&mut Vec::new());
    })
}

/// Speaks ZMTP, with this verdict about whoever proves something. Without one it never says whether it lets anybody in.
pub fn speaking(
    config: SessionConfig,
    verdict: Option<Verdict>,
    mechanism: impl Fn() -> Box<dyn Mechanism> + Send + 'static,
) -> String {
    serve(move |stream| {
        let session = Session::new(config.clone(), mechanism(), Time::from_millis(0));
        speak(stream, session, verdict.as_ref());
    })
}

/// Speaks until the connection ends. Whether the other end was made a peer.
pub fn speak(mut stream: TcpStream, mut session: Session, verdict: Option<&Verdict>) -> bool {
    let now = Time::from_millis(0);
    let mut block = [0; 1024];
    let (mut ended, mut ready) = (false, false);
    loop {
        let octets: Vec<u8> = session.output_chunks().flatten().copied().collect();
        session.output_written(octets.len());
        if stream.write_all(&octets).is_err() || ended {
            return ready;
        }
        let Ok(length @ 1..) = stream.read(&mut block) else {
            return ready;
        };
        let mut input = &block[..length];
        loop {
            let event = match session.handle_input(now, &mut input) {
                Ok(Some(Event::Authenticate(_))) => match verdict {
                    Some(verdict) => session.handle_verdict(verdict.clone(), now),
                    None => break,
                },
                other => other,
            };
            match event {
                Ok(Some(event)) => ready |= matches!(event, Event::Ready(_)),
                Ok(None) => break,
                Err(_) => {
                    ended = true;
                    break;
                }
            }
        }
    }
}

/// What a secured socket of this type tells its sessions.
#[must_use]
pub fn secured(socket_type: SocketType) -> SessionConfig {
    let mut config = SessionConfig::new(socket_type);
    config.legacy_allowed = false;
    config
}

/// The same for the same seed: they guard nothing.
#[must_use]
pub fn keys(seed: u8) -> KeyPair {
    KeyPair::new(SecretKey::from_octets([seed; 32]))
}

/// The handshake of a CURVE server with the keys of seed 1.
#[must_use]
pub fn curve() -> Box<dyn Mechanism> {
    let Ok(server) = zmtp_mech_curve::Server::new(keys(1), |octets: &mut [u8]| {
        octets.fill(7);
        Ok::<_, std::convert::Infallible>(())
    });
    Box::new(server.with_authentication(true))
}

/// A CURVE server with the keys of seed 1.
pub fn curve_server(socket_type: SocketType, verdict: Option<Verdict>) -> String {
    speaking(secured(socket_type), verdict, curve)
}

/// A PLAIN server: a REP socket.
pub fn plain_server(verdict: Option<Verdict>) -> String {
    speaking(secured(SocketType::Rep), verdict, || {
        Box::new(zmtp_mech_plain::Server::new())
    })
}
