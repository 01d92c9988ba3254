//! What depends on size, or on the number of peers: a line for each side, both axes logarithmic.

use std::path::Path;

use plotters::prelude::*;

use super::read::Measured;
use super::style::{self, HEAD, TEXT, WIDTH};
use super::{Across, Figure};
use crate::Result;

const HEIGHT: u32 = 480;
const LEFT: u32 = 80;
const BELOW: u32 = 45;
const MARGIN: u32 = 12;
/// Room beyond the values, as a factor.
const ROOM: f64 = 1.6;
/// Half the size of a marker.
const DOT: i32 = 3;

/// Where a side is, from left to right.
fn series<'a>(figure: &'a Figure, across: Across, side: &str) -> Vec<(f64, &'a Measured)> {
    let points = figure.points.iter().filter_map(|point| {
        let value = point.values.iter().find(|value| value.side == side)?;
        let at = match across {
            Across::Octets => point.octets,
            Across::Peers => point.peers,
        };
        Some((at, value))
    });
    let mut points: Vec<_> = points.collect();
    points.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    points
}

/// The least and the greatest, with room around them.
fn range(values: impl Iterator<Item = f64>) -> Option<std::ops::Range<f64>> {
    let (least, most) = values
        .filter(|value| *value > 0.0)
        .fold((f64::INFINITY, 0.0_f64), |(least, most), value| {
            (least.min(value), most.max(value))
        });
    (most > 0.0).then(|| least / ROOM..most * ROOM)
}

pub(super) fn draw(figure: &Figure, across: Across, path: &Path) -> Result<()> {
    let sides = figure.sides();
    let all: Vec<_> = sides
        .iter()
        .map(|side| (*side, series(figure, across, side)))
        .collect();
    let met = || all.iter().flat_map(|(_, points)| points);
    let wide = range(met().map(|(at, _)| *at));
    let high = range(met().flat_map(|(_, value)| [value.min, value.max]));
    let (Some(wide), Some(high)) = (wide, high) else {
        // Nobody has finished.
        return Ok(());
    };
    let root = SVGBackend::new(path, (WIDTH, HEIGHT)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(&figure.title, style::text(HEAD))
        .margin(MARGIN)
        .x_label_area_size(BELOW)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(wide.log_scale(), high.log_scale())?;
    let below = match across {
        Across::Octets => "octets of a message",
        Across::Peers => "how many",
    };
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .label_style(style::text(TEXT))
        .x_desc(below)
        .y_desc(&figure.unit)
        .x_label_formatter(&|value| style::number(*value))
        .y_label_formatter(&|value| style::number(*value))
        .draw()?;
    for (side, points) in &all {
        let color = style::color(side);
        let medians = points.iter().map(|(at, value)| (*at, value.median));
        chart
            .draw_series(LineSeries::new(medians.clone(), color.stroke_width(2)))?
            .label(*side)
            .legend(move |(x, y)| Rectangle::new([(x, y - 4), (x + 14, y + 4)], color.filled()));
        chart.draw_series(medians.map(|at| Circle::new(at, DOT, color.filled())))?;
        let spread = points
            .iter()
            .map(|(at, value)| PathElement::new([(*at, value.min), (*at, value.max)], color));
        chart.draw_series(spread)?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .background_style(WHITE.mix(0.8))
        .label_font(style::text(TEXT))
        .draw()?;
    Ok(root.present()?)
}
