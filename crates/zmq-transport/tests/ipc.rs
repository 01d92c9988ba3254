//! The ipc transport against the operating system.

mod support;

use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::sync::{Arc, Barrier};

use support::{Scratch, accept, dial, failure, listen, listen_with, read};
use zmq_transport::{ByteStream, Listener, StreamOptions};

/// Binds a path and lets go of it without removing the file, as a process that dies does.
fn leave_behind(path: &str) {
    drop(UnixListener::bind(path).unwrap());
    assert!(Path::new(path).exists());
}

fn talk(listener: &mut dyn Listener) {
    let mut client = dial(listener.endpoint()).unwrap();
    let mut server = accept(listener);
    client.try_write(&[IoSlice::new(b"hello")]).unwrap();
    assert_eq!(read(&mut *server), b"hello");
}

/// The peer's credentials as seen by both ends of one process.
fn assert_credentials(stream: &dyn ByteStream) {
    let (user, group) = (
        rustix::process::getuid().as_raw(),
        rustix::process::getgid().as_raw(),
    );
    assert_eq!(
        stream.peer_address(),
        format!("localhost:{user}:{group}:{}", std::process::id())
    );
}

#[test]
fn octets_arrive_over_a_path_and_the_file_goes_with_the_listener() {
    let scratch = Scratch::new("path");
    let endpoint = format!("ipc://{}", scratch.path("s"));
    let mut listener = listen(&endpoint).unwrap();
    assert_eq!(listener.endpoint(), endpoint);
    assert_eq!(
        scratch.files(),
        ["s"],
        "nothing but the socket is left in the directory"
    );
    talk(&mut *listener);
    let client = dial(&endpoint).unwrap();
    let server = accept(&mut *listener);
    assert_credentials(&*client);
    assert_credentials(&*server);
    assert_eq!(client.remote_endpoint(), endpoint);
    assert_eq!(server.local_endpoint(), endpoint);
    drop(listener);
    assert_eq!(scratch.files(), [""; 0]);
    assert_eq!(failure(dial(&endpoint)).kind(), io::ErrorKind::NotFound);
}

#[test]
fn abstract_names_leave_no_file() {
    let name = format!("@zt-{}", std::process::id());
    let mut listener = listen(&format!("ipc://{name}")).unwrap();
    assert_eq!(listener.endpoint(), format!("ipc://{name}"));
    talk(&mut *listener);
    assert!(!Path::new(&name).exists());
    assert_eq!(
        failure(listen(&format!("ipc://{name}"))).kind(),
        io::ErrorKind::AddrInUse
    );
    drop(listener);
    listen(&format!("ipc://{name}")).unwrap();
}

#[test]
fn a_dead_file_is_replaced() {
    let scratch = Scratch::new("dead");
    let path = scratch.path("s");
    leave_behind(&path);
    let mut listener = listen(&format!("ipc://{path}")).unwrap();
    talk(&mut *listener);
    assert_eq!(scratch.files(), ["s"]);
    drop(listener);
    assert_eq!(scratch.files(), [""; 0]);
}

#[test]
fn a_live_socket_is_never_replaced() {
    let scratch = Scratch::new("live");
    let endpoint = format!("ipc://{}", scratch.path("s"));
    let mut listener = listen(&endpoint).unwrap();
    assert_eq!(failure(listen(&endpoint)).kind(), io::ErrorKind::AddrInUse);
    // What the attempt asked with is waiting; it has closed.
    assert_eq!(read(&mut *accept(&mut *listener)), b"");
    talk(&mut *listener);
    assert_eq!(scratch.files(), ["s"]);
}

