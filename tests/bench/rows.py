"""What is measured, and what it has to reach."""

from __future__ import annotations

from attrs import evolve, frozen
from bench.stage import DOMAIN, HA1, PREFIX, Stage
from bench.wrk import Counted, Load

TOKENS_FOR_WARM_UP = "20000"
OWN_ACCOUNT_PATH = "/api/accounts/me"
OWN_ACCOUNT = "GET /api/accounts/me, API key"
FIRST_PAGE, DEEP_PAGE = "GET /api/accounts?page=1", "GET /api/accounts?page=5000"


@frozen
class Row:
    """A kind of request."""

    name: str
    floor: float | None
    """The share of R that it has to reach; None where it is only compared with another row."""
    load: Load
    warm_up: Load
    in_pairs: bool = False
    """Whether two requests count once, the first of which is refused."""

    def per_second(self, counted: Counted) -> float:
        """Return how many times a second the whole of it was done."""
        return (counted.answered if self.in_pairs else counted.requests) / counted.seconds

    def failures(self, counted: Counted) -> int:
        """Return how many answers were not the ones asked for."""
        if self.in_pairs:
            # What is open when the time is over has no second half.
            return max(0, counted.refused - counted.answered - counted.connections) + counted.broken
        return counted.refused + counted.broken


def rows(stage: Stage) -> list[Row]:
    """Return all rows."""
    host = {"Host": stage.admin.authority}
    linphone = host | {"x-linphone-provisioning": "1"}
    admin = host | stage.admin.headers
    keys = ("keys", str(stage.user_keys))
    tokens = ("paths", str(stage.tokens))
    return [
        _same("GET /api/ping", 0.60, Load("/api/ping", host)),
        _same("GET /provisioning", 0.70, Load("/provisioning", linphone)),
        _same(OWN_ACCOUNT, 0.35, Load(OWN_ACCOUNT_PATH, host, keys)),
        _same("GET /provisioning/me, API key", 0.30, Load("/provisioning/me", linphone, keys)),
        _same("GET /api/resolve/{sip}, admin key", 0.35, Load("/", admin, ("paths", str(stage.addresses)))),
        Row(
            "GET /provisioning/{token}, each once",
            0.12,
            Load("/", linphone, (*tokens, TOKENS_FOR_WARM_UP)),
            Load("/", linphone, tokens),
        ),
        _same(
            "Digest, challenge and GET /api/accounts/me",
            0.10,
            Load(OWN_ACCOUNT_PATH, host, ("digest", HA1, PREFIX, DOMAIN, str(stage.accounts))),
            in_pairs=True,
        ),
        _new("POST /api/accounts", 0.10, Load("/api/accounts", admin), "creations"),
        _new("POST /api/statistics/calls", 0.25, Load("/api/statistics/calls", admin), "calls"),
        _same("GET /login", 0.25, Load("/login", host)),
        _same("GET /dashboard", 0.08, Load("/dashboard", host | {"Cookie": stage.session})),
        _same(FIRST_PAGE, 0.12, Load("/api/accounts?page=1", admin)),
        _same(DEEP_PAGE, None, Load("/api/accounts?page=5000", admin)),
    ]


def _new(name: str, floor: float, load: Load, kind: str) -> Row:
    """Return the row of something that each request makes anew."""
    return Row(name, floor, evolve(load, kind=(kind, "made")), evolve(load, kind=(kind, "warm-up")))


def _same(name: str, floor: float | None, load: Load, *, in_pairs: bool = False) -> Row:
    return Row(name, floor, load, load, in_pairs)
