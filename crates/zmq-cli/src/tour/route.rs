//! ROUTER and DEALER.

use zmq::blocking::{Dealer, Router};
use zmq::{Context, RoutingId};

use super::place::Transport;
use super::story::Story;
use super::{PATIENCE, Stop, Trouble, ensure};

pub(super) const BY_NAME: Stop = Stop {
    name: "names",
    title: "Peers by name over inproc: one ROUTER, three DEALER",
    about: "The router knows who sent what and answers whom it likes; a name that nobody has is an error.",
    run: by_name,
};

fn by_name(story: &mut Story) -> Result<(), Trouble> {
    const NAMES: [&str; 3] = ["ann", "bob", "eve"];
    let context = Context::new();
    let router = Router::new(&context);
    let endpoint = router.bind(Transport::Inproc.endpoint())?;
    let mut dealers = Vec::new();
    for name in NAMES {
        let dealer = Dealer::options().routing_id(name).open(&context);
        dealer.connect(&endpoint)?;
        dealer.send_timeout(format!("{name} is here"), PATIENCE)?;
        dealers.push(dealer);
    }
    let mut met = Vec::new();
    for _ in NAMES {
        let (peer, message) = router.recv_timeout(PATIENCE)?;
        let name = String::from_utf8_lossy(peer.as_ref()).into_owned();
        let expected = format!("{name} is here");
        ensure(message.first() == expected.as_bytes(), || {
            format!("{name} said {message:?}")
        })?;
        met.push(name);
    }
    met.sort();
    ensure(met == NAMES, || format!("expected {NAMES:?}, met {met:?}"))?;
    story.tell(format_args!("the router met {}", met.join(", ")));
    router.send_to_timeout(&RoutingId::from("bob"), "for you alone", PATIENCE)?;
    let message = dealers[1].recv_timeout(PATIENCE)?;
    ensure(message.first() == b"for you alone", || {
        format!("bob got {message:?}")
    })?;
    let others = [&dealers[0], &dealers[2]]
        .iter()
        .filter(|dealer| dealer.try_recv().is_ok())
        .count();
    ensure(others == 0, || {
        "somebody else than bob got a message for bob".to_owned()
    })?;
    story.tell("a message for bob reached bob and nobody else");
    match router.try_send_to(&RoutingId::from("dan"), "are you there?") {
        Ok(()) => Err("a message for a peer that is not there was accepted".into()),
        Err(error) => {
            story.tell(format_args!("a message for dan came back: {error}"));
            Ok(())
        }
    }
}
