//! A server on a thread of its own and a client that gives up in time: `cargo run -p zmq --example request`.

use std::time::Duration;

use zmq::blocking::{Rep, Req};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let context = zmq::Context::new();
    let rep = Rep::new(&context);
    let endpoint = rep.bind("tcp://127.0.0.1:0")?;
    let server = std::thread::spawn(move || {
        // Ends when the context is shut down.
        while let Ok(request) = rep.recv() {
            if *request.message() == zmq::Message::from("silence") {
                continue; // a request that is dropped is not answered
            }
            let mut reply = b"re: ".to_vec();
            reply.extend_from_slice(request.message().first());
            if request.reply(reply).is_err() {
                break;
            }
        }
    });

    let req = Req::new(&context);
    req.connect(&endpoint)?;
    let soon = Duration::from_secs(5);
    say("answer", &req.request_timeout("first", soon)?);
    let Err(error) = req.request_timeout("silence", Duration::from_millis(50)) else {
        return Err("there is no answer to that".into());
    };
    say("as expected", &zmq::Message::from(error.to_string()));
    say("answer", &req.request_timeout("second", soon)?);

    context.shutdown();
    server.join().map_err(|_| "the server has panicked")?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn say(what: &str, message: &zmq::Message) {
    println!("{what}: {}", message.first().escape_ascii());
}
