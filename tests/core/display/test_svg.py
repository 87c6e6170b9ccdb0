"""Figures drawn by hand: escaped, short in words, readable on every colour."""

from html import unescape

import pytest

from crm_utils.core.display import svg
from crm_utils.core.display.alt_text import LONGEST
from crm_utils.core.display.figure_style import INK, SEGMENT_COLOURS, SPARE_COLOURS


def test_text_from_data_is_escaped_and_the_alternative_is_short():
    name = "<script>alert('x')</script> & “Co”"
    body = svg.text(1, 2, name) + svg.rect(0, 0, 1, 1, "#000000", name) + svg.link(f'"{name}', svg.path("M0 0", INK))
    shown = svg.Drawing(10, 10, f"{name} {'word ' * 60}", body)._repr_html_()
    assert "<script" not in shown
    alt = shown.split('aria-label="')[1].split('"')[0]
    assert alt.endswith("…")
    assert len(unescape(alt)) <= LONGEST


def test_links_are_not_hidden_in_an_image():
    assert 'role="img"' in svg.Drawing(1, 1, "A", "")._repr_html_()
    assert 'role="group"' in svg.Drawing(1, 1, "A", "", has_links=True)._repr_html_()


def test_coordinates_are_short_and_have_no_negative_zero():
    assert [svg.number(value) for value in (1, 1.25, -0.04, 3.999)] == ["1", "1.2", "0", "4"]


@pytest.mark.parametrize("colour", [*SEGMENT_COLOURS.values(), *SPARE_COLOURS])
def test_letters_can_be_read_on_every_segments_colour(colour):
    light, dark = sorted((svg.relative_luminance(svg.ink_on(colour)), svg.relative_luminance(colour)))[::-1]
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_words_break_into_lines_that_fit():
    lines = svg.wrap("Customers Needing Attention", 70, 10)
    assert lines == ["Customers", "Needing", "Attention"]
    assert svg.wrap("Customers Needing Attention", 300, 10) == ["Customers Needing Attention"]


def test_bars_hang_below_the_line_if_they_are_negative():
    drawn = svg.bars([(10, INK, "up"), (-10, INK, "down"), (0, INK, "none")], 30, 20)
    assert 'y="0" width="7.8" height="10"' in drawn
    assert 'y="10" width="7.8" height="10"' in drawn
    assert 'height="1"' in drawn, "nothing is a line, not a gap"
