//! Certificate files: those of CZMQ and pyzmq, our own, and all that may be wrong with one.
#![cfg(all(feature = "curve", unix))]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use zmq::curve::{KeyPair, SecretKey};
use zmq::{Certificate, CertificateFault};

/// The pair of the octets 0 to 31.
const SECRET: &str = "009c61o!#m2NH?C3>iWS5d]J*6CRx17-skh9337x";
const PUBLIC: &str = "K3HW^WVq.zo69t)(umF>:XvwTj:QGN^yKlWaVH(S";

/// A folder of a test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let name = format!("cert-{name}-{}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn keys() -> KeyPair {
    KeyPair::new(SECRET.parse::<SecretKey>().unwrap())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn files_as_czmq_writes_them_are_read() {
    let text = format!(
        "#   ****  Generated on 2026-11-21 07:00:00 by CZMQ  ****\n\
         #   ZeroMQ CURVE **Secret** Certificate\n\
         \n\
         metadata\n    email = \"ann@example.org\"\n    name = \"Zoë & Ann #1\"\n\
         curve\n    public-key = \"{PUBLIC}\"\n    secret-key = \"{SECRET}\"\n"
    );
    for text in [text.clone(), text.replace('\n', "\r\n")] {
        let certificate: Certificate = text.parse().unwrap();
        assert_eq!(certificate.keys(), Some(&keys()));
        let metadata: Vec<_> = certificate.metadata().collect();
        assert_eq!(
            metadata,
            [("email", "ann@example.org"), ("name", "Zoë & Ann #1")]
        );
    }
}

#[test]
fn files_as_pyzmq_writes_them_are_read() {
    let text = format!(
        "#   ****  Generated on 2026-11-21 07:00:00.123456 by pyzmq  ****\n\
         #   ZeroMQ CURVE Public Certificate\n\n\
         metadata\n    name = Ann of Avalon\n    empty = \n\
         curve\n    public-key = \"{PUBLIC}\"\n"
    );
    let certificate: Certificate = text.parse().unwrap();
    assert_eq!(certificate.public_key().to_z85(), PUBLIC);
    assert_eq!(certificate.keys(), None);
    assert_eq!(certificate.get("name"), Some("Ann of Avalon"));
    assert_eq!(certificate.get("empty"), Some(""));
    assert_eq!(certificate.get("email"), None);
}

#[test]
fn zeros_are_how_czmq_says_that_there_is_no_secret_key() {
    let zeros = "0".repeat(40);
    let text = format!("curve\n    public-key = \"{PUBLIC}\"\n    secret-key = \"{zeros}\"\n");
    let certificate: Certificate = text.parse().unwrap();
    assert_eq!(certificate.keys(), None);
}

#[test]
fn what_is_saved_is_loaded_and_the_secret_is_its_owners_alone() {
    let folder = Folder::new("save");
    let path = folder.path("ann.key");
    let mut certificate = Certificate::new(keys());
    certificate.set("name", "Ann");
    certificate.set("motto", "it's #1");
    certificate.set("name", "Ann of Avalon");
    certificate.save(&path).unwrap();

    assert_eq!(folder.names(), ["ann.key", "ann.key_secret"]);
    let secret = Certificate::secret_path(&path);
    assert_eq!(mode(&secret), 0o600);
    assert_eq!(Certificate::load(&secret).unwrap(), certificate);
    let public = Certificate::load(&path).unwrap();
    assert_eq!(public.keys(), None);
    assert_eq!(public.public_key(), certificate.public_key());
    assert!(public.metadata().eq(certificate.metadata()));
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains("secret-key"), "{text}");
    assert!(!text.contains(SECRET));
}

#[test]
fn save_leaves_what_is_there_and_replace_does_not() {
    for taken in ["ann", "ann_secret"] {
        let folder = Folder::new(&format!("taken-{taken}"));
        fs::write(folder.path(taken), "precious").unwrap();
        let certificate = Certificate::new(keys());
        let error = certificate.save(folder.path("ann")).unwrap_err();
        assert_eq!(error.fault(), CertificateFault::Exists);
        assert_eq!(error.path(), Some(&*folder.path(taken)));
        assert_eq!(folder.names(), [taken], "nothing else was left");
        assert_eq!(fs::read(folder.path(taken)).unwrap(), b"precious");

        certificate.replace(folder.path("ann")).unwrap();
        assert_eq!(folder.names(), ["ann", "ann_secret"]);
        assert_eq!(mode(&folder.path("ann_secret")), 0o600);
        let loaded = Certificate::load(folder.path("ann_secret")).unwrap();
        assert_eq!(loaded, certificate);
    }
}

