//! Fuzz targets: short, listed, with a corpus.

use super::Finding;
use crate::{Result, fuzz, tree};

/// A target only hands its input on; what it checks lives in the crate it checks.
const TARGET_LINES: usize = 10;

pub(crate) fn check(files: &[String]) -> Result<Vec<Finding>> {
    let manifest = tree::read(fuzz::MANIFEST)?;
    let mut findings = Vec::new();
    for name in fuzz::targets()? {
        let path = format!("{}/{name}.rs", fuzz::TARGETS);
        let lines = tree::read(&path)?.lines().count();
        if lines > TARGET_LINES {
            findings.push(Finding::new(
                &path,
                format!("{lines} lines, bound {TARGET_LINES}"),
            ));
        }
        if !manifest.contains(&format!("name = \"{name}\"")) {
            findings.push(Finding::new(
                &path,
                format!("not listed in {}", fuzz::MANIFEST),
            ));
        }
        let corpus = format!("{}/{name}/", fuzz::CORPUS);
        if !files.iter().any(|file| file.starts_with(&corpus)) {
            findings.push(Finding::new(&path, format!("no corpus in {corpus}")));
        }
    }
    Ok(findings)
}
