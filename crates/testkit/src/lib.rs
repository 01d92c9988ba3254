//! Virtual clock, in-memory links and scripted peers for the tests of the workspace.
