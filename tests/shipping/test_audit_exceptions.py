from __future__ import annotations

from audit.findings import Exceptions, Finding, exceptions

HASH = Finding("B324", "flexid/outbound/sms_ovh.py", "Use of weak SHA1 hash", 89)
TEMPORARY = Finding("B108", "flexid/base/qr.py", "Probable insecure usage of temp file/directory", 3)


def test_what_is_excused_by_rule_and_place_is_left_out_and_nothing_else() -> None:
    assert Exceptions({"B324 flexid/outbound/*": "theirs"}).left([HASH, TEMPORARY]) == ([TEMPORARY], [])


def test_an_exception_that_excuses_nothing_is_named() -> None:
    assert Exceptions({"B324 flexid/store/*": "gone"}).left([HASH]) == ([HASH], ["B324 flexid/store/*"])


def test_every_exception_has_a_reason() -> None:
    for audit in ("code", "secrets", "packages"):
        assert all(len(reason) > 10 for reason in exceptions(audit).reasons.values())
