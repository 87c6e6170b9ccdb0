"""An extension of IPython for the kernels of a run: what analysts show looks like the rest of the page.

DataFrames and Series become our tables, Matplotlib figures our figures, charts of Altair static images.
The last expression of a cell that draws, such as `<Axes: …>`, is not shown.
"""

from functools import cache
from hashlib import sha256
from io import StringIO
from itertools import islice
from typing import Any

import matplotlib.figure
import numpy as np
import pandas as pd
from IPython.core.interactiveshell import InteractiveShell
from pandas.io.formats.style import Styler

from crm_utils.core.display.figure_style import use_style
from crm_utils.core.display.own_figure import own_figure
from crm_utils.core.display.plain_table import plain_table
from crm_utils.core.display.table_style import OUR_TABLE
from crm_utils.core.formatting import NumberFormat
from crm_utils.store import Run

DRAWING_LIBRARIES = ("matplotlib", "mpl_toolkits", "seaborn")
OWN_FORMS = ("_repr_html_", "_repr_png_", "_repr_svg_", "_repr_mimebundle_")
# So many parts of a list are looked at
LOOKED_AT = 50

Bundle = tuple[dict[str, Any], dict[str, Any]]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Show objects on pages in our style. IPython calls this when a kernel starts."""
    use_style()
    formatter: Any = shell.display_formatter
    usual = formatter.format

    def format_object(value: Any, include: Any = None, exclude: Any = None) -> Bundle:
        try:
            shown = _page_form(value)
        except Exception:  # an analyst may draw or compute what our style does not know
            shown = None
        return usual(value, include, exclude) if shown is None else (shown, {})

    formatter.format = format_object


def _page_form(value: Any) -> dict[str, str] | None:
    """What a page shows of a value, by type of content. Nothing for what only drew; None for the usual form."""
    if isinstance(value, matplotlib.figure.Figure):
        return {"text/html": own_figure(value)}
    if isinstance(value, pd.DataFrame):
        return {"text/html": plain_table(value, _number_format())}
    if _is_drawn(value):
        return {}
    if isinstance(value, pd.Series):
        return {"text/html": plain_table(value.to_frame(name=value.name or "value"), _number_format())}
    if isinstance(value, Styler) and value.table_attributes != OUR_TABLE:
        return {"text/html": _stable_styler(value)}
    if _library(value) == "altair":
        return _altair_image(value)
    return None


def _is_drawn(value: Any, depth: int = 2) -> bool:
    """Whether a value is a part of a drawing, such as axes or bars, or contains some."""
    if _library(value) in DRAWING_LIBRARIES:
        return not any(hasattr(value, form) for form in OWN_FORMS)
    if isinstance(value, np.ndarray | pd.Series) and value.dtype == object:
        value = np.ravel(value).tolist()
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return depth > 0 and any(_is_drawn(part, depth - 1) for part in islice(parts, LOOKED_AT))


def _stable_styler(styler: Styler) -> str:
    """The HTML of a Styler with ids that are the same in each run."""
    html = styler._repr_html_()
    digest = sha256(html.replace(styler.uuid, "").encode()).hexdigest()[: len(styler.uuid)]
    return html.replace(f"T_{styler.uuid}", f"T_{digest}")


def _altair_image(chart: Any) -> dict[str, str] | None:
    """A chart of Altair as SVG, if the library that draws it is there; else None. Pages draw those of Plotly."""
    file = StringIO()
    try:
        chart.save(file, format="svg")
    except Exception:  # it reports in its own way that it needs another library
        return None
    return {"image/svg+xml": file.getvalue()}


def _library(value: Any) -> str:
    return type(value).__module__.split(".")[0]


@cache
def _number_format() -> NumberFormat:
    """How the report writes numbers; without a currency outside a run."""
    try:
        return Run().number_format
    except FileNotFoundError:
        return NumberFormat(currency="")
