"""Small tables that several tests share."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from crm_utils.core.contracts import CONTRACTS, check_contract
from crm_utils.rfm import scoring
from crm_utils.store import Run


def run_folder(folder: Path, **changes: object) -> Run:
    """An empty run with settings."""
    settings = {
        "title": "T",
        "currency": "GBP",
        "source": {"sample": "cdnow"},
        "report": "t",
        "columns": {"customer_id": "c", "ordered_at": "d", "amount": "a"},
        "analysis_date": "2024-01-01",
        "root": "..",
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.json").write_text(json.dumps(settings | changes))
    return Run(folder)


def empty_adjustments() -> pd.DataFrame:
    """The table of cancellations of a shop that has none."""
    return check_contract(
        pd.DataFrame({name: [] for name in CONTRACTS["order_adjustments"].columns}), "order_adjustments"
    )


def three_hundred() -> pd.DataFrame:
    """300 customers with a rhythm each, some long silent: what `cltv.summary` returns."""
    rng = np.random.default_rng(7)
    age, x = rng.integers(200, 500, 300), rng.poisson(rng.gamma(0.8, 3, 300))
    last = np.where(x > 0, (age * rng.uniform(0.2, 1, 300)).astype(int), 0)
    return pd.DataFrame(
        {
            "customer_id": [f"c{i:03}" for i in range(300)],
            "repeat_purchase_days": x,
            "last_purchase_age_days": last,
            "customer_age_days": age,
            "mean_purchase_value": rng.gamma(4, 10, 300),
        }
    )


def by_quantiles(values: pd.Series, n_bins: int, low_is_best: bool = False) -> pd.Series:
    """Scores of one measure, as `rfm.score` draws them."""
    return scoring.digitize(values, scoring.quantile_bin_edges(values, n_bins, low_is_best), low_is_best)


def unit_factors() -> pd.DataFrame:
    """Factors of 1: a forecast that is not scaled (see `forecast.scale_to_totals`)."""
    return pd.DataFrame(1.0, index=[1, 3, 6, 12], columns=["purchase_days", "revenue"])
