"""A repository's trees over HTTP: read a level at a time, and each only once, since they never change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from controlplane.domain.review.layout import Change

_FOLDER = "040000"
_REMEMBERED = 5_000
Entry = tuple[str, str]  # mode, object


@dataclass
class Trees:
    read: Callable[[str], dict[str, Entry]]  # one level of a tree
    _known: OrderedDict[str, dict[str, Entry]] = field(default_factory=OrderedDict, init=False)

    def level(self, tree: str) -> dict[str, Entry]:
        if tree not in self._known:
            self._known[tree] = self.read(tree)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return self._known[tree]

    def entry(self, tree: str, path: str) -> Entry | None:
        """Mode and object of a path; a link on the way is no way."""
        found: Entry = (_FOLDER, tree)
        for part in path.split("/"):
            if found[0] != _FOLDER or part not in self.level(found[1]):
                return None
            found = self.level(found[1])[part]
        return found

    def files(self, tree: str, under: str = "") -> Iterator[str]:
        """Every path below a tree that is no folder."""
        for name, (mode, made) in self.level(tree).items():
            path = f"{under}{name}"
            if mode == _FOLDER:
                yield from self.files(made, f"{path}/")
            else:
                yield path

    def changed(self, first: str, second: str, under: str = "") -> Iterator[Change]:
        """What differs; equal folders are not looked into."""
        if first == second:
            return
        old, new = (self.level(tree) if tree else {} for tree in (first, second))
        for name in sorted(old.keys() | new.keys()):
            before, after = old.get(name, ("", "")), new.get(name, ("", ""))
            if before == after:
                continue
            path = f"{under}{name}"
            folders = [made if mode == _FOLDER else "" for mode, made in (before, after)]
            if any(folders):
                yield from self.changed(folders[0], folders[1], f"{path}/")
            if before[0] not in ("", _FOLDER) and after[0] in ("", _FOLDER):
                yield Change(path, "")
            elif after[0] not in ("", _FOLDER):
                yield Change(path, after[0])
