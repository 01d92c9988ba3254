//! Handlers that fail those who wait for their answer.

use std::time::Duration;

use zmq_engine::zap::ReplyError;
use zmq_engine::{
    CloseReason, Happening, MonitorItem, Security, SocketOption, SocketType, Unasked,
};
use zmq_testkit::script::TcpPeer;

use crate::hall::{hall, plain};
use crate::support::{PATIENCE, open};

#[test]
fn a_dead_handler_costs_its_peers_their_time_and_nobody_else() {
    let hall = hall(Security::plain_server(), Duration::from_millis(300));
    let mut strangers: Vec<TcpPeer> = (0..20).map(|_| hall.asking()).collect();
    for _ in 0..20 {
        hall.assert_unharmed_so_far();
    }
    for _ in 0..20 {
        let reason = hall.ends();
        assert!(matches!(reason, CloseReason::Stalled { .. }), "{reason:?}");
    }
    strangers.iter_mut().for_each(|one| drop(one.until_end()));
    hall.assert_unharmed();
}

#[test]
fn a_handler_whose_queue_is_full_is_not_asked() {
    // Its mark of 1000, and the 1024 questions of the asking side.
    refuses_to_ask(Some(1000));
}

#[test]
fn a_handler_without_a_mark_has_one_for_questions() {
    refuses_to_ask(None);
}

fn refuses_to_ask(mark: Option<u32>) {
    let hall = hall(Security::plain_server(), PATIENCE);
    hall.handler.set(SocketOption::RecvHwm(mark)).unwrap();
    let mut busy = None;
    let mut strangers = Vec::new();
    zmq_testkit::process::raise_descriptor_limit();
    for _ in 0..5_000 {
        strangers.push(hall.asking());
        if let MonitorItem::Event(event) = hall.monitor.try_next()
            && let Happening::Closed { reason, .. } = event.what
        {
            busy = Some(reason);
            break;
        }
    }
    let reason = busy.unwrap_or_else(|| hall.ends());
    assert_eq!(reason, CloseReason::Unasked(Unasked::HandlerBusy));
    hall.assert_unharmed();
}

#[test]
fn a_late_answer_lets_nobody_in() {
    let hall = hall(Security::plain_server(), Duration::from_millis(200));
    let mut stranger = hall.asking();
    let late = hall.asked();
    let reason = hall.ends();
    assert!(matches!(reason, CloseReason::Stalled { .. }), "{reason:?}");
    stranger.until_end();
    let _second = hall.asking();
    let question = hall.asked();
    hall.answer(&late, late.number, "200");
    hall.answer(&question, question.number, "400");
    let reason = hall.ends();
    assert!(
        matches!(reason, CloseReason::Denied { status: 400, .. }),
        "{reason:?}"
    );
    hall.assert_unharmed();
    hall.assert_open_to_friends();
}

/// What is no answer, and what it is called.
fn no_answers(number: &[u8]) -> Vec<(Vec<u8>, Vec<Vec<u8>>, ReplyError)> {
    let good: Vec<Vec<u8>> = [b"1.0", number, b"200", b"", b"", b""]
        .map(|frame: &[u8]| frame.to_vec())
        .to_vec();
    let with = |index: usize, octets: &[u8]| {
        let mut frames = good.clone();
        frames[index] = octets.to_vec();
        frames
    };
    let mut longer = good.clone();
    longer.push(Vec::new());
    let long = [b'x'; 256];
    vec![
        (b"x".to_vec(), good.clone(), ReplyError::Delimiter),
        (Vec::new(), good[..5].to_vec(), ReplyError::Frames(6)),
        (Vec::new(), longer, ReplyError::Frames(8)),
        (Vec::new(), Vec::new(), ReplyError::Frames(1)),
        (Vec::new(), with(1, b""), ReplyError::RequestId),
        (Vec::new(), with(1, b"-1"), ReplyError::RequestId),
        (Vec::new(), with(0, b"2.0"), ReplyError::Version),
        (Vec::new(), with(2, b"2000"), ReplyError::Status),
        (Vec::new(), with(2, b"100"), ReplyError::Status),
        (Vec::new(), with(4, &long), ReplyError::Metadata),
        (Vec::new(), with(5, b"\x04half"), ReplyError::Metadata),
    ]
}

