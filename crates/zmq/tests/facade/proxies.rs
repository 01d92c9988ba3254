//! Go-betweens.

use futures_lite::future::{self, FutureExt};
use zmq::{
    Context, Dealer, Message, Proxy, ProxyError, Pull, Push, Rep, Req, Router, Sub, XPub, XSub,
    blocking,
};

use crate::runtimes::{Outcome, on_every_executor, within_patience};

#[test]
fn a_proxy_carries_requests_and_replies() {
    on_every_executor(|| async {
        let context = Context::new();
        let (front, back) = (Router::new(&context), Dealer::new(&context));
        let (req, rep) = (Req::new(&context), Rep::new(&context));
        req.connect(front.bind("tcp://127.0.0.1:0").await?)?;
        rep.connect(back.bind("tcp://127.0.0.1:0").await?)?;
        let serving = async {
            loop {
                let (message, responder) = rep.recv().await?.into_parts();
                responder.reply(message)?;
            }
        };
        let passing = async {
            zmq::proxy(&front, &back).await?;
            Outcome::Ok(())
        };
        let asking = async {
            for number in 0..200_u32 {
                let reply = req.request(number.to_be_bytes()).await?;
                assert_eq!(reply, Message::from(number.to_be_bytes()));
            }
            Ok(())
        };
        asking.or(passing).or(serving).await
    });
}

#[test]
fn a_proxy_carries_subscriptions_up_and_publications_down() {
    on_every_executor(|| async {
        let context = Context::new();
        let (front, back) = (XSub::new(&context), XPub::new(&context));
        let publisher = zmq::Pub::new(&context);
        let subscriber = Sub::new(&context);
        publisher.connect(front.bind("tcp://127.0.0.1:0").await?)?;
        subscriber.connect(back.bind("tcp://127.0.0.1:0").await?)?;
        subscriber.subscribe("b")?;
        let passing = async {
            zmq::proxy(&front, &back).await?;
            Outcome::Ok(())
        };
        let using = async {
            publisher.subscribers(1).await?;
            publisher.send("a")?;
            publisher.send("b")?;
            assert_eq!(subscriber.recv().await?, Message::from("b"));
            Ok(())
        };
        using.or(passing).await
    });
}

#[test]
fn a_proxy_can_be_paused_copied_from_and_ended() {
    on_every_executor(|| async {
        let context = Context::new();
        let (front, back) = (Pull::new(&context), Push::new(&context));
        let (tap, copies) = (Push::new(&context), Pull::new(&context));
        let (push, pull) = (Push::new(&context), Pull::new(&context));
        push.connect(front.bind("tcp://127.0.0.1:0").await?)?;
        pull.connect(back.bind("tcp://127.0.0.1:0").await?)?;
        tap.connect(copies.bind("tcp://127.0.0.1:0").await?)?;
        let proxy = Proxy::new(&front, &back).capture(&tap);
        let control = proxy.control();
        let steering = async {
            push.send("first").await?;
            assert_eq!(pull.recv().await?, Message::from("first"));
            control.pause();
            push.send("second").await?;
            assert!(pull.try_recv().is_err());
            assert_eq!(control.statistics().front_to_back.messages, 1);
            control.resume();
            assert_eq!(pull.recv().await?, Message::from("second"));
            assert_eq!(copies.recv().await?, Message::from("first"));
            assert_eq!(copies.recv().await?, Message::from("second"));
            control.terminate();
            Outcome::Ok(())
        };
        let (ran, steered) = future::zip(proxy.run(), steering).await;
        steered?;
        let statistics = ran?;
        assert_eq!(statistics.front_to_back.messages, 2);
        assert_eq!(statistics.front_to_back.octets, 11);
        assert_eq!(statistics.back_to_front.messages, 0);
        Ok(())
    });
}

#[test]
fn a_proxy_holds_back_what_the_other_side_has_no_room_for() {
    on_every_executor(|| async {
        let context = Context::new();
        let front = Pull::options().recv_hwm(2).open(&context);
        let back = Push::options().send_hwm(2).open(&context);
        let push = Push::options().send_hwm(2).open(&context);
        let pull = Pull::options().recv_hwm(2).open(&context);
        push.connect(front.bind("inproc://tight-front").await?)?;
        pull.connect(back.bind("inproc://tight-back").await?)?;
        let proxy = Proxy::new(&front, &back);
        let control = proxy.control();
        let sending = async {
            for number in 0..1_000_u32 {
                push.send(number.to_be_bytes()).await?;
            }
            Outcome::Ok(())
        };
        let receiving = async {
            for number in 0..1_000_u32 {
                assert_eq!(pull.recv().await?, Message::from(number.to_be_bytes()));
            }
            control.terminate();
            Outcome::Ok(())
        };
        let (ran, (sent, received)) =
            future::zip(proxy.run(), future::zip(sending, receiving)).await;
        ran?;
        sent.and(received)
    });
}

#[test]
fn a_proxy_on_a_thread_does_the_same_and_ends_when_told() {
    within_patience("threads", || {
        let context = Context::new();
        let (front, back) = (
            blocking::Router::new(&context),
            blocking::Dealer::new(&context),
        );
        let (req, rep) = (blocking::Req::new(&context), blocking::Rep::new(&context));
        req.connect(front.bind("tcp://127.0.0.1:0")?)?;
        rep.connect(back.bind("tcp://127.0.0.1:0")?)?;
        let proxy = blocking::Proxy::new(&front, &back);
        let control = proxy.control();
        std::thread::scope(|scope| {
            let running = scope.spawn(|| proxy.run().map_err(|error| error.to_string()));
            scope.spawn(|| {
                for _ in 0..100 {
                    let (message, responder) = rep.recv().expect("a request").into_parts();
                    responder.reply(message).expect("the context lives");
                }
            });
            for number in 0..100_u32 {
                let reply = req.request(number.to_be_bytes()).expect("a reply");
                assert_eq!(reply, Message::from(number.to_be_bytes()));
            }
            control.pause();
            control.terminate();
            let statistics = running.join().expect("no panic").expect("ended as told");
            assert_eq!(statistics.front_to_back.messages, 100);
            assert_eq!(statistics.back_to_front.messages, 100);
        });
        Ok(())
    });
}

#[test]
fn a_proxy_ends_with_the_context() {
    within_patience("threads", || {
        let context = Context::new();
        let (front, back) = (blocking::Pull::new(&context), blocking::Push::new(&context));
        front.bind("inproc://front")?;
        back.bind("inproc://back")?;
        std::thread::scope(|scope| {
            let running = scope.spawn(|| blocking::proxy(&front, &back));
            context.shutdown();
            let error = running.join().expect("no panic").expect_err("not told to");
            assert!(matches!(error, ProxyError::Recv(_)), "{error}");
        });
        Ok(())
    });
}
