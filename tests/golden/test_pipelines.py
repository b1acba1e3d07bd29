"""Pipelines change on purpose only: UPDATE_GOLDEN=1 writes them anew for a review to see."""

from __future__ import annotations

from pathlib import Path

import pytest

from controlplane.rendering import Pipeline, render_pipeline
from tests.golden.test_golden import UPDATE

_KEPT = Path(__file__).parent / "pipelines"


@pytest.mark.parametrize("of", Pipeline)
def test_a_pipeline_is_as_it_was(of: Pipeline) -> None:
    kept = _KEPT / f"{of}.yml"
    text = render_pipeline(of, ("platforms/rds_per_tenant/production", "tenants/acme"))
    if UPDATE:
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(text, encoding="utf-8")
    assert text == kept.read_text(encoding="utf-8")
