//! The built-in authenticator: places, users, keys, files that change, and closures.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use zmq::security::{Decision, Origin, QUESTIONS, WORKERS};
use zmq::{Authenticator, Certificate, Context, Pull, Push, Security, curve};

use crate::runtimes::{ipc_place, on_a_bare_loop, on_every_executor};
use crate::securing::{Error, Server, property};

fn origin(text: &str) -> Origin {
    text.parse().expect("an origin")
}

fn ann() -> Security {
    Security::plain_client("ann", "s3cret")
}

/// Lets in who knows Ann's password.
fn ann_only(authenticator: Authenticator) -> Security {
    Security::plain_server(authenticator.user("ann", "s3cret"))
}

/// A folder of its own for a test, gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Folder, Error> {
        let place = ipc_place();
        let path = PathBuf::from(place.trim_start_matches("ipc://"));
        std::fs::create_dir(&path)?;
        Ok(Folder(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn places_that_are_denied_stay_out_and_so_do_those_that_were_not_allowed() {
    on_every_executor(|| async {
        let context = Context::new();
        let new = Authenticator::new;
        for (auth, expected) in [
            (new(), true),
            (new().allow(origin("127.0.0.0/8")), true),
            (new().allow(origin("10.0.0.0/8")), false),
            (
                new().allow(origin("10.0.0.0/8")).allow(origin("127.0.0.1")),
                true,
            ),
            (new().deny(origin("127.0.0.1")), false),
            (new().deny(origin("127.0.0.2")), true),
            (
                new().allow(origin("0.0.0.0/0")).deny(origin("127.0.0.0/8")),
                false,
            ),
            (new().allow(origin("uid:0")).allow(origin("::/0")), false),
        ] {
            let printed = format!("{auth:?}");
            let server = Server::new(&context, ann_only(auth)).await?;
            assert_eq!(
                server.lets_in(&context, ann()).await?,
                expected,
                "{printed}"
            );
        }
        Ok(())
    });
}

#[test]
fn peers_without_any_proof_are_known_by_their_place_alone() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let new = Authenticator::new;
        for (auth, expected) in [
            (new(), false),
            (new().deny(origin("10.0.0.0/8")), false),
            (new().allow(origin("127.0.0.1")), true),
            (
                new().allow(origin("127.0.0.1")).deny(origin("127.0.0.1")),
                false,
            ),
        ] {
            let server = Server::new(&context, Security::null(auth)).await?;
            assert_eq!(server.lets_in(&context, Security::none()).await?, expected);
        }
        Ok(())
    });
}

#[test]
fn processes_of_this_machine_are_known_by_user_and_group() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let (uid, gid) = (rustix::process::getuid(), rustix::process::getgid());
        let (uid, gid) = (uid.as_raw(), gid.as_raw());
        for (ours, expected) in [
            (Origin::user(uid), true),
            (Origin::group(gid), true),
            (Origin::user(uid.wrapping_add(1)), false),
            (Origin::group(gid.wrapping_add(1)), false),
            (origin("0.0.0.0/0"), false),
        ] {
            let security = Security::null(Authenticator::new().allow(ours));
            let server = Server::at(&context, security, &ipc_place()).await?;
            assert_eq!(
                server.lets_in(&context, Security::none()).await?,
                expected,
                "{ours}"
            );
        }
        Ok(())
    });
}

#[test]
fn keys_of_the_list_come_in_under_the_name_they_were_given() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let keys = curve::generate()?;
        let server_key = keys.public();
        let (joe, banned) = (curve::generate()?, curve::generate()?);
        let auth = Authenticator::new()
            .any_key()
            .key_as(joe.public(), Decision::accept("joe").with("Role", "admin"))
            .key_as(banned.public(), Decision::deny("left the company"));
        let mut server = Server::new(&context, Security::curve_server(keys, auth)).await?;
        let message = server
            .hear(&context, Security::curve_client(server_key, joe))
            .await?;
        assert_eq!(property(&message, "User-Id"), "joe");
        assert_eq!(property(&message, "Role"), "admin");
        let client = Security::curve_client(server_key, banned);
        assert!(!server.lets_in(&context, client).await?);
        let met = server.refusal().await?.to_string();
        assert!(met.contains("left the company"), "{met}");
        Ok(())
    });
}

#[test]
fn a_peer_cannot_say_who_it_is_in_the_authenticators_place() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let auth = Authenticator::decide(|_| {
            Decision::accept("joe")
                .with("X-Role", "guest")
                .with("Peer-Address", "192.0.2.1")
        });
        let pull = Pull::options()
            .security(Security::null(auth))
            .open(&context);
        let endpoint = pull.bind("tcp://127.0.0.1:0").await?;
        let push = Push::options().property("X-Role", "admin").open(&context);
        push.connect(&endpoint)?;
        push.send("hello").await?;
        let message = pull.recv().await?;
        assert_eq!(property(&message, "User-Id"), "joe");
        assert_eq!(property(&message, "X-Role"), "guest");
        assert_eq!(property(&message, "Peer-Address"), "127.0.0.1");
        Ok(())
    });
}

