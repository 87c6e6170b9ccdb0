"""The map of the segments on a date's first page, with what each segment holds and where its list is."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from crm_utils.config import Scoring
from crm_utils.core.formatting import NumberFormat, percent
from crm_utils.segmentation.drawings import SECTION, draw_named_map
from crm_utils.segmentation.named_map import prevailing_segments, reachable_shares, segment_anchor
from crm_utils.store import slug

SCORED = ["customer_id", "recency_score", "frequency_score", "recency_days", "orders", "revenue"]


@dataclass(frozen=True)
class MapRow:
    """A segment: the addresses of its section and of its list, and what it holds."""

    segment: str
    section: str
    list: str
    customers: str
    revenue: str
    reachable: str


@dataclass(frozen=True)
class SegmentMapView:
    """The map, and a row for each segment with customers. `reachable` is empty if the report has no contacts."""

    drawing: Markup
    rows: list[MapRow]
    has_contacts: bool


def make_segment_map(data: Path, fmt: NumberFormat) -> SegmentMapView:
    """Draw the map of the segments from the tables in folder `data`."""
    profile = pd.read_parquet(data / "segment_profile.parquet")
    segments = pd.read_parquet(data / "segments.parquet", columns=["customer_id", "segment"])
    customers = pd.read_parquet(data / "customers.parquet", columns=SCORED)
    scoring = Scoring.model_validate_json((data / "scoring.json").read_text(encoding="utf-8"))
    n_bins = scoring.config.n_bins
    path = data / "contacts.parquet"
    contacts = pd.read_parquet(path, columns=["customer_id", "consent"]) if path.exists() else None
    reachable = reachable_shares(segments, contacts)
    drawing = draw_named_map(prevailing_segments(customers, segments, n_bins), profile, fmt)
    rows = [_row(row, reachable, fmt) for _, row in profile[profile.customers > 0].iterrows()]
    return SegmentMapView(Markup(drawing._repr_html_()), rows, contacts is not None)


def _row(row: pd.Series, reachable: pd.Series, fmt: NumberFormat) -> MapRow:
    return MapRow(
        segment=row.segment,
        section=SECTION.format(anchor=segment_anchor(row.segment)),
        list=f"lists/{slug(row.segment)}.csv",
        customers=fmt.count(row.customers),
        revenue=fmt.short_money(row.revenue),
        reachable=percent(reachable[row.segment]) if len(reachable) else "",
    )
