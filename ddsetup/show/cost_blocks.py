"""What a plan costs each month: quantities always, money only by prices that were given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10

from ddsetup.model.account import Json
from ddsetup.model.blocks import Block, table
from ddsetup.model.cost import DAYS, MONTH, Amount, Cost, Quantity, QuantityName
from ddsetup.model.lines import Line, Look, Span, counted, line, names

_TITLES: Mapping[QuantityName, str] = {
    "functions": "Chosen functions that run in an average hour",
    "logs_gb": "Logs, GB",
    "log_events": "Log events",
    "spans": "Spans: one for each traced invocation, and those inside",
    "custom_metrics": "Custom metrics",
    "forwarder_invocations": "Forwarder invocations, about",
    "metric_updates": "Updates of metrics by the stream",
}
_NAMED = 5
_LEAST = 0.01
"""Less than this is told as such."""
_NOT_KNOWN = "not known"


def cost_data(cost: Cost, prices: Mapping[QuantityName, float]) -> Json:
    """The cost as the JSON document has it; `price` is that of one, null where none was given."""
    return {
        "days": DAYS,
        "quantities": [_quantity(each, prices.get(each.name)) for each in cost.quantities],
        "automatic": {"log_groups": list(cost.automatic), "gb": _rounded(cost.automatic_gb)},
        "doubled": list(cost.doubled),
        "offers": [{"what": o.what, "option": o.option, "saves": o.saves} for o in cost.offers],
        "unknown": list(cost.unknown),
    }


def _quantity(quantity: Quantity, price: float | None) -> Json:
    now, after = quantity.now, quantity.after
    return {
        "name": quantity.name,
        "now": _rounded(now.value),
        "now_at_least": now.at_least,
        "after": _rounded(after.value),
        "after_at_least": after.at_least,
        "price": price,
        "cost_now": _money(now, price),
        "cost_after": _money(after, price),
    }


def _money(amount: Amount, price: float | None) -> float | None:
    return None if price is None or amount.value is None else round(amount.value * price, 2)


def _rounded(value: float | None) -> float | None:
    """To four digits: it is an estimate."""
    if not value:
        return value
    return round(value, max(0, 3 - int(log10(abs(value)) // 1)))


def cost_blocks(data: Mapping[str, Json], look: Look) -> list[Block]:
    """A table of what there is now and what afterwards, what causes it, and what would be less."""
    if not any(row[side] for row in data["quantities"] for side in ("now", "after")) and _all_counted(data):
        return [line(Span(f"  No chosen function ran within {data['days']} days: no costs to tell", "dim"))]
    priced = any(row["price"] is not None for row in data["quantities"])
    head = ["Each month", "Now", "After", *(("Costs now", "Costs after") if priced else ())]
    found: list[Block] = [line(Span("What will arrive each month", "heading"))]
    found += table(head, [_row(row, priced) for row in data["quantities"]])
    if priced:
        found.append(_total(data["quantities"]))
    found += _causes(data, look)
    for offer in data["offers"]:
        found.append(line("  less: ", Span(offer["option"], "code"), f"  saves {offer['saves']}"))
        found.append(line(Span(f"      {offer['what']}", "dim")))
    found += [line("  ", Span("? ", "dim"), Span(text, "dim")) for text in data["unknown"]]
    said = f"  from what CloudWatch counted within {data['days']} days; a month has {MONTH}"
    found.append(line(Span(said, "dim")))
    return found


def _all_counted(data: Mapping[str, Json]) -> bool:
    """Whether nothing but custom metrics is unknown."""
    return len(data["unknown"]) <= 1 and not data["automatic"]["log_groups"]


def _row(row: Mapping[str, Json], priced: bool) -> list[Span]:
    sides = ("now", "after")
    cells = [Span(_TITLES.get(row["name"], row["name"]))]
    cells += [_amount(row[side], at_least=row[f"{side}_at_least"]) for side in sides]
    if priced:
        cells += [_priced(row, side) for side in sides]
    return cells


def _amount(value: float | None, *, at_least: bool) -> Span:
    """At least nothing is nothing that anybody knows."""
    if value is None or (at_least and not value):
        return Span(_NOT_KNOWN, "warn")
    return Span(f"≥ {_figure(value)}" if at_least and value >= _LEAST else _figure(value))


def _figure(value: float) -> str:
    if 0 < value < _LEAST:
        return f"< {_LEAST}"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.3g}"


def _priced(row: Mapping[str, Json], side: str) -> Span:
    if row["price"] is None:
        return Span("no price", "dim")
    if row[f"cost_{side}"] is None or (row[f"{side}_at_least"] and not row[side]):
        return Span(_NOT_KNOWN, "warn")
    mark = "≥ " if row[f"{side}_at_least"] else ""
    return Span(f"{mark}{row[f'cost_{side}']:,.2f}")


def _total(rows: Sequence[Mapping[str, Json]]) -> Line:
    having = [row for row in rows if row["price"] is not None]
    parts = []
    for side in ("now", "after"):
        open_ = any(row[f"cost_{side}"] is None or row[f"{side}_at_least"] for row in having)
        total = sum(row[f"cost_{side}"] or 0 for row in having)
        parts.append(f"{'≥ ' if open_ else ''}{total:,.2f}")
    return line("  ", Span(f"by your prices: {parts[0]} now, {parts[1]} after", "bold"))


def _causes(data: Mapping[str, Json], look: Look) -> list[Line]:
    found: list[Line] = []
    named = 0 if look.verbose else _NAMED
    beyond, size = data["automatic"]["log_groups"], data["automatic"]["gb"]
    if beyond:
        of = "" if size is None else f", {_figure(size)} GB,"
        what = f"{counted(len(beyond), 'log group')} beside those of the chosen functions{of}"
        found.append(line("  ", Span("! ", "warn"), f"lines of {what} come along: {names(beyond, named)}"))
    if data["doubled"]:
        what = f"{counted(len(data['doubled']), 'log group')} will arrive more than once"
        found.append(line("  ", Span("! ", "warn"), f"lines of {what}: {names(data['doubled'], named)}"))
    return found
