"""The doctor looks at what stands around flexid, and says what to do."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.certificates import Authority
from support.reactor import asynchronous

from flexid.base.clock import Clock
from flexid.base.settings import Settings
from flexid.domain.errors import Unavailable
from flexid.outbound.registrar import NoRegistrar
from flexid.services import surroundings

NOW = datetime.now(UTC) - timedelta(days=20)
"""The certificates of tests end tomorrow, which is soon."""


class Usage(NamedTuple):
    """As `shutil.disk_usage` returns it."""

    total: int
    used: int
    free: int


def settings(**given: Any) -> Settings:
    return Settings.model_validate(given)


class Away(NoRegistrar):
    def is_configured(self) -> bool:
        return True

    async def devices(self, address: str, patience: float | None = None) -> Any:
        del address, patience
        raise Unavailable


class There(Away):
    async def devices(self, address: str, patience: float | None = None) -> Any:
        del address, patience
        return []


@asynchronous
async def test_redis_is_absent_away_or_there() -> None:
    assert (await surroundings.look_at_redis(NoRegistrar())).well
    found = await surroundings.look_at_redis(Away())
    assert (found.well, found.advice) == (False, "start it, or mend redis.url; see docs/flexisip.md")
    assert (await surroundings.look_at_redis(There())).says == "answers"


def test_a_certificate_is_looked_at_for_its_end_and_its_names(tmp_path: Path) -> None:
    certificate, key = Authority().server("sip.example.org", "*.sip.example.org").write(tmp_path, "server")
    tls = settings(tls={"certificate": str(certificate), "key": str(key)})
    hosts = ["sip.example.org", "tenant.sip.example.org"]
    assert surroundings.look_at_certificate(tls, hosts, NOW).well
    found = surroundings.look_at_certificate(tls, [*hosts, "other.org"], NOW)
    assert (found.well, found.says) == (False, "the certificate does not name other.org")
    late = surroundings.look_at_certificate(tls, hosts, NOW + timedelta(days=10_000))
    assert (late.well, "ended on" in late.says) == (False, True)
    certificate.write_text("nonsense")
    assert not surroundings.look_at_certificate(tls, hosts, NOW).well
    assert surroundings.look_at_certificate(settings(), hosts, NOW).well


def test_a_pusher_has_to_be_a_program(tmp_path: Path) -> None:
    program = tmp_path / "pusher"
    program.write_text("#!/bin/sh\n")
    pusher = settings(pusher={"path": str(program)})
    assert not surroundings.look_at_pusher(settings(pusher={"path": "/no/such/program"})).well
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    assert surroundings.look_at_pusher(pusher).well


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = settings(data_dir=str(tmp_path / "not" / "made" / "yet"))
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(1 << 40, 0, 1 << 39))
    assert surroundings.look_at_disk(given).well
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(1 << 40, 0, 1 << 20))
    assert not surroundings.look_at_disk(given).well


class _Server:
    """Services whose database says what it is told to."""

    def __init__(self, **says: Any) -> None:
        self.processes = self
        self._says = says

    async def server(self) -> dict[str, Any]:
        return self._says


@asynchronous
async def test_clocks_that_disagree_are_named() -> None:
    clock = Clock()
    for seconds, well in ((0, True), (-60, False), (60, False)):
        services: Any = _Server(now=clock.now() + timedelta(seconds=seconds))
        assert (await surroundings.look_at_clock(services, clock)).well is well, seconds


@asynchronous
async def test_too_few_connections_for_all_processes_are_named() -> None:
    services: Any = _Server(connections=3, most_connections=100)
    assert (await surroundings.look_at_connections(services, settings(workers=4))).well
    assert not (await surroundings.look_at_connections(services, settings(workers=8))).well


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"public": {"scheme": "https"}}, "no proxy is trusted"),
        ({"listen": {"metrics": ["tcp:9464"]}}, "without a key"),
        ({"throttling": {"factor": 10}}, "multiplied by 10"),
        ({"tls": {"proxy_verified_header": "V", "proxy_subject_header": "S"}}, "told by a proxy"),
    ],
)
def test_settings_that_contradict_are_named_with_what_to_do(given: dict[str, Any], words: str) -> None:
    (finding,) = surroundings.contradictions(settings(**given))
    assert words in finding.says
    assert finding.advice


def test_the_usual_settings_do_not_contradict() -> None:
    proxied = settings(public={"scheme": "https"}, trusted_proxies=["127.0.0.1"])
    metrics = settings(listen={"metrics": ["tcp:9464:interface=127.0.0.1"]})
    assert [*surroundings.contradictions(settings())] == []
    assert [*surroundings.contradictions(proxied)] == []
    assert [*surroundings.contradictions(metrics)] == []


@asynchronous
async def test_a_mail_server_that_does_not_answer_is_named_without_its_password() -> None:
    found = await surroundings.look_at_mail(settings(mail={"url": "smtp://me:s3cret@127.0.0.1:9"}))
    assert (found.well, "s3cret" in f"{found.says}{found.advice}") == (False, False)
    assert "127.0.0.1:9" in found.says
    assert (await surroundings.look_at_mail(settings())).well
