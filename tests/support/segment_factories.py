"""Segment rules that several tests share."""

import ibis
import numpy as np
import pandas as pd

from crm_utils.config import ScoringConfig, SegmentMap, SegmentRules, parse_model, read_yaml
from crm_utils.config.scoring import Scoring
from tests.support.projects import ROOT

BEST_OF_TWO = "recency_score == 2 and frequency_score == 2 and monetary_score == 2"


def shipped_map(name: str = "dma11") -> SegmentMap:
    """A map of `params/segments`."""
    return read_yaml(ROOT / "params" / "segments" / f"{name}.yaml", SegmentMap)


def query_map(n_bins: int = 5, **queries: str) -> SegmentMap:
    """A map of segments that are pandas queries, by name."""
    rows = [{"name": name, "meaning": "-", "advice": "-", "where": query} for name, query in queries.items()]
    return parse_model({"title": "t", "n_bins": n_bins, "segments": rows}, SegmentMap, "map")


def high_and_low() -> SegmentMap:
    """Two score classes: customers with the best score of each measure are High, all others Low."""
    return query_map(n_bins=2, High=BEST_OF_TWO, Low=f"not ({BEST_OF_TWO})")


def segment_rules(
    segment_map: SegmentMap | None = None,
    new_within_days: int | None = 90,
    config: ScoringConfig | None = None,
    bin_edges: dict[str, list[float]] | None = None,
) -> SegmentRules:
    """The rules of a report that uses this map (`dma11` by default)."""
    segment_map = segment_map or shipped_map()
    scoring = Scoring(config=config or ScoringConfig(n_bins=segment_map.n_bins), bin_edges=bin_edges or {})
    return SegmentRules(scoring=scoring, segment_map=segment_map, new_within_days=new_within_days)


def two_kinds_of_customers(customers: int = 300, seed: int = 1) -> ibis.Table:
    """A shop of two kinds: half buy once long ago, half often and lately."""
    draw = np.random.default_rng(seed)
    often = np.repeat([f"o{number:03d}" for number in range(customers // 2)], 8)
    once = np.array([f"x{number:03d}" for number in range(customers // 2)])
    days = np.concatenate([draw.integers(180, 365, len(often)), draw.integers(0, 60, len(once))])
    money = np.concatenate([draw.gamma(9, 10, len(often)), draw.gamma(9, 2, len(once))])
    frame = pd.DataFrame({"customer_id": [*often, *once], "revenue": money.round(2)})
    return ibis.memtable(frame.assign(ordered_at=pd.Timestamp("2023-01-01") + pd.to_timedelta(days, unit="D")))
