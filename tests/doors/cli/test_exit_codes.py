"""What a script learns from the exit code, and that nobody ever meets a traceback."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from controlplane.domain.errors import ErrorKind
from controlplane.domain.operation import Status
from controlplane.store import operations
from controlplane.terminal import exits
from controlplane.terminal.app import run
from tests.doors.cli.terminal import Terminal
from tests.doors.premises import Premises


@pytest.mark.parametrize(
    "words",
    [
        ("nothing",),
        ("tenant", "nothing"),
        ("tenant", "list", "--nothing"),
        ("tenant", "show"),
        ("tenant", "list", "--stage", "beta"),
        ("tenant", "list", "--page-size", "many"),
        ("tenant", "list", "-o", "xml"),
        ("tenant", "create"),
        ("tenant", "create", "acme", "--size", "huge"),
        ("tenant", "create", "acme", "--users", "few"),
        ("tenant", "create", "acme", "--users", "0"),
        ("tenant", "create", "acme", "--label", "nonsense"),
        ("tenant", "create", "acme", "--region", "mars-1"),
        ("tenant", "create", "acme", "--timeout", "soon"),
        ("tenant", "create", "acme", "--stage", "poc", "--paying"),
        ("tenant", "destroy", "acme"),
        ("operation", "settle", "x", "--outcome", "magic"),
        ("window", "add", "w", "--effect", "allow", "--cron", "x", "--minutes", "1"),
        ("tenant", "list", "--server", "ftp://somewhere"),
        ("sandbox", "reset"),
    ],
)
def test_what_cannot_be_meant_is_usage(terminal: Terminal, words: tuple[str, ...]) -> None:
    said = terminal(*words)
    assert said.code == 64
    assert said.out == ""
    assert "error: " in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "slug", ["tenant_1", "-a", "a--b", "a" * 64, "../x", "ab", "Acme", "a\nb", "\x1b[31mred"]
)
def test_a_bad_slug_is_usage_and_leaves_nothing_behind(
    terminal: Terminal, premises: Premises, slug: str
) -> None:
    said = terminal("tenant", "create", "--no-wait", "--", slug)
    assert said.code == 64
    assert "\x1b" not in said.err
    with premises.control.db.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM tenant").scalar() == 0


@pytest.mark.parametrize(
    "words", [("tenant", "show", "none"), ("tenant", "explain", "none"), ("operation", "show", "none")]
)
def test_what_is_not_there_is_5(terminal: Terminal, words: tuple[str, ...]) -> None:
    said = terminal(*words)
    assert (said.code, said.out) == (5, "")
    assert "next: controlplane " in said.err


def test_a_duplicate_is_4(terminal: Terminal, premises: Premises) -> None:
    premises.tenant("acme")
    said = terminal("tenant", "create", "acme", "--no-wait")
    assert said.code == 4
    assert "there is a tenant 'acme' already" in said.err


def test_an_old_picture_is_4(terminal: Terminal, premises: Premises) -> None:
    premises.finish(premises.tenant("acme"))
    assert (
        terminal("tenant", "destroy", "acme", "--confirm", "acme", "--if-match", "99", "--no-wait").code == 4
    )


def test_what_a_role_may_not_is_6(terminal: Terminal, premises: Premises) -> None:
    url, token = premises.serve().url, premises.token("viewer")
    said = terminal("tenant", "create", "acme", "--server", url, "--token", token)
    assert said.code == 6
    assert terminal("tenant", "list", "--server", url, "--token", "cp_wrong").code == 6


def test_a_server_that_does_not_answer_is_1(terminal: Terminal) -> None:
    said = terminal("tenant", "list", "--server", "http://127.0.0.1:9", "--token", "cp_x")
    assert said.code == 1
    assert "is the server running" in said.err
    assert "cp_x" not in said.err


def test_an_accepted_change_without_waiting_is_0(terminal: Terminal) -> None:
    said = terminal("tenant", "create", "acme", "--no-wait", "-o", "json")
    assert said.code == 0
    assert said.json()["status"] == "pending"
    assert "controlplane operation log -f" in said.err


def test_a_dry_run_is_0_and_changes_nothing(terminal: Terminal) -> None:
    said = terminal("tenant", "create", "acme", "--dry-run", "-o", "json")
    assert (said.code, said.json()["dry_run"]) == (0, True)
    assert terminal("tenant", "show", "acme").code == 5


def test_a_plan_with_changes_is_2_only_when_asked(terminal: Terminal, premises: Premises) -> None:
    operation = premises.tenant()
    premises.await_approval(operation)
    assert terminal("operation", "plan", operation).code == 0
    assert terminal("operation", "plan", operation, "--detailed-exitcode").code == 2


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status.SUCCEEDED, 0),
        (Status.NO_CHANGES, 0),
        (Status.FAILED, 1),
        (Status.PARTIALLY_APPLIED, 1),
        (Status.REJECTED, 1),
        (Status.AWAITING_APPROVAL, 3),
        (Status.AWAITING_WINDOW, 3),
        (Status.NEEDS_OPERATOR, 4),
        (Status.CANCELLED, 8),
    ],
)
def test_following_ends_with_how_it_went(
    terminal: Terminal, premises: Premises, status: Status, code: int
) -> None:
    operation = premises.tenant()
    _put(premises, operation, status)
    assert terminal("operation", "log", "-f", operation).code == code


def _put(premises: Premises, operation: str, status: Status) -> None:
    with premises.control.db.write() as session:
        operations.note(
            session, operation, status=status.value, next_command="controlplane x", leg_state="idle"
        )


def test_a_wait_that_times_out_is_7_and_the_work_goes_on(terminal: Terminal, premises: Premises) -> None:
    url, token = premises.serve().url, premises.token()
    words = ("tenant", "create", "acme", "--timeout", "1s", "--server", url, "--token", token)
    said = terminal(*words)
    assert said.code == 7
    assert "the work goes on" in said.err


def test_every_kind_of_error_and_every_end_has_a_code() -> None:
    assert set(exits._BY_KIND) == set(ErrorKind)
    running = {Status.PENDING, Status.PLANNING, Status.APPLYING, Status.VERIFYING}
    assert set(exits._BY_STATUS) == set(Status) - running


# --- a machine that is not as it should be ----------------------------------------------------------


def test_a_corrupt_catalog_is_said_to_be_one(terminal: Terminal, premises: Premises) -> None:
    premises.control.db.close()
    for name in ("tenants.db-wal", "tenants.db-shm"):
        (premises.folder / name).unlink(missing_ok=True)
    (premises.folder / "tenants.db").write_bytes(b"this is no database" * 100)
    for words in (("tenant", "list"), ("tenant", "create", "acme"), ("db", "check")):
        said = terminal(*words)
        assert said.code == 1, words
        assert "damaged" in said.err + said.out
        assert "Traceback" not in said.err


def test_a_newer_catalog_is_refused(terminal: Terminal, premises: Premises) -> None:
    with premises.control.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    said = terminal("tenant", "list")
    assert said.code == 1
    assert "9999" in said.err


def test_a_locked_catalog_still_lists(terminal: Terminal, premises: Premises) -> None:
    premises.tenant()
    holder = sqlite3.connect(premises.folder / "tenants.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        assert terminal("tenant", "list", "-o", "name").out == "acme\n"
    finally:
        holder.close()


def test_a_folder_that_cannot_be_made_is_said(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTROLPLANE_DATABASE_URL", "sqlite:////proc/nothing/tenants.db")
    said = terminal("tenant", "list")
    assert said.code == 1
    assert "/proc/nothing/tenants.db" in said.err


def test_a_setting_that_cannot_be_read_is_usage(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTROLPLANE_POLL_SECONDS", "often")
    said = terminal("tenant", "list")
    assert said.code == 64
    assert "CONTROLPLANE_POLL_SECONDS" in said.err


def test_a_port_in_use_is_said(terminal: Terminal, premises: Premises) -> None:
    port = premises.serve().url.rpartition(":")[2]
    said = terminal("serve", "--port", port)
    assert said.code == 1
    assert "it is in use" in said.err


def test_a_file_that_cannot_be_read_is_said(terminal: Terminal, tmp_path: Path) -> None:
    for name, text in (("none.csv", None), ("x.jsonl", "{"), ("y.jsonl", "[1]"), ("z.txt", "slug")):
        if text is not None:
            (tmp_path / name).write_text(text)
        assert terminal("tenant", "create", "--from", str(tmp_path / name)).code == 64, name


def test_a_reader_who_leaves_is_no_error() -> None:
    """`controlplane … | head` must stay quiet: this is what the outermost catch makes of it."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.stdout.close(); from controlplane.terminal.app import run;"
            "sys.exit(run(['version', '-o', 'json']))",
        ],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"Traceback" not in done.stderr


def test_help_is_0(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ["--help"],
        ["tenant", "--help"],
        ["tenant", "create", "--help"],
        ["operation", "approve", "--help"],
    ):
        assert run(words) == 0, words
        assert "Usage" in capsys.readouterr().out
