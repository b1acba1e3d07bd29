"""The command line in this process, on a catalog of the test's own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from controlplane.terminal.app import run


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Terminal:
    """`more` is added to every command, such as a server and its token."""

    capture: pytest.CaptureFixture[str]
    more: tuple[str, ...] = ()

    def __call__(self, *words: str) -> Said:
        self.capture.readouterr()
        code = run([*words, *self.more])
        said = self.capture.readouterr()
        return Said(code, said.out, said.err)
