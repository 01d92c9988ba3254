//! What has one size only: a bar for each side, and a line from the least to the greatest value.

use std::path::Path;

use plotters::prelude::*;

use super::Figure;
use super::style::{self, HEAD, TEXT, WIDTH};
use crate::Result;

const MARGIN: i32 = 14;
/// Where bars begin: left of them stand the names.
const LEFT: i32 = 130;
/// Right of the longest one stand the numbers.
const RIGHT: i32 = 130;
const ABOVE: i32 = 56;
const BAR: i32 = 20;
const STEP: i32 = 28;

pub(super) fn draw(figure: &Figure, path: &Path) -> Result<()> {
    let values: Vec<_> = figure
        .points
        .iter()
        .flat_map(|point| &point.values)
        .collect();
    let most = values.iter().map(|value| value.max).fold(0.0, f64::max);
    if most <= 0.0 {
        // Nobody has finished.
        return Ok(());
    }
    let height = ABOVE + STEP * i32::try_from(values.len())? + MARGIN;
    let root = SVGBackend::new(path, (WIDTH, height.unsigned_abs())).into_drawing_area();
    root.fill(&WHITE)?;
    let word = |said: &str, at: (i32, i32), size| {
        root.draw(&Text::new(said.to_owned(), at, style::text(size)))
    };
    word(&figure.title, (MARGIN, MARGIN), HEAD)?;
    word(&figure.unit, (MARGIN, MARGIN + HEAD + 4), TEXT)?;
    let room = f64::from(WIDTH.cast_signed() - LEFT - RIGHT);
    let across = |value: f64| LEFT + (value / most * room) as i32;
    for (row, value) in (0..).zip(&values) {
        let top = ABOVE + STEP * row;
        let middle = top + BAR / 2;
        let color = style::color(&value.side);
        word(&value.side, (MARGIN, middle - TEXT / 2), TEXT)?;
        let corners = [(LEFT, top), (across(value.median), top + BAR)];
        root.draw(&Rectangle::new(corners, color.filled()))?;
        let spread = [(across(value.min), middle), (across(value.max), middle)];
        root.draw(&PathElement::new(spread, BLACK.stroke_width(2)))?;
        let number = style::number(value.median);
        let after = across(value.max.max(value.median)) + 8;
        word(&number, (after, middle - TEXT / 2), TEXT)?;
    }
    Ok(root.present()?)
}
