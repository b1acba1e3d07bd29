"""Pipelines that run rendered workspaces without us: plan, review, apply, test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from controlplane import assets

TERRAFORM = "1.11.4"  # plan files do not cross versions: one is named


class Pipeline(StrEnum):
    """Who runs it."""

    ATLANTIS = "atlantis"
    GITHUB = "github"
    GITLAB = "gitlab"


_FILES: Mapping[Pipeline, str] = {
    Pipeline.ATLANTIS: "atlantis.yaml.j2",
    Pipeline.GITHUB: "github.yml.j2",
    Pipeline.GITLAB: "gitlab.yml.j2",
}


def render_pipeline(of: Pipeline, folders: Sequence[str]) -> str:
    """Its file as text. Atlantis names every workspace; the others find what a change touches."""
    environment = Environment(
        loader=FileSystemLoader(assets.pipelines()),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - this is YAML, and nothing in it is a tenant's own text
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        # Curly braces are GitHub's own.
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
    )
    return environment.get_template(_FILES[of]).render(folders=sorted(folders), terraform=TERRAFORM)
