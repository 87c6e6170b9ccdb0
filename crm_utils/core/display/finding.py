"""One answer of a report: a sentence, with the figure and the table behind it."""

from dataclasses import dataclass
from functools import cached_property
from html import escape

import pandas as pd
from matplotlib.axes import Axes
from pandas.io.formats.style import Styler

from crm_utils.core.display.figure_style import Figure
from crm_utils.core.display.paragraphs import NotApplicable, Paragraph, brief_html
from crm_utils.core.display.svg import Drawing
from crm_utils.core.display.table_style import Collapsible, ForAnalysts, style_table
from crm_utils.core.formatting import NumberFormat


@dataclass(frozen=True)
class Finding:
    """What a section of a notebook found.

    Parameters
    ----------
    sentence : Paragraph or NotApplicable
        What it means for the reader. `NotApplicable` is the reason why there is nothing to show. Jupyter shows the
        reason; a page leaves the section out.
    ax : Axes, optional
        The figure that supports the sentence.
    caption : str
        How to read the figure.
    alt_text : str
        What the figure shows, in words.
    table : DataFrame, Styler or Collapsible, optional
        The numbers behind it. A DataFrame is shown without a currency sign; use `style_table` to set the currency.
    drawing : Drawing, optional
        A figure drawn by hand, in place of `ax`.
    brief : Paragraph, optional
        The answer in one line, for the first page of the date. The notebook's own page does not show it.

    Examples
    --------
    >>> Finding(paragraph("Half of all baskets are worth $17 or more."), table=baskets)
    """

    sentence: Paragraph | NotApplicable
    ax: Axes | None = None
    caption: str = ""
    alt_text: str = ""
    table: pd.DataFrame | Styler | Collapsible | ForAnalysts | None = None
    drawing: Drawing | None = None
    brief: Paragraph | None = None

    @cached_property
    def figure(self) -> Figure | None:
        """The figure with its sentence, caption and alternative text; None if there is nothing to draw."""
        if self.ax is None or isinstance(self.sentence, NotApplicable):
            return None
        return Figure(self.ax, self.sentence, self.caption, self.alt_text)

    @cached_property
    def _styled_table(self) -> Styler | Collapsible | ForAnalysts | None:
        if isinstance(self.table, pd.DataFrame):
            return style_table(self.table, "The numbers behind it", NumberFormat(currency=""))
        return self.table

    @property
    def _drawn(self) -> str:
        assert self.drawing is not None
        return (
            f'<figure class="crm-figure drawn"><p class="finding">{escape(self.sentence)}</p>'
            f"{self.drawing._repr_html_()}<figcaption>{escape(self.caption)}</figcaption></figure>"
        )

    def _repr_html_(self) -> str:
        shown = self.sentence._repr_html_() if self.figure is None else self.figure._repr_html_()
        if isinstance(self.sentence, NotApplicable):
            return shown
        if self.drawing is not None:
            shown = self._drawn
        if self.brief:
            shown += brief_html(self.brief)
        if self._styled_table is None:
            return shown
        return f'{shown}<div class="finding-table">{self._styled_table._repr_html_()}</div>'
