"""How well the chance to buy again is calibrated.

Logs: CDNOW, the simulated shop of `params/demo.yaml` and, if `CRM_DATA` names its folder, Online Retail II. On every
day four weeks apart on which a model could be fitted, each customer's chance to buy in the next 6 and 12 months is
compared with what happened. It prints the classes of at least 100 customers, by repeat purchases and silence, in which
predicted and realised shares differ by more than 5 points, and the customers who were listed as quiet.

Run `OPENBLAS_NUM_THREADS=1 .venv/bin/python benchmarks/chance.py`.
"""

import numpy as np
import pandas as pd
from forecast import LOGS

from crm_utils.cltv import btyd, chance
from crm_utils.cltv.forecast import is_quiet
from crm_utils.cltv.purchase_log import PurchaseLog

NAMES = ("CDNOW", "Online Retail II", "demo")
STEP_DAYS = 28
LEAST_CUSTOMERS, MOST_POINTS = 100, 0.05
SILENCE = np.array([0, 28, 56, 91, 182, 364])


def judge(log: PurchaseLog) -> pd.DataFrame:
    """Each customer's chance on each day, and whether the customer bought: one row for each window of months."""
    last = int(log.day.max())
    rows = []
    for day in range(last - chance.WINDOWS[6], int(log.day.min()) + 90, -STEP_DAYS):
        customers = log.as_of(day).summary()
        if btyd.insufficient_data_reason(customers.repeat_purchase_days, customers.customer_age_days):
            continue
        shares = chance.return_shares(log, day)
        found = chance.add_chances(customers, btyd.fit_customer_base(customers), shares)
        silent = found.customer_age_days - found.last_purchase_age_days
        shown = pd.DataFrame(
            {
                "repeats": chance.CLASSES[
                    np.searchsorted(chance.CLASSES, found.repeat_purchase_days, side="right") - 1
                ],
                "silent_from": SILENCE[np.searchsorted(SILENCE, silent, side="right") - 1],
                "quiet": is_quiet(found),
            }
        )
        for months, days in chance.WINDOWS.items():
            if day + days <= last:
                later = log.as_of(day + days)
                bought = np.isin(found.customer, later.customer[later.day > day])
                rows.append(shown.assign(months=months, chance=found[f"chance_{months}m"], bought=bought))
    return pd.concat(rows)


def print_classes(judged: pd.DataFrame, by: list[str], title: str) -> None:
    """Print how many classes are off, and those."""
    classes = judged.groupby(["months", *by]).agg(
        customers=("bought", "size"), predicted=("chance", "mean"), realised=("bought", "mean")
    )
    large = classes[classes.customers >= LEAST_CUSTOMERS]
    off = large[(large.predicted - large.realised).abs() > MOST_POINTS]
    print(f"\n{title}: {len(off)} of {len(large)} classes are off by more than {MOST_POINTS:.0%}")
    print(off.to_string(float_format="{:.2f}".format) if len(off) else "none")


def main() -> None:
    """Print the classes of all logs together, those of each log, and the lists of quiet customers."""
    judged = pd.concat({name: judge(LOGS[name]()) for name in NAMES if name in LOGS}, names=["log"])
    print_classes(judged, ["repeats", "silent_from"], "All logs, by repeat purchases and days of silence")
    print_classes(judged, ["log", "repeats"], "Each log, by repeat purchases")
    quiet = judged[judged.quiet].groupby(["months", "log"])[["chance", "bought"]].agg(["size", "mean"])
    print("\nListed as quiet:", quiet.to_string(float_format="{:.2f}".format), sep="\n")


if __name__ == "__main__":
    main()
