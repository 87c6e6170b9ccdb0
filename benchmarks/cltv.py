"""How fast customer value is computed, and how often intervals contain the true parameters.

For one million simulated customers, and for a base as large as that of Online Retail, it prints seconds, peak memory
and the ratio to `lifetimes`. For 200 simulated bases of eight kinds it prints how often the 95 % interval of an
identified parameter contains the true value. Run `OPENBLAS_NUM_THREADS=1 .venv/bin/python benchmarks/cltv.py`.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the reports, so that sums are added in a fixed order

import resource
import time
from datetime import date

import numpy as np
import pandas as pd
from lifetimes import BetaGeoFitter

from crm_utils.cltv import btyd, forecast
from crm_utils.cltv.assumptions import ClvAssumptions

TODAY = date(2011, 12, 9)
BASES = {  # customers, r, alpha (days), a, b, ages from and to
    "small": (300, 0.5, 60, 0.8, 2.5, (100, 400)),
    "large": (20_000, 0.5, 60, 0.8, 2.5, (100, 400)),
    "heavy one-timers": (3000, 0.1, 60, 0.8, 2.5, (100, 400)),
    "hardly a one-timer": (1000, 8, 60, 0.5, 8, (300, 400)),
    "one cohort": (2000, 0.5, 60, 0.8, 2.5, (365, 366)),
    "old cohorts": (2000, 0.5, 60, 0.8, 2.5, (600, 900)),
    "no dropout": (1000, 0.8, 60, 1e-4, 10, (100, 400)),
    "all drop out": (1000, 0.8, 30, 50, 0.05, (100, 400)),
}
EACH = 25


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
            "repeat_purchase_days": x.astype(int),
            "last_purchase_age_days": t_x.astype(int),
            "customer_age_days": age.astype(int),
            "mean_purchase_value": value,
        }
    )


def seconds(work) -> tuple[float, float]:
    """Wall-clock seconds, and seconds of processor time, which matter on a busy machine."""
    start, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - busy


def everything(customers: pd.DataFrame) -> pd.DataFrame:
    """Fit, all forecasts, lifetime values and ranges."""
    models = btyd.fit_customer_base(customers)
    expected = forecast.forecast_customers(customers, models, TODAY)
    totals = pd.DataFrame(
        {"purchase_days": [float(len(customers))], "revenue": expected.mean_purchase_value.sum()}, [12]
    )
    scaled, factors = forecast.scale_to_totals(expected, totals)
    valued = forecast.add_lifetime_value(scaled, models, TODAY, ClvAssumptions(0.3, 0.1, 12), factors)
    segments = customers[["customer_id"]].assign(segment=np.where(customers.repeat_purchase_days > 1, "again", "new"))
    forecast.forecast_totals(scaled, segments, models, dict.fromkeys(forecast.HORIZONS, 0.2), TODAY)
    return valued


def by_lifetimes(customers: pd.DataFrame) -> None:
    """The same fit of the purchase model by `lifetimes` on the raw table."""
    BetaGeoFitter().fit(customers.repeat_purchase_days, customers.last_purchase_age_days, customers.customer_age_days)


def base(rng: np.random.Generator, size: int, r: float, alpha: float, a: float, b: float, ages: tuple) -> pd.DataFrame:
    """Customers who buy and drop out exactly as BG/NBD says, in continuous time: x, t_x, T."""
    T = rng.integers(*ages, size).astype(float)
    rate, drop = rng.gamma(r, 1 / alpha, size), rng.beta(a, b, size)
    x, t_x, clock, active = np.zeros(size), np.zeros(size), np.zeros(size), np.ones(size, bool)
    while active.any():
        clock = clock + rng.exponential(1 / np.maximum(rate, 1e-300))
        active &= clock <= T
        x[active] += 1
        t_x[active] = clock[active]
        active &= rng.random(size) >= drop
    return pd.DataFrame({"x": x, "t_x": t_x, "T": T})


def coverage() -> None:
    """Print for 25 bases of each kind how often the 95 % interval (log scale) contains each true parameter.

    Fixed parameters are left out.
    """
    everywhere = np.zeros(2)
    for kind, (size, *truth, ages) in BASES.items():
        rng, inside, identified = np.random.default_rng(len(kind)), np.zeros(4), np.zeros(4)
        for _ in range(EACH):
            customers = base(rng, size, *truth, ages)
            columns = [customers[name] for name in ("x", "t_x", "T")]
            model = btyd.fit_purchase_model("bg_nbd", *columns)
            spread = btyd.purchase_covariance(model, *columns)
            off = np.abs(np.log([model.r, model.alpha, model.a, model.b]) - np.log(truth))
            assert np.isfinite(model.expected_purchases(*columns, 365.0)).all()
            identified += spread.identified
            inside += spread.identified & (off <= 1.96 * np.sqrt(np.diag(spread.sandwich)))
        everywhere += inside.sum(), identified.sum()
        counts = zip(model.parameters, inside, identified, strict=True)
        shares = ", ".join(f"{name} {i:.0f}/{n:.0f}" for name, i, n in counts)
        print(f"{kind}, {size:,} customers: {shares}")
    print(f"all: {everywhere[0] / everywhere[1]:.1%} of {everywhere[1]:.0f} 95 % intervals contain the true value")


def main() -> None:
    """Fit and value simulated customers, and print times, memory and the coverage of intervals."""
    for size in (4_338, 1_000_000):
        customers = simulated(size)
        columns = [customers[name] for name in ("repeat_purchase_days", "last_purchase_age_days", "customer_age_days")]
        whole, whole_busy = seconds(lambda: everything(customers))  # noqa: B023
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        ours, ours_busy = seconds(lambda: btyd.fit_purchase_model("bg_nbd", *columns))  # noqa: B023
        theirs, theirs_busy = seconds(lambda: by_lifetimes(customers))  # noqa: B023
        print(
            f"{size:,} customers: fit, forecasts, values, ranges {whole:.2f} s ({whole_busy:.2f} s cpu), "
            f"peak {peak:.1f} GB"
        )
        print(
            f"{size:,} customers: fit {ours:.2f} s ({ours_busy:.2f}), lifetimes {theirs:.2f} s ({theirs_busy:.2f}), "
            f"ratio {theirs_busy / ours_busy:.1f}"
        )


if __name__ == "__main__":
    main()
    coverage()
