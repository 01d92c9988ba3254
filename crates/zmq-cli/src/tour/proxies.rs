//! Sockets in the middle.

use std::thread;

use zmq::blocking::{Dealer, Proxy, Pub, Rep, Req, Router, Sub, XPub, XSub};
use zmq::{Context, Frame, Message};

use super::place::Transport;
use super::story::Story;
use super::{PATIENCE, Stop, Trouble, ensure, joined};

pub(super) const BROKER: Stop = Stop {
    name: "broker",
    title: "A broker: REQ over tcp, ROUTER and DEALER in the middle, REP over ipc",
    about: "Clients and workers know only the broker, and speak different transports. Answers find their way back.",
    run: broker,
};

fn broker(story: &mut Story) -> Result<(), Trouble> {
    const CLIENTS: usize = 3;
    const WORKERS: usize = 2;
    const EACH: usize = 100;
    let middle = Context::new();
    let context = Context::new();
    let frontend = Router::new(&middle);
    let front = frontend.bind(Transport::Tcp.endpoint())?;
    let backend = Dealer::new(&middle);
    let back = backend.bind(Transport::Ipc.endpoint())?;
    let worked = thread::scope(|scope| {
        let proxy = Proxy::new(&frontend, &backend);
        let control = proxy.control();
        let passing = scope.spawn(move || -> Result<_, Trouble> { Ok(proxy.run()?) });
        let workers: Vec<_> = (0..WORKERS)
            .map(|_| scope.spawn(|| work(&context, back.as_str())))
            .collect();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (context, front) = (&context, &front);
                scope.spawn(move || ask(context, front.as_str(), client, EACH))
            })
            .collect();
        let asked: Result<Vec<()>, Trouble> = clients.into_iter().map(joined).collect();
        control.terminate();
        // Workers wait for requests that will not come.
        context.shutdown();
        let worked: Result<Vec<usize>, Trouble> = workers.into_iter().map(joined).collect();
        joined(passing)?;
        asked.and(worked)
    })?;
    let shares: Vec<String> = worked.iter().map(usize::to_string).collect();
    story.tell(format_args!(
        "{CLIENTS} clients asked {EACH} times each and got their own answers; {WORKERS} workers answered {}",
        shares.join(" + ")
    ));
    let sum: usize = worked.iter().sum();
    ensure(sum == CLIENTS * EACH, || {
        format!("expected {} answers, met {sum}", CLIENTS * EACH)
    })
}

fn ask(context: &Context, endpoint: &str, client: usize, count: usize) -> Result<(), Trouble> {
    let req = Req::new(context);
    req.connect(endpoint)?;
    for number in 0..count {
        let question = format!("{client}/{number}");
        let answer = req.request_timeout(question.as_str(), PATIENCE)?;
        ensure(answer.first() == question.as_bytes(), || {
            format!("{question} got {answer:?}")
        })?;
    }
    Ok(())
}

/// Answers until its context is shut down.
fn work(context: &Context, endpoint: &str) -> Result<usize, Trouble> {
    let rep = Rep::new(context);
    rep.connect(endpoint)?;
    let mut answered = 0;
    while let Ok(request) = rep.recv() {
        let (question, responder) = request.into_parts();
        responder.reply(question)?;
        answered += 1;
    }
    Ok(answered)
}

pub(super) const SUBSCRIPTIONS: Stop = Stop {
    name: "forwarder",
    title: "Subscriptions travel upstream: PUB over tcp, XSUB and XPUB in the middle, SUB over ipc",
    about: "A subscriber behind a proxy subscribes; the proxy asks the publisher for that topic and no other.",
    run: subscriptions,
};

fn subscriptions(story: &mut Story) -> Result<(), Trouble> {
    let middle = Context::new();
    let frontend = XSub::new(&middle);
    let front = frontend.bind(Transport::Tcp.endpoint())?;
    let backend = XPub::new(&middle);
    let back = backend.bind(Transport::Ipc.endpoint())?;
    thread::scope(|scope| {
        let proxy = Proxy::new(&frontend, &backend);
        let control = proxy.control();
        let passing = scope.spawn(move || -> Result<_, Trouble> { Ok(proxy.run()?) });
        let seen = forwarded(front.as_str(), back.as_str());
        control.terminate();
        joined(passing).and(seen)
    })
    .map(|received| {
        story.tell("the publisher saw the subscription arrive through the proxy");
        story.tell(format_args!(
            "two topics were published; the subscriber got: {received}"
        ));
    })
}

fn forwarded(front: &str, back: &str) -> Result<String, Trouble> {
    let context = Context::new();
    let publisher = Pub::new(&context);
    publisher.connect(front)?;
    let reader = Sub::new(&context);
    reader.subscribe("news.")?;
    reader.connect(back)?;
    publisher.subscribers_timeout(1, PATIENCE)?;
    for (topic, text) in [("noise.", "never seen"), ("news.", "seen")] {
        publisher.send(Message::from([Frame::from(topic), Frame::from(text)]))?;
    }
    let message = reader.recv_timeout(PATIENCE)?;
    ensure(message.first() == b"news.", || format!("met {message:?}"))?;
    let frames = message
        .frames()
        .iter()
        .map(|frame| String::from_utf8_lossy(frame));
    Ok(frames.collect::<Vec<_>>().join(" "))
}
