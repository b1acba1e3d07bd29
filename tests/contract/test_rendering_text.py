"""No text leaves its string, and Terraform is the witness: what went in comes back from `output -json`."""

from __future__ import annotations

import json
import tempfile
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from controlplane.catalog import load
from controlplane.rendering import hcl_string, render_tenant
from controlplane.rendering.provenance import as_json
from controlplane.rendering.shapes import ListOf, Variable, checked
from tests.contract.rendered import Terraform, write
from tests.golden.workspaces import PLATFORM, tenant, with_slot

pytestmark = pytest.mark.terraform

HOSTILE = (
    "",
    '"',
    '\\"',
    "\\",
    '"\n}\nresource "aws_iam_user" "me" {\n  name = "me',
    '${file("/etc/passwd")}',
    "$${x}",
    "$$${x}",
    "%{ for x in y }%{ endfor }",
    "%%{x}",
    "$" * 3 + "{" * 3,
    "\\u0024{x}",
    "${",
    "}",
    "<<EOF\n${x}\nEOF\n",
    "<<-EOT",
    "# comment // comment /* comment */",
    "line\r\nline\rline\n",
    "\t\v\f\x1b[31m\x7f",
    "a\u0301 \u00e1 \u1e9b\u0323",
    "\u2028\u2029\ufeff\u200e\u202e",
    "\U0001f600\U000e0001",
    "'; DROP TABLE tenant; --",
    "$(id) `id` |id",
    "../../etc",
    "null",
    "<&>",
)
_PIECES = st.sampled_from(["${", "%{", "$", "%", "{", "}", '"', "\\", "\n", "<<EOF", "~", "u0024", "e\u0301"])
TEXT = (st.text(max_size=20) | st.lists(_PIECES | st.text(max_size=3), max_size=8).map("".join)).filter(
    lambda text: "\0" not in text
)
CAREFUL = settings(
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def composed(texts: Sequence[str]) -> list[str]:
    return [unicodedata.normalize("NFC", text) for text in texts]


def outputs_of(files: dict[str, str]) -> dict[str, Any]:
    """Every output of this configuration, which needs no provider."""
    with tempfile.TemporaryDirectory() as temporary:
        terraform = Terraform(Path(temporary) / "home")
        folder = write(Path(temporary) / "w", files)
        terraform.run(folder, "apply", "-auto-approve", "-no-color")
        answer = json.loads(terraform.run(folder, "output", "-json"))
    return {name: output["value"] for name, output in answer.items()}


def check_both_ways(texts: Sequence[str]) -> None:
    """Through a quoted string in HCL, as in an import's id, and through a tfvars file."""
    quoted = ",\n    ".join(hcl_string(text) for text in texts)
    values = checked("texts", (Variable("texts", "", ListOf(str)),), {"texts": list(texts)})
    outputs = outputs_of(
        {
            "main.tf": f'variable "texts" {{\n  type = list(string)\n}}\n'
            f'output "values" {{\n  value = var.texts\n}}\n'
            f'output "quoted" {{\n  value = [\n    {quoted}\n  ]\n}}\n',
            "texts.auto.tfvars.json": as_json(values),
        }
    )
    assert outputs["quoted"] == composed(texts)
    assert outputs["values"] == composed(texts)


def test_hostile_text_comes_back_as_it_was() -> None:
    check_both_ways(HOSTILE)


@settings(CAREFUL, max_examples=3)
@given(st.lists(TEXT, min_size=100, max_size=100))
def test_any_text_comes_back_as_it_was(texts: list[str]) -> None:
    check_both_ways(texts)


@pytest.mark.long
@settings(CAREFUL, max_examples=50)
@given(st.lists(TEXT, min_size=200, max_size=200))
def test_ten_thousand_texts_come_back_as_they_were(texts: list[str]) -> None:
    check_both_ways(texts)


# Some letters fall apart into a letter and a mark when they are composed, and AWS takes no marks in a tag.
_LETTERS = st.characters(categories=["L", "Nd"]).filter(lambda c: unicodedata.normalize("NFC", c) == c)
LABEL = st.text(_LETTERS | st.sampled_from("_.:/=+-@ "), min_size=1, max_size=30)


@settings(CAREFUL, max_examples=4)
@given(
    st.lists(TEXT, min_size=7, max_size=7),
    st.dictionaries(LABEL.map(str.strip).filter(bool), LABEL.map(str.strip).filter(bool), max_size=25),
)
def test_no_field_of_a_tenant_leaves_its_place(texts: list[str], labels: dict[str, str]) -> None:
    facts = ("database_subnet_group", "database_security_group_id", "database_key_arn", "alarm_topic_arn")
    workspace = with_slot(
        tenant(
            labels={unicodedata.normalize("NFC", key): value for key, value in labels.items()},
            platform={
                **PLATFORM,
                **dict(zip(facts, texts, strict=False)),
                "parameter_groups": {"16": texts[4]},
            },
        ),
        identifier=texts[5],
        snapshot_identifier=texts[6],
    )
    files = render_tenant(workspace, load()).files
    echo = "".join(
        f'output "{name}" {{\n  value = var.{name}\n}}\n' for name in ("tags", "platform", "slots")
    )
    tfvars = files["tenant.auto.tfvars.json"]
    outputs = outputs_of(
        {"variables.tf": files["variables.tf"], "outputs.tf": echo, "tenant.auto.tfvars.json": tfvars}
    )
    assert outputs == {name: json.loads(tfvars)[name] for name in outputs}
    assert list(outputs["platform"][fact] for fact in facts) == composed(texts[:4])
    slot = outputs["slots"]["e1"]
    assert [slot["parameter_group"], slot["identifier"], slot["snapshot_identifier"]] == composed(texts[4:])
    assert len(outputs["tags"]) == 4 + len(workspace.labels)
