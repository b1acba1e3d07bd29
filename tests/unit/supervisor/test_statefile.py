"""Only whole states are handed on, and each only until it is stored."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from controlplane.supervisor.statefile import StateReader, parse, read_state

WHOLE = json.dumps({"version": 4, "serial": 7, "lineage": "l", "resources": []}).encode()
NEXT = WHOLE.replace(b"7", b"8")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "terraform.tfstate"


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_no_beginning_of_a_state_is_a_state(length: int) -> None:
    assert parse(WHOLE[:length]) is None


@pytest.mark.parametrize(
    "content", [b"null", b"[]", b'{"serial": 1}', b'{"serial": "1", "lineage": "l"}', b"\xff"]
)
def test_other_json_is_no_state(content: bytes) -> None:
    assert parse(content) is None


def test_a_state_that_is_missing_is_none(file: Path) -> None:
    assert read_state(file) is None
    assert StateReader(file).changed() is None


def test_a_state_is_offered_until_it_is_stored(file: Path) -> None:
    reader = StateReader(file)
    file.write_bytes(WHOLE)
    first = reader.changed()
    assert first is not None
    assert (first.lineage, first.serial, first.content) == ("l", 7, WHOLE)
    assert reader.changed() == first  # the database was away
    reader.stored(first)
    assert reader.changed() is None
    assert reader.is_stored()
    file.write_bytes(NEXT + b"\n")
    assert not reader.is_stored()
    assert reader.changed() is not None


def test_what_was_stored_before_the_run_is_not_stored_again(file: Path) -> None:
    file.write_bytes(WHOLE)
    known = parse(WHOLE)
    assert known is not None
    reader = StateReader(file, known.sha256)
    assert reader.changed() is None
    assert reader.is_stored()


def test_a_cut_state_is_said_to_be_damaged_and_a_whole_one_heals_it(file: Path) -> None:
    reader = StateReader(file)
    file.write_bytes(WHOLE[:9])
    assert reader.changed() is None
    assert reader.damaged == "9 bytes that are no whole state"
    assert not reader.is_stored()
    file.write_bytes(WHOLE)
    assert reader.changed() is not None
    assert reader.damaged == ""


def test_the_empty_file_that_terraform_makes_to_lock_it_is_no_damage(file: Path) -> None:
    reader = StateReader(file)
    file.write_bytes(b"")
    assert reader.changed() is None
    assert reader.damaged == ""


def test_a_state_that_was_emptied_is_damaged_until_it_is_gone(file: Path) -> None:
    known = parse(WHOLE)
    assert known is not None
    reader = StateReader(file, known.sha256)
    file.write_bytes(b"")
    assert reader.changed() is None
    assert reader.damaged == "0 bytes that are no whole state"
    file.unlink()
    assert reader.changed() is None
    assert reader.damaged == ""


def test_a_refused_state_is_not_offered_again_and_does_not_count_as_stored(file: Path) -> None:
    reader = StateReader(file)
    file.write_bytes(WHOLE)
    assert reader.changed() is not None
    reader.refused()
    assert reader.changed() is None
    assert not reader.is_stored()


def test_the_last_look_reads_again_whatever_the_time_stamp_says(file: Path) -> None:
    reader = StateReader(file)
    file.write_bytes(WHOLE)
    before = file.stat()
    state = reader.changed()
    assert state is not None
    reader.stored(state)
    file.write_bytes(NEXT)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert reader.changed() is None
    reader.look_again()
    found = reader.changed()
    assert found is not None
    assert found.serial == 8
