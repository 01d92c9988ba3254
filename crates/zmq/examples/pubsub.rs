//! A weather service and two listeners: `cargo run -p zmq --example pubsub`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    zmq::block_on(async {
        let context = zmq::Context::new();
        let service = zmq::Pub::new(&context);
        let endpoint = service.bind("tcp://127.0.0.1:0").await?;

        let listeners = ["weather.oslo", "weather."].map(|topic| {
            let listener = zmq::Sub::new(&context);
            (topic, listener)
        });
        for (topic, listener) in &listeners {
            listener.subscribe(topic)?;
            listener.connect(&endpoint)?;
        }

        // Whoever subscribes later misses what was sent before, so wait for both.
        service.subscribers(2).await?;
        service.send("weather.oslo: snow")?;
        service.send("weather.rome: sun")?;
        service.send("weather.end")?;

        let [(_, oslo), (_, everywhere)] = &listeners;
        say("oslo hears", &oslo.recv().await?);
        for _ in 0..3 {
            say("everywhere hears", &everywhere.recv().await?);
        }
        Ok(())
    })
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn say(what: &str, message: &zmq::Message) {
    println!("{what}: {}", message.first().escape_ascii());
}
