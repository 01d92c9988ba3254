//! Soft bounds: how long a file and a function may be, how many parameters a function may have.

use super::source::{Source, functions};

/// Lines of a file without its tests.
const FILE_LINES: usize = 500;
/// Lines of a function from `fn` to its closing brace.
const FUNCTION_LINES: usize = 70;
/// Parameters of a function besides its receiver.
const PARAMETERS: usize = 4;

/// Something over a bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excess {
    /// `file`, `function` or `parameters`.
    pub(crate) kind: &'static str,
    /// The path, and the function's name behind `#`.
    pub(crate) what: String,
    pub(crate) met: usize,
    pub(crate) bound: usize,
}

/// All that is over a bound. Tests are measured by their readers only.
pub(crate) fn measure(sources: &[Source]) -> Vec<Excess> {
    let mut met = Vec::new();
    for source in sources {
        let mut note = |kind, what: String, value, bound| {
            if value > bound {
                met.push(Excess {
                    kind,
                    what,
                    met: value,
                    bound,
                });
            }
        };
        note(
            "file",
            source.path.clone(),
            source.shipped_lines,
            FILE_LINES,
        );
        for function in functions(&source.shipped) {
            let what = format!("{}#{}", source.path, function.name);
            note("function", what.clone(), function.lines, FUNCTION_LINES);
            // What `zmq.h` declares has the parameters it has.
            if !function.name.starts_with("zmq_") {
                note("parameters", what, function.parameters, PARAMETERS);
            }
        }
    }
    met
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_over_a_bound_is_met() {
        let long = format!(
            "fn long(a: u8, b: u8, c: u8, d: u8, e: u8) {{\n{}}}\n",
            "    a();\n".repeat(70)
        );
        let source = Source::new(
            "crates/x/src/y.rs",
            &format!("{long}fn short(a: u8, b: u8, c: u8, d: u8) {{}}\n"),
        );
        let met = measure(&[source]);
        let what = "crates/x/src/y.rs#long".to_owned();
        assert_eq!(
            met,
            [
                Excess {
                    kind: "function",
                    what: what.clone(),
                    met: 72,
                    bound: 70
                },
                Excess {
                    kind: "parameters",
                    what,
                    met: 5,
                    bound: 4
                },
            ]
        );
        let filler = Source::new("crates/x/src/z.rs", &"const A: u8 = 1;\n".repeat(501));
        assert_eq!(measure(&[filler])[0].met, 501);
    }
}
