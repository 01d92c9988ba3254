//! Each pattern does what it is for, over each transport and on each executor.

use zmq::{
    Context, Dealer, Message, Pair, Pub, Pull, Push, Rep, Req, Router, RoutingId, Sub, XPub,
    XPubEvent, XSub,
};

use crate::runtimes::{Outcome, endpoints, ipc_place, on_every_executor};

fn parts(frames: [&str; 2]) -> Message {
    frames.into_iter().collect()
}

#[test]
fn push_hands_work_to_pull() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            let (push, pull) = (Push::new(&context), Pull::new(&context));
            let endpoint = pull.bind(&place).await?;
            push.connect(&endpoint)?;
            for number in 0..500_u32 {
                push.send(number.to_be_bytes()).await?;
                push.send(parts(["two", "frames"])).await?;
            }
            for number in 0..500_u32 {
                assert_eq!(pull.recv().await?, Message::from(number.to_be_bytes()));
                assert_eq!(pull.recv().await?, parts(["two", "frames"]));
            }
        }
        Ok(())
    });
}

#[test]
fn connect_may_come_before_bind() {
    on_every_executor(|| async {
        let context = Context::new();
        let (push, pull) = (Push::new(&context), Pull::new(&context));
        push.connect("inproc://later")?;
        push.send("early").await?;
        pull.bind("inproc://later").await?;
        assert_eq!(pull.recv().await?, Message::from("early"));

        let endpoint = ipc_place();
        let push = Push::new(&context);
        push.connect(&endpoint)?;
        push.send("early").await?;
        let pull = Pull::new(&context);
        pull.bind(&endpoint).await?;
        assert_eq!(pull.recv().await?, Message::from("early"));
        Ok(())
    });
}

#[test]
fn push_serves_its_peers_in_turn() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            let push = Push::new(&context);
            let endpoint = push.bind(&place).await?;
            let pulls = [Pull::new(&context), Pull::new(&context)];
            for pull in &pulls {
                pull.connect(&endpoint)?;
            }
            push.ready(2).await?;
            for _ in 0..10 {
                push.send("x").await?;
            }
            for pull in &pulls {
                for _ in 0..5 {
                    pull.recv().await?;
                }
            }
        }
        Ok(())
    });
}

#[test]
fn pair_talks_both_ways() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            let (left, right) = (Pair::new(&context), Pair::new(&context));
            let endpoint = left.bind(&place).await?;
            right.connect(&endpoint)?;
            right.send("from right").await?;
            left.send("from left").await?;
            assert_eq!(left.recv().await?, Message::from("from right"));
            assert_eq!(right.recv().await?, Message::from("from left"));
        }
        Ok(())
    });
}

#[test]
fn pub_reaches_those_who_subscribed() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            let publisher = Pub::new(&context);
            let endpoint = publisher.bind(&place).await?;
            let (all, some) = (Sub::new(&context), Sub::new(&context));
            for (subscriber, topic) in [(&all, ""), (&some, "b")] {
                subscriber.connect(&endpoint)?;
                subscriber.subscribe(topic)?;
            }
            publisher.subscribers(2).await?;
            for text in ["a1", "b1", "a2", "b2"] {
                publisher.send(text)?;
            }
            for text in ["a1", "b1", "a2", "b2"] {
                assert_eq!(all.recv().await?, Message::from(text));
            }
            for text in ["b1", "b2"] {
                assert_eq!(some.recv().await?, Message::from(text));
            }
            assert!(some.try_recv().is_err_and(|error| error.is_would_block()));
        }
        Ok(())
    });
}

#[test]
fn xpub_sees_subscriptions_come_and_go() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            let (publisher, subscriber) = (XPub::new(&context), XSub::new(&context));
            let endpoint = publisher.bind(&place).await?;
            subscriber.connect(&endpoint)?;
            subscriber.subscribe("topic")?;
            let topic = || "topic".into();
            assert_eq!(publisher.recv().await?, XPubEvent::Subscribed(topic()));
            publisher.send("topic: news")?;
            assert_eq!(subscriber.recv().await?, Message::from("topic: news"));
            subscriber.send("upstream")?;
            assert_eq!(
                publisher.recv().await?,
                XPubEvent::Message(Message::from("upstream"))
            );
            subscriber.unsubscribe("topic")?;
            assert_eq!(publisher.recv().await?, XPubEvent::Unsubscribed(topic()));
        }
        Ok(())
    });
}

#[test]
fn rep_answers_req() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            let (req, rep) = (Req::new(&context), Rep::new(&context));
            let endpoint = rep.bind(&place).await?;
            req.connect(&endpoint)?;
            let server = async {
                for _ in 0..100 {
                    let (message, responder) = rep.recv().await?.into_parts();
                    responder.reply(message)?;
                }
                Outcome::Ok(())
            };
            let client = async {
                for number in 0..100_u32 {
                    let reply = req.request(number.to_be_bytes()).await?;
                    assert_eq!(reply, Message::from(number.to_be_bytes()));
                }
                Outcome::Ok(())
            };
            futures_lite::future::try_zip(
                async { server.await.map_err(|error| error.to_string()) },
                async { client.await.map_err(|error| error.to_string()) },
            )
            .await?;
        }
        Ok(())
    });
}

#[test]
fn router_knows_its_peers_by_name() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            let router = Router::new(&context);
            let endpoint = router.bind(&place).await?;
            let names = ["anna", "bert"];
            let dealers = names.map(|name| Dealer::options().routing_id(name).open(&context));
            for dealer in &dealers {
                dealer.connect(&endpoint)?;
            }
            router.ready(2).await?;
            for name in names {
                router
                    .send_to(&name.into(), format!("hello {name}"))
                    .await?;
            }
            for (dealer, name) in dealers.iter().zip(names) {
                assert_eq!(dealer.recv().await?, Message::from(format!("hello {name}")));
                dealer.send("hello router").await?;
                let (peer, message) = router.recv().await?;
                assert_eq!(peer, RoutingId::from(name));
                assert_eq!(message, Message::from("hello router"));
            }
        }
        Ok(())
    });
}

#[test]
fn router_says_what_it_cannot_route() {
    on_every_executor(|| async {
        let context = Context::new();
        let router = Router::new(&context);
        router.bind("tcp://127.0.0.1:0").await?;
        let error = router
            .send_to(&"nobody".into(), parts(["a", "b"]))
            .await
            .expect_err("nobody is there");
        assert!(matches!(error.reason(), zmq::SendFailure::Unroutable));
        assert_eq!(error.into_message(), parts(["a", "b"]));
        Ok(())
    });
}

#[test]
fn router_can_name_the_peer_it_connects_to() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            let (left, right) = (Router::new(&context), Router::new(&context));
            let endpoint = right.bind(&place).await?;
            let name = RoutingId::from("the right one");
            left.connect_as(&endpoint, &name)?;
            left.send_to(&name, "hello").await?;
            let (peer, message) = right.recv().await?;
            assert_eq!(message, Message::from("hello"));
            right.send_to(&peer, "hello yourself").await?;
            assert_eq!(left.recv().await?, (name, Message::from("hello yourself")));
        }
        Ok(())
    });
}
