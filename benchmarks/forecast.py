"""How close forecasts come, how often their ranges hold, and how long the backtest takes.

Logs: CDNOW (in the package lifetimes), the simulated shop of `params/demo.yaml`, eight simulated logs with a known
season, growth, decline, shock or inflation, and, if `CRM_DATA` names its folder, Online Retail II. Every origin that
fits is tested. For each log and length it prints the mean absolute error of revenue of every candidate, of version 1
(BG/NBD with last year's season) and of the combination, and the coverage and width of its ranges, with those of the
whole business. Then it prints geometric means of the ratios over the logs, and seconds and memory for a million
customers.

Run `OPENBLAS_NUM_THREADS=1 .venv/bin/python benchmarks/forecast.py`; with names of logs only these.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the reports, so that sums are added in a fixed order

import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from crm_utils.cltv import btyd, forecast
from crm_utils.cltv.backtest import COMBINATION, Backtest, list_tests
from crm_utils.cltv.backtest.candidates import CANDIDATES
from crm_utils.cltv.purchase_log import EPOCH, DailySums, PurchaseLog, day_number, day_of
from crm_utils.cltv.seasonality import YEAR_DAYS
from crm_utils.config import Report, Source, read_yaml
from crm_utils.config.paths import source_paths
from crm_utils.sources import simulated

ROOT = Path(__file__).parents[1]
VERSION_1 = "version_1"
FIRST_DAY = day_number(EPOCH.replace(year=2016))
QUARTER_DAYS = 91
# A single method is compared if it can be made in this share of the tests.
MIN_SHARE = 0.6


def log_of(customer: np.ndarray, day: np.ndarray, revenue: np.ndarray) -> PurchaseLog:
    """The log of orders given by customer, number of the day and revenue."""
    ids, codes = np.unique(customer.astype(str), return_inverse=True)
    order = np.lexsort((day, codes))
    kept = order[revenue[order] > 0]
    none = np.empty(0, int)
    return PurchaseLog(
        ids, codes[kept].astype(np.int32), day[kept].astype(np.int32), revenue[kept], none, none, np.empty(0)
    )


def days_since_epoch(dates: pd.Series) -> np.ndarray:
    """The numbers of days (`day_number`)."""
    return (pd.to_datetime(dates).dt.normalize() - pd.Timestamp(EPOCH)).dt.days.to_numpy()


def cdnow() -> PurchaseLog:
    """CDNOW: 18 months of one cohort."""
    path = source_paths(Source(sample="cdnow"), ROOT)[0]
    names = ["customer", "date", "pieces", "revenue"]
    table = pd.read_csv(path, sep=r"\s+", skiprows=1, names=names, dtype={"customer": str, "date": str})
    days = days_since_epoch(pd.to_datetime(table.date, format="%Y%m%d"))
    return log_of(table.customer.to_numpy(), days, table.revenue.to_numpy())


def online_retail() -> PurchaseLog:
    """Sales to known customers, both years; cancellations are left out."""
    folder = Path(os.environ["CRM_DATA"])
    table = pd.concat([pd.read_parquet(path) for path in sorted(folder.glob("year_*.parquet"))])
    table = table.drop_duplicates(["Invoice", "StockCode", "Quantity", "InvoiceDate", "Price", "Customer ID"])
    sale = ~table.Invoice.astype(str).str.startswith("C") & (table.Quantity > 0) & (table.Price > 0)
    table = table[sale & table["Customer ID"].notna()]
    revenue = (table.Quantity * table.Price).to_numpy(float)
    return log_of(table["Customer ID"].to_numpy(), days_since_epoch(table.InvoiceDate), revenue)


def demo() -> PurchaseLog:
    """The simulated shop of the shipped report; cancellations are left out."""
    source = simulated.write_files(read_yaml(ROOT / "params" / "demo.yaml", Report).source, ROOT)
    table = pd.read_parquet(source_paths(source, ROOT)[0])
    revenue = (table.quantity * table.unit_price).to_numpy(float)
    return log_of(table.customer_id.to_numpy(), days_since_epoch(table.ordered_at), revenue)


def simulated_log(
    seed: int,
    years: float = 3.25,
    first: int = 300,
    arrivals: float = 2.0,
    growth: float = 0.0,
    season: Callable[[np.ndarray], np.ndarray] = np.ones_like,
    shock: tuple[int, int, float] | None = None,
    rate: tuple[float, float] = (1.0, 60.0),
    lifetime_days: float = 400.0,
    inflation: float = 0.0,
) -> PurchaseLog:
    """Customers who arrive, buy at rates of Gamma(`rate`), and leave after a random time.

    `season` is a factor by the share of the year, `shock` a factor from one day to another, `growth` and `inflation`
    are logarithms per year of arrivals and prices.
    """
    rng = np.random.default_rng(seed)
    days = int(365 * years)
    day = np.arange(days)
    factor = season(day % 365 / 365)
    if shock:
        factor = np.where((day >= shock[0]) & (day < shock[1]), shock[2], 1) * factor
    arrived = rng.poisson(arrivals * np.exp(growth * day / 365) * factor)
    came = np.concatenate([np.zeros(first, int), np.repeat(day, arrived)])
    left = np.minimum(came + rng.exponential(1 / rng.gamma(1.5, 1 / 1.5 / lifetime_days, len(came))), days)
    drawn = rng.poisson(rng.gamma(rate[0], 1 / rate[1], len(came)) * factor.max() * (left - came))
    owner = np.repeat(np.arange(len(came)), drawn)
    at = (came[owner] + rng.random(len(owner)) * (left - came)[owner]).astype(int)
    kept = rng.random(len(owner)) < factor[np.minimum(at, days - 1)] / factor.max()
    owner, at = np.concatenate([np.arange(len(came)), owner[kept]]), np.concatenate([came, at[kept]])
    worth = rng.gamma(3, 20, len(came))[owner] * rng.gamma(4, 0.25, len(owner)) * np.exp(inflation * at / 365)
    return log_of(owner, FIRST_DAY + at, worth + 0.01)


def winter(share: np.ndarray) -> np.ndarray:
    """A season that peaks before the end of the year."""
    return 0.8 + 1.4 * np.exp(-(((share - 0.93) / 0.06) ** 2))


def summer(share: np.ndarray) -> np.ndarray:
    """A season that peaks in the middle of the year."""
    return 1 + 0.6 * np.sin(2 * np.pi * (share - 0.25))


LOGS: dict[str, Callable[[], PurchaseLog]] = {
    "CDNOW": cdnow,
    "demo": demo,
    "season": partial(simulated_log, 1, season=winter),
    "growth": partial(simulated_log, 2, first=50, arrivals=1.0, growth=0.7, season=winter),
    "decline": partial(simulated_log, 3, arrivals=4.0, growth=-0.8, season=summer),
    "shock": partial(simulated_log, 4, season=summer, shock=(700, 780, 0.35)),
    "settled": partial(simulated_log, 5, first=900, arrivals=0.0, season=winter, lifetime_days=900.0),
    "few orders": partial(simulated_log, 6, first=100, arrivals=0.15, rate=(0.8, 90.0)),
    "inflation": partial(simulated_log, 7, lifetime_days=1500.0, inflation=0.15),
    "frequent": partial(simulated_log, 8, rate=(2.0, 20.0), lifetime_days=250.0),
}
if os.environ.get("CRM_DATA"):
    LOGS = {"Online Retail II": online_retail} | LOGS


def season_of_version_1(sums: DailySums, origin: int, days: int, young_share: float) -> float:
    """The season of version 1: one past year, unbounded, withheld from shops with few new customers."""
    start = origin - YEAR_DAYS
    if days >= YEAR_DAYS or young_share < 0.05:
        return 1.0
    same, usual = sums.sum_between(start, start + days)[1], sums.sum_between(start, origin)[1] * days / YEAR_DAYS
    before, now = (sums.sum_between(end - QUARTER_DAYS, end)[1] for end in (start, origin))
    if not (np.array([same, usual, before, now]) > 0).all():
        return 1.0
    return same / usual * (now / before) ** ((YEAR_DAYS - days) / 2 / YEAR_DAYS)


def version_1(past: Backtest) -> pd.DataFrame:
    """What version 1 would have forecast in each test."""
    rows = []
    for origin in past.origins(past.last_day):
        sums = DailySums(past.log.as_of(origin.day))
        young = float((origin.forecasts.customers.customer_age_days < YEAR_DAYS).mean())
        for position, days in enumerate(past.horizons):
            predicted = origin.forecasts.totals[position, 0, 1] * season_of_version_1(sums, origin.day, days, young)
            rows.append((pd.Timestamp(day_of(origin.day)), days, VERSION_1, predicted))
    return pd.DataFrame(rows, columns=["origin", "horizon_days", "model", "revenue_predicted"])


def judge(log: PurchaseLog) -> pd.DataFrame:
    """The errors of all methods: one row for each origin and length, one column for each method, and the range."""
    past = Backtest(log, day_of(log.day.max()))
    tests = list_tests(past)
    key = ["origin", "horizon_days"]
    actual = tests[tests.model == COMBINATION].set_index(key)
    actual["whole_actual"] = actual.revenue_actual + actual.revenue_new
    actual = actual[[f"{what}_{end}" for what in ("revenue", "whole") for end in ("actual", "low", "high")]]
    actual = actual[actual.revenue_actual > 0]
    both = pd.concat([tests[[*key, "model", "revenue_predicted"]], version_1(past)])
    made = both.pivot(index=key, columns="model", values="revenue_predicted").reindex(actual.index)
    return made.div(actual.revenue_actual, axis=0).sub(1).abs().join(actual).reset_index("horizon_days")


def coverage(table: pd.DataFrame, what: str, prefix: str) -> dict[str, float]:
    """Ranges given, ranges that held, and their mean width in logs."""
    low, high, actual = (table[f"{what}_{end}"] for end in ("low", "high", "actual"))
    held = (low <= actual) & (actual <= high)
    width = np.log(high / low).mean()
    return {f"{prefix}ranges": low.notna().sum(), f"{prefix}held": held.sum(), f"{prefix}width": width}


def summarize(errors: pd.DataFrame) -> pd.DataFrame:
    """For each length: tests, mean errors, coverage and width of the ranges, and ratios of the combination."""
    rows = {}
    for days, table in errors.groupby("horizon_days"):
        methods = [name for name in (VERSION_1, *CANDIDATES) if name in table]
        ratios = {}
        for name in methods:
            shared = table[table[name].notna()]
            if len(shared) >= MIN_SHARE * len(table):
                ratios[name] = shared[COMBINATION].mean() / shared[name].mean()
        rows[days] = {
            "tests": len(table),
            COMBINATION: table[COMBINATION].mean(),
            **table[methods].mean(),
            **coverage(table, "revenue", ""),
            **coverage(table, "whole", "whole_"),
            "to_version_1": ratios.get(VERSION_1, np.nan),
            "to_best": max(value for name, value in ratios.items() if name != VERSION_1),
            "to_each": ratios,
        }
    return pd.DataFrame(rows).T


def geometric_mean(values: pd.Series) -> float:
    """The geometric mean of the values that are known."""
    return float(np.exp(np.log(values.dropna().astype(float)).mean()))


def best_throughout(rows: pd.DataFrame) -> float:
    """The ratio of a log's mean errors to those of the method that was best over all of its lengths."""
    ratios = pd.DataFrame([{n: r for n, r in each.items() if n != VERSION_1} for each in rows.to_each])
    return float(ratios.dropna(axis=1).apply(geometric_mean).max())


