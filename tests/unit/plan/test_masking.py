"""Masking: nothing under a sensitive mark survives, wherever else it stands and however it is written."""

from __future__ import annotations

import base64
import copy
import html
import json
from typing import Any
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.plan.masking import CHANGED, MASK, mask, secret_values
from tests.unit.plan.plans import DATABASE, entry, plan, recorded

PARAMETER = "aws_ssm_parameter.route"
canaries = st.text(
    alphabet=st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=("Cs", "Cc")),
    min_size=8,
    max_size=24,
).filter(lambda s: s not in CHANGED)


def _go(text: str) -> str:
    """As Terraform's jsonencode writes it."""
    plain = json.dumps(text, ensure_ascii=False)[1:-1]
    return plain.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _survives(canary: str, document: Any) -> bool:
    texts: list[str] = []

    def collect(node: Any) -> None:
        if isinstance(node, dict):
            for key, part in node.items():
                texts.append(key)
                collect(part)
        elif isinstance(node, list):
            for part in node:
                collect(part)
        elif isinstance(node, str):
            texts.append(node)

    collect(document)
    forms = {canary, _go(canary), quote(canary, safe=""), base64.b64encode(canary.encode()).decode()}
    return any(form in text for form in forms for text in texts)


def _policy(canary: str) -> str:
    return json.dumps({"Statement": [{"Sid": canary}]}, ensure_ascii=False)


PLACES = {
    "after": lambda c: plan(entry(PARAMETER, "create", None, {"v": c}, after_sensitive={"v": True})),
    "before of a newly marked value": lambda c: plan(
        entry(PARAMETER, "update", {"v": c}, {"v": c}, after_sensitive={"v": True})
    ),
    "after of a value that lost its mark": lambda c: plan(
        entry(PARAMETER, "update", {"v": c}, {"v": c}, before_sensitive={"v": True})
    ),
    "nested block": lambda c: plan(
        entry(
            PARAMETER, "create", None, {"b": [{"x": 1}, {"v": c}]}, after_sensitive={"b": [{}, {"v": True}]}
        )
    ),
    "whole object marked": lambda c: plan(
        entry(PARAMETER, "create", None, {"o": {"deep": [c]}}, after_sensitive={"o": True})
    ),
    "repeated unmarked elsewhere": lambda c: plan(
        entry(PARAMETER, "create", None, {"v": c}, after_sensitive={"v": True}),
        entry(DATABASE, "create", None, {"tags": {f"x{c}": f"pre-{c}-post"}, "name": c}),
    ),
    "inside a JSON policy": lambda c: plan(
        entry(PARAMETER, "create", None, {"v": c, "policy": _policy(c)}, after_sensitive={"v": True})
    ),
    "as jsonencode writes it": lambda c: plan(
        entry(PARAMETER, "create", None, {"v": c, "note": f'{{"x":"{_go(c)}"}}'}, after_sensitive={"v": True})
    ),
    "in a URL, in HTML and in base64": lambda c: plan(
        entry(
            PARAMETER,
            "create",
            None,
            {
                "v": c,
                "n": [
                    f"postgres://u:{quote(c, safe='')}@h",
                    html.escape(f"<{c}>"),
                    base64.b64encode(c.encode()).decode(),
                ],
            },
            after_sensitive={"v": True},
        )
    ),
    "inside a secret that is JSON": lambda c: plan(
        entry(
            PARAMETER,
            "create",
            None,
            {"v": json.dumps({"pw": c}), "copy": c},
            after_sensitive={"v": True},
        )
    ),
    "output": lambda c: plan(
        output_changes={
            "o": {"actions": ["create"], "before": None, "after": {"k": c}, "after_sensitive": True}
        },
        planned_values={"outputs": {"o": {"sensitive": True, "value": {"k": c}}}},
    ),
    "drift and prior state": lambda c: plan(
        resource_drift=[entry(PARAMETER, "update", {"v": c}, {"v": "x"}, before_sensitive={"v": True})],
        prior_state={
            "values": {
                "root_module": {
                    "child_modules": [
                        {"resources": [{"values": {"v": c}, "sensitive_values": {"v": True}}]}
                    ]
                }
            }
        },
    ),
    "root variable and its default": lambda c: plan(
        variables={"pw": {"value": c}},
        configuration={"root_module": {"variables": {"pw": {"default": c, "sensitive": True}}}},
    ),
    "literal for a sensitive module variable": lambda c: plan(
        configuration={
            "root_module": {
                "module_calls": {
                    "m": {
                        "expressions": {"pw": {"constant_value": c}},
                        "module": {"variables": {"pw": {"sensitive": True}}},
                    }
                }
            }
        }
    ),
    "literal for a sensitive attribute": lambda c: plan(
        entry(PARAMETER, "create", None, {"v": "other"}, after_sensitive={"v": True}),
        configuration={
            "root_module": {
                "resources": [
                    {"type": "aws_ssm_parameter", "name": "r", "expressions": {"v": {"constant_value": c}}}
                ]
            }
        },
    ),
    "state file": lambda c: {
        "version": 4,
        "outputs": {"o": {"value": c, "type": "string", "sensitive": True}},
        "resources": [
            {
                "mode": "managed",
                "type": "aws_x",
                "name": "r",
                "instances": [
                    {
                        "attributes": {"a": {"k": c}, "copy": c},
                        "sensitive_attributes": [
                            [
                                {"type": "get_attr", "value": "a"},
                                {"type": "index", "value": {"value": "k", "type": "string"}},
                            ]
                        ],
                        "private": base64.b64encode(c.encode()).decode(),
                    }
                ],
            }
        ],
    },
    "state without marks": lambda c: {
        "version": 4,
        "resources": [{"mode": "managed", "type": "aws_db_instance", "name": "r",
                       "instances": [{"attributes": {"password": c}}]}],
    },
}  # fmt: skip


