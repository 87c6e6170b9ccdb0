"""Tables of the page over all dates."""

import pandas as pd

from crm_utils import formats
from crm_utils.tables import Folded, folded, styled


def segment_sizes(sizes: pd.DataFrame, report: str) -> Folded:
    """Customers of each segment, a column for each date; the caption names the report, since its page shows several."""
    order = sizes.segment.drop_duplicates()
    table = sizes.pivot(index="segment", columns="date", values="customers").reindex(order).fillna(0).astype(int)
    table.columns = [formats.day(day) for day in table.columns]
    caption = f"{report}: customers in each segment on each analysis date"
    return folded(
        "The numbers behind the figure",
        styled(table.reset_index(), caption, headings={day: day for day in table.columns}, total=tuple(table.columns)),
    )
