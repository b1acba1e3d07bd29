"""Values are looked at before they are written: Terraform passes over what is misspelt."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane import assets
from controlplane.domain.errors import Invalid
from controlplane.rendering.shapes import ListOf, MapOf, Maybe, Variable, checked, hcl_type
from controlplane.rendering.slots import SLOT_SHAPE

VARIABLES = (
    Variable("name", "", str),
    Variable("slots", "", MapOf({"size_gb": int, "on": bool, "note": Maybe(str)})),
    Variable("zones", "", ListOf(str)),
)
GOOD: dict[str, Any] = {
    "name": "a",
    "slots": {"e1": {"size_gb": 20, "on": True, "note": None}},
    "zones": ["a", "b"],
}


def test_what_fits_comes_back_as_it_was() -> None:
    assert checked("x", VARIABLES, GOOD) == GOOD


def test_text_comes_back_in_composed_form() -> None:
    assert checked("x", VARIABLES, {**GOOD, "name": "e\u0301"})["name"] == "\u00e9"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"nmae": "a"}, "nmae is no attribute here; allowed: name, slots, zones"),
        ({"name": 3}, "name is of type int, wanted string"),
        ({"name": None}, "name is null, wanted string"),
        ({"name": "a\0b"}, "name holds a NUL character"),
        ({"name": "\ud800"}, "name holds half of a surrogate pair"),
        ({"zones": "ab"}, "zones is of type str, wanted a list"),
        ({"zones": ["a", 1]}, r"zones\[1\] is of type int"),
        ({"slots": []}, "slots is of type list, wanted a map"),
        (
            {"slots": {"e1": {"size_gb": "20", "on": True, "note": None}}},
            "size_gb is of type str, wanted number",
        ),
        ({"slots": {"e1": {"size_gb": True, "on": True, "note": None}}}, "size_gb is of type bool"),
        ({"slots": {"e1": {"size_gb": 1, "on": True}}}, r"slots\['e1'\]\.note is missing"),
        ({"slots": {"\ud800": {"size_gb": 1, "on": True, "note": None}}}, "surrogate"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(change: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid, match=message):
        checked("x", VARIABLES, {**GOOD, **change})


def test_every_misfit_is_named_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        checked("x", VARIABLES, {"name": 1, "zones": 2})
    assert {error.field for error in caught.value.errors} == {"name", "zones", "slots"}


def test_a_shape_is_declared_in_hcl_without_optional_attributes() -> None:
    text = hcl_type(MapOf({"a": str, "longer": Maybe(int), "many": MapOf({"b": bool})}))
    assert text == (
        "map(object({\n    a      = string\n    longer = number\n"
        "    many = map(object({\n      b = bool\n    }))\n  }))"
    )


def test_the_module_takes_a_slot_of_exactly_the_shape_that_is_rendered() -> None:
    variables = (assets.modules() / "tenant_database" / "variables.tf").read_text(encoding="utf-8")
    assert f"  type = {hcl_type(SLOT_SHAPE)}\n" in variables
