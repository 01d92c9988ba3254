//! Monitors, snapshots and numbers.

use futures_lite::StreamExt;
use zmq::monitor::{CloseReason, Happening};
use zmq::{Context, Pull, Push, SocketType, blocking};

use crate::runtimes::{on_every_executor, within_patience};

#[test]
fn a_monitor_tells_the_story_of_a_connection() {
    on_every_executor(|| async {
        let context = Context::new();
        let (push, pull) = (Push::new(&context), Pull::new(&context));
        let (mut ours, mut theirs) = (push.monitor()?, pull.monitor()?);
        let endpoint = pull.bind("tcp://127.0.0.1:0").await?;
        push.connect(&endpoint)?;
        push.ready(1).await?;
        pull.ready(1).await?;
        pull.close().await;

        let mut met = Vec::new();
        loop {
            let event = ours.next().await.ok_or("the socket lives")?;
            assert_eq!(event.endpoint, endpoint.as_str());
            let closed = matches!(event.what, Happening::Closed { .. });
            met.push(event.what);
            if closed {
                break;
            }
        }
        assert!(matches!(met[0], Happening::Connecting), "{met:?}");
        assert!(matches!(met[1], Happening::Connected { .. }), "{met:?}");
        let Happening::Ready { socket_type, .. } = met[2] else {
            panic!("{met:?}");
        };
        assert_eq!(socket_type, Some(SocketType::Pull));
        assert!(
            matches!(
                &met[3],
                Happening::Closed {
                    reason: CloseReason::ByPeer | CloseReason::Io { .. },
                    was_ready: true,
                    ..
                }
            ),
            "{met:?}"
        );
        let mut listened = false;
        // A stream that ends with its socket.
        while let Some(event) = StreamExt::next(&mut theirs).await {
            listened |= matches!(event.what, Happening::Listening { .. });
        }
        assert!(listened);
        Ok(())
    });
}

#[test]
fn a_thread_can_wait_for_events_too() {
    within_patience("threads", || {
        let context = Context::new();
        let pull = blocking::Pull::new(&context);
        let mut monitor = pull.monitor()?;
        assert!(monitor.try_next().is_none());
        pull.bind("tcp://127.0.0.1:0")?;
        let event = monitor.next().ok_or("the socket lives")?;
        assert!(matches!(event.what, Happening::Listening { .. }));
        pull.close();
        assert!(
            monitor.any(|event| matches!(event.what, Happening::StoppedListening { .. })),
            "and then it ends"
        );
        Ok(())
    });
}

#[test]
fn snapshots_and_counters_add_up() {
    on_every_executor(|| async {
        let context = Context::new();
        let (push, pull) = (Push::new(&context), Pull::new(&context));
        let endpoint = pull.bind("tcp://127.0.0.1:0").await?;
        push.connect(&endpoint)?;
        push.ready(1).await?;
        let peers = push.peers();
        assert_eq!(peers.len(), 1);
        assert!(peers[0].ready);
        assert_eq!(peers[0].endpoint, endpoint.as_str());
        assert_eq!(peers[0].socket_type, Some(SocketType::Pull));
        for _ in 0..10 {
            push.send("x").await?;
            pull.recv().await?;
        }
        assert_eq!(push.counters().accepted, 10);
        assert_eq!(pull.counters().delivered, 10);
        assert!(push.counters().losses().is_empty());
        Ok(())
    });
}
