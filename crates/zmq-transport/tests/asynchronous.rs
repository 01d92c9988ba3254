//! The async surface, over sockets and over an application's own transports.
#![cfg(feature = "async")]

#[path = "support/memory.rs"]
mod memory;
mod support;

use std::io;
use std::pin::pin;
use std::sync::Arc;

use futures_lite::future::{block_on, poll_once, zip};
use futures_lite::io::{AsyncReadExt, AsyncWriteExt};
use memory::{Memory, ROOM};
use support::{Scratch, failure};
use zmq_transport::asynchronous::{AsyncStream, bind, bind_with, connect, connect_with};
use zmq_transport::{Registry, StreamOptions};

fn registry() -> Registry {
    let mut registry = Registry::standard();
    registry.register(Arc::new(Memory::of_octets())).unwrap();
    registry.register(Arc::new(Memory::of_units())).unwrap();
    registry
}

/// Sends more than fits and takes it back, both ends at work at once.
async fn exchange(near: &mut AsyncStream, far: &mut AsyncStream, octets: usize) {
    let sent: Vec<u8> = (0..octets).map(|index| index as u8).collect();
    let mut received = vec![0; octets];
    let (written, read) = zip(near.write_all(&sent), far.read_exact(&mut received)).await;
    written.unwrap();
    read.unwrap();
    assert_eq!(sent, received);
}

#[test]
fn octets_cross_every_transport_that_carries_octets() {
    let scratch = Scratch::new("async");
    let (registry, options) = (registry(), StreamOptions::default());
    let path = format!("ipc://{}", scratch.path("s"));
    for (endpoint, octets) in [
        ("tcp://127.0.0.1:*", 4 << 20),
        (path.as_str(), 4 << 20),
        ("memory://a", 50 * ROOM),
    ] {
        block_on(async {
            let mut listener = bind_with(&registry, endpoint, &options).await.unwrap();
            let target = listener.endpoint().to_owned();
            let (near, far) = zip(
                connect_with(&registry, &target, &options),
                listener.accept(),
            )
            .await;
            let (mut near, mut far) = (
                near.unwrap().into_stream().unwrap(),
                far.unwrap().into_stream().unwrap(),
            );
            assert_eq!(near.remote_endpoint(), target);
            exchange(&mut near, &mut far, octets).await;
            exchange(&mut far, &mut near, octets).await;
            drop(near);
            assert_eq!(far.read(&mut [0; 1]).await.unwrap(), 0);
        });
    }
}

#[test]
fn whole_units_cross_a_transport_that_carries_units() {
    let (registry, options) = (registry(), StreamOptions::default());
    block_on(async {
        let mut listener = bind_with(&registry, "units://a", &options).await.unwrap();
        let near = connect_with(&registry, "units://a", &options)
            .await
            .unwrap();
        let (mut near, mut far) = (
            near.into_framed().unwrap(),
            listener.accept().await.unwrap().into_framed().unwrap(),
        );
        let units: Vec<Vec<u8>> = (0..10 * ROOM).map(|index| vec![0; index]).collect();
        let send = async {
            for unit in &units {
                near.transmit(unit).await.unwrap();
            }
        };
        let receive = async {
            for unit in &units {
                assert_eq!(&far.receive().await.unwrap(), unit);
            }
        };
        zip(send, receive).await;
        drop(near);
        assert_eq!(
            failure(far.receive().await).kind(),
            io::ErrorKind::UnexpectedEof
        );

        let framed = connect_with(&registry, "units://a", &options)
            .await
            .unwrap();
        assert_eq!(
            failure(framed.into_stream()).kind(),
            io::ErrorKind::Unsupported
        );
    });
}

#[test]
fn all_targets_of_a_name_are_tried() {
    let (registry, options) = (registry(), StreamOptions::default());
    block_on(async {
        let _listener = bind_with(&registry, "memory://somebody", &options)
            .await
            .unwrap();
        let stream = connect_with(&registry, "memory://both", &options)
            .await
            .unwrap()
            .into_stream()
            .unwrap();
        assert_eq!(stream.remote_endpoint(), "memory://somebody");
        let refused = connect_with(&registry, "memory://nobody", &options).await;
        assert_eq!(failure(refused).kind(), io::ErrorKind::ConnectionRefused);
    });
}

#[test]
fn bad_endpoints_fail_with_the_kind_of_their_fault() {
    block_on(async {
        assert_eq!(
            failure(connect("tcp://127.0.0.1").await).kind(),
            io::ErrorKind::InvalidInput
        );
        assert_eq!(
            failure(connect("no://127.0.0.1").await).kind(),
            io::ErrorKind::Unsupported
        );
        assert_eq!(
            failure(bind("nothing").await).kind(),
            io::ErrorKind::InvalidInput
        );
    });
}

#[test]
fn an_abandoned_accept_loses_no_connection() {
    block_on(async {
        let mut listener = bind("tcp://127.0.0.1:*").await.unwrap();
        {
            let mut abandoned = pin!(listener.accept());
            assert!(poll_once(&mut abandoned).await.is_none());
        }
        let near = connect(listener.endpoint()).await.unwrap();
        let far = listener.accept().await.unwrap().into_stream().unwrap();
        assert_eq!(far.remote_endpoint(), near.local_endpoint());
    });
}

#[test]
fn streams_of_async_net_are_taken_over_and_traits_of_the_futures_crates_are_served() {
    block_on(async {
        let mut listener = bind("tcp://127.0.0.1:*").await.unwrap();
        let address = listener.endpoint().trim_start_matches("tcp://").to_owned();
        let made = async_net::TcpStream::connect(address).await.unwrap();
        let mut near = AsyncStream::try_from(made).unwrap();
        assert_eq!(near.remote_endpoint(), listener.endpoint());
        assert_eq!(near.peer_address(), "127.0.0.1");
        let mut far = listener.accept().await.unwrap().into_stream().unwrap();
        AsyncWriteExt::write_all(&mut near, b"hello").await.unwrap();
        near.close().await.unwrap();
        drop(near);
        let mut received = String::new();
        far.read_to_string(&mut received).await.unwrap();
        assert_eq!(received, "hello");
    });
}

#[test]
fn a_pending_read_is_woken_by_a_source_without_descriptor() {
    let (registry, options) = (registry(), StreamOptions::default());
    block_on(async {
        let mut listener = bind_with(&registry, "memory://a", &options).await.unwrap();
        let mut near = connect_with(&registry, "memory://a", &options)
            .await
            .unwrap()
            .into_stream()
            .unwrap();
        let mut far = listener.accept().await.unwrap().into_stream().unwrap();
        let mut buffer = [0; 1];
        let writer = {
            let mut reading = pin!(far.read(&mut buffer));
            assert!(
                poll_once(&mut reading).await.is_none(),
                "nothing is there yet"
            );
            let writer = std::thread::spawn(move || {
                block_on(async move { near.write(b"x").await.map(|_| near) })
            });
            assert_eq!(reading.await.unwrap(), 1);
            writer
        };
        writer.join().unwrap().unwrap();
        assert_eq!(&buffer, b"x");
    });
}
