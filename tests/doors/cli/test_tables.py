"""Tables for people fit the window, and lose nothing by it."""

from __future__ import annotations

import pytest

from controlplane.domain.operation import FINAL, Status
from controlplane.terminal.tables import color_of, rich_table

TITLES = ("slug", "phase", "stage", "size", "usd/month", "next")
NEXT = "controlplane operation approve op-1m7w8khsd95yez71 --digest 5f2b6d3f0c4e"
ROWS = (
    ("customer-of-ours", "awaiting_approval", "production", "large", "1284.50", NEXT),
    ("acme", "ready", "poc", "micro", "18.25", "-"),
)
RIGHT = (False, False, False, False, True, False)


def shown(capsys: pytest.CaptureFixture[str], width: int) -> str:
    rich_table(TITLES, ROWS, RIGHT, colored=False, width=width)
    return capsys.readouterr().out


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_nothing_is_cut_off_however_narrow_the_window_is(
    capsys: pytest.CaptureFixture[str], width: int
) -> None:
    told = "".join(shown(capsys, width).split())  # a folded value goes on in the next line
    assert "…" not in told
    for value in ("customer-of-ours", "production", "1284.50", "acme", "18.25"):
        assert value in told, value


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_row_s_name_stands_whole_on_one_line(capsys: pytest.CaptureFixture[str], width: int) -> None:
    lines = shown(capsys, width).splitlines()
    assert any("customer-of-ours" in line for line in lines)
    assert any("awaiting_approval" in line for line in lines) == (width != 80)


@pytest.mark.parametrize("width", [80, 120])
def test_a_table_is_no_wider_than_the_window(capsys: pytest.CaptureFixture[str], width: int) -> None:
    lines = shown(capsys, width).splitlines()
    assert max(map(len, lines)) <= width
    assert lines[1].split() == list(TITLES)


@pytest.mark.parametrize("width", [40, 60])
def test_where_a_table_would_not_be_readable_each_value_has_its_line(
    capsys: pytest.CaptureFixture[str], width: int
) -> None:
    first, second, _ = shown(capsys, width).split("\n\n")
    assert f"next:      {NEXT}" in first.splitlines()  # whole, so that it can be copied
    assert second.splitlines()[0] == "slug:      acme"
    assert "next" not in second  # there is none


def test_a_color_says_how_a_thing_stands() -> None:
    colors = {status: color_of(status.value) for status in Status}
    went_well = {Status.SUCCEEDED, Status.NO_CHANGES}
    assert {colors[status] for status in went_well} == {"green"}
    assert all("red" in colors[status] for status in FINAL - went_well - {Status.CANCELLED})
    assert {colors[status] for status in (Status.AWAITING_APPROVAL, Status.AWAITING_WINDOW)} == {"yellow"}
    assert color_of("poc") == ""
