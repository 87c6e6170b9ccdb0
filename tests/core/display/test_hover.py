"""What the marks of a figure say where the mouse points, read from the drawing."""

import re
from html import unescape

import pandas as pd
import pytest
import seaborn as sns
from matplotlib import pyplot as plt

from crm_utils.core.display import axis_formats, figure_style
from crm_utils.core.display.alt_text import LONGEST, list_within, shorten
from crm_utils.core.formatting import NumberFormat

FMT = NumberFormat("GBP")


@pytest.fixture(autouse=True)
def styled():
    figure_style.use_style()
    yield
    plt.close("all")


def texts(ax) -> list[str]:
    """The texts of the wide drawing."""
    html = figure_style.Figure(ax, "Finding", "How to read", "What it shows")._repr_html_()
    wide = html[html.index('class="wide"') : html.index("</svg>")]
    return [unescape(text) for text in re.findall("<title>(.*?)</title>", wide)]


def test_bars_say_their_name_series_and_value_in_full():
    ax = figure_style.new_axes(None)
    ax.barh(["At Risk", "Champions"], [1234.5, 800], label="profit")
    figure_style.money_axis(ax.xaxis, FMT)
    assert texts(ax) == [f"At Risk, profit: {FMT.money(1234.5)}", f"Champions, profit: {FMT.money(800)}"]


def test_bars_on_top_of_others_say_their_own_length():
    ax = figure_style.new_axes(None)
    ax.bar([0], [10.0], label="a")
    ax.bar([0], [5.0], bottom=[10.0], label="b")
    ax.set_xticks([0], ["Wave 1\nMay"])
    assert set(texts(ax)) == {"Wave 1 May, a: 10", "Wave 1 May, b: 5"}


def test_a_name_without_a_tick_is_still_said():
    ax = figure_style.new_axes(None)
    ax.bar(range(4), [1, 2, 3, 4])
    axis_formats.name_axis(ax.xaxis, range(4), ["Jan", "Feb", "Mar", "Apr"], every=3)
    assert sorted(texts(ax)) == ["Apr: 4", "Feb: 2", "Jan: 1", "Mar: 3"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["Jan", "Apr"]


def test_a_histogram_says_from_where_to_where():
    ax = figure_style.new_axes(None)
    ax.hist([1, 1, 3], bins=[0, 2, 4])
    assert texts(ax) == ["0 to 2: 2", "2 to 4: 1"]


def test_points_of_a_line_on_days_say_the_day():
    ax = figure_style.new_axes(None)
    ax.plot(pd.to_datetime(["2024-01-31", "2024-02-29"]), [3.0, 4.0], label="customers")
    assert texts(ax) == ["31 January 2024, customers: 3", "29 February 2024, customers: 4"]


def test_lines_for_the_eye_and_points_outside_the_axes_say_nothing():
    ax = figure_style.new_axes(None)
    ax.scatter([1, 2, 50], [1, float("nan"), 1])
    ax.axvline(1)
    ax.set_xlim(0, 10)
    assert texts(ax) == ["1: 1"]


def test_cells_of_a_heat_map_say_row_column_and_what_is_written():
    table = pd.DataFrame([[0.5, 1.0]], index=[5], columns=[1, 2])
    ax = sns.heatmap(table, annot=pd.DataFrame([["half", "all"]]), fmt="", cbar=False, ax=figure_style.new_axes(None))
    ax.set(xlabel="Frequency score", ylabel="Recency score")
    assert texts(ax) == [
        "Recency score 5, Frequency score 1: half",
        "Recency score 5, Frequency score 2: all",
    ]


def test_ranges_say_both_ends():
    ax = figure_style.new_axes(None)
    ax.hlines([0], [10], [30], label="range")
    ax.set_yticks([0], ["3 months"])
    figure_style.money_axis(ax.xaxis, FMT)
    assert texts(ax) == [f"3 months, range: {FMT.money(10)} to {FMT.money(30)}"]


def test_a_range_that_is_not_known_says_nothing():
    ax = figure_style.new_axes(None)
    ax.hlines([0, 1], [10.0, float("nan")], [20.0, float("nan")], label="range")
    ax.set_yticks([0, 1], ["At Risk", "Lost"])
    assert texts(ax) == ["At Risk, range: 10 to 20"]


def test_each_text_stands_where_its_mark_is_drawn():
    ax = figure_style.new_axes(None)
    (bar,) = ax.bar(["only"], [2.0])
    html = figure_style.Figure(ax, "Finding", "How to read", "What it shows")._repr_html_()
    left, top, width, height = (
        float(re.search(f' {name}="([^"]*)"', html)[1]) for name in ("x", "y", "width", "height")
    )
    path = re.search(
        r'<path d="M ([\d.]+) ([\d.]+)\s+L ([\d.]+) [\d.]+\s+L [\d.]+ ([\d.]+)[^>]*style="fill: #1f5fa8"', html
    )
    assert path is not None
    assert (left, top + height, left + width, top) == pytest.approx(
        [float(number) for number in path.groups()], abs=0.1
    )


def test_letters_can_be_found_and_names_with_marks_stay_text():
    ax = figure_style.new_axes(None)
    ax.barh(["<b>A & B</b>"], [1])
    html = figure_style.Figure(ax, "Finding", 'How to "read"', 'What "it" shows')._repr_html_()
    assert html.count("&lt;b&gt;A &amp; B&lt;/b&gt;</text>") == 2
    assert "<b>" not in html and 'aria-label="What &quot;it&quot; shows"' in html
    assert "font-family" not in html and "<style" not in html and "<metadata" not in html


def test_ids_of_two_figures_differ_and_links_find_theirs():
    first, second = figure_style.new_axes(None), figure_style.new_axes(None)
    for ax, value in ((first, 1), (second, 2)):
        ax.scatter([0, 1], [value, 0], marker="s")
    pages = [figure_style.Figure(ax, "Finding", "How to read", "What it shows")._repr_html_() for ax in (first, second)]
    html = "".join(pages)
    ids = re.findall(r' id="([^"]*)"', html)
    assert len(ids) == len(set(ids)) > 0
    assert set(re.findall(r'href="#([^"]*)"', html) + re.findall(r"url\(#([^)]*)\)", html)) == set(ids)


def test_labels_of_many_origins_do_not_meet():
    ax = figure_style.new_axes(None)
    ax.bar(range(41), 1)
    ax.set_xticks(range(41), [f"{index} Jan\n2011" for index in range(41)])
    shown = figure_style.Figure(ax, "Finding", "How to read", "What it shows")
    for figure in (shown.wide, shown.narrow):
        figure.draw_without_rendering()
        boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels() if label.get_text()]
        assert len(boxes) > 3
        assert all(left.x1 < right.x0 for left, right in zip(boxes, boxes[1:], strict=False))


def test_a_list_says_how_much_it_leaves_out():
    names = [f"Segment {number}" for number in range(40)]
    text = list_within("Bars: {items}.", names)
    named = text.count("Segment")
    assert len(text) <= LONGEST and text.endswith(f"; {40 - named} more.") and named > 5
    assert list_within("Bars: {items}.", names[:2]) == "Bars: Segment 0; Segment 1."
    assert len(shorten("x" * 500)) == LONGEST and len(list_within("Bars: {items}.", ["x" * 500])) == LONGEST
    assert list_within("Bars: {items}.", []) == "Bars: ."
