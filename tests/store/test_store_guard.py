"""What stands before a change: tokens, people, idempotency keys, windows and overrides."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from controlplane.domain.errors import (
    AlreadyExists,
    Conflict,
    ControlPlaneError,
    Invalid,
    Missing,
    Unauthenticated,
)
from controlplane.store.database import Database
from controlplane.store.guard import access, idempotency, overrides, windows
from controlplane.store.guard.idempotency import Answer
from controlplane.store.tables import PolicyOverride, Token, User, Window
from tests.store.store_rows import NOW

LATER = NOW + timedelta(hours=1)


def _token(id_: str = "t1", **columns: Any) -> Token:
    return Token(
        id=id_, name=f"ci {id_}", role="operator", created_by="ann", created_at=NOW, digest="", **columns
    )


# --- tokens and people ------------------------------------------------------------------------------


def test_a_token_is_found_by_its_secret_which_is_nowhere_in_the_catalog(db: Database) -> None:
    with db.write() as session:
        access.issue(session, _token(tenants=["acme-*"]), "s3cret-of-a-token")
    with db.read() as session:
        assert access.authenticate(session, "s3cret-of-a-token", NOW).tenants == ["acme-*"]
        with pytest.raises(Unauthenticated, match="not known"):
            access.authenticate(session, "s3cret-of-another", NOW)
        row = session.connection().exec_driver_sql("SELECT * FROM token").one()
    assert "s3cret" not in str(row)
    if db.file:
        assert b"s3cret" not in db.file.read_bytes() + db.file.with_name(f"{db.file.name}-wal").read_bytes()


def test_an_expired_token_is_refused_from_its_end_on(db: Database) -> None:
    with db.write() as session:
        access.issue(session, _token(expires_at=LATER), "secret")
    with db.read() as session:
        access.authenticate(session, "secret", LATER - timedelta(microseconds=1))
        with pytest.raises(Unauthenticated, match="expired at 2025-03-01 13:00"):
            access.authenticate(session, "secret", LATER)


def test_a_revoked_token_is_refused_and_stays_listed_with_the_first_time(db: Database) -> None:
    with db.write() as session:
        access.issue(session, _token(), "secret")
        access.revoke(session, "t1", NOW)
        access.revoke(session, "t1", LATER)
    with db.read() as session:
        with pytest.raises(Unauthenticated, match="revoked"):
            access.authenticate(session, "secret", NOW)
        assert [(t.id, t.revoked_at) for t in access.tokens(session)] == [("t1", NOW)]
    with pytest.raises(Missing, match="t2"), db.write() as session:
        access.revoke(session, "t2", NOW)


def test_the_last_use_is_noted_once_a_minute(db: Database) -> None:
    with db.write() as session:
        access.issue(session, _token(), "secret")
    noted = []
    for seconds in (0, 30, 61):
        at = NOW + timedelta(seconds=seconds)
        with db.write() as session:
            due = access.is_use_due(access.token_by_id(session, "t1"), at)
            access.note_use(session, "t1", at)
            noted.append((due, access.token_by_id(session, "t1").last_used_at == at))
    assert noted == [(True, True), (False, False), (True, True)]


@pytest.mark.parametrize(("id_", "secret"), [("t1", "other"), ("t2", "secret")])
def test_a_token_is_issued_once(db: Database, id_: str, secret: str) -> None:
    with db.write() as session:
        assert not access.anybody(session)
        access.issue(session, _token(), "secret")
        assert access.anybody(session)
    with pytest.raises(AlreadyExists), db.write() as session:
        access.issue(session, _token(id_), secret)


def test_people_have_one_name_each(db: Database) -> None:
    with db.write() as session:
        access.add_user(session, User(id="u1", name="ann", role="admin", created_at=NOW))
        assert access.anybody(session)
    with pytest.raises(AlreadyExists, match="ann"), db.write() as session:
        access.add_user(session, User(id="u2", name="ann", role="viewer", created_at=NOW))
    with db.write() as session:
        assert [u.role for u in access.users(session)] == ["admin"]
        access.remove_user(session, "u1")
        with pytest.raises(Missing):
            access.remove_user(session, "u1")
        assert access.find_user(session, "ann") is None


# --- idempotency ------------------------------------------------------------------------------------


def _ask(db: Database, body: bytes = b"{}", key: str = "k", fail: bool = False) -> tuple[bool, Answer]:
    """A request as a door does it: claim, change and answer in one transaction."""
    print_ = idempotency.fingerprint("post", "/v1/tenants", body)
    with db.write() as session:
        before = idempotency.claim(session, "ann", key, print_, NOW)
        if before:
            return False, before
        if fail:
            raise RuntimeError
        answer = Answer(202, {"id": threading.current_thread().name}, {"Location": "/v1/operations/1"})
        idempotency.record(session, "ann", key, answer)
        return True, answer


def test_of_a_hundred_requests_at_once_one_is_done_and_all_get_its_answer(db: Database) -> None:
    start = threading.Barrier(100)

    def request(_number: int) -> tuple[bool, Answer]:
        start.wait(60)
        return _ask(db)

    with ThreadPoolExecutor(100) as pool:
        outcomes = list(pool.map(request, range(100)))
    (winner,) = [answer for won, answer in outcomes if won]
    assert {str(answer.body) for _, answer in outcomes} == {str(winner.body)}
    assert outcomes[0][1].headers == {"Location": "/v1/operations/1"}


def test_the_same_key_with_another_body_is_invalid(db: Database) -> None:
    _ask(db, b"one")
    with pytest.raises(Invalid) as caught:
        _ask(db, b"two")
    assert caught.value.errors[0].field == "Idempotency-Key"
    assert _ask(db, b"one")[0] is False


def test_a_request_that_failed_may_be_sent_again(db: Database) -> None:
    with pytest.raises(RuntimeError):
        _ask(db, fail=True)
    assert _ask(db)[0] is True


def test_keys_are_their_actors_own_and_end(db: Database) -> None:
    _ask(db)
    with db.write() as session:
        assert idempotency.claim(session, "bob", "k", "other", NOW) is None
        with pytest.raises(Conflict, match="being done"):
            idempotency.claim(session, "bob", "k", "other", NOW)
        assert idempotency.forget(session, NOW) == 0
        assert idempotency.forget(session, LATER) == 2
    assert _ask(db)[0] is True


def test_an_answer_is_recorded_once(db: Database) -> None:
    _ask(db)
    for key in ("k", "unclaimed"):
        with pytest.raises(Conflict), db.write() as session:
            idempotency.record(session, "ann", key, Answer(500, {}))
    assert _ask(db)[1].status_code == 202


@pytest.mark.parametrize("key", ["", "x" * 256, "nul\x00", "\ud800"])
def test_a_key_that_cannot_be_kept_is_invalid_or_kept_whole(db: Database, key: str) -> None:
    try:
        _ask(db, key=key)
    except ControlPlaneError as error:
        assert isinstance(error, Invalid)
    else:
        assert db.file
        assert _ask(db, key=key)[0] is False
        assert _ask(db, key="nul")[0] is True


def test_method_path_and_body_make_the_fingerprint() -> None:
    prints = {
        idempotency.fingerprint(*request)
        for request in [("POST", "/a", b"b"), ("PUT", "/a", b"b"), ("POST", "/b", b"b"), ("POST", "/a", b"")]
    }
    assert len(prints) == 4
    assert idempotency.fingerprint("post", "/a", b"b") in prints


# --- windows and overrides --------------------------------------------------------------------------


def test_windows_are_listed_in_order_and_removed(db: Database) -> None:
    with db.write() as session:
        for number, name in enumerate(["nights", "freeze"]):
            at = NOW + timedelta(seconds=number)
            given = {"effect": "deny", "cron": "0 0 * * *", "minutes": 60, "created_by": "ann"}
            row = Window(id=f"w{number}", name=name, created_at=at, **given)
            windows.add(session, row)
        with pytest.raises(AlreadyExists):
            windows.add(session, row)
    with db.write() as session:
        assert [w.name for w in windows.every(session)] == ["nights", "freeze"]
        windows.remove(session, "w0")
        with pytest.raises(Missing):
            windows.remove(session, "w0")
        assert [w.zone for w in windows.every(session)] == ["UTC"]


def _override(id_: str, **columns: Any) -> PolicyOverride:
    given = {"rule": "poc-limit", "person": "ann", "reason": "pilot", "expires_at": LATER, "created_at": NOW}
    return PolicyOverride(id=id_, **{**given, **columns})


def test_an_override_holds_for_its_tenant_until_it_ends(db: Database) -> None:
    with db.write() as session:
        overrides.add(session, _override("all"))
        overrides.add(session, _override("acme", tenant_uid="u1", rule="uptime"))
        overrides.add(session, _override("other", tenant_uid="u2"))
    with db.write() as session:
        assert {o.id for o in overrides.living(session, "u1", NOW)} == {"all", "acme"}
        assert [o.id for o in overrides.living(session, "u1", NOW, "uptime")] == ["acme"]
        assert overrides.living(session, "u1", LATER) == []
        overrides.end(session, "all", NOW + timedelta(seconds=1))
        assert {o.id for o in overrides.living(session, None, NOW + timedelta(seconds=1))} == set()
        assert len(overrides.every(session)) == 3
        with pytest.raises(Missing):
            overrides.end(session, "none", NOW)


@pytest.mark.parametrize("wrong", [{"person": " "}, {"reason": ""}, {"expires_at": NOW}])
def test_an_override_names_a_person_a_reason_and_an_end(db: Database, wrong: dict[str, Any]) -> None:
    with db.write() as session, pytest.raises(Invalid):
        overrides.add(session, _override("o", **wrong))
