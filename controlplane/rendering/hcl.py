"""The one way in which text gets into HCL: as a quoted string that it cannot leave."""

from __future__ import annotations

import re
import unicodedata

from controlplane.domain.errors import Invalid
from controlplane.rendering.shapes import text_problem

_SPECIAL = re.compile(r'["\\]|[$%](?=\{)')


def hcl_string(text: str) -> str:
    """A quoted HCL string that gives back exactly this text, in Unicode's composed form.

    A `$` or `%` before a brace is written by its number: the template scanner then never sees the pair.
    """
    problem = text_problem(text)
    if problem:
        raise Invalid(f"text for Terraform {problem}")
    escaped = _SPECIAL.sub(_escape, unicodedata.normalize("NFC", text))
    return '"' + "".join(c if c.isprintable() else _by_number(c) for c in escaped) + '"'


def _escape(match: re.Match[str]) -> str:
    found = match[0]
    return "\\" + found if found in '"\\' else _by_number(found)


def _by_number(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