#[test]
fn no_symbolic_link_is_followed() {
    let folder = Folder::new("links");
    fs::write(folder.path("victim"), "precious").unwrap();
    for name in ["ann", "ann_secret"] {
        symlink(folder.path("victim"), folder.path(name)).unwrap();
    }
    symlink(folder.path("nothing"), folder.path("bob")).unwrap();
    let certificate = Certificate::new(keys());
    for name in ["ann", "bob"] {
        let error = certificate.save(folder.path(name)).unwrap_err();
        assert_eq!(error.fault(), CertificateFault::Exists, "{name}");
    }
    certificate.replace(folder.path("ann")).unwrap();
    assert_eq!(fs::read(folder.path("victim")).unwrap(), b"precious");
    assert!(!folder.path("nothing").exists());
    let met = fs::symlink_metadata(folder.path("ann_secret")).unwrap();
    assert!(met.is_file());
    assert_eq!(met.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_certificate_without_a_secret_key_is_one_file() {
    let folder = Folder::new("public");
    Certificate::of(keys().public())
        .save(folder.path("ann"))
        .unwrap();
    assert_eq!(folder.names(), ["ann"]);
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_place_and_without_its_secret() {
    let other = KeyPair::new(SecretKey::from_octets([7; 32])).public();
    let pair = |public: &str, secret: &str| {
        format!("curve\n    public-key = \"{public}\"\n    secret-key = \"{secret}\"\n")
    };
    let cases = [
        (
            String::new(),
            CertificateFault::NoPublicKey,
            "no `public-key`",
        ),
        (
            format!("public-key = \"{PUBLIC}\""),
            CertificateFault::NoPublicKey,
            "section `curve`",
        ),
        (
            format!("curve\n  public-key = {PUBLIC}"),
            CertificateFault::Syntax { line: 2, column: 3 },
            "line 2, column 3: met 2 spaces",
        ),
        (
            pair("abc", SECRET),
            CertificateFault::BadKey,
            "the public key",
        ),
        (
            pair(PUBLIC, &format!("~{}", &SECRET[1..])),
            CertificateFault::BadKey,
            "the secret key",
        ),
        (
            pair(&other.to_z85(), SECRET),
            CertificateFault::Mismatch,
            "belong",
        ),
        (
            "\n".repeat(70_000),
            CertificateFault::TooLong,
            "65536 octets",
        ),
    ];
    let folder = Folder::new("wrong");
    for (text, fault, told) in cases {
        let path = folder.path("file");
        fs::write(&path, &text).unwrap();
        for error in [
            Certificate::load(&path).unwrap_err(),
            text.parse::<Certificate>().unwrap_err(),
        ] {
            assert_eq!(error.fault(), fault);
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(told), "{shown}");
            assert!(!shown.contains(&SECRET[1..]), "{shown}");
        }
    }
    let error = Certificate::load(folder.path("none")).unwrap_err();
    let missing = CertificateFault::System(std::io::ErrorKind::NotFound);
    assert_eq!(error.fault(), missing);
    assert!(error.to_string().contains("none"), "{error}");
}

#[test]
fn metadata_that_a_reader_would_take_for_something_else_is_not_written() {
    let folder = Folder::new("metadata");
    for (name, value) in [
        ("name", "x\ncurve\n    secret-key = \"y\""),
        ("na me", "x"),
        ("", "x"),
        ("/name", "x"),
    ] {
        let mut certificate = Certificate::new(keys());
        certificate.set(name, value);
        let error = certificate.save(folder.path("ann")).unwrap_err();
        assert_eq!(error.fault(), CertificateFault::Metadata, "{name:?}");
        assert_eq!(folder.names(), [""; 0]);
    }
}

#[test]
fn a_secret_key_is_not_in_what_debug_shows() {
    let shown = format!("{:?}", Certificate::new(keys()));
    assert!(shown.contains(PUBLIC) && !shown.contains(SECRET), "{shown}");
}
