"""Where things lie in the repository of reviews; one folder a workspace, one file of it is a request."""

from __future__ import annotations

import re
from dataclasses import dataclass

from controlplane.domain.errors import Invalid

TENANT_FILE = "tenant.yaml"
README, OWNERS = "README.md", "CODEOWNERS"
BASE = "main"
OURS = "review/"  # branches that begin so are made by us
LARGEST_REQUEST_BYTES = 65_536

_BRANCH = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_+-]|[./](?=[A-Za-z0-9_+-])){0,199}")
_LINK, _SUBMODULE = "120000", "160000"


@dataclass(frozen=True)
class Change:
    """A path that differs between a branch and its base; an empty mode: it is gone."""

    path: str
    mode: str = "100644"


def tenant_folder(slug: str) -> str:
    return f"tenants/{slug}"


def platform_folder(blueprint: str, environment: str) -> str:
    return f"platforms/{blueprint}/{environment}"


def tenant_file(slug: str) -> str:
    return f"{tenant_folder(slug)}/{TENANT_FILE}"


def parse_branch(name: str) -> str:
    """A name that Git takes and that no command reads as an option; never the base itself."""
    if not _BRANCH.fullmatch(name) or name.endswith(".lock") or ".lock/" in name:
        raise Invalid(f"{name!r} is no branch: letters, digits and single . / between them")
    if name == BASE:
        raise Invalid(f"{BASE} is what branches are merged into", hint="push a branch of another name")
    return name


def subject_of(branch: str, changes: tuple[Change, ...]) -> str:
    """The slug of the one tenant whose `tenant.yaml` the branch changes; raises for everything else."""
    files = sorted(c.path for c in changes if _is_request(c.path))
    if not files:
        raise Invalid(
            f"the branch {branch} asks for nothing: it changes no tenants/<slug>/{TENANT_FILE}",
            hint="edit or add that file; nothing else of a branch is read (docs/gitops.md)",
        )
    if len(files) > 1:
        raise Invalid(
            f"the branch {branch} is about several tenants: {', '.join(files[:5])}",
            hint="one branch for each tenant",
        )
    folder = files[0].removesuffix(TENANT_FILE)
    problems = [p for c in changes if (p := _problem(c, folder))]
    if problems:
        raise Invalid(f"the branch {branch}: " + "; ".join(problems[:5]), hint="see docs/gitops.md")
    return folder.split("/")[1]


def _is_request(path: str) -> bool:
    return path.startswith("tenants/") and path.count("/") == 2 and path.endswith(f"/{TENANT_FILE}")


def _problem(change: Change, folder: str) -> str:
    """Why a path may not be in a review of this folder; empty: it may."""
    if not change.path.startswith(folder):
        return f"{change.path}: outside of {folder}, which is all that its review is about"
    if change.mode == _LINK:
        return f"{change.path}: a symbolic link"
    if change.mode == _SUBMODULE:
        return f"{change.path}: another repository"
    if _is_request(change.path) and not change.mode:
        return f"{change.path}: removed; nothing is destroyed so: controlplane tenant destroy"
    return ""


def edited_by_hand(
    changes: tuple[Change, ...], folder: str, since_ours: tuple[Change, ...] | None = None
) -> tuple[str, ...]:
    """Rendered files that a person changed on a branch. They are never planned as found.

    `changes` are those from the base; `since_ours` those from our own newest commit on the branch: what is
    as in either of the two is nobody's edit.
    """
    edited = _rendered(changes, folder)
    if since_ours is not None:
        edited &= _rendered(since_ours, folder)
    return tuple(sorted(edited))


def _rendered(changes: tuple[Change, ...], folder: str) -> set[str]:
    return {c.path for c in changes if c.path.startswith(f"{folder}/") and not _is_request(c.path)}
