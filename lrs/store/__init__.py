"""The only package that knows MongoDB."""
