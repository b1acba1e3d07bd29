"""Secrets leave a text in every spelling; what people need to read stays."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.redaction import MASK, Redactor

GO = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}  # as Terraform's jsonencode writes them


def _go(text: str) -> str:
    return "".join(GO.get(character, character) for character in json.dumps(text))


CANARY = "Kx9<vQ&2>mZ'7tR~4pLw"


@pytest.mark.parametrize(
    "spelling",
    [
        CANARY,
        json.dumps(CANARY),
        json.dumps(json.dumps({"password": CANARY})),
        json.dumps(CANARY).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"),
        json.dumps(
            json.dumps(CANARY).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        ),
        quote(CANARY),
        quote(CANARY, safe=""),
        base64.b64encode(CANARY.encode()).decode(),
    ],
)
def test_a_known_value_is_found_in_every_spelling(spelling: str) -> None:
    clean = Redactor([CANARY]).text(f"before {spelling} after")
    assert MASK in clean
    assert clean.startswith("before ")
    assert clean.endswith(" after")
    for form in (spelling.strip('"'), CANARY, "vQ&2", "7tR~4pLw"):
        assert form not in clean


@given(st.text(min_size=4, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_no_known_value_survives(secret: str, before: str, after: str) -> None:
    clean = Redactor([secret]).text(before + secret + after)
    assert secret not in clean.replace(MASK, "")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("key AKIAIOSFODNN7EXAMPLE used", "AKIAIOSFODNN7EXAMPLE"),
        ('password = "hunter2 and more"', "hunter2"),
        ("MASTER_PASSWORD=hunter2", "hunter2"),
        ('{"password": "hunter2"}', "hunter2"),
        (r'{"@message":"{\"db_password\":\"hunter2\"}"}', "hunter2"),
        (r'"{\\\"secret\\\": \\\"hunter2\\\"}"', "hunter2"),
        ("api-key: hunter2", "hunter2"),
        ("postgresql://app:hunter2@db.example:5432/x", "hunter2"),
        ("Authorization: Bearer abcdefghij0123", "abcdefghij0123"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "eyJzdWIi"),
        ("ghp_abcdefghijklmnop1234", "abcdefghijklmnop"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", "MIIEow"),
        (r"-----BEGIN PRIVATE KEY-----\nMIIEow\n", "MIIEow"),
        ("value wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
        ("said vT9sQ2mXw7LpZr4KdB8n today", "vT9sQ2mXw7LpZr4KdB8n"),
    ],
)
def test_a_secret_is_known_by_its_form(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in Redactor().text(text)


@pytest.mark.parametrize(
    "text",
    [
        'module.database["e1"].aws_secretsmanager_secret.password: Still creating... [10s elapsed]',
        "aws_ssm_parameter.app_token: Creating...",
        "aws_db_instance.this: Creation complete after 81s [id=db-ABCDEFGHIJKLMNOPQRSTUVWX01]",
        "arn:aws:rds:us-east-1:123456789012:db:acme-abcd1234-e1",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:controlplane/acme-abcd1234/e1/master-AbCdEf",
        "id=ab819d16-3cf0-b51c-b962-8746a3c8ca08",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "terraform-20261120100137335399000000001",
        "Error: DBInstanceAlreadyExists: DB instance already exists",
        "acme-abcd1234-e1.cluster-abcdefghijkl.us-east-1.rds.amazonaws.com:5432",
        "password_wo_version: null -> 1, password = (sensitive value)",
        "Plan: 18 to add, 0 to change, 0 to destroy.",
        "subnet-0123456789abcdef0 in vpc-0a1b2c3d",
    ],
)
def test_what_people_need_stays_readable(text: str) -> None:
    assert Redactor().text(text) == text


def test_a_private_key_over_several_lines_is_masked_to_its_end() -> None:
    redactor = Redactor()
    lines = ["x -----BEGIN EC PRIVATE KEY-----", "MHcCAQEE", "-----END EC PRIVATE KEY-----", "after"]
    assert [redactor.line(line) for line in lines] == [f"x {MASK}", MASK, MASK, "after"]
