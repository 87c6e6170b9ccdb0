"""What figures show, asked of their axes, and that the same data give the same picture."""

import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from crm_utils.cleaning import charts
from crm_utils.comparison import charts as comparison
from crm_utils.core.display import figure_style
from crm_utils.core.formatting import NumberFormat
from crm_utils.rfm import charts as rfm
from tests.support.projects import ROOT


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


MONTHS = pd.DataFrame(
    {
        "month": pd.date_range("2024-01-01", periods=3, freq="MS"),
        "revenue": [10.0, 30, 5],
        "complete": [True, True, False],
    }
)
SIZES = pd.DataFrame({"segment": ["Champions", "Mine", "Lost"], "customers": [2, 3, 0], "customers_then": [4, 6, 0]})


def test_bars_of_months_and_the_hatched_last_one():
    bars = charts.plot_revenue_by_month(MONTHS, NumberFormat("USD")).patches
    assert [bar.get_height() for bar in bars] == [10, 30, 5]
    assert [bool(bar.get_hatch()) for bar in bars] == [False, False, True]


def test_sizes_leave_empty_segments_out_and_keep_the_colours():
    ax = comparison.plot_segment_sizes(SIZES, NumberFormat("USD"))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Mine", "Champions"]
    assert figure_style.segment_colours(["Lost", "Champions"]) == [
        figure_style.SEGMENT_COLOURS["Lost"],
        figure_style.SEGMENT_COLOURS["Champions"],
    ]
    assert figure_style.segment_colours(["Mine", "Yours"]) == figure_style.SPARE_COLOURS[:2]
    assert figure_style.segment_colours(["Yours", "Mine"]) == figure_style.SPARE_COLOURS[1::-1], "whatever the order"


