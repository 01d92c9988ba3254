//! The ZeroMQ Property Language: a tree of named properties as indented lines (RFC 4).
//!
//! It reads octets, whole ([`Document::parse`]) or as they arrive ([`Parser`]), and prints what it has read. It opens no file and gives no
//! value a meaning.
//!
//! ```
//! use zpl::{Dialect, Document};
//!
//! let text = b"\
//! ## what certificates look like
//! curve
//!     public-key = \"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\"   # 40 letters
//! metadata
//!     name = Ann
//! ";
//! let mut document = Document::parse(text, Dialect::Rfc)?;
//! assert_eq!(document.get("metadata/name"), Some("Ann"));
//!
//! document.put("metadata/name", "Bob #2");
//! let printed = document.to_text(Dialect::Rfc)?;
//! assert!(printed.ends_with("metadata\n    name = \"Bob #2\"\n"));
//! assert_eq!(Document::parse(printed.as_bytes(), Dialect::Rfc)?, document);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # The language
//! ```text
//! # a comment
//! section                         a child is indented by four spaces more than its parent
//!     name = value                ends before a comment or the end of the line
//!     name = "a value # so far"   in quotes of either kind, which cannot be escaped
//!     name                        no value; names may come again, and order is kept
//! ```
//! Names are letters, digits and `$-_@.&+/`. A name with `/` in it is no path: find it among its parent's children.
//!
//! # Dialects
//! CZMQ wrote most of the files there are, and its reader and the RFC differ. Each [`Dialect`] reads and prints its own:
//!
//! | | [`Dialect::Rfc`] | [`Dialect::Czmq`] |
//! |---|---|---|
//! | a line ends with | LF, CR, or CR LF | LF; CR before it is ignored |
//! | characters | printable ASCII, tab inside lines | printable UTF-8, tab inside lines |
//! | `'` or `"` that nothing closes | belongs to the value | an error |
//! | text behind a closing quote | the quotes belong to the value | an error |
//! | `/` at an end of a name | allowed | an error |
//! | first character of the text | `#`, a letter or a digit | any |
//! | values are printed | bare where that reads back the same | in double quotes where that reads back the same |
//!
//! Stricter than CZMQ in both: control characters are errors, octets are UTF-8, and `name = # comment` has an empty value (CZMQ reads the
//! comment as the value). More lenient than CZMQ in both: a line of nothing but a comment may be indented anyhow. Tabs never indent.
//!
//! # Limits
//! [`Limits`] bounds the length of lines, the depth and the number of properties and comments; nothing recurses. Values, and the buffer of
//! the line that is being read, are wiped when dropped, and `Debug` does not show values: they may be secret keys.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic
    )
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod document;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod limits;
mod line;
mod parser;
mod print;

pub use document::{Document, Properties, Property};
pub use error::{Error, Expected, Problem};
pub use limits::Limits;
pub use parser::Parser;
pub use print::{PrintError, Unfit};

/// Whose reading of the language holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// The RFC's.
    #[default]
    Rfc,
    /// CZMQ's (`zconfig`), which is that of certificate files.
    Czmq,
}
