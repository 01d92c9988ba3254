//! Which programs there are, and which are left out.

use crate::Result;
use std::path::Path;

/// A test program.
pub(super) struct Program {
    pub(super) name: String,
    /// Whether it uses functions of the draft API.
    pub(super) draft: bool,
}

const DRAFT: &[&str] = &[
    "test_app_meta",
    "test_busy_poll",
    "test_disconnect_msg",
    "test_hello_msg",
    "test_hiccup_msg",
    "test_msg_init",
    "test_poller",
    "test_pubsub_topics_count",
    "test_router_notify",
    "test_timers",
    "test_xpub_manual_last_value",
    "test_xsub_verbose",
    "test_zmq_ppoll_fd",
    "test_zmq_ppoll_signals",
];

/// Test functions that fail for something that is left out, in programs that are not.
const EXEMPT: &[(&str, &str, &str)] = &[
    ("test_connect_rid", "test_stream_2_stream", "STREAM"),
    ("test_disconnect_msg", "test_tcp", "draft socket type"),
    ("test_disconnect_msg", "test_inproc", "draft socket type"),
    (
        "test_disconnect_msg",
        "test_inproc_disconnect",
        "draft socket type",
    ),
    (
        "test_hello_msg",
        "test_inproc_late_bind",
        "draft socket type",
    ),
    ("test_hiccup_msg", "test", "draft socket type"),
    (
        "test_poller",
        "test_call_poller_fd_no_signaler",
        "draft socket type",
    ),
    ("test_poller", "test_call_poller_fd", "draft socket type"),
    (
        "test_poller",
        "test_poll_client_server",
        "draft socket type",
    ),
    ("test_router_notify", "test_handshake_fail", "STREAM"),
];

/// Why a test function of a program may fail.
pub(super) fn exempt(program: &str, function: &str) -> Option<&'static str> {
    let found = EXEMPT
        .iter()
        .find(|(name, test, _)| *name == program && *test == function);
    found.map(|(_, _, why)| *why)
}

/// Beginnings of names, and why what begins so is left out.
const LEFT_OUT: &[(&str, &str)] = &[
    ("test_stream", "STREAM"),
    ("test_channel", "draft socket type"),
    ("test_client_server", "draft socket type"),
    ("test_dgram", "draft socket type"),
    ("test_peer", "draft socket type"),
    ("test_radio_dish", "draft socket type"),
    ("test_scatter_gather", "draft socket type"),
    ("test_thread_safe", "draft socket type"),
    ("test_ws_transport", "ws"),
    ("test_wss_transport", "wss"),
    ("test_security_gssapi", "gssapi"),
    ("test_pair_vmci", "vmci"),
    ("test_reqrep_vmci", "vmci"),
    (
        "test_pair_tcp_cap_net_admin",
        "wants a capability of its own",
    ),
];

/// Programs that compare what they were compiled for with how the library was built: they run on the one alone.
pub(super) fn knows_its_library(program: &str) -> bool {
    program == "test_capabilities"
}

fn left_out(name: &str) -> Option<&'static str> {
    if name.ends_with("_tipc") {
        return Some("tipc");
    }
    if name.ends_with("_fuzzer") {
        return Some("a fuzz target; its corpus is not in the package");
    }
    let found = LEFT_OUT.iter().find(|(start, _)| name.starts_with(start));
    found.map(|(_, why)| *why)
}

/// The programs to run, and those left out with the reason.
type Listed = (Vec<Program>, Vec<(String, &'static str)>);

/// Finds the programs in the package's folder.
pub(super) fn programs(vendor: &Path) -> Result<Listed> {
    let folder = vendor.join("tests");
    let entries =
        std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| Some(name.strip_suffix(".cpp")?.to_owned()))
        .filter(|name| name.starts_with("test_"))
        .collect();
    names.sort();
    let (mut programs, mut out) = (Vec::new(), Vec::new());
    for name in names {
        match left_out(&name) {
            Some(why) => out.push((name, why)),
            None => programs.push(Program {
                draft: DRAFT.contains(&name.as_str()),
                name,
            }),
        }
    }
    Ok((programs, out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_a_reason() {
        assert_eq!(left_out("test_stream_empty"), Some("STREAM"));
        assert_eq!(left_out("test_pair_tipc"), Some("tipc"));
        assert_eq!(left_out("test_pair_tcp"), None);
    }
}
