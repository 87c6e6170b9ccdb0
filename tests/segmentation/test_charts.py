"""Figures of 03_segmentation: which bars and letters they show."""

import pandas as pd
import pytest

from crm_utils.core.formatting import NumberFormat
from crm_utils.segmentation import charts, migration

FMT = NumberFormat("USD")


def bars(ax) -> list[tuple[float, float]]:
    """The left end and the width of each bar."""
    return [(round(bar.get_x(), 9), round(bar.get_width(), 9)) for bar in ax.patches]


def letters(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_gains_stand_to_the_right_and_losses_to_the_left():
    row = {"segment": "A", "customers_then": 9} | dict(zip(migration.CAUSES, [5, -3, 2, -1, 0], strict=True))
    net = pd.DataFrame([row | {"customers": 12}])
    ax = charts.plot_segment_migration(net, FMT)
    assert bars(ax) == [(0, 5), (0, -3), (5, 2), (-3, -1), (-4, 0)]
    assert letters(ax) == ["+3"]
    assert letters(charts.plot_segment_migration(net.assign(bought=1), FMT)) == ["−1"]
    assert letters(charts.plot_segment_migration(net.assign(bought=2), FMT)) == ["0"]
    assert charts.alt_text_segment_migration(net, FMT).endswith("A 9 to 12.")
    both = pd.concat([net, net.assign(segment="B", bought=2)], ignore_index=True)
    ax = charts.plot_segment_migration(both, FMT)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["B", "A"], "the first one on top"
    assert letters(ax) == ["0", "+3"]
    assert charts.plot_segment_migration(net.head(0), FMT) is None


def test_statuses_stand_side_by_side_and_wide_ones_have_their_share():
    crossed = pd.DataFrame(
        {
            "segment": ["A", "A", "A", "B"],
            "value": ["new", "active", "gone", "active"],
            "share": [0.07, 0.08, 0.85, 1.0],
        }
    )
    ax = charts.plot_lifecycle(crossed, ["B", "none", "A"])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["A", "B"]
    of_a = [bar for bar in bars(ax)[::2] if bar[1]]
    assert of_a == [(0, 0.07), (0.07, 0.08), (pytest.approx(0.15), 0.85)]
    assert sorted(letters(ax)) == ["100%", "8%", "85%"], "a bar of 7% is too narrow"
    white = {text.get_text(): text.get_color() == "white" for text in ax.texts}
    assert white == {"100%": True, "8%": True, "85%": False}, "white on teal, dark on grey"
    assert charts.alt_text_lifecycle(crossed).endswith("A most often gone (85%); B most often active (100%).")
