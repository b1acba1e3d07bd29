"""A person with a clone of the repository of reviews and a git of their own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class Person:
    def __init__(self, repository: Path, clone: Path, name: str = "Ann") -> None:
        self.clone = clone
        self._env = {
            "PATH": os.environ["PATH"],
            "HOME": str(clone.parent),
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_NAME": name for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": f"{name}@example.test" for who in ("AUTHOR", "COMMITTER")},
        }
        clone.mkdir(parents=True)
        self.git("clone", "--quiet", str(repository), ".")

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *words],
            cwd=self.clone,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout.strip()

    def branch(self, name: str, start: str = "origin/main") -> None:
        self.git("fetch", "--quiet", "--prune")
        self.git("checkout", "--quiet", "-B", name, start)

    def write(self, path: str, content: str | bytes) -> None:
        file = self.clone / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def push(self, name: str, *options: str) -> str:
        """Commit everything and push it; the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "a change")
        self.git("push", "--quiet", *options, "origin", f"HEAD:refs/heads/{name}")
        return self.git("rev-parse", "HEAD")
