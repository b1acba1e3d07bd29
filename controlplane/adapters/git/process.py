"""One call of git: none of the machine's configuration, no prompt, no hook, bounded in time and in output."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from controlplane.domain.errors import Broken, Unavailable

_SECONDS = 120
_LARGEST_ANSWER = 16 * 2**20
_LAST_LINES = 12
# Whatever a repository's own files say, these come after them.
_SAFE = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("protocol.allow", "never"),
    ("safe.directory", "*"),
    ("gc.auto", "0"),
    ("core.quotePath", "false"),
)


class GitFailed(Broken):
    """git said no; `details["answer"]` is how."""

    code = "git_failed"


def run(
    folder: Path,
    words: Sequence[str],
    given: bytes = b"",
    doing: str = "",
    quietly: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """git's answer; its complaint becomes ours. `quietly`: settings that stand in no list of processes."""
    options = [part for name, value in _SAFE for part in ("-c", f"{name}={value}")]
    command = ["git", "--no-replace-objects", "--git-dir", str(folder), *options, *words]
    # A file bounds what we hold in memory, however much git would answer.
    with tempfile.TemporaryFile() as answer:
        try:
            done = subprocess.run(
                command,
                input=given,
                stdout=answer,
                stderr=subprocess.PIPE,
                env={**_environment(), **_settings(quietly)},
                timeout=_SECONDS,
                check=False,
            )
        except OSError as error:
            what = f"starting git: {error.strerror}"
            raise Unavailable(what, hint="reviews need git on PATH") from error
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"{doing or 'git'}: no answer in {_SECONDS} s") from error
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            last = said[-1][:300] if said else f"exit code {done.returncode}"
            whole = "\n".join(said[-_LAST_LINES:])
            raise GitFailed(f"{doing or 'git ' + words[0]}: {last}", details={"answer": last, "said": whole})
        answer.seek(0)
        content = answer.read(_LARGEST_ANSWER + 1)
    if len(content) > _LARGEST_ANSWER:
        raise Broken(f"{doing or 'git ' + words[0]}: an answer of more than {_LARGEST_ANSWER >> 20} MB")
    return content


def _settings(values: Mapping[str, str]) -> Mapping[str, str]:
    """As git takes settings from its environment, which only its own user can read."""
    numbered = {f"GIT_CONFIG_KEY_{n}": name for n, name in enumerate(values)}
    numbered |= {f"GIT_CONFIG_VALUE_{n}": value for n, value in enumerate(values.values())}
    return {**numbered, "GIT_CONFIG_COUNT": str(len(values))}


def _environment() -> Mapping[str, str]:
    """Where git is; nothing else of our own environment is its business."""
    place = str(Path(shutil.which("git") or "/usr/bin/git").parent)
    return {
        "PATH": f"{place}{os.pathsep}{os.defpath}",
        "HOME": os.devnull,
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
    }
