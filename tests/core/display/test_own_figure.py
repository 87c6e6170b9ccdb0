"""Figures of analysts as our figures."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import seaborn

from crm_utils.core.display.own_figure import describe_figure, own_figure


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_the_description_is_made_from_title_and_axes():
    figure, ax = plt.subplots()
    ax.set(title="Revenue of orders", xlabel="Revenue", ylabel="Count")
    assert describe_figure(figure) == "Revenue of orders. Horizontal axis: Revenue. Vertical axis: Count."


def test_of_several_panels_the_number_and_each_title_once():
    figure, axes = plt.subplots(1, 2)
    figure.suptitle("Two years")
    for ax in axes:
        ax.set(title="Revenue.", ylabel="USD")
    assert describe_figure(figure) == "Two years. Revenue. 2 panels. Vertical axis: USD."


def test_a_colour_bar_is_no_panel_and_no_title_is_said():
    figure, ax = plt.subplots()
    figure.colorbar(ax.imshow(np.eye(2)))
    assert describe_figure(figure) == "A figure without a title."


def test_one_panel_is_drawn_for_both_widths_and_stays_as_it_is():
    figure, ax = plt.subplots(figsize=(9, 4))
    ax.bar(["a", "b"], [1, 2])
    html = own_figure(figure)
    assert html == own_figure(figure)
    assert [html.count(f'<svg class="{name}"') for name in ("wide", "narrow", "panels")] == [1, 1, 0]
    assert "<title>b: 2</title>" in html
    assert tuple(figure.get_size_inches()) == (9, 4)


def test_several_panels_scroll_on_a_phone():
    html = own_figure(plt.subplots(1, 2)[0])
    assert [html.count(f'<svg class="{name}"') for name in ("wide", "narrow", "panels")] == [0, 0, 1]
    assert 'class="scroll"' in html


@pytest.mark.parametrize("draw", ["heatmap", "clustermap"])
def test_figures_of_seaborn_with_colour_bars_are_drawn(draw):
    getattr(seaborn, draw)(np.arange(12).reshape(4, 3))
    html = own_figure(plt.gcf())
    assert '<svg class="panels"' in html
    assert "nan" not in html


def test_very_many_marks_are_an_image_with_a_description(monkeypatch):
    monkeypatch.setattr("crm_utils.core.display.own_figure.LARGEST_SVG", 1000)
    figure, ax = plt.subplots(figsize=(2, 2))
    ax.set_title('All "orders"')
    html = own_figure(figure)
    assert "<svg" not in html
    assert 'alt="All &quot;orders&quot;." src="data:image/png;base64,' in html
