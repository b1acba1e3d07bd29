"""What a host does with Git, on a bare repository of this machine."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TYPES = {"040000": "tree", "160000": "commit"}


class GitSaysNo(Exception):
    """A command failed."""


@dataclass
class Bare:
    folder: Path

    def make(self) -> None:
        self.folder.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", "--initial-branch=main")

    def git(self, *words: str, given: bytes = b"", env: dict[str, str] | None = None) -> str:
        return self.raw(*words, given=given, env=env).decode().strip()

    def raw(self, *words: str, given: bytes = b"", env: dict[str, str] | None = None) -> bytes:
        done = subprocess.run(
            ["git", "--git-dir", str(self.folder), *words],
            input=given,
            capture_output=True,
            env={"PATH": os.environ["PATH"], "HOME": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **(env or {})},
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise GitSaysNo(done.stderr.decode(errors="replace"))
        return done.stdout

    def ref(self, name: str) -> str | None:
        found = self.git("for-each-ref", "--format=%(objectname) %(refname)", f"refs/{name}")
        heads = (line.split() for line in found.splitlines())
        return next((sha for sha, ref in heads if ref == f"refs/{name}"), None)

    def refs(self, prefix: str) -> list[dict[str, Any]]:
        found = self.git("for-each-ref", "--format=%(objectname) %(refname)", f"refs/{prefix}")
        return [
            {"ref": line.split()[1], "object": {"type": "commit", "sha": line.split()[0]}}
            for line in found.splitlines()
        ]

    def tree(self, tree: str) -> list[dict[str, Any]]:
        listing = self.raw("ls-tree", "-z", "-l", tree).decode(errors="replace")
        items = []
        for line in listing.split("\0")[:-1]:
            head, path = line.split("\t", 1)
            mode, kind, sha, size = head.split()
            more = {"size": int(size)} if kind == "blob" else {}
            items.append({"path": path, "mode": mode, "type": kind, "sha": sha, **more})
        return items

    def write_tree(self, base: str, items: list[dict[str, Any]], index: Path) -> str:
        env = {"GIT_INDEX_FILE": str(index)}
        self.git("read-tree", base, env=env)
        for item in items:
            if item.get("sha", "") is None:
                gone = f"0 {'0' * 40}\t{item['path']}\n".encode()
                self.git("update-index", "--index-info", given=gone, env=env)
                continue
            sha = self.git("hash-object", "-w", "--stdin", given=item["content"].encode())
            self.git("update-index", "--add", "--cacheinfo", f"{item['mode']},{sha},{item['path']}", env=env)
        made = self.git("write-tree", env=env)
        index.unlink()
        return made

    def commit(self, tree: str, parents: list[str], message: str, who: dict[str, dict[str, str]]) -> str:
        env = {}
        for role, person in who.items():
            env |= {f"GIT_{role}_{part.upper()}": person[part] for part in ("name", "email", "date")}
        words = [word for parent in parents for word in ("-p", parent)]
        return self.git("commit-tree", tree, *words, given=message.encode(), env=env)

    def facts(self, commit: str) -> dict[str, Any]:
        tree, *parents = self.git("show", "-s", "--format=%T %P", commit).split()
        return {"sha": commit, "tree": {"sha": tree}, "parents": [{"sha": one} for one in parents]}

    def left(self, base: str, head: str) -> str:
        return self.git("merge-base", base, head)

    def holds(self, base: str, head: str) -> bool:
        try:
            self.git("merge-base", "--is-ancestor", head, base)
        except GitSaysNo:
            return False
        return True

    def move(self, name: str, new: str, seen: str) -> None:
        self.git("update-ref", f"refs/{name}", new, seen)

    def merge(self, base: str, head: str, message: str) -> str:
        tree = self.git("merge-tree", "--write-tree", base, head).splitlines()[0]
        ann = {"name": "host", "email": "host@example.test", "date": "1770000000 +0000"}
        return self.commit(tree, [base, head], message, {"AUTHOR": ann, "COMMITTER": ann})
