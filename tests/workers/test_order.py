"""What a worker is told."""

from __future__ import annotations

from flexid.base.configuration import load
from flexid.workers.order import Order

ENVIRONMENT = {
    "FLEXID_WORKERS": "3",
    "FLEXID_LISTEN_HTTP": "tcp:8080,unix:/run/flexid.sock",
    "FLEXID_DATA_DIR": "/var/lib/flexid",
    "FLEXID_TLS_CERTIFICATE": "/etc/flexid/cert.pem",
    "FLEXID_TLS_KEY": "/etc/flexid/key.pem",
    "FLEXID_ACCOUNTS_USERNAME_BLACKLIST": "admin,root",
    "FLEXID_TURN_HOST": "turn.example.org",
    "FLEXID_TURN_SECRET": "a secret",
}


def test_a_worker_has_the_configuration_that_its_parent_has() -> None:
    configuration = load(ENVIRONMENT)
    order = Order(2, 3, "host=/tmp user=flexid", (("http", "tcp:8080"),), configuration)
    unpacked = Order.unpacked(order.packed())
    assert unpacked == order
    assert unpacked.configuration.settings.workers == 3


def test_an_order_shows_no_secret() -> None:
    order = Order(1, 2, "password=hidden", (), load(ENVIRONMENT))
    assert "hidden" not in repr(order)
    assert "a secret" not in repr(order)
