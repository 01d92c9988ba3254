//! What the contest has written, as far as plots need it.

use serde_json::Value;

use crate::Result;

/// One metric at one size.
pub(super) struct Point {
    /// The kind of traffic and the transport.
    pub(super) title: String,
    pub(super) metric: String,
    pub(super) unit: String,
    pub(super) octets: f64,
    pub(super) peers: f64,
    pub(super) values: Vec<Measured>,
}

/// What one side has reached.
pub(super) struct Measured {
    pub(super) side: String,
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

pub(super) fn points(text: &str) -> Result<Vec<Point>> {
    let report: Value = serde_json::from_str(text)?;
    let rows = report["rows"].as_array().ok_or("no rows")?;
    let suite = report["suite"].as_str().unwrap_or_default();
    let point = |row| {
        let mut point = point(row).ok_or_else(|| format!("not a row: {row:.80}"))?;
        point.title.insert_str(0, suite);
        Ok(point)
    };
    rows.iter().map(point).collect()
}

fn point(row: &Value) -> Option<Point> {
    let text = |name: &str| row[name].as_str().map(str::to_owned);
    // Those that did not finish have no value.
    let values = row["sides"].as_array()?.iter().filter_map(measured);
    Some(Point {
        title: text("title")?,
        metric: text("metric")?,
        unit: text("unit")?,
        octets: row["octets"].as_f64()?,
        peers: row["peers"].as_f64()?,
        values: values.collect(),
    })
}

fn measured(side: &Value) -> Option<Measured> {
    let number = |name: &str| side["value"][name].as_f64();
    Some(Measured {
        side: side["side"].as_str()?.to_owned(),
        median: number("median")?,
        min: number("min")?,
        max: number("max")?,
    })
}
