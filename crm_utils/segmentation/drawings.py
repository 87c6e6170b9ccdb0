"""Figures of 03_segmentation and of the first page that are drawn by hand."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from crm_utils.core.display.alt_text import list_within
from crm_utils.core.display.figure_style import BLUE, GREY, INK, LIGHT_INK, ORANGE, TEAL, segment_colours
from crm_utils.core.display.svg import (
    WIDTH,
    Drawing,
    ink_on,
    link,
    number,
    path,
    rect,
    text,
    text_width,
    wrap,
)
from crm_utils.core.formatting import NumberFormat, percent
from crm_utils.segmentation.named_map import Area, largest_areas, segment_anchor
from crm_utils.segmentation.revenue_bridge import Bridge, Periods
from crm_utils.store import slug

MAP_LEFT, MAP_HEIGHT, MAP_BELOW = 36, 230, 30
TREEMAP_HEIGHT = 210
NOBODY = "#eef1f4"
GAP, OVERLAP = 1.2, 0.3
COLUMNS_WITH_UNITS = 6
Box = tuple[float, float, float, float]  # left, top, width, height
LARGE, SMALL, SMALLEST = 10.5, 8.5, 7.5
BOLD = 1.13  # how much wider bold letters are
ORDERED_RECENTLY, ORDERED_OFTEN = "last order →", "orders ↑"
IN_AREAS = "customers · share of {value}"
WITHIN_DAYS, AT_LEAST = "≤ {days} d", "≥ {orders}"
HOVER = "Last order {days} days ago, {orders} orders: {customers}, {revenue}. {share} of them are {segment}."
NOBODY_THERE = "Nobody"
MAP_ALT_TEXT = "Map of segments by last order and number of orders. {largest} is the largest with {customers}."
TREEMAP_ALT_TEXT = "Areas by revenue: {items}."
OF_REVENUE = "{share} of {value}"
OF_CUSTOMERS = "{customers} ({share})"
FLOW_FROM, FLOW_TO, FLOW_END = 84, 250, 6
FLOW_HEIGHT, FLOW_LEAST, FLOW_GAP = 44, 17, 9
MOVE_LABEL = "{customers} · {revenue}"
MOVE_HOVER = "{customers} moved from {previous} to {new}; they spent {revenue} in the last 12 months"
MOVES_ALT_TEXT = "Flows between segments: {items}."
MOVED_LIST = "lists/moved/{name}.csv"
BRIDGE_TOP, BRIDGE_HEIGHT = 16, 88
YEAR_BEFORE, PERIOD_BEFORE, SINCE_THEN = "year before", "before", "now"
LOST, LESS, MORE, NEW = "not back", "spent less", "spent more", "new"
BRIDGE_ALT_TEXT = "Steps from a revenue of {before} in the earlier period to {now} in the later one."
SECTION = "03_segmentation.html#{anchor}"


def draw_named_map(grid: pd.DataFrame, profile: pd.DataFrame, fmt: NumberFormat) -> Drawing:
    """Draw the recency × frequency classes in the colour of the segment that prevails in each.

    Parameters
    ----------
    grid : pandas.DataFrame
        See `prevailing_segments`.
    profile : pandas.DataFrame
        The table `segment_profile`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Drawing
        Recent orders to the right, many orders at the top. The name of a segment, its customers and its share of
        revenue stand in its largest area if they fit. Each class leads to its segment on page 03.
    """
    colours = _colours(profile)
    places = _Places(int(grid.column.max()) + 1, int(grid.row.max()) + 1)
    segment_of = {(row.column, row.row): row.segment for row in grid.itertuples() if pd.notna(row.segment)}
    body = "".join(_draw_class(row, segment_of, colours, places, fmt) for _, row in grid.iterrows())
    of_segment = profile.set_index("segment")
    for name, area in largest_areas(grid).items():
        segment = of_segment.loc[name]
        numbers = f"{fmt.count(segment.customers)} · {percent(segment.revenue_share)}"
        body += fit_text(*places.box(area), name, [numbers], ink_on(colours[name]))
    largest = profile.loc[profile.customers.idxmax()]
    alt_text = MAP_ALT_TEXT.format(largest=largest.segment, customers=fmt.plural(largest.customers, "customer"))
    return Drawing(WIDTH, MAP_HEIGHT + MAP_BELOW, alt_text, body + _draw_scales(grid, places, fmt), has_links=True)


def _colours(profile: pd.DataFrame) -> dict[str, str]:
    """The colour of each segment."""
    return dict(zip(profile.segment, segment_colours(profile.segment.tolist()), strict=True))


class _Places(NamedTuple):
    """Where the classes of a map are: so many columns and rows, the first row at the bottom."""

    columns: int
    rows: int

    def box(self, area: Area) -> Box:
        """Left, top, width and height of a block of classes."""
        width, height = (WIDTH - MAP_LEFT) / self.columns, MAP_HEIGHT / self.rows
        (first, last), (low, high) = area
        left, top = MAP_LEFT + first * width, (self.rows - 1 - high) * height
        return left, top, (last - first + 1) * width, (high - low + 1) * height


def _draw_class(
    row: pd.Series,
    segment_of: dict[tuple[int, int], str],
    colours: dict[str, str],
    places: _Places,
    fmt: NumberFormat,
) -> str:
    left, top, width, height = places.box(Area((row.column, row.column), (row.row, row.row)))
    if pd.isna(row.segment):
        return rect(left, top, width - GAP, height - GAP, NOBODY, NOBODY_THERE)
    title = HOVER.format(
        days=_span(row.fewest_days, row.most_days, fmt),
        orders=_span(row.fewest_orders, row.most_orders, fmt),
        customers=fmt.plural(row.customers, "customer"),
        revenue=fmt.money(row.revenue),
        share=percent(row.share),
        segment=row.segment,
    )
    # no gap between the classes of one segment
    width -= GAP if segment_of.get((row.column + 1, row.row)) != row.segment else -OVERLAP
    height -= GAP if segment_of.get((row.column, row.row - 1)) != row.segment else -OVERLAP
    drawn = rect(left, top, width, height, colours[row.segment], title)
    return link(SECTION.format(anchor=segment_anchor(row.segment)), drawn)


def _span(low: float, high: float, fmt: NumberFormat) -> str:
    return fmt.count(low) if low == high else f"{fmt.count(low)}–{fmt.count(high)}"


def fit_text(left: float, top: float, width: float, height: float, title: str, more: Sequence[str], colour: str) -> str:
    """Write a title and further lines into the middle of a box: as many as fit, in the largest letters that do."""
    for kept in range(len(more), -1, -1):
        for size in (LARGE, SMALL, SMALLEST):
            names = wrap(title, width - 6, size * BOLD)
            shown = [*names, *more[:kept]]
            widest = max(
                *(text_width(line, size * BOLD) for line in names), *(text_width(line, size) for line in shown)
            )
            if widest <= width - 2 and len(shown) * size * 1.2 <= height - 4:
                return _centred(left + width / 2, top + height / 2, shown, len(names), size, colour)
    return ""


def _centred(x: float, y: float, lines: list[str], names: int, size: float, colour: str) -> str:
    """Lines around a point, the first `names` of them bold. They let clicks through to what is below."""
    step = size * 1.2
    first = y - step * (len(lines) - 1) / 2 + size * 0.35
    written = "".join(
        text(x, first + place * step, line, size, "middle", colour, bold=place < names)
        for place, line in enumerate(lines)
    )
    return f'<g pointer-events="none">{written}</g>'


def _draw_scales(grid: pd.DataFrame, places: _Places, fmt: NumberFormat) -> str:
    """Within how many days the last order of each column was, and how many orders each row has at least."""
    days, orders = grid.groupby("column").most_days.max(), grid.groupby("row").fewest_orders.min()
    few = places.columns <= COLUMNS_WITH_UNITS
    drawn = ""
    for column, most in days.items():
        left, _, width, _ = places.box(Area((column, column), (0, 0)))
        words = WITHIN_DAYS.format(days=fmt.count(most)) if few else f"≤{fmt.count(most)}"
        drawn += text(left + width / 2, MAP_HEIGHT + 10, words, SMALL if few else 7, "middle", LIGHT_INK)
    for row, fewest in orders.items():
        _, top, _, height = places.box(Area((0, 0), (row, row)))
        words = AT_LEAST.format(orders=fmt.count(fewest))
        drawn += text(MAP_LEFT - 4, top + height / 2 + 3, words, SMALL, "end", LIGHT_INK)
    of_what = IN_AREAS.format(value=fmt.value_noun.lower())
    drawn += text(WIDTH / 2, MAP_HEIGHT + 24, of_what, SMALL, "middle", LIGHT_INK)
    drawn += text(WIDTH, MAP_HEIGHT + 24, ORDERED_RECENTLY, LARGE - 1, "end", INK)
    return drawn + text(0, MAP_HEIGHT + 24, ORDERED_OFTEN, LARGE - 1, "start", INK)


def draw_treemap(profile: pd.DataFrame, fmt: NumberFormat) -> Drawing | None:
    """Draw each segment as an area as large as its revenue.

    Parameters
    ----------
    profile : pandas.DataFrame
        The table `segment_profile`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Drawing or None
        The largest at the top left. None if no segment has revenue.
    """
    colours = _colours(profile)
    shown = profile[profile.revenue > 0].sort_values("revenue", ascending=False, kind="stable")
    if shown.empty:
        return None
    body = ""
    boxes = squarify(shown.revenue.tolist(), WIDTH, TREEMAP_HEIGHT)
    for segment, (left, top, width, height) in zip(shown.itertuples(), boxes, strict=True):
        fill = colours[segment.segment]
        revenue = OF_REVENUE.format(share=percent(segment.revenue_share), value=fmt.value_noun.lower())
        customers = OF_CUSTOMERS.format(
            customers=fmt.plural(segment.customers, "customer"), share=percent(segment.customer_share)
        )
        title = f"{segment.segment}: {fmt.money(segment.revenue)}, {revenue}; {customers}"
        box = rect(left, top, max(width - 1, 0.5), max(height - 1, 0.5), fill, title)
        words = fit_text(left, top, width - 1, height - 1, segment.segment, [revenue, customers], ink_on(fill))
        body += link(f"#{segment_anchor(segment.segment)}", box, words)
    named = [f"{row.segment} {percent(row.revenue_share)}" for row in shown.itertuples()]
    return Drawing(WIDTH, TREEMAP_HEIGHT, list_within(TREEMAP_ALT_TEXT, named, ", "), body, has_links=True)


def squarify(values: list[float], width: float, height: float) -> list[Box]:
    """Divide a box into boxes as large as the values, as square as possible.

    Parameters
    ----------
    values : list of float
        Positive, in falling order.
    width, height : float
        Size of the box.

    Returns
    -------
    list of Box
        Left, top, width and height of each, in the order of the values. Source: M. Bruls, K. Huizing and J. J. van
        Wijk, Squarified Treemaps, 2000.
    """
    scale = width * height / sum(values)
    areas = [value * scale for value in values]
    boxes: list[Box] = []
    left = top = 0.0
    while areas:
        side = min(width, height)
        row = [areas[0]]
        while len(row) < len(areas) and _worst([*row, areas[len(row)]], side) <= _worst(row, side):
            row.append(areas[len(row)])
        areas = areas[len(row) :]
        thick, along = sum(row) / side, 0.0
        for area in row:
            long = area / thick
            box = (left, top + along, thick, long) if height <= width else (left + along, top, long, thick)
            boxes.append(box)
            along += long
        if height <= width:
            left, width = left + thick, width - thick
        else:
            top, height = top + thick, height - thick
    return boxes


def _worst(row: list[float], side: float) -> float:
    """How far the least square box of a row is from a square."""
    total = sum(row)
    return max(side**2 * max(row) / total**2, total**2 / (side**2 * min(row)))


def draw_moves(moves: pd.DataFrame, profile: pd.DataFrame, fmt: NumberFormat) -> Drawing | None:
    """Draw moves as flows from the previous segments (left) to the new ones (right).

    Parameters
    ----------
    moves : pandas.DataFrame
        See `moved_customers.largest_moves`.
    profile : pandas.DataFrame
        The table `segment_profile`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Drawing or None
        Each flow is as thick as it has customers and leads to its list. None if nobody moved.
    """
    if moves.empty:
        return None
    colours = _colours(profile)
    thickness = [max(FLOW_HEIGHT * size / moves.customers.max(), FLOW_LEAST) for size in moves.customers]
    starts = _stack(moves.previous_segment, thickness)
    ends = _stack(moves.new_segment, thickness)
    body = ""
    for place, move in enumerate(moves.itertuples()):
        colour = colours.get(move.new_segment, LIGHT_INK)
        title = MOVE_HOVER.format(
            customers=fmt.plural(move.customers, "customer"),
            previous=move.previous_segment,
            new=move.new_segment,
            revenue=fmt.money(move.revenue_12m),
        )
        flow = path(_flow(starts[place], ends[place], thickness[place]), colour, title, ' fill-opacity="0.35"')
        middle = starts[place] + thickness[place] / 2  # at the start of the flow: flows cross on their way
        words = MOVE_LABEL.format(customers=fmt.count(move.customers), revenue=fmt.short_money(move.revenue_12m))
        label = f'<g pointer-events="none">{text(FLOW_FROM + FLOW_END + 5, middle + 3.5, words, LARGE)}</g>'
        body += link(MOVED_LIST.format(name=slug(move.new_segment)), flow) + label
    body += _draw_ends(moves.previous_segment, starts, thickness, FLOW_FROM, colours, to_the_left=True)
    body += _draw_ends(moves.new_segment, ends, thickness, FLOW_TO, colours, to_the_left=False)
    height = max(start + thick for start, thick in zip([*starts, *ends], thickness * 2, strict=True)) + 4
    described = [f"{move.customers} {move.previous_segment} to {move.new_segment}" for move in moves.itertuples()]
    return Drawing(WIDTH, height, list_within(MOVES_ALT_TEXT, described), body, has_links=True)


def _stack(segments: pd.Series, thickness: list[float]) -> list[float]:
    """The top of each flow, those of one segment below each other and a gap between segments."""
    tops, top = [0.0] * len(segments), 2.0
    for segment in dict.fromkeys(segments):
        for place in [place for place, name in enumerate(segments) if name == segment]:
            tops[place] = top
            top += thickness[place] + 1.5
        top += FLOW_GAP
    return tops


def _flow(start: float, end: float, thick: float) -> str:
    """A band from the left to the right: its path commands."""
    left, right, middle = FLOW_FROM + FLOW_END, FLOW_TO, WIDTH / 2
    upper = f"M{number(left)} {number(start)}C{number(middle)} {number(start)} {number(middle)} {number(end)}"
    lower = f"C{number(middle)} {number(end + thick)} {number(middle)} {number(start + thick)}"
    return f"{upper} {number(right)} {number(end)}V{number(end + thick)}{lower} {number(left)} {number(start + thick)}Z"


def _draw_ends(
    segments: pd.Series,
    tops: list[float],
    thickness: list[float],
    x: float,
    colours: dict[str, str],
    to_the_left: bool,
) -> str:
    """The bar of each segment beside its flows, and its name beside the bar."""
    drawn = ""
    for segment in dict.fromkeys(segments):
        places = [place for place, name in enumerate(segments) if name == segment]
        top, bottom = tops[places[0]], tops[places[-1]] + thickness[places[-1]]
        drawn += rect(x, top, FLOW_END, bottom - top, colours.get(segment, LIGHT_INK), segment)
        name_x, anchor = (x - 4, "end") if to_the_left else (x + FLOW_END + 4, "start")
        lines = wrap(segment, FLOW_FROM - 6, SMALL + 0.5)
        first = (top + bottom) / 2 - (len(lines) - 1) * 5 + 3
        for place, line in enumerate(lines):
            drawn += text(name_x, first + place * 10, line, SMALL + 0.5, anchor)
    return drawn


def draw_bridge(periods: Periods | None, bridge: Bridge | None, fmt: NumberFormat) -> Drawing | None:
    """Draw the steps from the revenue of the earlier period to that of the later one.

    Parameters
    ----------
    periods : Periods, optional
        See `comparable_periods`.
    bridge : Bridge, optional
        See `compute_bridge`.
    fmt : NumberFormat
        How the report writes numbers and money.

    Returns
    -------
    Drawing or None
        Six bars; losses hang from the level before them. None without periods, or if nothing was spent.
    """
    if periods is None or bridge is None or not (bridge.before > 0 or bridge.now > 0):
        return None
    before = YEAR_BEFORE if periods.is_year_before else PERIOD_BEFORE
    steps = [
        (LOST, bridge.lost, ORANGE),
        (LESS, bridge.less, ORANGE),
        (MORE, bridge.more, TEAL),
        (NEW, bridge.new, TEAL),
    ]
    level, bars = bridge.before, [(before, 0.0, bridge.before, GREY)]
    for name, change, colour in steps:
        bars.append((name, min(level, level + change), abs(change), colour))
        level += change
    bars.append((SINCE_THEN, 0.0, bridge.now, BLUE))
    scale = BRIDGE_HEIGHT / max(low + size for _, low, size, _ in bars)
    step, body = WIDTH / len(bars), ""
    for place, (name, low, size, colour) in enumerate(bars):
        left, top = place * step + 4, BRIDGE_TOP + BRIDGE_HEIGHT - (low + size) * scale
        sign = {ORANGE: "−", TEAL: "+"}.get(colour, "")
        written = f"{sign}{fmt.short_money(size)}"
        body += rect(left, top, step - 8, max(size * scale, 1), colour, f"{name}: {sign}{fmt.money(size)}")
        body += text(place * step + step / 2, top - 4, written, SMALL + 0.5, "middle", bold=True)
        body += text(place * step + step / 2, BRIDGE_TOP + BRIDGE_HEIGHT + 13, name, SMALL + 0.5, "middle", LIGHT_INK)
    alt_text = BRIDGE_ALT_TEXT.format(before=fmt.money(bridge.before), now=fmt.money(bridge.now))
    return Drawing(WIDTH, BRIDGE_TOP + BRIDGE_HEIGHT + 18, alt_text, body)
