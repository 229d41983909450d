"""A flexid as users run it, and the programs of the outside world that the tests hold against it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from real.accounts import change_space
from real.header_proxy import HeaderProxy, proxy_to
from real.linphone import PROGRAM, REGISTRAR, Linphone
from support.flexid_process import Caller, Flexid, running

MD5_HOST = "md5.localhost"
"""Of a Space whose passwords are hashed by MD5."""
FOR_APPLICATIONS = {
    # Linphone takes an account without registrar for none.
    "custom_provisioning_entries": f"[proxy_0]\nreg_proxy={REGISTRAR}\nreg_sendregister=0\n",
    "custom_provisioning_overwrite_all": True,
}


@pytest.fixture(scope="session")
def flexid() -> Iterator[Flexid]:
    """One for all tests; a test that kills it starts it again."""
    with running() as process:
        yield process


@pytest.fixture(scope="session")
def admin(flexid: Flexid) -> Caller:
    """A super administrator, with the key that the command line gave him."""
    admin = flexid.create_admin("tester")
    change_space(admin, **FOR_APPLICATIONS)
    return admin


@pytest.fixture(scope="session")
def md5_space(admin: Caller) -> Caller:
    """A Space whose passwords are hashed by MD5, as the same administrator sees it."""
    space = {"name": "MD5", "domain": MD5_HOST, "host": MD5_HOST, **FOR_APPLICATIONS}
    assert admin.post("/api/spaces", space).status == 201
    digest = {"realm": MD5_HOST, "default_password_algorithm": "MD5"}
    assert admin.put(f"/api/spaces/{MD5_HOST}/digest", digest).status == 200
    return admin.at(MD5_HOST)


@pytest.fixture
def linphone(tmp_path: Path) -> Iterator[Linphone]:
    """A linphone-daemon that was never started before."""
    if PROGRAM is None:
        require("linphone-daemon is not installed (Debian's package linphone-cli)")
    daemon = Linphone(tmp_path)
    yield daemon
    daemon.remove()


@pytest.fixture
def proxy(admin: Caller) -> Iterator[HeaderProxy]:
    """The way of Linphone 5.1 to the first Space."""
    with proxy_to(admin) as proxy:
        yield proxy


def require(missing: str) -> None:
    """Skip, saying why; where nothing may be missing, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)
