"""How fast customer value is computed: one million simulated customers, and a base of the size of Online Retail's.

Run `OPENBLAS_NUM_THREADS=1 .venv/bin/python benchmarks/cltv.py`; prints seconds, the peak memory, and the ratio to `lifetimes`.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the reports: sums come in one order

import resource
import time
from datetime import date

import numpy as np
import pandas as pd

from crm_utils import btyd, cltv, season

TODAY = date(2011, 12, 9)


def simulated(customers: int, seed: int = 1) -> pd.DataFrame:
    """A customer base that buys and drops out as BG/NBD and Gamma-Gamma say: what `cltv.summary` returns."""
    rng = np.random.default_rng(seed)
    age = rng.integers(1, 730, customers).astype(float)
    rate, drop = rng.gamma(0.6, 1 / 60, customers), rng.beta(0.3, 2.5, customers)
    x, t_x, clock, active = np.zeros(customers), np.zeros(customers), np.zeros(customers), np.ones(customers, bool)
    while active.any():
        clock = np.where(active, np.floor(clock + 1 + rng.exponential(1 / np.maximum(rate, 1e-9))), clock)
        active &= clock <= age
        x[active] += 1
        t_x[active] = clock[active]
        active &= rng.random(customers) >= drop
    value = rng.gamma(2.1 * (x + 1), 1 / (2.1 * (x + 1))) * rng.gamma(3.5, 1, customers) * 60 + 0.01
    return pd.DataFrame(
        {
            "customer_id": np.arange(customers).astype(str),
            "repeat_orders": x.astype(int),
            "last_order_age": t_x.astype(int),
            "age": age.astype(int),
            "mean_value": value,
        }
    )


def seconds(work) -> tuple[float, object]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def everything(customers: pd.DataFrame) -> pd.DataFrame:
    """Fit, all forecasts, lifetime values and ranges."""
    models = btyd.fit_models(customers)
    valued = cltv.lifetime_value(cltv.forecast(customers, models, TODAY), models, TODAY, 0.3, 0.1, 12)
    segments = customers[["customer_id"]].assign(segment=np.where(customers.repeat_orders > 1, "again", "new"))
    seasons = dict.fromkeys(cltv.HORIZONS, season.Season())
    cltv.outlook(customers, segments, models, seasons, btyd.PastError(), TODAY)
    return valued


def by_lifetimes(customers: pd.DataFrame) -> None:
    """The same fit of purchases by `lifetimes` on the raw table."""
    from lifetimes import BetaGeoFitter

    BetaGeoFitter().fit(customers.repeat_orders, customers.last_order_age, customers.age)


def main() -> None:
    for size in (4_338, 1_000_000):
        customers = simulated(size)
        columns = [customers[name] for name in ("repeat_orders", "last_order_age", "age")]
        ours, model = seconds(lambda: btyd.fit_bg_nbd(*columns))  # noqa: B023
        whole, _ = seconds(lambda: everything(customers))  # noqa: B023
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        theirs, _ = seconds(lambda: by_lifetimes(customers))  # noqa: B023
        print(f"{size:,} customers: fit {ours:.2f} s, lifetimes {theirs:.2f} s, ratio {theirs / ours:.1f}")
        print(f"{size:,} customers: fit, forecasts, values and ranges {whole:.2f} s, peak {peak:.1f} GB")


if __name__ == "__main__":
    main()
