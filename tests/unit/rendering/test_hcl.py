"""Text in HCL stays inside its quotes. Terraform itself is asked in the contract tests."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.errors import Invalid
from controlplane.rendering import hcl_string

NASTY = st.text(alphabet=st.sampled_from('ab"\\${}%<>\n\r\t\x1b\u2028é')) | st.text()


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("plain", '"plain"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("a\\b", '"a\\\\b"'),
        ("${x}", '"\\u0024{x}"'),
        ("%{ if x }", '"\\u0025{ if x }"'),
        ("$${x}", '"$\\u0024{x}"'),
        ("100% $5", '"100% $5"'),
        ("a\nb", '"a\\u000ab"'),
        ("e\u0301", '"é"'),
    ],
)
def test_what_hcl_would_read_otherwise_is_escaped(text: str, quoted: str) -> None:
    assert hcl_string(text) == quoted


@given(NASTY)
def test_nothing_leaves_the_quotes(text: str) -> None:
    try:
        quoted = hcl_string(text)
    except Invalid:
        assert "\0" in text or re.search("[\ud800-\udfff]", text)
        return
    inside = quoted[1:-1]
    assert quoted[0] == quoted[-1] == '"'
    assert "${" not in inside
    assert "%{" not in inside
    assert not re.search(r"[\x00-\x1f\x7f]", inside)
    assert '"' not in re.sub(r"\\.", "", inside)
    assert not re.sub(r"\\.", "", inside).endswith("\\")


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x\udfff"])
def test_what_no_string_can_carry_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="text for Terraform holds"):
        hcl_string(text)