@given(canary=canaries, place=st.sampled_from(sorted(PLACES)))
def test_a_canary_under_a_sensitive_mark_never_survives(canary: str, place: str) -> None:
    document = PLACES[place]("\x00")  # what the document holds apart from the canary
    if canary in json.dumps(document, ensure_ascii=False):
        return
    assert not _survives(canary, mask(PLACES[place](canary))), place


@given(canary=canaries, place=st.sampled_from(sorted(PLACES)))
def test_masking_twice_is_masking_once_and_leaves_the_original_alone(canary: str, place: str) -> None:
    document = PLACES[place](canary)
    untouched = copy.deepcopy(document)
    masked = mask(document)
    assert mask(masked) == masked and document == untouched


@given(canary=canaries, place=st.sampled_from(sorted(PLACES)))
def test_the_known_secrets_of_a_document_include_the_canary(canary: str, place: str) -> None:
    known = secret_values(PLACES[place](canary))
    assert canary in known


def test_the_recorded_route_is_hidden_in_every_part_of_the_plan() -> None:
    document = recorded("create")
    assert _survives('canary-route-<secret>&"quoted"', document)
    masked = mask(document)
    assert not _survives('canary-route-<secret>&"quoted"', masked)
    assert "db.t4g.micro" in json.dumps(masked), "what is not secret stays readable"


def test_a_mask_tells_whether_the_hidden_value_changes_and_null_stays_null() -> None:
    marks = {"before_sensitive": {"a": True, "b": True, "c": True}, "after_sensitive": {"a": True}}
    before, after = {"a": "1", "b": "2", "c": None}, {"a": "9", "b": "2", "c": None}
    masked = mask(plan(entry(PARAMETER, "update", before, after, **marks)))
    change = masked["resource_changes"][0]["change"]
    assert change["before"] == {"a": MASK, "b": MASK, "c": None}
    assert change["after"] == {"a": CHANGED, "b": MASK, "c": None}


def test_short_secrets_do_not_eat_other_values() -> None:
    masked = mask(
        plan(entry(PARAMETER, "create", None, {"v": "true", "w": "true"}, after_sensitive={"v": True}))
    )
    assert masked["resource_changes"][0]["change"]["after"] == {"v": CHANGED, "w": "true"}


def test_addresses_and_types_stay_what_they_are() -> None:
    secret = "aws_ssm_parameter"
    document = plan(entry(PARAMETER, "create", None, {"v": secret}, after_sensitive={"v": True}))
    assert mask(document)["resource_changes"][0]["address"] == PARAMETER
