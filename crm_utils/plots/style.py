"""The look all figures share: colours, axes, and how a figure is shown with its finding, caption and alt text."""

import base64
from html import escape
from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from crm_utils import formats

plt.style.use(Path(__file__).with_name("crm.mplstyle"))

INK, SOFT, BLUE, ORANGE, TEAL, GREY, PALE = "#1c2530", "#48525e", "#1f5fa8", "#c8601d", "#2a9d8f", "#9aa3ad", "#dfe4e9"
SEGMENT_COLOURS = {
    "Champions": "#0b5d57",
    "Loyal Customers": "#2a9d8f",
    "Potential Loyalists": "#8bd3c7",
    "Recent Customers": "#1f5fa8",
    "New Customers": "#1f5fa8",
    "Promising": "#86b6e8",
    "Customers Needing Attention": "#f2c14e",
    "About to Sleep": "#c9a88a",
    "At Risk": "#e07b39",
    "Can't Lose Them": "#b3261e",
    "Hibernating": "#9aa3ad",
    "Lost": "#5c6670",
}
SPARE_COLOURS = ["#6a4c93", "#c06fa8", "#7a8b2a", "#3f7f93", "#a06a2c", "#3d4f9f"]


def segment_colours(segments: list[str]) -> list[str]:
    """The fixed colour of each segment; names of an analyst's own map take spare ones in their order."""
    own = [name for name in segments if name not in SEGMENT_COLOURS]
    return [SEGMENT_COLOURS.get(name) or SPARE_COLOURS[own.index(name) % len(SPARE_COLOURS)] for name in segments]


def new_axes(ax: Axes | None, height: float = 3.4, width: float = 6.6) -> Axes:
    """The given ax, or that of a new figure (inches)."""
    return ax if ax is not None else plt.subplots(figsize=(width, height))[1]


def money_axis(axis, currency: str) -> None:
    """Write money on an axis: $250k."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: formats.short_money(value, currency)))


def percent_axis(axis) -> None:
    """Write shares on an axis: 20%."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: formats.percent(value) if value else "0%"))


def count_axis(axis) -> None:
    """Write whole numbers on an axis: 1,500."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: formats.count(value)))


class Figure:
    """A drawn figure as it stands on a page: the finding above it, the caption below it, the alt text for who cannot see it."""

    def __init__(self, ax: Axes, finding: str, caption: str, alt: str):
        self.ax, self.finding, self.caption, self.alt = ax, str(finding), caption, alt
        plt.close(ax.figure)  # shown here, so Jupyter need not show it again

    def _repr_html_(self) -> str:
        drawn = BytesIO()
        self.ax.figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
        source = base64.b64encode(drawn.getvalue()).decode()
        return (
            f'<figure class="crm-figure"><p class="finding">{escape(self.finding)}</p>'
            f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(self.finding)}">'
            f'<img src="data:image/svg+xml;base64,{source}" alt="{escape(self.alt)}"></div>'
            f"<figcaption>{escape(self.caption)}</figcaption></figure>"
        )


def figure(ax: Axes, finding: str, caption: str, alt: str) -> Figure:
    """Show `ax` with the finding it supports, a caption that says how to read it, and what it shows in words."""
    return Figure(ax, finding, caption, alt)
