"""Tables of the page over all dates."""

import pandas as pd

from crm_utils.core import formatting
from crm_utils.core.display.table_style import Collapsible, collapsible, style_table


def segment_sizes(sizes: pd.DataFrame, report: str) -> Collapsible:
    """Customers of each segment, a column for each date; the caption names the report, since its page shows several."""
    order = sizes.segment.drop_duplicates()
    table = sizes.pivot(index="segment", columns="date", values="customers").reindex(order).fillna(0).astype(int)
    table.columns = [formatting.day(day) for day in table.columns]
    caption = f"{report}: customers in each segment on each analysis date"
    return collapsible(
        "The numbers behind the figure",
        style_table(
            table.reset_index(), caption, headings={day: day for day in table.columns}, total=tuple(table.columns)
        ),
    )
