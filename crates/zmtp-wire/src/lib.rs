//! ZMTP 1.0 to 3.1 as a sans-IO protocol: frames, commands, sessions.
