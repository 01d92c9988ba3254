//! Messages as text: one message a line, as text, hexadecimal or JSON.

use clap::ValueEnum;
use serde_json::{Value, json};
use zmq::{Frame, Message};

/// How messages look on standard input and output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One message a line, octets as they are
    Line,
    /// One message a line, frames as hexadecimal digits with a space between
    Hex,
    /// One message a line, as a JSON array of frames: text, or {"hex": ".."} for what is not UTF-8
    Json,
    /// No lines: the whole input is one message; received frames are written one after the other
    Raw,
}

/// A format with its separator.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) format: Format,
    /// What stands between the frames of a line; without one a line is one frame, and frames are written with a
    /// tabulator between.
    pub(crate) separator: Option<String>,
    /// The first frame is a routing id: octets that are no plain text are written `0x..`.
    pub(crate) addressed: bool,
}

const TABULATOR: &str = "\t";

impl Layout {
    /// The message that a line (without its end) stands for.
    pub(crate) fn parse(&self, line: &[u8]) -> Result<Message, String> {
        match self.format {
            Format::Line => self.parse_line(line),
            Format::Hex => parse_hex_line(line),
            Format::Json => parse_json(line),
            Format::Raw => Ok(Message::from(line)),
        }
    }

    fn parse_line(&self, line: &[u8]) -> Result<Message, String> {
        let separator = match &self.separator {
            Some(separator) => separator.as_bytes(),
            None if self.addressed => TABULATOR.as_bytes(),
            None => return Ok(Message::from(line)),
        };
        let mut frames: Vec<Frame> = split(line, separator)
            .into_iter()
            .map(Frame::from)
            .collect();
        if self.addressed {
            let address = &mut frames[0];
            if let Some(digits) = address.strip_prefix(b"0x") {
                *address = Frame::from(parse_hex(digits)?);
            }
        }
        Ok(frames.into_iter().collect())
    }

    /// Appends the message as this layout shows it, with the end of its line.
    pub(crate) fn emit(&self, message: &Message, out: &mut Vec<u8>) {
        match self.format {
            Format::Line => self.emit_line(message, out),
            Format::Hex => {
                for (index, frame) in message.frames().iter().enumerate() {
                    if index > 0 {
                        out.push(b' ');
                    }
                    emit_hex(frame, out);
                }
            }
            Format::Json => {
                let frames: Vec<Value> = message
                    .frames()
                    .iter()
                    .map(|frame| to_json(frame))
                    .collect();
                out.extend_from_slice(Value::Array(frames).to_string().as_bytes());
            }
            Format::Raw => {
                for frame in message.frames() {
                    out.extend_from_slice(frame);
                }
                return;
            }
        }
        out.push(b'\n');
    }

    fn emit_line(&self, message: &Message, out: &mut Vec<u8>) {
        let separator = self.separator.as_deref().unwrap_or(TABULATOR);
        for (index, frame) in message.frames().iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(separator.as_bytes());
            }
            if index == 0 && self.addressed && !is_plain(frame) {
                out.extend_from_slice(b"0x");
                emit_hex(frame, out);
            } else {
                out.extend_from_slice(frame);
            }
        }
    }
}

/// Text that a terminal shows as it is and that cannot be taken for `0x..`.
fn is_plain(frame: &[u8]) -> bool {
    !frame.starts_with(b"0x")
        && std::str::from_utf8(frame).is_ok_and(|text| !text.chars().any(char::is_control))
}

fn split<'a>(line: &'a [u8], separator: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut rest = line;
    if !separator.is_empty() {
        while let Some(at) = rest
            .windows(separator.len())
            .position(|window| window == separator)
        {
            parts.push(&rest[..at]);
            rest = &rest[at + separator.len()..];
        }
    }
    parts.push(rest);
    parts
}

fn parse_hex_line(line: &[u8]) -> Result<Message, String> {
    split(line, b" ")
        .into_iter()
        .map(|digits| parse_hex(digits).map(Frame::from))
        .collect::<Result<Vec<Frame>, String>>()
        .map(Message::from_iter)
}

fn parse_hex(digits: &[u8]) -> Result<Vec<u8>, String> {
    if !digits.len().is_multiple_of(2) {
        return Err(format!(
            "expected pairs of hexadecimal digits, met {} digits",
            digits.len()
        ));
    }
    digits
        .chunks(2)
        .map(|pair| {
            let value = |digit: u8| char::from(digit).to_digit(16);
            match (value(pair[0]), value(pair[1])) {
                (Some(high), Some(low)) => Ok((high * 16 + low) as u8),
                _ => Err(format!(
                    "expected hexadecimal digits, met \"{}\"",
                    String::from_utf8_lossy(pair).escape_debug()
                )),
            }
        })
        .collect()
}

fn emit_hex(octets: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for octet in octets {
        out.push(DIGITS[usize::from(octet >> 4)]);
        out.push(DIGITS[usize::from(octet & 15)]);
    }
}

