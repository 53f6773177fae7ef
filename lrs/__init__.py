"""A Learning Record Store. Importing this package imports nothing else, so `lrs.xapi` needs neither aiohttp nor MongoDB."""

__version__ = "0.1.0"
