"""A commit as the stream that `git fast-import` reads: one process, however many files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from controlplane.domain.errors import Invalid
from controlplane.domain.review.forge import Signature

COMMITTER = ("controlplane", "controlplane@localhost")
_FILE = re.compile(r"(?:[A-Za-z0-9_.-]+/)*[A-Za-z0-9_.-]+")
_NAME = re.compile(r"[<>\n\r\0]")


@dataclass(frozen=True)
class Commit:
    """Made on top of its parents: what the first one holds, without `gone`, with `trees` and `files`."""

    parents: Sequence[str]
    message: str
    signature: Signature
    gone: Sequence[str] = ()
    trees: Mapping[str, str] = field(default_factory=dict)  # folder → tree
    files: Mapping[str, str] = field(default_factory=dict)  # path → text


def stream(commit: Commit, ref: str) -> bytes:
    """Lengths stand before contents, so that no content can end what it stands in."""
    seconds = f"{int(commit.signature.at.timestamp())} +0000"
    name, address = person(commit.signature.author)
    parts = [f"commit {ref}\n", f"author {name} <{address}> {seconds}\n"]
    parts += [f"committer {COMMITTER[0]} <{COMMITTER[1]}> {seconds}\n", _data(commit.message)]
    if commit.parents:
        parts.append(f"from {commit.parents[0]}\n")
    parts += [f"merge {parent}\n" for parent in commit.parents[1:]]
    parts += [f"D {checked(path)}\n" for path in commit.gone]
    parts += [f"M 040000 {tree} {checked(path)}\n" for path, tree in commit.trees.items()]
    parts += [
        f"M 100644 inline {checked(path)}\n{_data(text)}" for path, text in sorted(commit.files.items())
    ]
    return "".join([*parts, "\ndone\n"]).encode()


def checked(path: str) -> str:
    """A path that stays where it is: no way up, no way into Git's own."""
    parts = path.split("/")
    if not _FILE.fullmatch(path) or any(p in (".", "..") or p.lower() == ".git" for p in parts):
        raise Invalid(f"{path!r} is no path for a repository of reviews")
    return path


def person(name: str) -> tuple[str, str]:
    """Name and address of whoever asked; nothing in a name ends the line that it stands in."""
    plain = _NAME.sub("", name).strip()[:100] or "somebody"
    return plain, re.sub(r"[^A-Za-z0-9.@_-]", "-", plain)


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"
