"""How our comments are found again: a mark that Markdown does not show."""

from __future__ import annotations

import re

_MARK = re.compile(r"<!-- controlplane (?P<what>[a-z]+) (?P<key>[A-Za-z0-9._:-]+) -->")
_OLD = "*What stood here is old.*"


def marked(what: str, key: str, text: str) -> str:
    return f"<!-- controlplane {what} {key} -->\n{text}"


def mark_of(text: str) -> tuple[str, str] | None:
    """What a comment of ours is about; None: it is none of ours."""
    found = _MARK.match(text)
    return (found["what"], found["key"]) if found else None


def collapsed(text: str) -> str:
    """An old comment keeps its mark and folds away; folded once is folded."""
    head, _, rest = text.partition("\n")
    if rest.startswith(_OLD):
        return text
    return f"{head}\n{_OLD}\n\n<details><summary>what it said</summary>\n\n{rest}\n\n</details>\n"