def print_means(summaries: dict[str, pd.DataFrame]) -> None:
    """Geometric means over the logs, for each length and over all."""
    table = pd.concat(summaries, names=["log", "days"]).reset_index()
    each = pd.DataFrame(list(table.to_each)).assign(days=table.days)
    for days, rows in [*table.groupby("days"), ("all", table)]:
        held, ranges = rows.held.sum(), rows.ranges.sum()
        whole_held, whole_ranges = rows.whole_held.sum(), rows.whole_ranges.sum()
        worst = rows.loc[rows.to_best.astype(float).idxmax()]
        print(
            f"{days} days: {geometric_mean(rows.to_version_1):.3f} of version 1, {geometric_mean(rows.to_best):.3f} of "
            f"the best method of each log, at worst {worst.to_best:.2f} ({worst.log}); ranges held {held} of {ranges}, "
            f"{held / max(ranges, 1):.1%}; of the whole business {whole_held} of {whole_ranges}, "
            f"{whole_held / max(whole_ranges, 1):.1%}"
        )
    best = pd.Series({log: best_throughout(rows) for log, rows in table.groupby("log")})
    print(
        f"all lengths of a log together: {geometric_mean(best):.3f} of the best method of each log, at worst "
        f"{best.max():.2f} ({best.idxmax()})"
    )
    single = each.drop(columns="days").apply(geometric_mean).sort_values(ascending=False)
    print("ratio to each method used throughout:", ", ".join(f"{name} {ratio:.2f}" for name, ratio in single.items()))


