//! The tcp transport against the operating system.

mod support;

use std::io::{self, IoSlice, Write};
use std::net::{Ipv6Addr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::net::sockopt;
use support::{
    accept, bytes, dial, dial_with, established, failure, listen, listen_with, port_of, read, wait,
};
use zmq_transport::{Registry, Role, Source, StreamOptions, Tcp, Transport};

fn ipv6() -> StreamOptions {
    StreamOptions {
        ipv6: true,
        ..StreamOptions::default()
    }
}

/// Some machines that run tests have no IPv6 at all.
fn has_ipv6() -> bool {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

fn descriptor(source: Source<'_>) -> BorrowedFd<'_> {
    match source {
        Source::Descriptor(descriptor) => descriptor,
        Source::Waker => panic!("tcp has descriptors"),
    }
}

#[test]
fn octets_arrive_and_the_ends_know_each_other() {
    let mut listener = listen("tcp://127.0.0.1:*").unwrap();
    assert_ne!(port_of(listener.endpoint()), 0);
    assert_eq!(
        failure(listener.try_accept()).kind(),
        io::ErrorKind::WouldBlock
    );
    let mut client = dial(listener.endpoint()).unwrap();
    let mut server = accept(&mut *listener);
    assert_eq!(
        failure(server.try_read(&mut [0; 8])).kind(),
        io::ErrorKind::WouldBlock
    );

    assert_eq!(
        client
            .try_write(&[IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"c")])
            .unwrap(),
        3
    );
    assert_eq!(read(&mut *server), b"abc");
    assert_eq!(
        (client.peer_address(), server.peer_address()),
        ("127.0.0.1", "127.0.0.1")
    );
    assert_eq!(client.remote_endpoint(), listener.endpoint());
    assert_eq!(server.local_endpoint(), listener.endpoint());
    assert_eq!(client.local_endpoint(), server.remote_endpoint());
    assert!(server.try_connected().unwrap());
    assert!(client.descriptor().is_some());
    drop(client);
    assert_eq!(read(&mut *server), b"");
}

#[test]
fn reading_appends_to_the_spare_capacity_and_refuses_to_read_into_none() {
    let mut listener = listen("tcp://127.0.0.1:*").unwrap();
    let mut client = dial(listener.endpoint()).unwrap();
    let mut server = accept(&mut *listener);
    server.try_write(&[IoSlice::new(b"cd")]).unwrap();
    wait(client.source(), PollFlags::IN);
    let mut buffer = Vec::with_capacity(16);
    buffer.extend_from_slice(b"ab");
    assert_eq!(client.try_read_spare(&mut buffer).unwrap(), 2);
    assert_eq!(buffer, b"abcd");
    assert_eq!(
        failure(client.try_read_spare(&mut Vec::new())).kind(),
        io::ErrorKind::InvalidInput
    );
}

#[test]
fn more_chunks_than_the_kernel_takes_are_written_in_part() {
    let mut listener = listen("tcp://127.0.0.1:*").unwrap();
    let mut client = dial(listener.endpoint()).unwrap();
    let _server = accept(&mut *listener);
    let chunks = vec![IoSlice::new(b"x"); 5000];
    assert_eq!(client.try_write(&chunks).unwrap(), 1024);
}

#[test]
fn a_full_stream_would_block() {
    let mut listener = listen("tcp://127.0.0.1:*").unwrap();
    let mut client = dial(listener.endpoint()).unwrap();
    let _server = accept(&mut *listener);
    let octets = vec![0; 1 << 20];
    let outcome = (0..1000).find_map(|_| client.try_write(&[IoSlice::new(&octets)]).err());
    assert_eq!(outcome.unwrap().kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn endpoints_show_what_was_really_bound() {
    for (written, shown) in [
        ("tcp://*:0", "tcp://0.0.0.0:"),
        ("tcp://lo:*", "tcp://127.0.0.1:"),
    ] {
        let mut listener = listen(written).unwrap();
        assert!(
            listener.endpoint().starts_with(shown),
            "{written} became {}",
            listener.endpoint()
        );
        let _client = dial(&format!("tcp://127.0.0.1:{}", port_of(listener.endpoint()))).unwrap();
        accept(&mut *listener);
    }
    let listener = listen("tcp://127.0.0.1:1;localhost:*").unwrap();
    assert!(listener.endpoint().starts_with("tcp://127.0.0.1:"));
}

#[test]
fn a_wildcard_with_ipv6_takes_both_versions_and_shows_ipv4_peers_plainly() {
    if !has_ipv6() {
        return;
    }
    let mut listener = listen_with("tcp://*:*", &ipv6()).unwrap();
    assert!(listener.endpoint().starts_with("tcp://[::]:"));
    let port = port_of(listener.endpoint());
    let client = dial(&format!("tcp://127.0.0.1:{port}")).unwrap();
    let server = accept(&mut *listener);
    assert_eq!(server.peer_address(), "127.0.0.1");
    assert_eq!(server.remote_endpoint(), client.local_endpoint());
    for written in ["[::1]", "::1"] {
        let client = dial_with(&format!("tcp://{written}:{port}"), &ipv6()).unwrap();
        let server = accept(&mut *listener);
        assert_eq!(
            (client.peer_address(), server.peer_address()),
            ("::1", "::1")
        );
        assert_eq!(client.remote_endpoint(), format!("tcp://[::1]:{port}"));
    }
}

#[test]
fn a_wildcard_does_not_fall_back_to_one_version_because_the_other_is_taken() {
    if !has_ipv6() {
        return;
    }
    let taken = listen_with("tcp://[::1]:*", &ipv6()).unwrap();
    let wanted = format!("tcp://*:{}", port_of(taken.endpoint()));
    assert_eq!(
        failure(listen_with(&wanted, &ipv6())).kind(),
        io::ErrorKind::AddrInUse
    );
}

#[test]
fn a_setting_that_connections_would_refuse_is_an_error_of_the_bind() {
    let options = StreamOptions {
        priority: Some(u32::MAX),
        ..StreamOptions::default()
    };
    assert_eq!(
        failure(listen_with("tcp://127.0.0.1:*", &options)).kind(),
        io::ErrorKind::InvalidInput
    );
    assert!(dial_with("tcp://127.0.0.1:1", &options).is_err());
}

#[test]
fn ipv6_is_refused_while_it_is_off() {
    assert_eq!(
        failure(listen("tcp://[::1]:*")).kind(),
        io::ErrorKind::Unsupported
    );
    let resolved = Tcp::new().resolve("[::1]:80", &StreamOptions::default());
    assert_eq!(failure(resolved).kind(), io::ErrorKind::Unsupported);
}

#[test]
fn names_are_resolved_to_every_address_of_the_versions_that_are_on() {
    let four = Tcp::new()
        .resolve("localhost:80", &StreamOptions::default())
        .unwrap();
    assert_eq!(four, ["127.0.0.1:80"]);
    let both = Tcp::new().resolve("localhost:80", &ipv6()).unwrap();
    assert!(both.contains(&"127.0.0.1:80".to_owned()), "{both:?}");
    let mut listener = listen("tcp://localhost:*").unwrap();
    dial_with(
        &format!("tcp://localhost:{}", port_of(listener.endpoint())),
        &ipv6(),
    )
    .unwrap();
    accept(&mut *listener);
}

#[test]
fn unknown_names_are_not_found() {
    // spec: RFC 6761 keeps this name free for ever.
    let resolved = Tcp::new().resolve("no-such-host.invalid:80", &StreamOptions::default());
    assert_eq!(failure(resolved).kind(), io::ErrorKind::NotFound);
    assert_eq!(
        failure(listen("tcp://no-such-host.invalid:*")).kind(),
        io::ErrorKind::NotFound
    );
    let resolved = Tcp::new().resolve("nosuchnic:0;127.0.0.1:80", &StreamOptions::default());
    assert_eq!(failure(resolved).kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_zone_becomes_the_number_of_its_interface() {
    let index = std::fs::read_to_string("/sys/class/net/lo/ifindex").unwrap();
    let resolved = Tcp::new().resolve("[fe80::1%lo]:80", &ipv6()).unwrap();
    assert_eq!(resolved, [format!("[fe80::1%{}]:80", index.trim())]);
    assert!(Tcp::new().check(&resolved[0], Role::Connect).is_ok());
}

#[test]
fn a_connection_comes_from_the_source_that_was_asked_for() {
    let mut listener = listen("tcp://127.0.0.1:*").unwrap();
    let target = listener.endpoint().trim_start_matches("tcp://").to_owned();
    for source in ["*:*", "*:0", "lo:*", "127.0.0.1:0"] {
        let _client = dial(&format!("tcp://{source};{target}")).unwrap();
        assert_eq!(accept(&mut *listener).peer_address(), "127.0.0.1");
    }
    // Another address of the loopback network shows that the source was obeyed.
    let client = dial(&format!("tcp://127.0.0.2:0;{target}")).unwrap();
    let server = accept(&mut *listener);
    assert_eq!(server.peer_address(), "127.0.0.2");
    // A port can be asked for too.
    let source = client
        .local_endpoint()
        .trim_start_matches("tcp://")
        .to_owned();
    drop(client);
    assert_eq!(listener_sees_end(server), 0);
    let again = dial(&format!("tcp://127.0.0.3:{};{target}", port_of(&source))).unwrap();
    let server = accept(&mut *listener);
    assert_eq!(server.peer_address(), "127.0.0.3");
    assert_eq!(port_of(&again.local_endpoint()), port_of(&source));
}

fn listener_sees_end(mut server: Box<dyn zmq_transport::ByteStream>) -> usize {
    read(&mut *server).len()
}

#[test]
fn a_source_of_the_other_version_is_refused() {
    let resolved = Tcp::new().resolve("[::1]:0;127.0.0.1:80", &ipv6());
    assert_eq!(failure(resolved).kind(), io::ErrorKind::AddrNotAvailable);
}

#[test]
fn connecting_wants_resolved_targets() {
    let started = Tcp::new().connect("localhost:80", &StreamOptions::default());
    assert_eq!(failure(started).kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn a_port_in_use_is_refused_and_free_again_after_the_close() {
    // An address of its own: no other test can take the port meanwhile.
    let mut listener = listen("tcp://127.0.0.9:*").unwrap();
    let endpoint = listener.endpoint().to_owned();
    assert_eq!(failure(listen(&endpoint)).kind(), io::ErrorKind::AddrInUse);
    let client = dial(&endpoint).unwrap();
    // Closed here first, so that the wait of the closing side would hold the port.
    drop(accept(&mut *listener));
    drop((listener, client));
    listen(&endpoint).unwrap();
}

#[test]
fn nobody_listening_is_reported_as_refused() {
    use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};
    // Bound but not listening: nobody else can listen there either.
    let taken = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&taken, &std::net::SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address: std::net::SocketAddr = getsockname(&taken).unwrap().try_into().unwrap();
    assert_eq!(
        failure(dial(&format!("tcp://{address}"))).kind(),
        io::ErrorKind::ConnectionRefused
    );
}

#[test]
fn a_connection_that_meets_itself_is_refused() {
    // An address of its own: no other test can take the port meanwhile.
    let free = TcpListener::bind("127.0.0.8:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = failure(dial(&format!("tcp://{free};{free}")));
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert!(error.to_string().contains("itself"), "{error}");
    listen(&format!("tcp://{free}")).expect("the port is free for whoever should listen there");
}

#[test]
fn settings_are_really_set() {
    let options = StreamOptions {
        keepalive: Some(true),
        keepalive_count: Some(7),
        keepalive_idle: Some(Duration::from_secs(77)),
        keepalive_interval: Some(Duration::from_secs(11)),
        tos: Some(0x28),
        send_buffer: Some(40_000),
        receive_buffer: Some(50_000),
        priority: Some(3),
        tcp_user_timeout: Some(Duration::from_millis(12_345)),
        ..StreamOptions::default()
    };
    let mut listener = listen_with("tcp://127.0.0.1:*", &options).unwrap();
    assert!(sockopt::socket_reuseaddr(descriptor(listener.source())).unwrap());
    let client = dial_with(listener.endpoint(), &options).unwrap();
    let server = accept(&mut *listener);
    for stream in [&client, &server] {
        let socket = descriptor(stream.source());
        assert!(sockopt::tcp_nodelay(socket).unwrap());
        assert!(sockopt::socket_keepalive(socket).unwrap());
        assert_eq!(sockopt::tcp_keepcnt(socket).unwrap(), 7);
        assert_eq!(sockopt::tcp_keepidle(socket).unwrap().as_secs(), 77);
        assert_eq!(sockopt::tcp_keepintvl(socket).unwrap().as_secs(), 11);
        assert_eq!(sockopt::ip_tos(socket).unwrap(), 0x28);
        assert_eq!(sockopt::socket_send_buffer_size(socket).unwrap(), 80_000);
        assert_eq!(sockopt::socket_recv_buffer_size(socket).unwrap(), 100_000);
        assert_eq!(sockopt::tcp_user_timeout(socket).unwrap(), 12_345);
        let priority = nix::sys::socket::getsockopt(&socket, nix::sys::socket::sockopt::Priority);
        assert_eq!(priority, Ok(3));
    }
}

#[test]
fn settings_that_nobody_asked_for_are_left_alone() {
    let mut listener = listen("tcp://127.0.0.1:*").unwrap();
    let client = dial(listener.endpoint()).unwrap();
    let server = accept(&mut *listener);
    for stream in [&client, &server] {
        let socket = descriptor(stream.source());
        assert!(sockopt::tcp_nodelay(socket).unwrap());
        assert!(!sockopt::socket_keepalive(socket).unwrap());
        assert_eq!(sockopt::ip_tos(socket).unwrap(), 0);
        assert_eq!(sockopt::tcp_user_timeout(socket).unwrap(), 0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn connections_within_the_machine_are_not_paced() {
    let bound = TcpListener::bind("127.0.0.1:0").unwrap();
    // On a system without BBR neither end can be paced by it.
    let _ = sockopt::set_tcp_congestion(&bound, "bbr");
    let options = StreamOptions {
        use_fd: Some(Arc::new(bound.into())),
        ..StreamOptions::default()
    };
    let mut listener = listen_with("tcp://127.0.0.1:*", &options).unwrap();
    let client = dial(listener.endpoint()).unwrap();
    let server = accept(&mut *listener);
    for stream in [&client, &server] {
        let algorithm = sockopt::tcp_congestion(descriptor(stream.source())).unwrap();
        assert!(!algorithm.starts_with("bbr"), "{algorithm}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn little_is_under_way_within_the_machine_where_the_system_grants_as_much() {
    let limit = std::fs::read_to_string("/proc/sys/net/core/wmem_max").unwrap_or_default();
    let grants = limit.trim().parse().unwrap_or(0_usize);
    let plain = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let _plain_client = std::net::TcpStream::connect(plain.local_addr().unwrap()).unwrap();
    let plain = sockopt::socket_send_buffer_size(&plain.accept().unwrap().0).unwrap();
    // A listener on all addresses has connections of both kinds: the system decides about them.
    for (bound, near) in [("tcp://127.0.0.1:*", true), ("tcp://*:*", false)] {
        let mut listener = listen(bound).unwrap();
        let target = listener.endpoint().replace("0.0.0.0", "127.0.0.1");
        let client = dial(&target).unwrap();
        let server = accept(&mut *listener);
        for (stream, near) in [(&client, true), (&server, near)] {
            let octets = sockopt::socket_send_buffer_size(descriptor(stream.source())).unwrap();
            match (near, grants >= 512 * 1024) {
                (true, true) => assert_eq!(octets, 1024 * 1024, "{bound}"),
                (true, false) => assert_ne!(octets, 2 * grants, "{bound}: asked in vain"),
                (false, _) => assert_eq!(octets, plain, "{bound}"),
            }
        }
    }
}

#[test]
fn an_unknown_device_is_an_error_of_the_bind() {
    let options = StreamOptions {
        bind_to_device: Some("nosuchnic".to_owned()),
        ..StreamOptions::default()
    };
    assert!(listen_with("tcp://127.0.0.1:*", &options).is_err());
}

#[test]
fn the_loopback_device_can_be_bound_to() {
    let options = StreamOptions {
        bind_to_device: Some("lo".to_owned()),
        ..StreamOptions::default()
    };
    let mut listener = listen_with("tcp://127.0.0.1:*", &options).unwrap();
    dial_with(listener.endpoint(), &options).unwrap();
    let server = accept(&mut *listener);
    let device = nix::sys::socket::getsockopt(
        &descriptor(server.source()),
        nix::sys::socket::sockopt::BindToDevice,
    );
    assert!(device.unwrap().to_str().unwrap().starts_with("lo"));
}

#[test]
fn every_descriptor_is_closed_on_exec_and_never_blocks() {
    let mut listener = listen("tcp://127.0.0.1:*").unwrap();
    let client = dial(listener.endpoint()).unwrap();
    let server = accept(&mut *listener);
    for source in [listener.source(), client.source(), server.source()] {
        let flags = rustix::io::fcntl_getfd(descriptor(source)).unwrap();
        assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
        let flags = rustix::fs::fcntl_getfl(descriptor(source)).unwrap();
        assert!(flags.contains(rustix::fs::OFlags::NONBLOCK));
    }
}

/// Whether a SIGPIPE waits for this thread. The signal must be blocked: then it waits even where it is ignored.
fn sigpipe_waits() -> bool {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let pending = status
        .lines()
        .find_map(|line| line.strip_prefix("SigPnd:"))
        .unwrap();
    let sigpipe = 1 << (nix::sys::signal::Signal::SIGPIPE as u64 - 1);
    u64::from_str_radix(pending.trim(), 16).unwrap() & sigpipe != 0
}

#[test]
fn writing_to_a_peer_that_has_gone_raises_no_signal() {
    nix::sys::signal::SigSet::from(nix::sys::signal::Signal::SIGPIPE)
        .thread_block()
        .unwrap();
    for chunks in [
        &[IoSlice::new(b"x")][..],
        &[IoSlice::new(b"x"), IoSlice::new(b"y")],
    ] {
        let mut listener = listen("tcp://127.0.0.1:*").unwrap();
        let mut client = dial(listener.endpoint()).unwrap();
        sockopt::set_socket_linger(
            descriptor(accept(&mut *listener).source()),
            Some(Duration::ZERO),
        )
        .unwrap();
        wait(client.source(), PollFlags::HUP);
        // The first error is the reset; from the second on there is no stream left.
        assert!(client.try_write(chunks).is_err());
        assert_eq!(
            failure(client.try_write(chunks)).kind(),
            io::ErrorKind::BrokenPipe
        );
    }
    assert!(!sigpipe_waits());
    // The same by other means is seen, so that the silence above means something.
    let (one, other) = std::io::pipe().unwrap();
    drop(one);
    assert!((&other).write(b"x").is_err());
    assert!(sigpipe_waits());
}

#[test]
fn a_socket_that_was_bound_elsewhere_is_listened_on_and_stays_with_its_maker() {
    let made = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = made.local_addr().unwrap().port();
    let owned = Arc::new(made.as_fd().try_clone_to_owned().unwrap());
    let options = StreamOptions {
        use_fd: Some(owned),
        ..StreamOptions::default()
    };
    let mut listener = listen_with("tcp://127.0.0.1:1", &options).unwrap();
    assert_eq!(listener.endpoint(), format!("tcp://127.0.0.1:{port}"));
    let _client = dial(listener.endpoint()).unwrap();
    accept(&mut *listener);
    drop(listener);
    let _still = dial(&format!("tcp://127.0.0.1:{port}")).unwrap();
    assert!(made.accept().is_ok());
}

#[test]
fn a_connection_reset_while_it_waited_does_not_stop_the_listener() {
    let mut listener = listen("tcp://127.0.0.1:*").unwrap();
    let gone = dial(listener.endpoint()).unwrap();
    sockopt::set_socket_linger(descriptor(gone.source()), Some(Duration::ZERO)).unwrap();
    drop(gone);
    let stays = dial(listener.endpoint()).unwrap();
    let mut ends: Vec<String> = Vec::new();
    while !ends.contains(&stays.local_endpoint()) {
        ends.push(accept(&mut *listener).remote_endpoint());
    }
}

#[test]
fn an_accepted_and_a_dialed_stream_need_no_waiting_to_be_asked() {
    let listener = listen("tcp://127.0.0.1:*").unwrap();
    let registry = Registry::standard();
    let parsed = registry.parse(listener.endpoint(), Role::Connect).unwrap();
    let started = parsed
        .transport
        .connect(parsed.address, &StreamOptions::default())
        .unwrap();
    assert!(
        established(bytes(started))
            .unwrap()
            .try_connected()
            .unwrap()
    );
}
