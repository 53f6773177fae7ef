"""The fault campaign: everything that can fail does, under traffic of all kinds, and then what was promised is counted up."""
