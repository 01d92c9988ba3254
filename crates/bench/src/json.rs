//! Everything measured, for programs.

use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::goal::Against;
use crate::row::{Entry, Row};
use crate::statistics::Spread;

/// What the titles of plots begin with where libzmq's own programs were run.
const CAPI: &str = "C programs, ";

pub(crate) fn report(arguments: &Arguments, rows: &[Row]) -> Value {
    json!({
        "suite": if arguments.capi.is_some() { CAPI } else { "" },
        "pairs": arguments.pairs,
        "quick": arguments.quick,
        "pinned": arguments.pinned,
        "rows": rows.iter().map(row).collect::<Vec<_>>(),
    })
}

fn row(row: &Row) -> Value {
    json!({
        "name": row.name(),
        "title": row.shape.title(),
        "octets": row.shape.size,
        "peers": row.shape.peers,
        "metric": row.metric.name().trim(),
        "unit": row.metric.unit(),
        "sides": row.entries.iter().map(|met| entry(row, met)).collect::<Vec<_>>(),
    })
}

/// Processor time of the `sender` is that of both ends for shapes within one process.
fn entry(row: &Row, entry: &Entry) -> Value {
    json!({
        "side": entry.side,
        "value": entry.spread().map(spread),
        "values": entry.values,
        "messages": entry.count,
        "cpu_nanoseconds_per_message": {
            "sender": entry.sender_cpu,
            "receiver": entry.receiver_cpu,
        },
        "to_libzmq": row.ratio(entry, Against::Libzmq).map(spread),
        "to_best_rival": row.ratio(entry, Against::Rivals).map(spread),
        "best_rival": row.other(entry, Against::Rivals).map(|rival| rival.side),
        "to_raw": row.ratio(entry, Against::Raw).map(spread),
        "failure": entry.failure,
    })
}

fn spread(spread: Spread) -> Value {
    let Spread { median, min, max } = spread;
    json!({ "median": median, "min": min, "max": max })
}
