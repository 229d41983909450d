"""Where a Redis is."""

from __future__ import annotations

from pathlib import Path

import pytest

from flexid.base import redis_address
from flexid.base.configuration import ConfigurationError, load
from flexid.base.redis_address import RedisAddress


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://localhost", RedisAddress((("localhost", 6379),))),
        ("redis://192.0.2.1:6380/3", RedisAddress((("192.0.2.1", 6380),), database=3)),
        ("redis://[2001:db8::1]:6380/", RedisAddress((("2001:db8::1", 6380),))),
        ("redis://:p%40ss%2F@host", RedisAddress((("host", 6379),), password="p@ss/")),
        ("rediss://ann:a:b@host", RedisAddress((("host", 6379),), username="ann", password="a:b", tls=True)),
        ("unix:///run/redis/redis.sock", RedisAddress(socket="/run/redis/redis.sock")),
        ("unix://:word@/run/redis.sock", RedisAddress(socket="/run/redis.sock", password="word")),
        (
            "redis-sentinel://:word@a,b:5000/mymaster/2",
            RedisAddress((("a", 26379), ("b", 5000)), password="word", database=2, master="mymaster"),
        ),
        ("rediss-sentinel://a/m", RedisAddress((("a", 26379),), tls=True, master="m")),
    ],
)
def test_a_url_says_where_it_is_and_how_to_sign_in(url: str, address: RedisAddress) -> None:
    assert redis_address.read(url) == address


@pytest.mark.parametrize(
    "url",
    [
        *("localhost:6379", "http://a", "redis://", "redis://a:0", "redis://a:70000", "redis://a/b", "redis://a/1/2"),
        *("redis://a,b", "redis://a b", "redis://ann@a", "redis-sentinel://a", "redis-sentinel://a,/m", "unix://a"),
        *("redis://a/9999999999999999", "redis-sentinel://a/m m", "redis://a?db=1", "redis://a:1:2"),
    ],
)
def test_anything_else_is_refused_without_its_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Redis|allowed"):
        redis_address.read(url)
    configured = f"{url.replace('ann@', '')}/?".replace("://", "://:hushhush@", 1)
    with pytest.raises(ConfigurationError) as refusal:
        load({"FLEXID_REDIS_URL": configured}, _empty(tmp_path))
    assert "redis.url" in str(refusal.value)
    assert "hushhush" not in str(refusal.value)


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"redis\.certificate and redis\.key"):
        load({"FLEXID_REDIS_KEY": "k.pem"}, _empty(tmp_path))


def test_what_is_logged_of_an_address_holds_no_password() -> None:
    for url in ("redis://u:hushhush@h/1", "unix://:hushhush@/s", "redis-sentinel://:hushhush@h/m"):
        address = redis_address.read(url)
        assert "hushhush" not in f"{address} {address!r}"


def _empty(folder: Path) -> Path:
    path = folder / "flexid.toml"
    path.write_text("")
    return path
