"""The HTTP surface: parse, call, answer."""
