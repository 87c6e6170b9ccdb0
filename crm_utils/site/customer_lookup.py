"""The page on which one customer is looked up, or those of a segment: `customers.html`."""

from pathlib import Path

import pandas as pd
from markupsafe import Markup

from crm_utils.core.formatting import NumberFormat
from crm_utils.pipeline.jobs import Job
from crm_utils.segmentation.labels import STATUS_LABELS
from crm_utils.site import orders_wording, pages

PAGE = "customers.html"
# The page stays quick to open: of more customers the most valuable are shown
MOST_CUSTOMERS = 50_000
MOST_BYTES = 2_800_000
VALUE = "expected_revenue_12m"
# Column and how many decimals its numbers keep
NUMBERS = {"recency_days": 0, "orders": 0, "revenue": 0, VALUE: 0, "chance_12m": 2}


def render_lookup(job: Job, folder: Path) -> str:
    """Render the page.

    Parameters
    ----------
    job : Job
        The date.
    folder : Path
        The folder with its tables `customers`, `segments` and `cltv`.

    Returns
    -------
    str
        A page that works without a server and without a network. It holds customer ids.
    """
    people = _read(folder / "data")
    shown = _most_valuable(people)
    columns = job.report.columns
    return pages.fill_template(
        "customers.html.j2",
        job=job,
        fmt=job.number_format,
        notice=Markup(orders_wording.notice(columns, job.number_format)) if columns.order_value is not None else "",
        headings=_headings(job.number_format),
        rows="\n".join(shown.row),
        count=len(people),
        shown=len(shown),
        segments=people.segment.cat.categories,
        statuses=[STATUS_LABELS.get(code, code) for code in people.lifecycle.cat.categories],
        **pages.read_script("customers.js"),
    )


def _headings(fmt: NumberFormat) -> list[str]:
    noun = fmt.value_noun
    return [
        "Customer",
        "Segment",
        "Status",
        "Days since last order",
        "Orders",
        f"{noun} so far",
        f"Expected {noun.lower()}, 12 months",
        "Chance to buy, 12 months",
    ]


def _read(data: Path) -> pd.DataFrame:
    """One row per customer: id, segment, status and `NUMBERS`; numbers that were not forecast are missing."""
    customers = pd.read_parquet(
        data / "customers.parquet", columns=["customer_id", "recency_days", "orders", "revenue"]
    )
    segments = pd.read_parquet(data / "segments.parquet", columns=["customer_id", "segment", "lifecycle"])
    cltv = pd.read_parquet(data / "cltv.parquet")
    values = cltv.reindex(columns=["customer_id", VALUE, "chance_12m"])
    people = customers.merge(segments, on="customer_id", validate="1:1").merge(values, on="customer_id", how="left")
    return people.astype({"segment": "category", "lifecycle": "category"})


def _most_valuable(people: pd.DataFrame) -> pd.DataFrame:
    """The customers that the page has room for, the most valuable first, each as a line of the page (`row`)."""
    ranked = people.sort_values([VALUE, "revenue", "customer_id"], ascending=[False, False, True])
    ranked = ranked.head(MOST_CUSTOMERS)
    names = ranked.customer_id.astype(str).str.replace(r"[\t\r\n]+", " ", regex=True)
    parts = [names, ranked.segment.cat.codes.astype(str), ranked.lifecycle.cat.codes.astype(str)]
    parts += [_write(ranked[column], decimals) for column, decimals in NUMBERS.items()]
    rows = parts[0].str.cat(parts[1:], sep="\t")
    room = rows.str.encode("utf-8").str.len().add(1).cumsum() <= MOST_BYTES
    return ranked.assign(row=rows)[room]


def _write(values: pd.Series, decimals: int) -> pd.Series:
    """Numbers as short texts; '' for missing ones."""
    rounded = values.astype(float).round(decimals) + 0.0
    return rounded.map(lambda value: "" if pd.isna(value) else f"{value:.{decimals}f}")
