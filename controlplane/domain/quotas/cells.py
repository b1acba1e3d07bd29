"""Cells: an account, a region and a network each. A tenant is placed in one that has room, and stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from controlplane.domain.errors import FieldError, Invalid, Refused
from controlplane.domain.quotas import State

_HINT = "controlplane cell list"


@dataclass(frozen=True)
class Cell:
    """Roles are assumed by whoever works in it. `closed`: those who live there stay, nobody comes."""

    name: str
    region: str
    account: str = ""  # "": the one of the process's own credentials
    plan_role: str = ""
    apply_role: str = ""
    data_role: str = ""
    external_id: str = field(default="", repr=False)
    role_boundary: str = ""  # policy that bounds the roles which Terraform makes for services
    closed: bool = False


@dataclass(frozen=True)
class Room:
    """How much is left in a cell, by its fullest quota."""

    state: State
    tenants_left: int | None = None  # None: it is not known


_FIELDS: Mapping[str, type] = {
    f.name: bool if f.name == "closed" else str for f in fields(Cell) if f.name != "name"
}


def read_cells(document: Mapping[str, Any], own: Cell) -> dict[str, Cell]:
    """From `[cells.NAME]` tables. The cell that this process works in is always one of them."""
    tables = document.get("cells", {})
    if not isinstance(tables, Mapping) or set(document) - {"cells"}:
        raise _invalid("cells", "a file of cells has [cells.NAME] tables and nothing else")
    found = {str(name): _cell(str(name), table) for name, table in tables.items()}
    return {own.name: own, **found}


def _cell(name: str, table: Any) -> Cell:
    if not isinstance(table, Mapping) or not table.get("region"):
        raise _invalid(name, "a cell needs a region")
    for key, value in table.items():
        if key not in _FIELDS:
            raise _invalid(f"{name}.{key}", f"is no field of a cell; known: {', '.join(_FIELDS)}")
        if not isinstance(value, _FIELDS[key]):
            raise _invalid(f"{name}.{key}", f"is not a {_FIELDS[key].__name__}")
    return Cell(name=name, **table)


def place(cells: Mapping[str, Cell], rooms: Mapping[str, Room], wanted: tuple[str, str], own: str) -> Cell:
    """`wanted`: region and cell, each empty where it is not said. Without a cell: our own while it is not
    filling up, else the one of that region with the most room. Never one that is closed or full."""
    region, name = wanted
    if name:
        return _named(cells, region, name)
    region = region or cells[own].region
    there = [cell for cell in cells.values() if cell.region == region]
    fit = [cell for cell in there if not cell.closed and _room(rooms, cell).state is not State.REFUSE]
    if not fit:
        why = "; ".join(_obstacle(cell) for cell in there) or "there is none"
        raise Refused(f"no cell of {region} takes another tenant: {why}", hint=_HINT)
    return min(fit, key=lambda cell: _order(cell, rooms, own))


def _named(cells: Mapping[str, Cell], region: str, name: str) -> Cell:
    found = cells.get(name)
    if found is None:
        raise _invalid("cell", f"there is no cell {name!r}; known: {', '.join(sorted(cells))}")
    if region and found.region != region:
        raise _invalid("region", f"the cell {name} lies in {found.region}, not in {region}")
    if found.closed:
        raise Refused(f"the cell {name} is closed: nobody comes to live there", hint=_HINT)
    return found


def _order(cell: Cell, rooms: Mapping[str, Room], own: str) -> tuple[bool, bool, int, str]:
    """What is known goes before what is not; the name decides between equals, so that two ask alike."""
    room = _room(rooms, cell)
    at_home = cell.name == own and room.state is State.FINE
    left = -1 if room.tenants_left is None else room.tenants_left
    return (not at_home, room.state is State.WARN, -left, cell.name)


def _room(rooms: Mapping[str, Room], cell: Cell) -> Room:
    return rooms.get(cell.name, Room(State.UNKNOWN))


def _obstacle(cell: Cell) -> str:
    return f"{cell.name} is {'closed' if cell.closed else 'full'}"


def _invalid(field_name: str, message: str) -> Invalid:
    return Invalid(f"{field_name}: {message}", errors=[FieldError(field_name, message)])
