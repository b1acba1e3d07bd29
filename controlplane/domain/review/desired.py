"""`tenant.yaml`: the desired spec as a file, and the request that a change of it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controlplane.domain.errors import FieldError, Invalid

HEAD = "# What {slug} shall be. Change it in a branch: the plan is answered in its review.\n"
KINDS: Mapping[str, type] = {
    "slug": str,
    "display_name": str,
    "stage": str,
    "size": str,
    "region": str,
    "environment": str,
    "blueprint": str,
    "storage_gb": int,
    "locations": int,
    "users": int,
    "paying": bool,
    "sla": bool,
    "sensitive": bool,
    "rightsizing_decision": str,
    "labels": dict,
}
_RESIZED = ("size", "storage_gb")
_DESCRIBED = ("display_name", "locations", "users", "labels")
_VERBS = {"stage": "controlplane tenant upgrade"}
_WORDS = {str: "text", int: "a whole number", bool: "true or false", dict: "a mapping of texts"}
_PLAIN = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_NOT_TEXT = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n"))


@dataclass(frozen=True)
class Document:
    """A file that was read: its values, and the line of each."""

    path: str
    values: Mapping[str, Any]
    lines: Mapping[str, int]

    def problem(self, field: str, message: str) -> Invalid:
        """Names file and line."""
        where = f"{self.path}:{self.lines.get(field, 1)}"
        return Invalid(f"{where}: {field}: {message}", errors=[FieldError(field, f"{where}: {message}")])


@dataclass(frozen=True)
class Wanted:
    """What a change of the file asks for: `create`, `resize` or `describe`."""

    kind: str
    body: Mapping[str, Any]


def write(values: Mapping[str, Any]) -> str:
    """The one form of the file: every field, in one order."""
    lines = [HEAD.format(slug=values["slug"])]
    for name in KINDS:
        if name not in values or values[name] in ("", {}, None):
            continue
        value = values[name]
        if isinstance(value, Mapping):
            inner = (f"  {_quoted(str(k))}: {_scalar(v)}\n" for k, v in sorted(value.items()))
            lines.append(f"{name}:\n" + "".join(inner))
        else:
            lines.append(f"{name}: {_scalar(value)}\n")
    return "".join(lines)


def _scalar(value: Any) -> str:
    """JSON is YAML; plain words go without quotes."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value not in _NOT_TEXT:
        return value
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    """JSON, but for what YAML takes for a line's end or does not read at all."""
    return "".join(c if c.isprintable() else _escaped(c) for c in json.dumps(text, ensure_ascii=False))


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def check(document: Document, slug: str) -> None:
    """Known fields of the right kind, and the slug of its own folder."""
    for name, value in document.values.items():
        kind = KINDS.get(name)
        if kind is None:
            raise document.problem(name, f"no such field; there are {', '.join(KINDS)}")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise document.problem(name, f"is {_shown(value)}; it has to be {_WORDS[kind]}")
        if isinstance(value, Mapping) and not all(isinstance(v, str) for v in value.values()):
            raise document.problem(name, "every label is a text; put numbers and true in quotes")
    if "slug" not in document.values:
        raise document.problem("slug", "is missing")
    if document.values["slug"] != slug:
        raise document.problem(
            "slug",
            f"is {_shown(document.values['slug'])}, but the folder is {slug!r}: one tenant, one folder",
        )


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


def wanted(document: Document, current: Mapping[str, Any] | None) -> Wanted:
    """What has to be asked for, so that the tenant becomes what the file says. What is left out stays."""
    values = document.values
    if current is None:
        return Wanted("create", dict(values))
    changed = [name for name, value in values.items() if value != current.get(name)]
    if not changed:
        raise Invalid(f"{document.path} asks for nothing: {values['slug']} is recorded so already")
    for name in changed:
        if name not in (*_RESIZED, *_DESCRIBED):
            hint = f"ask by {_VERBS[name]}" if name in _VERBS else "it is decided when a tenant is created"
            raise document.problem(name, f"cannot be changed here; {hint}")
    kinds = {"resize" if name in _RESIZED else "describe" for name in changed}
    if len(kinds) > 1:
        raise document.problem(
            changed[-1],
            f"{', '.join(changed)} cannot change in one review: the database in one, labels and "
            "what is known of the customer in another",
        )
    return Wanted(kinds.pop(), {name: values[name] for name in changed})
