"""Comparing what Terraform writes: null, zero and empty are one value to the AWS provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one: `null` and `true` stand for objects in plans."""
    return value if isinstance(value, Mapping) else {}


def prune(value: Any) -> Any:
    """Without nulls, zeros and empty parts; whole floats as integers. None where nothing is left."""
    if isinstance(value, Mapping):
        parts = {key: prune(part) for key, part in value.items()}
        return {key: part for key, part in parts.items() if part is not None} or None
    if isinstance(value, list):
        # A list keeps its places: ["", "a"] is not ["a"].
        parts_in_order = [prune(part) for part in value]
        return parts_in_order if any(part is not None for part in parts_in_order) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value or None


def same(one: Any, other: Any) -> bool:
    return bool(prune(one) == prune(other))
