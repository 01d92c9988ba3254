//! Everything measured, for programs.

use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::contest::{Row, Side};
use crate::shape::Metric;
use crate::statistics::Spread;

pub(crate) fn report(arguments: &Arguments, rows: &[Row]) -> Value {
    json!({
        "pairs": arguments.pairs,
        "quick": arguments.quick,
        "pinned": arguments.pinned,
        "rows": rows.iter().map(row).collect::<Vec<_>>(),
    })
}

fn row(row: &Row) -> Value {
    let unit = match row.metric {
        Metric::Rate => "messages per second",
        Metric::P50 | Metric::P99 => "nanoseconds",
    };
    json!({
        "name": row.name(),
        "octets": row.shape.size,
        "unit": unit,
        "ours": side(&row.ours),
        "libzmq": side(&row.libzmq),
        "ratio": spread(&row.ratio),
    })
}

/// Processor time of the `sender` is that of both ends for shapes within one process.
fn side(side: &Side) -> Value {
    json!({
        "value": spread(&side.value),
        "messages": side.count,
        "cpu_nanoseconds_per_message": {
            "sender": side.sender_cpu,
            "receiver": side.receiver_cpu,
        },
    })
}

fn spread(spread: &Spread) -> Value {
    let Spread { median, min, max } = spread;
    json!({ "median": median, "min": min, "max": max })
}