#[test]
fn a_certificate_counts_from_the_next_handshake_on_and_no_longer_when_it_is_gone() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let folder = Folder::new()?;
        let keys = curve::generate()?;
        let server_key = keys.public();
        let auth = Authenticator::new().directory(folder.path());
        let server = Server::new(&context, Security::curve_server(keys, auth)).await?;
        let mut owner = Certificate::generate()?;
        owner.set("name", "Ann");
        let owner_keys = owner.keys().cloned().ok_or("both keys")?;
        let client = Security::curve_client(server_key, owner_keys);
        for _ in 0..100 {
            assert!(!server.lets_in(&context, client.clone()).await?);
            owner.save(folder.file("ann.key"))?;
            let message = server.hear(&context, client.clone()).await?;
            assert_eq!(property(&message, "User-Id"), owner.public_key().to_z85());
            assert_eq!(property(&message, "name"), "Ann");
            std::fs::remove_file(folder.file("ann.key"))?;
            std::fs::remove_file(folder.file("ann.key_secret"))?;
        }
        Ok(())
    });
}

#[test]
fn a_certificate_that_is_replaced_is_another_one_at_once() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let folder = Folder::new()?;
        let keys = curve::generate()?;
        let server_key = keys.public();
        let auth = Authenticator::new().directory(folder.path());
        let mut server = Server::new(&context, Security::curve_server(keys, auth)).await?;
        // Neither of them counts, whatever is in it.
        std::fs::write(folder.file("broken"), "no certificate")?;
        let path = folder.file("the-one");
        for round in 0..30 {
            let mut owner = Certificate::generate()?;
            owner.set("user-id", format!("user {round}"));
            let public = Certificate::of(owner.public_key());
            let mut public = public;
            public.set("user-id", format!("user {round}"));
            // As long as the one before, mostly within a tick of the system's clock, in the same file or in a new one.
            if round % 2 == 0 {
                public.replace(&path)?;
            } else {
                public.save(folder.file(".draft"))?;
                std::fs::write(&path, std::fs::read(folder.file(".draft"))?)?;
                std::fs::remove_file(folder.file(".draft"))?;
            }
            let owner_keys = owner.keys().cloned().ok_or("both keys")?;
            let client = Security::curve_client(server_key, owner_keys);
            let message = server.hear(&context, client).await?;
            assert_eq!(property(&message, "User-Id"), format!("user {round}"));
        }
        let stranger = Security::curve_client_anonymous(server_key);
        assert!(!server.lets_in(&context, stranger).await?);
        let met = server.refusal().await?.to_string();
        assert!(met.contains("not all can be read"), "{met}");
        Ok(())
    });
}

#[test]
fn a_file_of_passwords_counts_as_it_is_when_a_user_comes() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let folder = Folder::new()?;
        let path = folder.file("users");
        let auth = Authenticator::new().passwords(&path);
        let mut server = Server::new(&context, Security::plain_server(auth)).await?;
        assert!(!server.lets_in(&context, ann()).await?, "there is no file");
        let met = server.refusal().await?.to_string();
        assert!(met.contains("users"), "{met}");
        for _ in 0..30 {
            std::fs::write(&path, "# who\nann=s3cret\n")?;
            let message = server.hear(&context, ann()).await?;
            assert_eq!(property(&message, "User-Id"), "ann");
            std::fs::write(&path, "# who\nann=secret\n")?;
            assert!(!server.lets_in(&context, ann()).await?);
        }
        Ok(())
    });
}

#[test]
fn a_closure_decides_about_those_nobody_knows() {
    on_every_executor(|| async {
        let context = Context::new();
        let deciding = [
            Authenticator::ask(|peer| async move {
                // Something to wait for that another thread brings.
                let (told, hears) = async_channel();
                std::thread::spawn(move || told.tell(()));
                hears.await;
                assert_eq!(peer.address(), "127.0.0.1");
                assert_eq!(peer.domain(), b"test");
                match peer.name() {
                    Some(b"ann") if peer.has_password("s3cret") => Decision::accept("Ann"),
                    Some(b"bob") => panic!("out of my head"),
                    _ => Decision::deny("whoever you are"),
                }
            }),
            Authenticator::decide(|peer| match peer.name() {
                Some(b"ann") if peer.has_password("s3cret") => Decision::accept("Ann"),
                Some(b"bob") => panic!("out of my head"),
                _ => Decision::deny("whoever you are"),
            }),
        ];
        for auth in deciding {
            let auth = auth.user("carl", "known");
            let security = Security::plain_server(auth).zap_domain("test");
            let mut server = Server::new(&context, security).await?;
            // One who panics ends nothing but itself.
            for (client, why) in [
                ("dora", "whoever you are"),
                ("bob", "panicked"),
                ("bob", "panicked"),
            ] {
                let client = Security::plain_client(client, "s3cret");
                assert!(!server.lets_in(&context, client).await?);
                let met = server.refusal().await?.to_string();
                assert!(met.contains(why), "{met}");
            }
            let message = server.hear(&context, ann()).await?;
            assert_eq!(property(&message, "User-Id"), "Ann");
            let message = server
                .hear(&context, Security::plain_client("carl", "known"))
                .await?;
            assert_eq!(property(&message, "User-Id"), "carl");
        }
        Ok(())
    });
}

