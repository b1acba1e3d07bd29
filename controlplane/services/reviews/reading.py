"""`tenant.yaml` as values with their lines. Plain YAML only: no anchors, no tags, no key twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.review.desired import Document
from controlplane.domain.review.layout import LARGEST_REQUEST_BYTES

_MOST_EVENTS = 1_000
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


def read(path: str, text: str) -> Document:
    """Whatever is wrong is told with file and line."""
    if len(text.encode()) > LARGEST_REQUEST_BYTES:
        raise _bad(path, 1, f"larger than {LARGEST_REQUEST_BYTES} bytes")
    lines: dict[str, int] = {}
    try:
        events = _events(path, text)
        values = _mapping(path, events, lines, depth=0)
        _end(path, events)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML")
        raise _bad(path, mark.line + 1 if mark else 1, what) from error
    return Document(path, values, lines)


def _bad(path: str, line: int, what: str) -> Invalid:
    where = f"{path}:{line}"
    return Invalid(f"{where}: {what}", errors=[FieldError("tenant.yaml", f"{where}: {what}")])


def _events(path: str, text: str) -> Iterator[Any]:
    """The parser's events one by one: nothing is built, so nothing can grow."""
    parsed: Iterator[Any] = yaml.parse(text, Loader=yaml.SafeLoader)
    for number, event in enumerate(parsed):
        line = event.start_mark.line + 1
        if number > _MOST_EVENTS:
            raise _bad(path, line, "more than a tenant's spec can need")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _bad(path, line, "anchors and aliases are not read")
        if getattr(event, "tag", None):
            raise _bad(path, line, f"the tag {event.tag} is not read")
        if not isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
            yield event


def _mapping(path: str, events: Iterator[Any], lines: dict[str, int], depth: int) -> dict[str, Any]:
    if depth == 0:
        _open(path, next(events))
    found: dict[str, Any] = {}
    for event in events:
        if isinstance(event, yaml.MappingEndEvent):
            return found
        line = event.start_mark.line + 1
        if not isinstance(event, yaml.ScalarEvent):
            raise _bad(path, line, "a field's name is a text")
        if event.value in found:
            raise _bad(path, line, f"{event.value} stands here twice")
        if depth == 0:
            lines[event.value] = line
        found[event.value] = _value(path, next(events), events, lines, depth)
    raise _bad(path, 1, "it ends too soon")


def _open(path: str, event: Any) -> None:
    if not isinstance(event, yaml.MappingStartEvent):
        raise _bad(path, event.start_mark.line + 1, "a tenant's spec is fields with values: slug: acme")


def _value(path: str, event: Any, events: Iterator[Any], lines: dict[str, int], depth: int) -> Any:
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event)
    if isinstance(event, yaml.MappingStartEvent) and depth == 0:
        return _mapping(path, events, lines, depth=1)
    what = "lists are not read here" if isinstance(event, yaml.SequenceStartEvent) else "nested too deep"
    raise _bad(path, event.start_mark.line + 1, what)


def _scalar(event: Any) -> Any:
    """Only what cannot be meant otherwise is more than a text: `yes`, `0x10` and dates stay texts."""
    if event.style is not None:
        return event.value
    if event.value in _WORDS:
        return _WORDS[event.value]
    return int(event.value) if _WHOLE.fullmatch(event.value) else event.value


def _end(path: str, events: Iterator[Any]) -> None:
    for event in events:
        if not isinstance(event, (yaml.DocumentEndEvent, yaml.StreamEndEvent)):
            raise _bad(path, event.start_mark.line + 1, "one file, one tenant")
