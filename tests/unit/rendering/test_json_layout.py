"""A rendering's JSON is laid out as Python's own library lays it out."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from controlplane.rendering.provenance import as_json

TEXT = st.text()
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: (
        st.lists(inner, max_size=4).flatmap(lambda held: st.sampled_from([held, tuple(held)]))
        | st.dictionaries(TEXT, inner, max_size=4)
    ),
    max_leaves=20,
)


@given(VALUES)
def test_it_is_sorted_and_indented_byte_for_byte(value: Any) -> None:
    assert as_json(value) == json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
