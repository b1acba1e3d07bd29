"""The review's text: what a person decides by on top, the rest folded below, cut to a host's limit."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from controlplane.domain.redaction import Redactor

LIMIT = 60_000  # below what GitHub takes in one comment
_SMALLEST_LIMIT = 2_000
_LONGEST_CELL = 300
_FENCE = re.compile(r"`{3,}")


@dataclass(frozen=True)
class Story:
    """Everything that is told; all of it masked before it was stored."""

    review: str
    subject: str
    kind: str
    status: str
    requested_by: str
    reason: str = ""
    next_command: str = ""
    problem: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    outage: str = ""
    cost_before: str | None = None
    cost_after: str | None = None
    policy: Sequence[Mapping[str, Any]] = ()
    digest: str = ""
    discarded: Sequence[str] = ()
    changes: Sequence[Mapping[str, Any]] = ()  # normal form, masked
    request: str = ""  # tenant.yaml as it shall be
    machine: str = ""  # which one asked
    evidence: Mapping[str, str] = field(default_factory=dict)
    revert: str = ""


def parts(story: Story, limit: int = LIMIT) -> list[str]:
    """The text in parts of at most `limit` characters, each whole Markdown."""
    room = max(limit, _SMALLEST_LIMIT) - 200  # for the heads and the fold's frame
    redact = Redactor().text
    top = redact(_top(story))
    if len(top) > room:
        top = top[: room - 20] + "\n\n… (shortened)"
    blocks = [(title, redact(body)) for title, body in _details(story)]
    pages, page = [], top
    for title, body in blocks:
        for piece in _pieces(body, room - 200):
            fold = _fold(title, piece)
            if len(page) + len(fold) > room:
                pages.append(page)
                page = ""
            page += fold
    pages.append(page)
    if len(pages) == 1:
        return pages
    return [f"*{story.review}, part {n} of {len(pages)}*\n\n{p}" for n, p in enumerate(pages, 1)]


def _top(story: Story) -> str:
    rows = [
        ("tenant or platform", story.subject),
        ("action", story.kind),
        ("asked by", story.requested_by + (f": {story.reason}" if story.reason else "")),
        ("what changes", _counted(story.counts)),
        ("outage", story.outage or "not known"),
        ("USD a month", _money(story)),
        ("policy", "; ".join(f"{f.get('level')} {f.get('rule')}: {f.get('message')}" for f in story.policy)),
        ("lock", f"held by this review, {story.review}" if story.status in ("open", "merging") else "free"),
        ("plan", story.digest[:12]),
    ]
    table = "\n".join(f"| {name} | {cell(value)} |" for name, value in rows if value)
    text = f"### {cell(story.kind)} {cell(story.subject)}: {story.status}\n\n| | |\n|---|---|\n{table}\n"
    if story.problem:
        text += f"\n**{cell(story.problem)}**\n"
    if story.discarded:
        names = ", ".join(f"`{cell(name)}`" for name in story.discarded[:20])
        text += (
            f"\nEdited by hand and not taken: {names}. Rendered files follow from `tenant.yaml`: "
            "say there what shall be.\n"
        )
    if story.evidence:
        lines = "\n".join(f"| {cell(name)} | {cell(value)} |" for name, value in story.evidence.items())
        text += f"\nProposed by {cell(story.machine)}, from what it found:\n\n| | |\n|---|---|\n{lines}\n"
    if story.revert:
        text += f"\nThe way back: `{cell(story.revert)}`\n"
    if story.next_command:
        text += f"\nNext: `{story.next_command}`\n"
    return text


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} to {name}" for name, count in counts.items() if count) or "nothing in AWS"


def _money(story: Story) -> str:
    if story.cost_after is None:
        return "not known"
    return f"{story.cost_before or '0.00'} → {story.cost_after}"


def cell(value: str) -> str:
    """Text that stays within its cell, mentions nobody and starts no HTML."""
    plain = " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;").replace("@", "@\u200b")
    return plain if len(plain) <= _LONGEST_CELL else plain[: _LONGEST_CELL - 1] + "…"


def _details(story: Story) -> list[tuple[str, str]]:
    found = []
    if story.changes:
        lines = "\n".join(_change(change) for change in story.changes)
        found.append((f"{len(story.changes)} resources", lines))
    if story.request:
        found.append(("tenant.yaml", story.request))
    return found


def _change(change: Mapping[str, Any]) -> str:
    """Action, address, and of an update which attributes become what."""
    head = f"{change.get('action')} {change.get('address')}"
    if change.get("action") not in ("update", "replace"):
        return head
    before, after = change.get("before") or {}, change.get("after") or {}
    names = sorted(n for n in {*before, *after} if before.get(n) != after.get(n))
    return "\n".join([head, *(f"    {n}: {_value(before.get(n))} → {_value(after.get(n))}" for n in names)])


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"


def _pieces(body: str, room: int) -> list[str]:
    """Whole lines, as many as fit; a line that is longer than that is shortened."""
    pieces, piece = [], ""
    for line in _FENCE.sub("``", body).splitlines():
        shown = line if len(line) < room else line[: room - 20] + "… (shortened)"
        if piece and len(piece) + len(shown) + 1 > room:
            pieces.append(piece)
            piece = ""
        piece += shown + "\n"
    return [*pieces, piece] if piece else pieces


def _fold(title: str, body: str) -> str:
    return f"\n<details><summary>{cell(title)}</summary>\n\n```text\n{body}```\n\n</details>\n"
