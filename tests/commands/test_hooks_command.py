"""`flexid hooks check`."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred
from support.reactor import reactor

from flexid.base.clock import Clock
from flexid.base.configuration import Configuration
from flexid.base.settings import Settings
from flexid.commands.command import Outcome, Problem, Program
from flexid.commands.hooks import CHECK
from flexid.commands.main import parse

EXAMPLE = Path(__file__).parents[2] / "examples" / "hooks.py"


async def check(**files: Path) -> Outcome:
    settings = Settings.model_validate({"hooks": files})
    _, options = parse(["hooks", "check"])
    return await CHECK.run(Program(reactor, Configuration(settings, "defaults"), Clock()), options)


@ensureDeferred
async def test_the_example_is_well() -> None:
    outcome = await check(provisioning=EXAMPLE, accounts=EXAMPLE)
    assert not outcome.failed
    assert outcome.text.count(": done") == 3
    assert outcome.text.count("not called here") == 3
    assert '<entry name="language">fr</entry>' in outcome.text


@ensureDeferred
async def test_a_function_that_fails_is_shown_with_its_traceback(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def additional_sections(config, request, account):\n    account.username\n")
    outcome = await check(provisioning=file)
    assert outcome.failed
    assert "additional_sections: FAILED" in outcome.text
    assert "AttributeError" in outcome.text
    assert "proxy_section: not defined" in outcome.text


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def proxy_section(:", "SyntaxError"),
        ("x = 1\nraise RuntimeError('no')", "RuntimeError: no (line 2)"),
        ("def proxi_section(): pass", "it defines none of"),
        (None, "No such file"),
    ],
)
@ensureDeferred
async def test_a_file_that_is_of_no_use_is_a_problem_that_names_it(tmp_path: Path, code: str | None, said: str) -> None:
    file = tmp_path / "mine.py"
    if code is not None:
        file.write_text(code)
    with pytest.raises(Problem) as raised:
        await check(provisioning=file)
    assert said in str(raised.value)
    assert f"hooks.provisioning cannot be used, {file}" in str(raised.value)


@ensureDeferred
async def test_without_any_file_there_is_nothing_to_check() -> None:
    with pytest.raises(Problem, match="no hooks are configured"):
        await check()
