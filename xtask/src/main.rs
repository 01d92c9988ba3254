//! Every command and every repository rule.
fn main() {}
