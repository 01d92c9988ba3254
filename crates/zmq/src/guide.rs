//! The Rust samples of the README and the guide, which the doc tests run.

macro_rules! pages {
    ($($name:ident: $path:literal;)+) => {$(
        #[doc = include_str!($path)]
        mod $name {}
    )+};
}

pages! {
    readme: "../../../README.md";
    start: "../../../docs/guide/start.md";
    patterns: "../../../docs/guide/patterns.md";
    shutdown: "../../../docs/guide/shutdown.md";
    reconnect: "../../../docs/guide/reconnect.md";
    secure_it: "../../../docs/guide/secure-it.md";
    from_libzmq: "../../../docs/guide/from-libzmq.md";
}
