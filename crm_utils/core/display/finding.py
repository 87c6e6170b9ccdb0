"""One answer of a report: a sentence, the figure and table behind it, and the figure in words."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from matplotlib.axes import Axes

from crm_utils.core.display.figure_style import Figure
from crm_utils.core.display.paragraphs import NotApplicable, Paragraph


@dataclass(frozen=True)
class Finding:
    """What a section of a notebook found.

    Parameters
    ----------
    sentence : Paragraph or NotApplicable
        What it means for the reader. `NotApplicable` gives the reason why there is nothing to show: Jupyter shows the
        reason, and a page leaves the section out.
    ax : Axes, optional
        The figure that supports the sentence, drawn and ready.
    caption : str
        How to read the figure.
    alt_text : str
        What the figure shows, in words.
    table : Styler or Collapsible, optional
        The numbers behind it.
    """

    sentence: Paragraph | NotApplicable
    ax: Axes | None = None
    caption: str = ""
    alt_text: str = ""
    table: Any = None

    @cached_property
    def figure(self) -> Figure | None:
        """The figure with its finding, caption and alternative text; None if there is nothing to draw."""
        if self.ax is None or isinstance(self.sentence, NotApplicable):
            return None
        return Figure(self.ax, self.sentence, self.caption, self.alt_text)

    def _repr_html_(self) -> str:
        shown = self.sentence._repr_html_() if self.figure is None else self.figure._repr_html_()
        if self.table is None or isinstance(self.sentence, NotApplicable):
            return shown
        return f'{shown}<div class="finding-table">{self.table._repr_html_()}</div>'
