"""What encrypts states, plans and lock files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class DataKey:
    """A fresh key for one record: `plain` encrypts and is forgotten, `wrapped` is stored beside it."""

    key_id: str
    plain: bytes = field(repr=False)
    wrapped: bytes = field(repr=False)


class Keyring(Protocol):
    def data_key(self) -> DataKey: ...

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes: ...

    def key_ids(self) -> Sequence[str]:
        """All that can be unwrapped; the first is the current one."""
        ...

    def rotate(self) -> str: ...
