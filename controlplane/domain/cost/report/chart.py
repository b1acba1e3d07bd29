"""Charts as SVG text: a title, named axes, colours that survive colour-blindness and greyscale, no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from math import ceil, floor, log10

from controlplane.domain.cost.fleet import Group
from controlplane.domain.cost.forecast import Point
from controlplane.domain.cost.report import marks as marking
from controlplane.domain.cost.report.marks import Mark
from controlplane.domain.errors import FieldError, Invalid

# Okabe and Ito's palette, the darker ones: each has 3:1 or more against white.
COLOURS = ("#0072B2", "#B34700", "#00785A", "#8F4673", "#5C5C00")
DASHES = ("", "8 4", "2 3", "10 3 2 3", "4 4")
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 420, 84, 64, 28, 56
WIDEST_BAR = 110  # pixels


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    points: tuple[tuple[float, float | None], ...]  # None: unknown, the line is interrupted


def line_chart(
    title: str, x_label: str, y_label: str, series: Sequence[Series], marks: Sequence[Mark] = ()
) -> str:
    """One line a series, told apart by colour and by dashes, with a legend; marks stand upright."""
    known = [(x, y) for s in series for x, y in s.points if y is not None]
    if not known:
        raise Invalid("nothing to draw: no point is known", errors=[FieldError("series", "is empty")])
    x_ticks = _ticks(min(x for x, _ in known), max(x for x, _ in known))
    y_ticks = _ticks(0.0, max(y for _, y in known))
    frame = _Frame(x_ticks[0], x_ticks[-1], y_ticks[0], y_ticks[-1])
    body = [*_axes(x_label, y_label), *_y_grid(frame, y_ticks)]
    body += [_x_tick(frame, x) for x in x_ticks]
    found = marking.clusters([m for m in marks if frame.x_low <= m.x <= frame.x_high], frame.x)
    body += marking.uprights(found, TOP, HEIGHT - BOTTOM)
    for index, one in enumerate(series):
        body += _line(frame, one, index)
    body += marking.key(found, LEFT, HEIGHT)
    body += _legend([one.name for one in series])
    described = [_summary(title, series), *(mark.text for mark in marks)]
    return _document(title, ". ".join(described), body, len(found) * marking.LINE)


def bar_chart(title: str, x_label: str, y_label: str, bars: Sequence[tuple[str, float | None]]) -> str:
    """One bar a name; an unknown one is a word where its bar would be."""
    if not bars:
        raise Invalid("nothing to draw: there are no bars", errors=[FieldError("bars", "is empty")])
    y_ticks = _ticks(0.0, max((y or 0.0 for _, y in bars), default=0.0))
    frame = _Frame(0, len(bars), y_ticks[0], y_ticks[-1])
    body = [*_axes(x_label, y_label), *_y_grid(frame, y_ticks)]
    for index, (name, value) in enumerate(bars):
        body += _bar(frame, index, name, value)
    described = ", ".join(f"{name} {'unknown' if y is None else _number(y)}" for name, y in bars)
    return _document(title, f"{title}: {described}", body)


def forecast_chart(
    title: str, scenarios: Sequence[tuple[str, Sequence[Point]]], marks: Sequence[Mark] = ()
) -> str:
    """Monthly cost by month, a line a scenario."""
    series = [
        Series(name, tuple((float(p.month), _float(p.monthly_usd)) for p in points))
        for name, points in scenarios
    ]
    return line_chart(title, "months from now", "USD a month", series, marks)


def scale_chart(
    title: str,
    lines: Sequence[tuple[str, Sequence[tuple[int, Decimal | None]]]],
    marks: Sequence[Mark] = (),
) -> str:
    """Monthly cost by number of tenants."""
    series = [Series(name, tuple((float(n), _float(usd)) for n, usd in points)) for name, points in lines]
    return line_chart(title, "tenants", "USD a month", series, marks)


def fleet_chart(title: str, groups: Sequence[Group], by: str) -> str:
    return bar_chart(title, by, "USD a month", [(g.name, _float(g.monthly_usd)) for g in groups])


def _float(usd: Decimal | None) -> float | None:
    return None if usd is None else float(usd)  # for drawing only


@dataclass(frozen=True, slots=True)
class _Frame:
    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        width = (self.x_high - self.x_low) or 1
        return round(LEFT + (value - self.x_low) / width * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        height = (self.y_high - self.y_low) or 1
        return round(HEIGHT - BOTTOM - (value - self.y_low) / height * (HEIGHT - TOP - BOTTOM), 1)


def _ticks(low: float, high: float, wanted: int = 6) -> list[float]:
    """Round numbers that span the range."""
    span = (high - low) or abs(high) or 1.0
    raw = span / wanted
    unit = 10 ** floor(log10(raw))
    step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= raw)
    first, last = floor(low / step), ceil(high / step)
    return [n * step for n in range(first, max(last, first + 1) + 1)]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 or value == int(value) else f"{value:,.2f}"


def _cents(value: float) -> str:
    """Cents matter of a small sum only."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" {more}>{escape(text)}</text>'


