//! Plots of what was measured: one SVG for each metric of each kind of traffic.

mod bars;
mod lines;
mod read;
mod style;

use std::path::Path;
use std::{collections::BTreeMap, fs};

use crate::Result;
use read::Point;

/// What the axis across means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Across {
    Octets,
    Peers,
}

/// Points of one metric that differ in size or in the number of peers only.
struct Figure {
    title: String,
    unit: String,
    points: Vec<Point>,
}

/// Draws everything in a file that the contest has written. Gives the number of plots.
pub(crate) fn draw(file: &Path, folder: &Path) -> Result<usize> {
    let said = |error| format!("{}: {error}", file.display());
    let text = fs::read_to_string(file).map_err(said)?;
    let figures = figures(read::points(&text)?);
    fs::create_dir_all(folder)?;
    for figure in &figures {
        let path = folder.join(format!("{}.svg", slug(&figure.title)));
        match figure.across() {
            Some(across) => lines::draw(figure, across, &path)?,
            None => bars::draw(figure, &path)?,
        }
    }
    Ok(figures.len())
}

fn figures(points: Vec<Point>) -> Vec<Figure> {
    let mut groups: BTreeMap<String, Figure> = BTreeMap::new();
    for point in points {
        let title = format!("{} {}", point.title, point.metric);
        let title = title.trim().to_owned();
        let figure = groups.entry(title.clone()).or_insert_with(|| Figure {
            title,
            unit: point.unit.clone(),
            points: Vec::new(),
        });
        figure.points.push(point);
    }
    groups.into_values().map(Figure::rescaled).collect()
}

impl Figure {
    /// In microseconds if it is in nanoseconds and none of its values is shorter than one of them.
    fn rescaled(mut self) -> Figure {
        const MICRO: f64 = 1e3;
        let values = || self.points.iter().flat_map(|point| &point.values);
        let long = values().all(|value| value.min >= MICRO);
        if self.unit == "nanoseconds" && values().next().is_some() && long {
            self.unit = "microseconds".to_owned();
            for value in self.points.iter_mut().flat_map(|point| &mut point.values) {
                value.median /= MICRO;
                value.min /= MICRO;
                value.max /= MICRO;
            }
        }
        self
    }

    /// What its points differ in; nothing if there is only one.
    fn across(&self) -> Option<Across> {
        let [first, second, ..] = &self.points[..] else {
            return None;
        };
        Some(if first.octets == second.octets {
            Across::Peers
        } else {
            Across::Octets
        })
    }

    /// The sides, in the order in which they were measured.
    fn sides(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for value in self.points.iter().flat_map(|point| &point.values) {
            if !names.contains(&value.side.as_str()) {
                names.push(&value.side);
            }
        }
        names
    }
}

fn slug(title: &str) -> String {
    let letters = title.chars().map(|letter| match letter {
        letter if letter.is_ascii_alphanumeric() => letter.to_ascii_lowercase(),
        _ => '-',
    });
    letters.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(title: &str, octets: f64, metric: &str) -> Point {
        Point {
            title: title.to_owned(),
            metric: metric.to_owned(),
            unit: "nanoseconds".to_owned(),
            octets,
            peers: 1.0,
            values: Vec::new(),
        }
    }

    #[test]
    fn what_differs_in_size_only_is_one_figure() {
        let figures = figures(vec![
            point("push-pull tcp", 16.0, ""),
            point("req-rep tcp", 1.0, "p99.9"),
            point("push-pull tcp", 64.0, ""),
        ]);
        let titles: Vec<&str> = figures.iter().map(|figure| &figure.title[..]).collect();
        assert_eq!(titles, ["push-pull tcp", "req-rep tcp p99.9"]);
        assert_eq!(figures[0].across(), Some(Across::Octets));
        assert_eq!(figures[1].across(), None);
        assert_eq!(slug(titles[1]), "req-rep-tcp-p99-9");
    }

    #[test]
    fn times_are_given_in_the_unit_that_they_are_thought_of() {
        let timed = |median: f64| {
            let mut point = point("req-rep tcp", 1.0, "p50");
            point.values.push(read::Measured {
                side: "own".to_owned(),
                median,
                min: median,
                max: median,
            });
            let mut figures = figures(vec![point]);
            let figure = figures.remove(0);
            (figure.unit, figure.points[0].values[0].median)
        };
        assert_eq!(timed(57_385.0), ("microseconds".to_owned(), 57.385));
        assert_eq!(timed(277.0), ("nanoseconds".to_owned(), 277.0));
    }

    #[test]
    fn what_the_contest_writes_becomes_pictures() {
        let side = |median: f64| {
            serde_json::json!({
                "side": "blocking",
                "value": { "median": median, "min": median / 2.0, "max": median * 2.0 },
            })
        };
        let row = |octets: u64, title: &str, median: f64| {
            serde_json::json!({
                "title": title, "octets": octets, "peers": 1, "metric": "",
                "unit": "messages per second", "sides": [side(median)],
            })
        };
        let report = serde_json::json!({
            "rows": [row(16, "a", 1e6), row(1024, "a", 1e5), row(64, "b", 2e6)],
        });
        let folder = std::env::temp_dir().join(format!("zmq-bench-plot-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("bench.json");
        fs::write(&file, report.to_string()).unwrap();
        assert_eq!(draw(&file, &folder).unwrap(), 2);
        for name in ["a.svg", "b.svg"] {
            let svg = fs::read_to_string(folder.join(name)).unwrap();
            assert!(
                svg.starts_with("<svg") && svg.contains("blocking"),
                "{name}"
            );
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
