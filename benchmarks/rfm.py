"""Score, segment and profile 1.8 million customers, compared with one groupby("segment").agg on the same frame.

python benchmarks/rfm.py [customers]
"""

import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from crm_utils.config import Scoring, ScoringConfig, SegmentMap, SegmentRules, read_yaml
from crm_utils.rfm import scoring
from crm_utils.segmentation import assignment
from crm_utils.segmentation.profile import segment_profile

MAP = Path(__file__).parents[1] / "params" / "segments" / "dma11.yaml"
ROUNDS, LIMIT = 5, 5.0


def shop(customers: int) -> pd.DataFrame:
    """Customers drawn at random, in the columns of the table `customers`."""
    draw = np.random.default_rng(1)
    orders = draw.geometric(0.35, customers)
    return pd.DataFrame(
        {
            "customer_id": pd.Series(np.arange(customers)).astype("str").str.zfill(8),
            "first_order": pd.Timestamp("2024-01-01") + pd.to_timedelta(draw.integers(0, 366, customers), unit="D"),
            "recency_days": draw.integers(0, 366, customers),
            "orders": orders,
            "revenue": (orders * draw.gamma(2, 20, customers)).round(2),
        }
    )


def timed(work) -> tuple[float, object]:
    """Seconds of one call, and what it returned."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def main(customers: int) -> int:
    """Print the ratio of the medians; return 1 if it is above the limit."""
    frame, names = shop(customers), read_yaml(MAP, SegmentMap)
    rules = SegmentRules(scoring=Scoring(config=ScoringConfig()), segment_map=names, new_within_days=90)

    def ours():
        scored = scoring.score_customers(frame, names.n_bins)
        assigned = assignment.assign_segments(scored, rules, date(2024, 12, 31))
        return assigned, segment_profile(scored, assigned, names.advice())

    assigned, _ = ours()
    joined = frame.assign(segment=assigned.segment)

    def plain():
        return joined.groupby("segment").agg(
            customers=("revenue", "size"),
            revenue=("revenue", "sum"),
            recency_days=("recency_days", "mean"),
            orders=("orders", "mean"),
        )

    plain()
    theirs_seconds, our_seconds = zip(*[(timed(plain)[0], timed(ours)[0]) for _ in range(ROUNDS)], strict=True)
    base, whole = np.median(theirs_seconds), np.median(our_seconds)
    print(
        f"{customers:,} customers, median of {ROUNDS}: groupby.agg {base:.3f} s, "
        f"score + segment + profile {whole:.3f} s"
    )
    print(f"ratio {whole / base:.1f} (limit {LIMIT:.0f})")
    return int(whole / base > LIMIT)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_800_000))
