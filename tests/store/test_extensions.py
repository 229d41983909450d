"""What the schema needs of PostgreSQL, on servers where our role is nobody special."""

from __future__ import annotations

import psycopg2
import pytest
from psycopg2 import extensions
from support.application import migrate
from support.postgres import Postgres
from support.reactor import asynchronous

from flexid.store.migrations import SchemaMismatch


@pytest.fixture
def plain_role(any_postgres: Postgres, dsn: str) -> str:
    """The connection string of a role that may make tables, but not extensions."""
    any_postgres.sql(
        """
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'plain') THEN CREATE ROLE plain LOGIN; END IF;
        END $$
        """
    )
    any_postgres.sql("GRANT CREATE ON SCHEMA public TO plain", dsn)
    return extensions.make_dsn(dsn, user="plain")


@asynchronous
async def test_a_role_that_may_not_create_extensions_learns_what_to_do(
    any_postgres: Postgres, dsn: str, plain_role: str
) -> None:
    with pytest.raises(
        SchemaMismatch, match=r"superuser .* CREATE EXTENSION pg_trgm; CREATE EXTENSION btree_gin"
    ) as told:
        await migrate(plain_role)
    for statement in str(told.value).rpartition(": ")[2].split(";"):
        any_postgres.sql(statement, dsn)
    await migrate(plain_role)


@asynchronous
async def test_the_owner_of_a_database_needs_no_superuser(any_postgres: Postgres, dsn: str, plain_role: str) -> None:
    any_postgres.sql(f"ALTER DATABASE {extensions.parse_dsn(dsn)['dbname']} OWNER TO plain")
    await migrate(plain_role)
    connection = psycopg2.connect(plain_role)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1")
        assert cursor.fetchall() == [("btree_gin",), ("pg_trgm",)]
    connection.close()
