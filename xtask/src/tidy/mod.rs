//! Rules of the repository that no compiler checks.

mod absences;
mod bounds;
mod edges;
mod fuzz_targets;
mod mirror;
mod names;
mod ratchet;
mod source;

use crate::{Result, flags::Flags, tree};
use source::Source;

/// One breach of a rule, where it is.
pub(crate) struct Finding {
    pub(crate) place: String,
    pub(crate) what: String,
}

impl Finding {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Finding {
        Finding {
            place: place.into(),
            what: what.into(),
        }
    }
}

pub(crate) fn run(arguments: &[String]) -> Result {
    let mut flags = Flags::new(arguments);
    let base = flags.value("--base")?.unwrap_or_else(|| "HEAD".to_owned());
    let shrink = flags.switch("--shrink");
    flags.finish()?;

    let files = tree::files()?;
    let metadata = tree::metadata()?;
    let sources = files
        .iter()
        .filter(|path| path.ends_with(".rs"))
        .map(|path| Ok(Source::new(path, &tree::read(path)?)))
        .collect::<Result<Vec<Source>>>()?;
    if shrink {
        ratchet::shrink(&bounds::measure(&sources))?;
    }

    let mut findings = Vec::new();
    findings.extend(edges::check(&metadata));
    findings.extend(absences::check(&metadata, &sources)?);
    findings.extend(names::check(&files, &sources)?);
    findings.extend(ratchet::check(&bounds::measure(&sources), &base)?);
    findings.extend(mirror::check(&sources));
    findings.extend(fuzz_targets::check(&files)?);
    for finding in &findings {
        println!("{}: {}", finding.place, finding.what);
    }
    println!("tidy: {} files, {} findings", files.len(), findings.len());
    match findings.len() {
        0 => Ok(()),
        count => Err(format!("{count} findings")),
    }
}
