"""Imports of accounts, as a process of its own works on them: by psycopg2 as it is, which may wait and knows COPY."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import psycopg2
from attrs import astuple, fields, frozen
from psycopg2 import errors
from psycopg2.extras import RealDictCursor

from flexid.domain.account_imports import ImportReport, StagedAccount
from flexid.store import copying
from flexid.store.query import Query, Row

_FIELDS = ("import_id", *(column.name for column in fields(StagedAccount)))
COPY = Query("copy lines of an import", f"COPY account_import_rows ({', '.join(_FIELDS)}) FROM STDIN", prepare=False)
# All of ours go by an index (flexid.store.connector); these read everything, and know best when they are asked.
SETTINGS = Query("settle down to an import", "SET enable_seqscan = on; SET synchronous_commit = on", prepare=False)
ANALYZE = Query("look at lines of imports", "ANALYZE (SKIP_LOCKED) account_import_rows", prepare=False)
CALLING_CODES = Query(
    "list calling codes", "SELECT DISTINCT country_code FROM phone_countries WHERE activated", prepare=False
)
SPACE = Query(
    "find the Space of an import",
    """
    SELECT i.domain, i.realm, i.algorithm, s.unique_email, s.max_accounts, d.realm AS digest_realm,
        d.default_password_algorithm AS digest_algorithm,
        (SELECT coalesce(sum(accounts), 0)::bigint FROM account_counts c WHERE c.domain = i.domain) AS accounts
    FROM account_imports i JOIN spaces s ON s.domain = i.domain
        LEFT JOIN space_digest_authentication_configurations d ON d.space_id = s.id
    WHERE i.id = %(id)s
    """,
    prepare=False,
)
HASHED_WITH = Query(
    "note what an import is hashed with",
    "UPDATE account_imports SET realm = %(realm)s, algorithm = %(algorithm)s WHERE id = %(id)s",
    prepare=False,
)
# What the database alone can tell: values that come twice, with the line where they stand first, and those that
# somebody has.
PROBLEMS = Query(
    "find problems of an import",
    """
    WITH r AS MATERIALIZED (SELECT * FROM account_import_rows WHERE import_id = %(id)s),
    names AS (
        SELECT line, 'username' AS kind, username AS name FROM r WHERE username IS NOT NULL
        UNION ALL
        SELECT line, 'phone', phone FROM r WHERE phone IS NOT NULL AND phone IS DISTINCT FROM username
    ),
    emails AS (SELECT line, lower(email) AS name FROM r WHERE email IS NOT NULL AND %(unique_email)s),
    externals AS (
        SELECT line, external_username AS username, external_domain AS domain FROM r
        WHERE external_username IS NOT NULL AND external_domain IS NOT NULL
    ),
    twice AS (
        SELECT line, kind, first_value(line) OVER w AS other, row_number() OVER w AS number FROM names
        WINDOW w AS (PARTITION BY name ORDER BY line)
        UNION ALL
        SELECT line, 'email', first_value(line) OVER w, row_number() OVER w FROM emails
        WINDOW w AS (PARTITION BY name ORDER BY line)
        UNION ALL
        SELECT line, 'external_username', first_value(line) OVER w, row_number() OVER w FROM externals
        WINDOW w AS (PARTITION BY username, domain ORDER BY line)
    ),
    problems AS (
        SELECT line, kind, other FROM twice WHERE number > 1
        UNION ALL
        SELECT n.line, n.kind, NULL FROM names n JOIN account_names h ON h.domain = %(domain)s AND h.name = n.name
        UNION ALL
        SELECT e.line, 'email', NULL FROM emails e
        JOIN account_emails h ON h.domain = %(domain)s AND h.email = e.name
        UNION ALL
        SELECT x.line, 'external_username', NULL FROM externals x
        JOIN external_accounts h ON h.username = x.username AND h.domain = x.domain
    )
    SELECT line, kind, other, count(*) OVER () AS total FROM problems ORDER BY line, kind, other LIMIT %(most)s
    """,
    prepare=False,
)
# In one statement, so that a Space with a limit is locked at its end only. By name, so that of two imports with the
# same names one waits for the other, and neither for ever.
WRITE = Query(
    "write an import",
    """
    WITH i AS (SELECT * FROM account_imports WHERE id = %(id)s),
    r AS MATERIALIZED (SELECT * FROM account_import_rows WHERE import_id = %(id)s),
    created AS (
        INSERT INTO accounts (username, domain, email, phone, activated, admin, ip_address, user_agent)
        SELECT r.username, i.domain, r.email, r.phone, r.activated, r.admin, i.ip, i.made_by
        FROM r, i ORDER BY r.username COLLATE "C"
        RETURNING id, username
    ), hashed AS (
        INSERT INTO passwords (account_id, algorithm, password)
        SELECT c.id, i.algorithm, r.ha1 FROM created c JOIN r ON r.username = c.username, i WHERE r.ha1 IS NOT NULL
    ), external AS (
        INSERT INTO external_accounts
            (account_id, username, domain, password, algorithm, realm, registrar, outbound_proxy, protocol)
        SELECT c.id, r.external_username, r.external_domain, r.external_ha1, 'MD5', r.external_realm,
            r.external_registrar, r.external_outbound_proxy, r.external_protocol
        FROM created c JOIN r ON r.username = c.username WHERE r.external_username IS NOT NULL
    )
    INSERT INTO provisioning_tokens (account_id, token, ip, user_agent)
    SELECT c.id, r.token, i.ip, i.user_agent FROM created c JOIN r ON r.username = c.username, i
    """,
    prepare=False,
)
EMPTY = Query("delete lines of an import", "DELETE FROM account_import_rows WHERE import_id = %(id)s", prepare=False)
FINISH = Query(
    "note how an import ended",
    """
    UPDATE account_imports SET state = %(state)s, report = %(report)s, done = size, alive_at = now() WHERE id = %(id)s
    """,
    prepare=False,
)
REPORT = Query("read the report of an import", "SELECT report FROM account_imports WHERE id = %(id)s", prepare=False)
CONTENDED = (errors.DeadlockDetected, errors.SerializationFailure)
VIOLATED = (errors.UniqueViolation, errors.CheckViolation)


@frozen
class ImportSpace:
    """The Space of an import, as it is now, and what the passwords in the file were hashed with."""

    domain: str
    realm: str | None
    algorithm: str | None
    unique_email: bool
    max_accounts: int
    digest_realm: str | None
    digest_algorithm: str | None
    accounts: int

    @property
    def room(self) -> int | None:
        """Return how many accounts more it may have, None for any number."""
        return max(0, self.max_accounts - self.accounts) if self.max_accounts else None


@frozen
class Staging:
    """One import, on a connection of its own."""

    connection: Any
    import_id: int

    @classmethod
    def connect(cls, dsn: str, import_id: int) -> Staging:
        """Connect."""
        staging = cls(psycopg2.connect(dsn, cursor_factory=RealDictCursor), import_id)
        with staging.connection:
            staging._run(SETTINGS)
        return staging

    def space(self) -> ImportSpace:
        """Return the Space."""
        with self.connection:
            return ImportSpace(**self._run(SPACE)[0])

    def calling_codes(self) -> frozenset[str]:
        """Return which countries' phone numbers may be used."""
        with self.connection:
            return frozenset(row["country_code"] for row in self._run(CALLING_CODES))

    def stage(self, space: ImportSpace, accounts: Iterable[StagedAccount]) -> None:
        """Store lines as they are read."""
        with self.connection, self.connection.cursor() as cursor:
            self._run(HASHED_WITH, realm=space.digest_realm, algorithm=space.digest_algorithm)
            rows = (copying.line((self.import_id, *astuple(account))) for account in accounts)
            cursor.copy_expert(COPY.sql, copying.Rows(rows))
        self.connection.autocommit = True
        self._run(ANALYZE)
        self.connection.autocommit = False

    def problems(self, space: ImportSpace, most: int) -> tuple[list[Row], int]:
        """Return the first problems that the database sees, and how many there are."""
        with self.connection:
            rows = self._run(PROBLEMS, domain=space.domain, unique_email=space.unique_email, most=most)
        return rows, rows[0]["total"] if rows else 0

    def finish(self, state: str, report: ImportReport) -> None:
        """Note how it ended; the lines are kept only if they are to be written."""
        with self.connection:
            self._finish(state, report)

    def report(self) -> ImportReport:
        """Return what was said of it."""
        with self.connection:
            return ImportReport.unpacked(self._run(REPORT)[0]["report"])

    def write(self, report: ImportReport, doer: str) -> bool:
        """Create all the accounts, or none; return False if something was in the way.

        `doer` is SQL that names who does it (`flexid.store.doer`).
        """
        try:
            with self.connection:
                if doer:
                    self._run(Query("name who imports", doer, prepare=False))
                self._run(REPORT)
                self._run(WRITE)
                self._finish("done", report)
        except (*VIOLATED, *CONTENDED):
            return False
        return True

    def _finish(self, state: str, report: ImportReport) -> None:
        if state != "checked":
            self._run(EMPTY)
        self._run(FINISH, state=state, report=orjson.dumps(report.packed()).decode())

    def _run(self, query: Query, **parameters: Any) -> list[Row]:
        with self.connection.cursor() as cursor:
            cursor.execute(query.sql, {"id": self.import_id, **parameters})
            return [dict(row) for row in cursor.fetchall()] if cursor.description else []
