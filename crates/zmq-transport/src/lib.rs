//! Endpoints to byte streams, framed messages and datagrams, behind one trait.
