"""MongoDB and Redis of our own on this machine, for `lrs up`: found, started, watched and stopped."""