/// A channel for one value, that a future waits on.
fn async_channel<T: Send>() -> (Teller<T>, impl Future<Output = T> + Send) {
    let state: Arc<Mutex<(Option<T>, Option<std::task::Waker>)>> = Arc::default();
    let told = Teller(Arc::clone(&state));
    let hears = std::future::poll_fn(move |cx| {
        let mut state = state.lock().expect("no panic");
        match state.0.take() {
            Some(value) => std::task::Poll::Ready(value),
            None => {
                state.1 = Some(cx.waker().clone());
                std::task::Poll::Pending
            }
        }
    });
    (told, hears)
}

struct Teller<T>(Arc<Mutex<(Option<T>, Option<std::task::Waker>)>>);

impl<T> Teller<T> {
    fn tell(self, value: T) {
        let mut state = self.0.lock().expect("no panic");
        state.0 = Some(value);
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
    }
}

#[test]
fn a_slow_closure_delays_nobody_it_was_not_asked_about() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let (release, held) = mpsc::channel::<()>();
        let held = Mutex::new(held);
        let (asked, is_asked) = mpsc::channel();
        let slow = Authenticator::decide(move |peer| {
            if peer.name() == Some(b"slow") {
                let _ = asked.send(());
                let _ = held.lock().expect("no panic").recv();
            }
            true
        });
        let slow = Server::new(&context, Security::plain_server(slow)).await?;
        let waits = Push::options()
            .security(Security::plain_client("slow", ""))
            .open(&context);
        waits.connect(&slow.endpoint)?;
        is_asked.recv()?;
        // Another of the same server, another server, and a plain one.
        slow.hear(&context, ann()).await?;
        let quick = Server::new(&context, ann_only(Authenticator::new())).await?;
        quick.hear(&context, ann()).await?;
        let open = Server::new(&context, Security::none()).await?;
        open.hear(&context, Security::none()).await?;
        assert_eq!(waits.peers().iter().filter(|peer| peer.ready).count(), 0);
        release.send(())?;
        waits.ready(1).await?;
        Ok(())
    });
}

#[test]
fn more_closures_than_may_be_under_way_wait_for_their_turn() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counted, peak) = (Arc::clone(&now), Arc::clone(&most));
        let auth = Authenticator::decide(move |_| {
            peak.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            counted.fetch_sub(1, Ordering::SeqCst);
            true
        });
        let server = Server::new(&context, Security::null(auth)).await?;
        let clients: Vec<Push> = (0..10 * WORKERS).map(|_| Push::new(&context)).collect();
        for client in &clients {
            client.connect(&server.endpoint)?;
        }
        for client in &clients {
            client.ready_timeout(1, Duration::from_secs(30)).await?;
        }
        assert!(most.load(Ordering::SeqCst) <= WORKERS);
        assert!(QUESTIONS >= clients.len());
        Ok(())
    });
}

#[test]
fn a_future_is_dropped_with_the_sockets_that_ask() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let (dropped, is_dropped) = mpsc::channel::<()>();
        let (asked, is_asked) = mpsc::channel();
        let auth = Authenticator::ask(move |_| {
            let (dropped, asked) = (dropped.clone(), asked.clone());
            async move {
                let _held = OnDrop(dropped);
                let _ = asked.send(());
                std::future::pending::<bool>().await
            }
        });
        let server = Server::new(&context, Security::null(auth)).await?;
        let push = Push::new(&context);
        push.connect(&server.endpoint)?;
        is_asked.recv()?;
        server.pull.close().await;
        is_dropped.recv_timeout(Duration::from_secs(30))?;
        Ok(())
    });
}

struct OnDrop(mpsc::Sender<()>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[test]
fn who_says_too_much_about_a_peer_lets_nobody_in() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        for decision in [
            Decision::accept(vec![b'x'; 256]),
            Decision::accept("joe").with("", "no name"),
            Decision::accept("joe").with(&"x".repeat(256), ""),
            Decision::accept("joe").with("Name", vec![b'x'; 64 * 1024]),
        ] {
            let auth = Authenticator::decide(move |_| decision.clone());
            let mut server = Server::new(&context, Security::null(auth)).await?;
            assert!(!server.lets_in(&context, Security::none()).await?);
            let met = server.refusal().await?.to_string();
            assert!(met.contains("more about the peer than"), "{met}");
        }
        Ok(())
    });
}