def time_a_million() -> None:
    """Print seconds and memory of fit, forecasts, ranges and backtest of a million customers."""
    log = simulated_log(9, years=2, first=100_000, arrivals=1230.0, rate=(0.6, 120.0), season=winter)
    start = time.perf_counter()
    past = Backtest(log, day_of(log.day.max()))
    list_tests(past)
    customers = past.log.as_of(past.last_day).summary()
    customers.insert(0, "customer_id", log.ids[customers.pop("customer")])
    today = day_of(past.last_day)
    models = btyd.fit_customer_base(customers)
    days = list(forecast.horizons(today).values())
    combined = past.forecast(past.last_day, days)
    totals = pd.DataFrame(combined.totals, index=list(forecast.HORIZONS), columns=["purchase_days", "revenue"])
    scaled, _ = forecast.scale_to_totals(forecast.forecast_customers(customers, models, today), totals)
    widths = {
        months: past.half_width(combined.errors, length) for months, length in zip(totals.index, days, strict=True)
    }
    segments = customers[["customer_id"]].assign(segment=np.where(customers.repeat_purchase_days > 1, "again", "new"))
    forecast.forecast_totals(scaled, segments, models, widths, today)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{len(customers):,} customers, {len(log.day):,} orders: {time.perf_counter() - start:.0f} s, {memory:.1f} GB"
    )


def main() -> None:
    """Print the tables of the logs that are named, or of all."""
    summaries = {}
    for name in sys.argv[1:] or LOGS:
        started = time.perf_counter()
        summaries[name] = summarize(judge(LOGS[name]()))
        print(f"\n{name} ({time.perf_counter() - started:.0f} s)")
        print(summaries[name].drop(columns="to_each").T.to_string(float_format="{:.3f}".format))
    print()
    print_means(summaries)
    if not sys.argv[1:]:
        time_a_million()


if __name__ == "__main__":
    main()