fn parse_json(line: &[u8]) -> Result<Message, String> {
    let value: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    match value {
        Value::Array(frames) if frames.is_empty() => {
            Err("a message has at least one frame".to_owned())
        }
        Value::Array(frames) => frames
            .iter()
            .map(from_json)
            .collect::<Result<Vec<Frame>, String>>()
            .map(Message::from_iter),
        frame => from_json(&frame).map(Message::from),
    }
}

fn from_json(value: &Value) -> Result<Frame, String> {
    match value {
        Value::String(text) => Ok(Frame::from(text.as_str())),
        Value::Object(members) if members.len() == 1 => match members.get("hex") {
            Some(Value::String(digits)) => parse_hex(digits.as_bytes()).map(Frame::from),
            _ => Err(unexpected(value)),
        },
        _ => Err(unexpected(value)),
    }
}

fn unexpected(value: &Value) -> String {
    format!("expected \"text\" or {{\"hex\": \"00ff\"}} or an array of these, met {value}")
}

fn to_json(frame: &[u8]) -> Value {
    match std::str::from_utf8(frame) {
        Ok(text) => json!(text),
        Err(_) => {
            let mut digits = Vec::new();
            emit_hex(frame, &mut digits);
            json!({ "hex": String::from_utf8_lossy(&digits) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(format: Format) -> Layout {
        Layout {
            format,
            separator: None,
            addressed: false,
        }
    }

    fn shown(layout: &Layout, frames: &[&[u8]]) -> String {
        let mut out = Vec::new();
        layout.emit(&frames.iter().copied().collect(), &mut out);
        String::from_utf8(out).unwrap()
    }

    fn frames(message: &Message) -> Vec<&[u8]> {
        message.frames().iter().map(|frame| &frame[..]).collect()
    }

    #[test]
    fn what_is_written_reads_back_as_the_same_message() {
        let messages: [&[&[u8]]; 5] = [
            &[b"a"],
            &[b"a", b""],
            &[b"", b"b", b"c d"],
            &[b"\xff\x00", b"0x12"],
            &[b""],
        ];
        let line = Layout {
            separator: Some("|".to_owned()),
            ..layout(Format::Line)
        };
        let addressed = Layout {
            addressed: true,
            ..layout(Format::Line)
        };
        for layout in [line, addressed, layout(Format::Hex), layout(Format::Json)] {
            for message in messages {
                let mut out = Vec::new();
                layout.emit(&message.iter().copied().collect(), &mut out);
                assert_eq!(out.pop(), Some(b'\n'));
                assert_eq!(frames(&layout.parse(&out).unwrap()), message, "{layout:?}");
            }
        }
    }

    #[test]
    fn a_line_is_one_frame_unless_a_separator_is_given() {
        let plain = layout(Format::Line);
        assert_eq!(frames(&plain.parse(b"a\tb").unwrap()), [b"a\tb"]);
        let split = Layout {
            separator: Some("::".to_owned()),
            ..plain.clone()
        };
        assert_eq!(
            frames(&split.parse(b"a::b:::").unwrap()),
            [&b"a"[..], b"b", b":"]
        );
        assert_eq!(shown(&plain, &[b"a", b"b"]), "a\tb\n");
        assert_eq!(shown(&split, &[b"a", b"b"]), "a::b\n");
    }

    #[test]
    fn a_routing_id_that_is_no_text_is_shown_as_digits() {
        let addressed = Layout {
            addressed: true,
            ..layout(Format::Line)
        };
        assert_eq!(
            shown(&addressed, &[b"\x00\xa3", b"\x01"]),
            "0x00a3\t\u{1}\n"
        );
        assert_eq!(shown(&addressed, &[b"worker", b"x"]), "worker\tx\n");
        assert_eq!(
            frames(&addressed.parse(b"0x00a3\tx").unwrap()),
            [&b"\x00\xa3"[..], b"x"]
        );
    }

    #[test]
    fn json_shows_text_as_text_and_the_rest_as_digits() {
        assert_eq!(
            shown(&layout(Format::Json), &["gr\u{fc}n".as_bytes(), b"\xff"]),
            "[\"gr\u{fc}n\",{\"hex\":\"ff\"}]\n"
        );
        assert_eq!(
            frames(&layout(Format::Json).parse(b"\"one\"").unwrap()),
            [b"one"]
        );
    }

    #[test]
    fn bad_input_is_refused_with_what_was_met() {
        for (format, line, told) in [
            (Format::Hex, "0", "pairs"),
            (Format::Hex, "0g", "0g"),
            (Format::Json, "[]", "at least one frame"),
            (Format::Json, "[1]", "met 1"),
            (Format::Json, "[\"a\"", "EOF"),
            (Format::Json, "{\"hex\": 1}", "expected"),
        ] {
            let refused = layout(format).parse(line.as_bytes()).unwrap_err();
            assert!(refused.contains(told), "{line}: {refused}");
        }
    }
}