def test_the_grid_marks_empty_cells():
    cells = pd.DataFrame(
        {
            "recency_score": [1, 1, 2, 2],
            "frequency_score": [1, 2, 1, 2],
            "customers": [5, 0, 1, 2],
            "revenue": [50.0, 0, 10, 20],
        }
    )
    ax = rfm.plot_rf_grid(cells, NumberFormat("USD"))
    assert sorted(text.get_text() for text in ax.texts) == ["1", "2", "5", "–"]
    assert sorted(text.get_text() for text in ax.figure.axes[1].texts) == ["$10", "$20", "$50", "–"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["2", "1"], "the best recency is on top"


def test_a_shown_figure_is_escaped_described_and_the_same_each_time():
    shown = [
        figure_style.Figure(
            charts.plot_revenue_by_month(MONTHS, NumberFormat("USD")), "A < B", "How to read", 'Bars of "x" & y'
        )._repr_html_()
        for _ in range(2)
    ]
    assert shown[0] == shown[1]
    assert "A &lt; B" in shown[0]
    assert 'aria-label="Bars of &quot;x&quot; &amp; y"' in shown[0]


def test_segment_colours_differ_for_the_colour_blind():
    """Neighbouring colours differ by lightness or hue under simulated deuteranopia (Viénot, Brettel & Mollon 1999)."""
    matrix = [[0.29275, 0.70725, -0.02978], [0.29275, 0.70725, -0.02978], [-0.02234, 0.02234, 1.0]]
    colours = {
        name: matplotlib.colors.to_rgb(colour)
        for name, colour in figure_style.SEGMENT_COLOURS.items()
        if name != "New Customers"
    }
    seen = {
        name: tuple(sum(m * c for m, c in zip(row, rgb, strict=True)) for row in matrix)
        for name, rgb in colours.items()
    }
    names = list(seen)
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            distance = sum((a - b) ** 2 for a, b in zip(seen[one], seen[other], strict=True)) ** 0.5
            assert distance > 0.06, f"{one} and {other} look alike"


def texts_outside(drawing) -> list[str]:
    """Letters that stick out of a figure."""
    drawing.draw_without_rendering()
    inside = drawing.bbox.padded(2)
    unseen = [
        text for ax in drawing.axes if not ax.xaxis.get_visible() for text in ax.xaxis.findobj(matplotlib.text.Text)
    ]
    texts = [text for text in drawing.findobj(matplotlib.text.Text) if text not in unseen]
    shown = [text for text in texts if text.get_visible() and text.get_text().strip()]
    boxes = {text.get_text(): text.get_window_extent() for text in shown}
    return [
        name
        for name, box in boxes.items()
        if not inside.fully_contains(*box.min) or not inside.fully_contains(*box.max)
    ]


def segments_figure():
    names = ["Customers Needing Attention", "x" * 500, "$a$ and \\frac{$"]
    table = pd.DataFrame({"segment": names, "customers": [2, 3, 4], "customers_then": [3, 1, 2]})
    return comparison.plot_segment_sizes(table, NumberFormat("USD"))


def test_a_phone_gets_a_narrow_drawing_in_which_everything_fits():
    shown = figure_style.Figure(segments_figure(), "Finding", "How to read", "What it shows")
    html = shown._repr_html_()
    assert re.findall('<svg class="([a-z]+)"', html) == ["wide", "narrow"]
    assert shown.narrow.get_figwidth() < 4.5 < shown.ax.figure.get_figwidth()
    assert texts_outside(shown.narrow) == []
    names = [label.get_text() for label in shown.narrow.axes[0].get_yticklabels()]
    assert "Customers Needing\nAttention" in names
    assert max(len(name.replace("\n", "")) for name in names) <= 46, "a name of 500 letters is cut"
    assert shown._repr_html_() == html, "showing it twice draws it once"


def test_labels_that_would_meet_on_a_phone_take_more_lines_or_leave_some_out():
    for names, shown_there in (
        (["never\n562", "10 times or more\n206"] * 3, 6),
        ([f"{n} July\n2024" for n in range(12)], 6),
    ):
        ax = figure_style.new_axes(None)
        ax.bar(range(len(names)), 1)
        ax.set_xticks(range(len(names)), names)
        ax = figure_style.Figure(ax, "Finding", "How to read", "What it shows").narrow.axes[0]
        assert len([label for label in ax.get_xticklabels() if label.get_text()]) == shown_there
        assert max(len(line) for label in ax.get_xticklabels() for line in label.get_text().splitlines()) <= 9


def test_a_matplotlibrc_of_the_user_changes_nothing(tmp_path):
    """Neither one named in the environment nor one in the folder; and the backend stays what it was set to."""
    code = (
        "import matplotlib as m; from crm_utils.core.display import figure_style; figure_style.use_style(); "
        "print(m.get_backend(), dict(m.rcParams))"
    )
    own = tmp_path / "matplotlibrc"
    found = []
    for text in (
        "",
        "axes.facecolor: ffcccc\nsavefig.bbox: tight\nfont.size: 30\ntimezone: Asia/Tokyo\nbackend: pdf\n",
    ):
        own.write_text(text)
        for folder, named in ((tmp_path, {}), (Path.home(), {"MATPLOTLIBRC": str(own)})):
            environment = os.environ | {"MPLBACKEND": "svg", "PYTHONPATH": str(ROOT)} | named
            found.append(subprocess.check_output([sys.executable, "-c", code], cwd=folder, env=environment))
    assert found[0].startswith(b"svg ")
    assert set(found) == {found[0]}


def test_panels_stand_below_each_other_on_a_phone():
    panels = plt.subplots(1, 3, figsize=(6.6, 2.9))[1]
    before = [ax.get_position().x0 for ax in panels]
    shown = figure_style.Figure(panels[0], "Finding", "How to read", "What it shows")
    shown._repr_html_()
    assert [ax.get_position().x0 for ax in panels] == before, "showing a figure leaves the given axes as they are"
    panels = shown.narrow.axes
    assert len({ax.get_position().x0 for ax in panels}) == 1
    assert [ax.get_position().y0 for ax in panels] == sorted((ax.get_position().y0 for ax in panels), reverse=True)


def test_a_legend_moves_above_the_panel_on_a_phone():
    ax = figure_style.new_axes(None)
    for cause in ("Limits moved by old customers", "Bought"):
        ax.plot([1, 2], label=cause)
    ax.legend(ncols=2)
    ax.set(xticks=[], yticks=[])
    shown = figure_style.Figure(ax, "Finding", "How to read", "What it shows")
    shown._repr_html_()
    assert shown.narrow.axes[0].get_legend() is None
    assert [text.get_text() for text in shown.narrow.legends[0].get_texts()] == [
        "Limits moved by old customers",
        "Bought",
    ]
    assert texts_outside(ax.figure) == []
