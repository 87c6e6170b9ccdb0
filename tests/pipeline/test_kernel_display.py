"""What a kernel shows of the values that analysts' cells end in."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from crm_utils.core.display.paragraphs import paragraph
from crm_utils.pipeline import kernel_display


@pytest.fixture
def shown(monkeypatch):
    """What the extension shows of a value, by type of content."""
    shell = InteractiveShell()
    monkeypatch.setattr(kernel_display, "use_style", lambda: None)  # it would last longer than this test
    kernel_display.load_ipython_extension(shell)
    yield lambda value: shell.display_formatter.format(value)[0]
    plt.close("all")


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: ax,
        lambda ax: ax.plot([1, 2]),
        lambda ax: ax.hist([1, 2, 2]),
        lambda ax: ax.set_title("Orders"),
        lambda ax: np.array([[ax, ax]]),
        lambda ax: pd.Series([ax, ax]),
        lambda ax: ax.boxplot([1, 2, 3]),
    ],
    ids=["axes", "lines", "histogram", "text", "array", "series", "boxes"],
)
def test_what_only_drew_is_not_shown(shown, draw):
    assert shown(draw(plt.subplots()[1])) == {}


def test_other_last_expressions_are_shown_as_ever(shown):
    assert shown([1, 2]) == {"text/plain": "[1, 2]"}
    assert shown(np.array(["a"], dtype=object)) == {"text/plain": "array(['a'], dtype=object)"}
    assert "text/html" in shown(paragraph("Half came back."))


def test_tables_and_figures_have_our_style(shown):
    frame = pd.DataFrame({"orders": [1200]})
    assert set(shown(frame)) == set(shown(frame.orders)) == {"text/html"}
    assert 'class="crm dataframe"' in shown(frame)["text/html"]
    assert ">1,200<" in shown(frame.orders)["text/html"]
    assert shown(plt.subplots()[0])["text/html"].startswith('<figure class="crm-figure own">')


def test_ids_of_a_coloured_table_are_the_same_in_each_run(shown):
    frame = pd.DataFrame({"orders": [1, 2]})
    first, second = (shown(frame.style.background_gradient())["text/html"] for _ in range(2))
    assert first == second
    assert "background-color" in first


def test_what_our_style_cannot_draw_is_shown_as_ever(shown, monkeypatch):
    monkeypatch.setattr(kernel_display, "plain_table", lambda *_: 1 / 0)
    assert 'class="dataframe"' in shown(pd.DataFrame({"orders": [1]}))["text/html"]


class Chart:
    """Stands for a chart of Altair, with or without the library that draws images."""

    __module__ = "altair.vegalite"

    def __init__(self, can_draw: bool):
        self.can_draw = can_draw

    def save(self, file, format):
        if not self.can_draw:
            raise ValueError("saving as svg needs vl-convert-python")
        file.write("<svg/>")

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": "<div></div><script>draw()</script>"}


def test_a_chart_with_scripts_becomes_an_image_if_its_library_can_draw_one(shown):
    assert shown(Chart(True)) == {"image/svg+xml": "<svg/>"}
    assert "<script>" in shown(Chart(False))["text/html"]