def _axes(x_label: str, y_label: str) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    middle = (TOP + bottom) / 2
    return [
        f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="#333"/>',
        _text((LEFT + right) / 2, HEIGHT - 14, x_label, 'text-anchor="middle"'),
        _text(18, middle, y_label, f'text-anchor="middle" transform="rotate(-90 18 {middle:g})"'),
    ]


def _y_grid(frame: _Frame, ticks: Sequence[float]) -> list[str]:
    rows = []
    for value in ticks:
        y = frame.y(value)
        rows.append(f'<path d="M{LEFT} {y:g}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        rows.append(_text(LEFT - 8, y + 4, _number(value), 'text-anchor="end"'))
    return rows


def _x_tick(frame: _Frame, value: float) -> str:
    return _text(frame.x(value), HEIGHT - BOTTOM + 18, _number(value), 'text-anchor="middle"')


def _line(frame: _Frame, series: Series, index: int) -> list[str]:
    path, pen = [], "M"
    for x, y in series.points:
        if y is None:
            pen = "M"
            continue
        path.append(f"{pen}{frame.x(x):g} {frame.y(y):g}")
        pen = "L"
    return [f'<path d="{" ".join(path)}" fill="none" stroke-width="2.5" {_stroke(index)}/>']


def _stroke(index: int) -> str:
    dash = DASHES[index % len(DASHES)]
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'stroke="{COLOURS[index % len(COLOURS)]}"{dashes}'


def _legend(names: Sequence[str]) -> list[str]:
    rows, x = [], float(LEFT)
    for index, name in enumerate(names):
        rows.append(f'<path d="M{x:g} 38h28" stroke-width="2.5" {_stroke(index)}/>')
        rows.append(_text(x + 34, 42, name))
        x += 52 + 7.5 * len(name)
    return rows


def _bar(frame: _Frame, index: int, name: str, value: float | None) -> list[str]:
    middle, base = frame.x(index + 0.5), frame.y(frame.y_low)
    half = min(WIDEST_BAR, frame.x(index + 0.85) - frame.x(index + 0.15)) / 2
    left, right = middle - half, middle + half
    label = _text(middle, HEIGHT - BOTTOM + 18, name, 'text-anchor="middle"')
    if value is None:
        return [label, _text(middle, base - 8, "unknown", 'text-anchor="middle" font-style="italic"')]
    top = frame.y(value)
    place = f'x="{left:g}" y="{top:g}" width="{right - left:g}" height="{base - top:g}"'
    shape = f'<rect {place} fill="{COLOURS[0]}"/>'
    return [label, shape, _text(middle, top - 6, _cents(value), 'text-anchor="middle" font-weight="600"')]


def _summary(title: str, series: Sequence[Series]) -> str:
    ends = [
        f"{s.name} from {_number(known[0])} to {_number(known[-1])}"
        for s in series
        if (known := [y for _, y in s.points if y is not None])
    ]
    return f"{title}: {'; '.join(ends)}"


def _document(title: str, description: str, body: Sequence[str], more_height: int = 0) -> str:
    height = HEIGHT + more_height + (12 if more_height else 0)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img" aria-labelledby="chart-title chart-description" '
            'font-family="system-ui, sans-serif" font-size="12" fill="#1a1a1a">',
            f'<title id="chart-title">{escape(title)}</title>',
            f'<desc id="chart-description">{escape(description)}</desc>',
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
            _text(LEFT, 22, title, 'font-size="16" font-weight="600"'),
            *body,
            "</svg>",
            "",
        ]
    )
