"""Several processes that serve the same ports: a parent that accepts connections, and workers that answer them."""

from flexid.workers.parent import Workers

__all__ = ["Workers"]
