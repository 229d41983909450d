"""A PostgreSQL of our own: for trying, for small sites and for tests, with nothing to install or configure."""

from flexid.store.embedded.server import EmbeddedServer

__all__ = ["EmbeddedServer"]