#[test]
fn a_live_socket_with_a_full_queue_is_never_replaced() {
    let scratch = Scratch::new("full");
    let endpoint = format!("ipc://{}", scratch.path("s"));
    let options = StreamOptions {
        backlog: 0,
        ..StreamOptions::default()
    };
    let _listener = listen_with(&endpoint, &options).unwrap();
    let mut waiting = Vec::new();
    let error = loop {
        match dial(&endpoint) {
            Ok(stream) => waiting.push(stream),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
    assert_eq!(failure(listen(&endpoint)).kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn only_dead_stream_sockets_are_replaced_and_the_error_says_what_is_there() {
    let scratch = Scratch::new("others");
    let file = scratch.path("file");
    std::fs::write(&file, "precious").unwrap();
    let error = failure(listen(&format!("ipc://{file}")));
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert!(error.to_string().contains("not a socket"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), b"precious");

    let dead = scratch.path("dead");
    leave_behind(&dead);
    for (name, target) in [
        ("to-dead", dead.as_str()),
        ("to-nothing", "nowhere"),
        ("to-file", file.as_str()),
    ] {
        let link = scratch.path(name);
        symlink(target, &link).unwrap();
        let error = failure(listen(&format!("ipc://{link}")));
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert!(error.to_string().contains("symbolic link"), "{error}");
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    }
    assert!(Path::new(&dead).exists());

    let _datagrams = UnixDatagram::bind(scratch.path("datagrams")).unwrap();
    let error = failure(listen(&format!("ipc://{}", scratch.path("datagrams"))));
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert_eq!(scratch.files().len(), 6, "{:?}", scratch.files());
}

#[test]
fn a_dead_socket_of_another_user_is_never_replaced() {
    let scratch = Scratch::new("foreign");
    let path = scratch.path("s");
    leave_behind(&path);
    // Only the superuser can give files away.
    if std::os::unix::fs::lchown(&path, Some(12_345), None).is_err() {
        return;
    }
    assert_eq!(
        failure(listen(&format!("ipc://{path}"))).kind(),
        io::ErrorKind::PermissionDenied
    );
    assert_eq!(std::fs::metadata(&path).unwrap().uid(), 12_345);
    assert_eq!(scratch.files(), ["s"]);
}

#[test]
fn a_file_that_has_taken_the_place_survives_the_close() {
    let scratch = Scratch::new("taken");
    let path = scratch.path("s");
    let listener = listen(&format!("ipc://{path}")).unwrap();
    std::fs::remove_file(&path).unwrap();
    let other = UnixListener::bind(&path).unwrap();
    drop(listener);
    assert_eq!(scratch.files(), ["s"]);
    drop(other);
}

/// Lets several threads bind the same path at once.
fn one_of_many(path: &str) {
    let start = Arc::new(Barrier::new(8));
    let contenders: Vec<_> = (0..8)
        .map(|_| {
            let (start, endpoint) = (Arc::clone(&start), format!("ipc://{path}"));
            std::thread::spawn(move || {
                start.wait();
                listen(&endpoint)
            })
        })
        .collect();
    let outcomes: Vec<_> = contenders
        .into_iter()
        .map(|contender| contender.join().unwrap())
        .collect();
    let (winners, losers): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    for loser in losers {
        assert_eq!(failure(loser).kind(), io::ErrorKind::AddrInUse);
    }
    let mut winners: Vec<_> = winners.into_iter().map(Result::unwrap).collect();
    assert_eq!(winners.len(), 1);
    let winner = &mut *winners[0];
    let client = dial(winner.endpoint()).expect("the name leads to a socket that listens");
    // Those who asked whether it lives came before.
    let reached = std::iter::from_fn(|| winner.try_accept().ok()).count();
    assert!(reached >= 1, "the name leads to somebody else");
    drop(client);
}

#[test]
fn of_many_that_want_a_dead_name_one_gets_it_and_keeps_it() {
    let scratch = Scratch::new("race");
    for round in 0..20 {
        let path = scratch.path(&format!("s{round}"));
        leave_behind(&path);
        one_of_many(&path);
        assert!(scratch.files().is_empty(), "{:?}", scratch.files());
    }
}

#[test]
fn of_many_that_want_a_free_name_one_gets_it_and_keeps_it() {
    let scratch = Scratch::new("free");
    for round in 0..20 {
        one_of_many(&scratch.path(&format!("s{round}")));
        assert!(scratch.files().is_empty(), "{:?}", scratch.files());
    }
}

#[test]
fn of_many_that_want_the_longest_name_one_gets_it_and_keeps_it() {
    let scratch = Scratch::new("longrace");
    let stem = scratch.path("");
    let path = format!("{stem}{}", "x".repeat(107 - stem.len()));
    for _ in 0..20 {
        leave_behind(&path);
        one_of_many(&path);
        assert!(scratch.files().is_empty(), "{:?}", scratch.files());
    }
}

#[test]
fn a_file_that_stands_where_the_lock_would_be_is_left_alone() {
    let scratch = Scratch::new("lock");
    let path = scratch.path("s");
    leave_behind(&path);
    std::fs::write(format!("{path}.takeover"), "precious").unwrap();
    assert_eq!(
        failure(listen(&format!("ipc://{path}"))).kind(),
        io::ErrorKind::AlreadyExists
    );
    assert_eq!(
        std::fs::read(format!("{path}.takeover")).unwrap(),
        b"precious"
    );
    // One that a process left behind when it died holds nobody up.
    std::fs::write(format!("{path}.takeover"), "").unwrap();
    listen(&format!("ipc://{path}")).unwrap();
    assert!(scratch.files().is_empty(), "{:?}", scratch.files());
}

#[test]
fn the_longest_path_is_107_octets() {
    let scratch = Scratch::new("long");
    let stem = scratch.path("");
    let fits = format!("{stem}{}", "x".repeat(107 - stem.len()));
    let mut listener = listen(&format!("ipc://{fits}")).unwrap();
    talk(&mut *listener);
    drop(listener);
    // There is no room for a second name beside it: the direct way must recover too.
    leave_behind(&fits);
    let mut listener = listen(&format!("ipc://{fits}")).unwrap();
    talk(&mut *listener);
    assert_eq!(
        failure(listen(&format!("ipc://{fits}"))).kind(),
        io::ErrorKind::AddrInUse
    );
    drop(listener);
    assert!(scratch.files().is_empty());
    let error = failure(listen(&format!("ipc://{fits}x")));
    assert_eq!(error.kind(), io::ErrorKind::InvalidFilename);
    assert_eq!(
        failure(dial(&format!("ipc://{fits}x"))).kind(),
        io::ErrorKind::InvalidFilename
    );
}

#[test]
fn a_directory_that_is_not_there_is_not_found() {
    let scratch = Scratch::new("absent");
    let path = scratch.path("no/such/s");
    assert_eq!(
        failure(listen(&format!("ipc://{path}"))).kind(),
        io::ErrorKind::NotFound
    );
}

#[test]
fn a_socket_that_was_bound_elsewhere_keeps_its_file() {
    let scratch = Scratch::new("adopted");
    let path = scratch.path("s");
    let owned = Arc::new(OwnedFd::from(UnixListener::bind(&path).unwrap()));
    let options = StreamOptions {
        use_fd: Some(owned),
        ..StreamOptions::default()
    };
    let mut listener = listen_with("ipc://elsewhere", &options).unwrap();
    assert_eq!(listener.endpoint(), format!("ipc://{path}"));
    talk(&mut *listener);
    drop(listener);
    assert_eq!(scratch.files(), ["s"]);
}

#[test]
fn a_relative_path_is_removed_where_it_was_made() {
    // Relative to the directory that tests run in; the name is this process's own.
    let name = format!("zt-relative-{}", std::process::id());
    let mut listener = listen(&format!("ipc://{name}")).unwrap();
    talk(&mut *listener);
    assert!(Path::new(&name).exists());
    drop(listener);
    assert!(!Path::new(&name).exists());
}
