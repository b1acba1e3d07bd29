"""What a blueprint may put at a module's input, and how it stands in HCL."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.catalog.toml_files import Table
from controlplane.catalog.wires import aligned, read_wire, source_hcl
from controlplane.domain.errors import Invalid


def hcl(value: Any, *counted: str) -> str:
    return read_wire(Table("blueprint", "inputs", {"x": value}), "x").hcl(frozenset(counted))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("var.name", "var.name"),
        ("module.network.vpc_id", "module.network.vpc_id"),
        ('"require"', '"require"'),
        (7, "7"),
        (True, "true"),
        (["var.a", '"b"', 3], '[var.a, "b", 3]'),
        ({"HOST": "module.proxy.endpoint", "TLS": '"on"'}, '{ HOST = module.proxy.endpoint, TLS = "on" }'),
        ({"$default": 1, "ANY /x": 2}, '{ "$default" = 1, "ANY /x" = 2 }'),
        ({}, "{}"),
        ([], "[]"),
    ],
)
def test_a_wire_stands_in_hcl_as_it_was_written(value: Any, text: str) -> None:
    assert hcl(value) == text


@pytest.mark.parametrize("value", ['"a${b}"', '"a%{b}"', '"a', '"a\\n"', 1.5, [None]])
def test_text_that_terraform_would_read_as_more_is_refused(value: Any) -> None:
    with pytest.raises(Invalid, match=r"^blueprint: inputs\.x: holds "):
        hcl(value)


def test_a_long_table_has_a_line_for_each_field() -> None:
    value = {"first": '"' + "a" * 60 + '"', "second_field": '"' + "b" * 40 + '"'}
    assert hcl(value).splitlines() == [
        "{",
        f'    first        = "{"a" * 60}"',
        f'    second_field = "{"b" * 40}"',
        "  }",
    ]


def test_a_value_of_several_lines_ends_the_column() -> None:
    lines = aligned([("a", "1"), ("bcd", "2"), ("table", "{\n}"), ("e", "3")])
    assert lines == ["a   = 1", "bcd = 2", "table = {\n}", "e = 3"]


def test_what_a_module_that_may_be_absent_gives_is_null_without_it() -> None:
    assert hcl("module.proxy.endpoint", "proxy") == "one(module.proxy[*].endpoint)"
    assert (
        source_hcl('module.proxy.ids["a"]', frozenset({"proxy"}))
        == 'try(one(module.proxy[*].ids)["a"], null)'
    )


def test_every_source_of_a_wire_is_found() -> None:
    wire = read_wire(Table("b", "i", {"x": {"a": ["module.n.o", '"t"'], "b": "var.c"}}), "x")
    assert wire.sources == ("module.n.o", "var.c")
    assert wire.modules == {"n"}