#[test]
fn what_is_no_answer_lets_nobody_in_and_is_named() {
    let hall = plain();
    for index in 0..no_answers(b"").len() {
        let mut stranger = hall.asking();
        let question = hall.asked();
        let number = question.number.to_string();
        let (delimiter, frames, error) = no_answers(number.as_bytes()).swap_remove(index);
        let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        hall.say(&question, &delimiter, &frames);
        let reason = hall.ends();
        assert_eq!(
            reason,
            CloseReason::Unasked(Unasked::BadReply(error)),
            "answer {index}"
        );
        stranger.until_end();
        hall.assert_unharmed();
    }
    hall.assert_open_to_friends();
}

#[test]
fn a_second_answer_changes_nothing_and_opens_nothing_else() {
    let hall = plain();
    let mut first = hall.asking();
    let question = hall.asked();
    let mut second = hall.asking();
    let other = hall.asked();
    hall.answer(&question, question.number, "400");
    for _ in 0..10 {
        hall.answer(&question, question.number, "200");
    }
    let reason = hall.ends();
    assert!(matches!(reason, CloseReason::Denied { status: 400, .. }));
    first.until_end();
    hall.assert_unharmed();
    hall.answer(&other, other.number, "500");
    let reason = hall.ends();
    assert!(matches!(reason, CloseReason::Denied { status: 500, .. }));
    second.until_end();
    hall.assert_unharmed();
}

#[test]
fn an_answer_before_its_question_opens_nothing() {
    let hall = plain();
    let mut first = hall.asking();
    let question = hall.asked();
    // The next question will have the next number. What names no open question ends the oldest one.
    hall.answer(&question, question.number + 1, "200");
    let reason = hall.ends();
    assert_eq!(
        reason,
        CloseReason::Unasked(Unasked::BadReply(ReplyError::RequestId))
    );
    first.until_end();
    let mut second = hall.asking();
    let next = hall.asked();
    assert_eq!(next.number, question.number + 1);
    hall.assert_unharmed();
    hall.answer(&next, next.number, "400");
    assert!(matches!(hall.ends(), CloseReason::Denied { .. }));
    second.until_end();
    hall.assert_unharmed();
}

#[test]
fn a_handler_that_leaves_in_the_middle_takes_its_peers_along() {
    let mut hall = plain();
    let mut strangers: Vec<TcpPeer> = (0..5).map(|_| hall.asking()).collect();
    for _ in 0..5 {
        hall.asked();
    }
    let successor = open(&hall.context, SocketType::Router);
    let gone = std::mem::replace(&mut hall.handler, successor);
    gone.close(Some(Duration::ZERO));
    for _ in 0..5 {
        assert_eq!(hall.ends(), CloseReason::Unasked(Unasked::HandlerLeft));
    }
    strangers.iter_mut().for_each(|one| drop(one.until_end()));
    hall.assert_unharmed();
    // Nobody is there to be asked, until somebody is.
    hall.asking().until_end();
    assert_eq!(hall.ends(), CloseReason::Unasked(Unasked::NoHandler));
    hall.handler
        .bind(zmq_engine::zap::ENDPOINT)
        .expect("the name is free");
    hall.assert_open_to_friends();
}

#[test]
fn what_cannot_answer_is_not_asked() {
    let mut hall = plain();
    let successor = open(&hall.context, SocketType::Pub);
    let gone = std::mem::replace(&mut hall.handler, successor);
    gone.close(Some(Duration::ZERO));
    hall.handler
        .bind(zmq_engine::zap::ENDPOINT)
        .expect("the name is free");
    hall.asking().until_end();
    assert_eq!(
        hall.ends(),
        CloseReason::Unasked(Unasked::HandlerType(SocketType::Pub))
    );
    hall.assert_unharmed();
}
