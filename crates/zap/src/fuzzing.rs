//! What must hold for any octets at all; called by the fuzz target.

use crate::{Envelope, Reply, Request, Status};
use alloc::vec::Vec;
use zmtp_wire::{Frame, Message, Verdict};

/// Frames of any content, cut by length octets, read in every way: what is read comes back the same when written, and only status 200 lets
/// in.
pub fn zap(data: &[u8]) {
    let (mut frames, mut rest) = (Vec::new(), data);
    while let Some((length, behind)) = rest.split_first() {
        let (body, behind) = behind.split_at(behind.len().min(usize::from(*length)));
        frames.push(Frame::from(body));
        rest = behind;
    }
    if let Ok(request) = Request::parse(&frames) {
        assert_eq!(request.to_message().frames(), frames);
    }
    let id = frames.get(1).cloned().unwrap_or_default();
    if let Ok(reply) = Reply::parse(&frames, &id) {
        let written = reply.to_message();
        let again = Reply::parse(written.frames(), &id);
        let success = frames.get(2).is_some_and(|status| *status == "200");
        assert_eq!(success, reply.status == Status::Success);
        if success {
            assert_eq!(again.as_ref(), Ok(&reply));
            assert_eq!(written.frames(), frames);
        }
        assert_eq!(success, matches!(reply.into_verdict(), Verdict::Accept(_)));
    }
    if frames.is_empty() {
        return;
    }
    let message = Message::from(frames);
    let delimited = Reply::parse_delimited(message.frames(), &id).is_ok();
    if let Some((envelope, content)) = Envelope::split(&message) {
        let content = content.to_vec();
        assert!(!delimited || content.len() == 6);
        if !content.is_empty() {
            assert_eq!(envelope.wrap(content.into()), message);
        }
    } else {
        assert!(!delimited);
    }
}
