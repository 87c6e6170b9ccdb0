"""Segment rules that several tests share."""

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
