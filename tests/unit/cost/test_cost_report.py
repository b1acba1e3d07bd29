"""Exports that a spreadsheet may open, and charts that everybody can read."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from xml.etree import ElementTree

import pytest

from controlplane.catalog.pricebook import load_book
from controlplane.catalog.prices.model import load_model
from controlplane.domain.cost.estimate import Estimate, Line
from controlplane.domain.cost.fleet import FleetTenant, totals_by
from controlplane.domain.cost.forecast import Growth, forecast
from controlplane.domain.cost.report import chart, exports
from controlplane.domain.cost.report.marks import MOST_WORDS, Mark
from controlplane.domain.cost.tenant import TenantShape, estimate_tenant
from controlplane.domain.errors import Invalid

MODEL = load_model()
LIST = load_book().rates("us-east-1")
ACME = estimate_tenant(MODEL, LIST, TenantShape("small", "production"), "acme-e1")
DARK = Estimate((Line("rds", Decimal(730), "hour", None, None, "=cmd()"),), "list", "eu-west-1")
SVG = "{http://www.w3.org/2000/svg}"


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_rows_add_up_to_the_estimate() -> None:
    printed = rows(exports.to_csv([("acme", ACME)]))
    assert sum(Decimal(row["monthly_usd"]) for row in printed) == ACME.total
    assert {row["tenant"] for row in printed} == {"acme"}


def test_csv_says_unknown_and_never_becomes_a_formula() -> None:
    [row] = rows(exports.to_csv([("-2+3", DARK)]))
    assert (row["monthly_usd"], row["unit_price"]) == ("unknown", "unknown")
    assert row["rule"] == "'=cmd()"
    assert row["tenant"] == "'-2+3"


def test_negative_numbers_stay_numbers_in_csv() -> None:
    [row] = rows(exports.rows_csv([{"a": Decimal("-1.50"), "b": None, "c": "@x"}]))
    assert row == {"a": "-1.50", "b": "", "c": "'@x"}
    assert exports.rows_csv([]).strip() == ""


def test_json_keeps_unknown_as_null() -> None:
    items = json.loads(exports.to_json([("acme", ACME), ("dark", DARK)]))["items"]
    assert [item["monthly_usd"] for item in items] == ["53.52", None]


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in parsed(svg).iter(f"{SVG}text")]


def test_a_forecast_chart_has_title_description_axes_and_legend() -> None:
    points = forecast(MODEL, LIST, Growth(10, 12, tenants_a_month=5))
    svg = chart.forecast_chart("Growth of the fleet", [("steady", points), ("same", points)])
    root = parsed(svg)
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "Growth of the fleet"
    assert "steady from" in (root.findtext(f"{SVG}desc") or "")
    assert {"months from now", "USD a month", "steady", "same"} <= set(texts(svg))


def test_lines_are_told_apart_without_colour() -> None:
    svg = chart.scale_chart("t", [(str(n), [(1, Decimal(1)), (2, Decimal(n))]) for n in range(1, 6)])
    dashes = [p.get("stroke-dasharray") for p in parsed(svg).iter(f"{SVG}path") if p.get("stroke-width")]
    assert len(set(dashes)) == 5


@pytest.mark.parametrize("colour", chart.COLOURS)
def test_colours_have_contrast_against_white(colour: str) -> None:
    def linear(channel: int) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    assert 1.05 / (luminance + 0.05) >= 3


def test_an_unknown_point_interrupts_its_line() -> None:
    svg = chart.scale_chart("t", [("a", [(1, Decimal(5)), (2, None), (3, Decimal(7)), (4, Decimal(8))])])
    [path] = [
        p.get("d") or ""
        for p in parsed(svg).iter(f"{SVG}path")
        if p.get("stroke-width") and "h28" not in (p.get("d") or "")
    ]
    assert path.count("M") == 2


def test_a_fleet_chart_shows_known_groups_and_names_unknown_ones() -> None:
    fleet = [
        FleetTenant("a", "poc", "micro", "us-east-1", Decimal(16)),
        FleetTenant("b", "production", "large", "eu-west-1", None),
    ]
    svg = chart.fleet_chart("Fleet", totals_by(fleet, "stage"), "stage")
    assert "unknown" in texts(svg)
    assert len(list(parsed(svg).iter(f"{SVG}rect"))) == 2


def test_places_where_something_must_change_are_numbered_and_told_in_a_key() -> None:
    marks = [Mark(1, "1: first"), Mark(1.5, "2: next door"), Mark(50, "50: " + "a long story " * 20)]
    svg = chart.scale_chart(
        "t", [("a", [(0, Decimal(10)), (100, Decimal(20))])], [*marks, Mark(900, "far away")]
    )
    said = texts(svg)
    assert said.count("1") == said.count("2") == 2  # above the line, and in the key
    assert "1: first; and 1 more" in said
    assert max(map(len, said)) <= MOST_WORDS
    assert "2: next door" in svg  # for who points at it, and for who hears it
    assert "far away" not in said
    plain = parsed(chart.scale_chart("t", [("a", [(0, Decimal(10)), (100, Decimal(20))])]))
    assert int(str(parsed(svg).get("height"))) > int(str(plain.get("height")))


def test_a_lone_bar_is_no_wall_and_a_small_sum_has_its_cents() -> None:
    svg = chart.bar_chart("t", "x", "y", [("only", 44.84)])
    bar = list(parsed(svg).iter(f"{SVG}rect"))[-1]
    assert float(str(bar.get("width"))) <= chart.WIDEST_BAR
    assert "44.84" in texts(svg)


def test_text_in_a_chart_cannot_become_markup() -> None:
    svg = chart.bar_chart("<script>&", "x", "y", [('"><b>', 1.0)])
    assert "<script>" not in svg
    assert '"><b>' in texts(svg)


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(Invalid, match="nothing to draw"):
        chart.bar_chart("t", "x", "y", [])
    with pytest.raises(Invalid, match="nothing to draw"):
        chart.scale_chart("t", [("a", [(1, None)])])
