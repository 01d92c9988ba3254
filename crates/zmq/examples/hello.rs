//! Two sockets in one program: `cargo run -p zmq --example hello`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    zmq::block_on(async {
        let context = zmq::Context::new();
        let (left, right) = (zmq::Pair::new(&context), zmq::Pair::new(&context));
        let endpoint = left.bind("tcp://127.0.0.1:0").await?;
        right.connect(&endpoint)?;

        right.send("hello").await?;
        say("left received", &left.recv().await?);
        left.send("hello yourself").await?;
        say("right received", &right.recv().await?);

        // Closing tells whether everything has left; dropping would do the rest in the background.
        let report = left.close().await;
        assert_eq!(report.unsent, 0);
        Ok(())
    })
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn say(what: &str, message: &zmq::Message) {
    println!("{what}: {}", message.first().escape_ascii());
}
