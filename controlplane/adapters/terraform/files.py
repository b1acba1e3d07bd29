"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from controlplane.domain.errors import Unavailable


def make_folder(path: Path) -> Path:
    """For us alone, unless it is there."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"making the folder {path}: {error.strerror}", hint="look at that disk: space, quota, rights"
        ) from error
    return path


def write_whole(path: Path, content: bytes) -> None:
    """Write what differs, 0600, by a rename: a full disk leaves what was there."""
    try:
        if path.is_file() and path.read_bytes() == content:
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(beside).replace(path)
        finally:
            Path(beside).unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable(
            f"writing {path}: {error.strerror}", hint="look at that disk: space, quota, rights"
        ) from error
