"""Where a tenant is placed, and which files of cells are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.errors import Invalid, Refused
from controlplane.domain.quotas import State
from controlplane.domain.quotas.cells import Cell, Room, place, read_cells

OWN = Cell("default", "us-east-1")
CELLS = {
    c.name: c for c in (OWN, Cell("second", "us-east-1"), Cell("third", "us-east-1"), Cell("eu", "eu-west-1"))
}
FINE, WARN, FULL = (
    Room(state, left) for state, left in ((State.FINE, 9), (State.WARN, 4), (State.REFUSE, 0))
)


def placed(region: str = "", cell: str = "", **rooms: Room) -> str:
    return place(CELLS, rooms, (region, cell), "default").name


def test_a_tenant_lives_where_we_work_while_there_is_plenty_of_room() -> None:
    assert placed(default=FINE, second=Room(State.FINE, 500)) == "default"


def test_once_our_cell_fills_up_the_one_with_the_most_room_is_taken() -> None:
    assert placed(default=WARN, second=Room(State.FINE, 20), third=Room(State.FINE, 30)) == "third"
    assert placed(default=FULL, second=WARN, third=Room(State.UNKNOWN)) == "third"
    assert placed(default=WARN, second=FULL, third=FULL) == "default"


def test_another_region_has_its_own_cells() -> None:
    assert placed(region="eu-west-1", eu=FINE) == "eu"
    with pytest.raises(Refused, match="no cell of ap-south-1 takes another tenant: there is none"):
        placed(region="ap-south-1")


def test_when_all_are_full_or_closed_it_is_refused_with_each_reason() -> None:
    cells = {**CELLS, "third": replace(CELLS["third"], closed=True)}
    with pytest.raises(Refused, match="default is full; second is full; third is closed"):
        place(cells, {"default": FULL, "second": FULL}, ("", ""), "default")


def test_a_cell_that_is_named_is_taken_or_refused_and_never_changed_for_another() -> None:
    assert placed(cell="second", second=FULL) == "second"  # its quota refuses, with what is used of it
    with pytest.raises(Invalid, match="no cell 'nowhere'; known: default, eu"):
        placed(cell="nowhere")
    with pytest.raises(Invalid, match="lies in eu-west-1, not in us-east-1"):
        placed(region="us-east-1", cell="eu")
    closed = {**CELLS, "eu": replace(CELLS["eu"], closed=True)}
    with pytest.raises(Refused, match="is closed"):
        place(closed, {}, ("", "eu"), "default")


@given(
    st.dictionaries(
        st.sampled_from(sorted(CELLS)),
        st.builds(Room, st.sampled_from(State), st.none() | st.integers(0, 100)),
    )
)
def test_nobody_is_placed_in_a_full_cell_or_in_another_region(rooms: dict[str, Room]) -> None:
    try:
        found = place(CELLS, rooms, ("", ""), "default")
    except Refused:
        assert all(rooms[name].state is State.REFUSE for name in ("default", "second", "third"))
    else:
        assert found.region == "us-east-1"
        assert rooms.get(found.name, FINE).state is not State.REFUSE


def test_a_file_names_cells_beside_the_one_that_we_work_in() -> None:
    eu = {"region": "eu-west-1", "account": "123456789012", "plan_role": "arn:p", "closed": True}
    found = read_cells({"cells": {"eu": eu}}, OWN)
    assert found == {"default": OWN, "eu": Cell("eu", "eu-west-1", "123456789012", "arn:p", closed=True)}
    assert read_cells({"cells": {"default": {"region": "eu-west-1"}}}, OWN)["default"].region == "eu-west-1"


@pytest.mark.parametrize(
    "document",
    [
        {"cells": []},
        {"cells": {"eu": {}}},
        {"cells": {"eu": "eu-west-1"}},
        {"cells": {"eu": {"region": "eu-west-1", "colour": "blue"}}},
        {"cells": {"eu": {"region": "eu-west-1", "closed": "yes"}}},
        {"cells": {}, "cell": {}},
    ],
)
def test_a_file_that_cannot_be_understood_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        read_cells(document, OWN)
