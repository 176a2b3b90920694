"""Keep what portals publish: wire-exact archives and the items read from them."""

__version__ = "0.1.0"
