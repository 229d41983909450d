"""A Python client that was generated from the description works."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.flexid_process import PROGRAMS, Caller

pytestmark = pytest.mark.real

PACKAGE = "generated_flexid_client"


@pytest.fixture
def load(admin: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Return what imports a module of the client."""
    description = tmp_path / "openapi.json"
    description.write_bytes(admin.get("/api/openapi.json").body)
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"post_hooks": []}))
    generated = subprocess.run(  # a program of our virtual environment
        [
            PROGRAMS / "openapi-python-client",
            "generate",
            "--meta=none",
            f"--path={description}",
            f"--output-path={tmp_path / PACKAGE}",
            f"--config={settings}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert generated.returncode == 0, generated.stdout + generated.stderr
    monkeypatch.syspath_prepend(str(tmp_path))
    yield lambda name: importlib.import_module(f"{PACKAGE}.{name}")
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def test_a_generated_client_creates_reads_lists_and_deletes_an_account(
    admin: Caller, load: Callable[[str], Any]
) -> None:
    key = admin.headers["x-api-key"]
    client = load("client").AuthenticatedClient(
        f"http://localhost:{admin.port}", token=key, prefix="", auth_header_name="x-api-key"
    )
    with client:
        _go_through_an_account(client, load)


def _go_through_an_account(client: Any, load: Callable[[str], Any]) -> None:
    models = load("models")

    def call(endpoint: str, *arguments: Any, **named: Any) -> Any:
        return load(f"api.{endpoint}").sync_detailed(*arguments, client=client, **named)

    wanted = models.AccountInput("generated", "the_password", display_name="Made by a generated client")
    created = call("accounts.accounts_create", body=wanted)
    assert (created.status_code, created.parsed.username) == (200, "generated")
    account_id = created.parsed.id
    read = call("accounts.accounts_show_one", account_id).parsed
    assert (read.display_name, read.created_at.tzinfo is not None) == ("Made by a generated client", True)
    page = call("accounts.accounts_page", search="generated client", per_page=100).parsed
    assert account_id in {account.id for account in page.data}
    assert call("accounts.accounts_delete", account_id).status_code == 200
    assert call("accounts.accounts_show_one", account_id).parsed.message == "Not found"

    refused = call("accounts.accounts_create", body=models.AccountInput("another", "short"))
    assert (refused.status_code, set(refused.parsed.errors.to_dict())) == (422, {"password"})
