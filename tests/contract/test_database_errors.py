"""What PostgreSQL says, in our words."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors as pg

from controlplane.adapters.postgres.connection import Connector, translate
from controlplane.domain.errors import Broken, Conflict, ControlPlaneError, Denied, Unavailable
from controlplane.ports import Login

LOGIN = Login("db.example.com", 5432, "tenant", "app_a", "open-sesame", "verify-full")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (pg.InsufficientPrivilege("permission denied for table orders"), Denied),
        (pg.QueryCanceled("canceling statement due to statement timeout"), Unavailable),
        (pg.LockNotAvailable("canceling statement due to lock timeout"), Conflict),
        (pg.AdminShutdown("terminating connection due to administrator command"), Unavailable),
        (psycopg.OperationalError("connection refused"), Unavailable),
        (pg.DivisionByZero("division by zero"), Broken),
    ],
)
def test_an_error_says_what_was_done_where_and_why(
    error: psycopg.Error, kind: type[ControlPlaneError]
) -> None:
    found = translate(error, "counting rows", LOGIN)
    assert type(found) is kind
    assert found.message == f"counting rows (app_a at db.example.com:5432/tenant): {error}"


def test_an_unknown_certificate_says_where_the_bundle_is() -> None:
    error = psycopg.OperationalError("connection failed: SSL error: certificate verify failed")
    assert "global-bundle.pem" in translate(error, "probing", LOGIN).hint


def test_a_password_in_postgresqls_own_words_is_hidden() -> None:
    error = psycopg.ProgrammingError('invalid connection option "open-sesame"')
    assert "sesame" not in str(translate(error, "probing", LOGIN).problem())


def test_a_connection_takes_nothing_from_the_environment_but_what_we_say() -> None:
    words = Connector().conninfo(LOGIN)
    for wanted in ("sslmode=verify-full", "sslrootcert=system", "connect_timeout=10", "passfile=/dev/null"):
        assert wanted in words
    assert "sslrootcert" not in Connector().conninfo(
        Login("127.0.0.1", 5432, "tenant", "app_a", "open-sesame", "prefer")
    )
