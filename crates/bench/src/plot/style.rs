//! Colours, fonts and numbers, alike in all plots.

use plotters::style::{BLACK, RGBColor, TextStyle};

pub(super) const FONT: &str = "sans-serif";
pub(super) const HEAD: i32 = 18;
pub(super) const TEXT: i32 = 13;
pub(super) const WIDTH: u32 = 860;

/// Ours are blue, with lists green; everybody has the same colour everywhere.
pub(super) fn color(side: &str) -> RGBColor {
    match side {
        "blocking" | "capi" => RGBColor(0x08, 0x51, 0x9c),
        "own" => RGBColor(0x31, 0x82, 0xbd),
        "tokio" => RGBColor(0x6b, 0xae, 0xd6),
        "smol" => RGBColor(0x9e, 0xca, 0xe1),
        "blocking-many" => RGBColor(0x00, 0x44, 0x1b),
        "own-many" => RGBColor(0x00, 0x6d, 0x2c),
        "tokio-many" => RGBColor(0x41, 0xab, 0x5d),
        "smol-many" => RGBColor(0xa1, 0xd9, 0x9b),
        "bare" => RGBColor(0xc6, 0xdb, 0xef),
        "libzmq" => RGBColor(0xd6, 0x27, 0x28),
        "raw" => RGBColor(0x63, 0x63, 0x63),
        "zeromq" => RGBColor(0x2c, 0xa0, 0x2c),
        "rzmq" => RGBColor(0x8c, 0x56, 0x4b),
        "omq-tokio" => RGBColor(0xff, 0x7f, 0x0e),
        "monocoque-rs" => RGBColor(0x94, 0x67, 0xbd),
        _ => BLACK,
    }
}

pub(super) fn text(size: i32) -> TextStyle<'static> {
    TextStyle::from((FONT, size))
}

/// A number as people read it: `2.50 M`.
pub(super) fn number(value: f64) -> String {
    let (scale, letter) = match value.abs() {
        size if size >= 1e6 => (1e6, " M"),
        size if size >= 1e3 => (1e3, " k"),
        _ => (1.0, ""),
    };
    let value = value / scale;
    let digits = if value >= 100.0 || value.fract() == 0.0 {
        0
    } else {
        2
    };
    format!("{value:.digits$}{letter}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let met = [16.0, 0.5, 1000.0, 65_536.0, 12_345_678.0].map(number);
        assert_eq!(met, ["16", "0.50", "1 k", "65.54 k", "12.35 M"]);
    }
}
