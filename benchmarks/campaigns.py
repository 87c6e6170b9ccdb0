"""Measure how often a campaign's interval contains the simulated lift: python benchmarks/campaigns.py [shops].

The claim: for 200 campaigns in simulated shops as large as the demo, the 90 % interval contains the simulated lift in
80–98 % of cases. If the simulated lift is 0, a plan that learns from the campaign does not spend on it.
"""

import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from crm_utils import config, sources
from crm_utils.budget import unit_economics, uplift
from crm_utils.budget.waves import LEVELS, CustomerFlow, WaveTerms, YearProblem, plan_waves
from crm_utils.cleaning import cancellations
from crm_utils.cleaning import rules as cleaning
from crm_utils.config import SimulatedShop
from crm_utils.core import orders
from crm_utils.sources import simulated

ROOT = Path(__file__).parents[1]
CUSTOMERS = 3000  # of the demo shop
MARGIN = 0.3
COLUMNS = config.Columns(**{name: name for name in simulated.LINE_ITEMS.names})


def offer() -> pd.DataFrame:
    """The campaign that the simulated shop has run, with its terms from params/campaigns.yaml."""
    known = config.read_yaml(ROOT / "params" / "campaigns.yaml", config.Campaigns)
    rows = pd.DataFrame([campaign.model_dump() for campaign in known.campaigns])
    return rows[rows.name == simulated.CAMPAIGN].astype({"capacity": float, "max_spend": float}).reset_index(drop=True)


def outcomes(shops: int, lift: float, day: date = date(2024, 9, 30)) -> pd.DataFrame:
    """One row per listed customer of many shops of 3,000 side by side, each with a campaign of its own.

    The line items go through cleaning and settlement as a report's do.
    """
    shop = SimulatedShop(customers=CUSTOMERS * shops, lift=lift)
    with tempfile.TemporaryDirectory() as folder:
        lines = sources.read_line_items(config.Source(simulate=shop), COLUMNS, Path(folder))
        rules = cleaning.removal_rules(lines, day, cancellations="match", exclude_products=["POST"])
        classified = cleaning.classify(lines, rules).cache()
        kept = classified.filter(classified.removed_by.isnull()).drop("removed_by")
        matched = cancellations.order_adjustments(
            cancellations.match_cancellations(kept, cleaning.select_cancellations(classified), "match")
        )
        known = orders.orders_as_of(orders.orders_from_lines(kept), matched, day).cache()
    past = simulated.customer_table(shop, "past_campaigns", pd.Timestamp(day))
    past["campaign"] = "shop " + ((past.customer_id.astype(int) - 10_001) // CUSTOMERS).astype(str)
    windows = pd.Series(offer().window_days.iloc[0], index=past.campaign.unique())
    return uplift.campaign_outcomes(past, known, windows, known.distinct(on="customer_id").customer_id.execute())


def measured(found: pd.DataFrame) -> pd.DataFrame:
    """The measured effect of each shop's campaign, computed as in a report."""
    term = offer()
    terms = pd.concat([term.assign(name=name) for name in found.campaign.unique()], ignore_index=True)
    return uplift.measure_uplift(found, terms, MARGIN, pd.Timestamp("2024-09-30"))


def spend(measured: pd.DataFrame, p0: float = 0.15, order_margin: float = 40.0) -> list[float]:
    """What a plan of one wave spends on the campaign for 1,000 customers after it has learned from a measured one."""
    people = {"campaign": simulated.CAMPAIGN, "group": 0, "segment": "A", "customers": 1000, "free": 1000, "p0": p0}
    start, same = np.array([[1000.0] + [0.0] * (LEVELS - 1)]), csr_array(np.eye(1))
    none = np.zeros(1)
    flow = CustomerFlow(start, start, np.array([[p0]]), same, same, np.zeros((1, 1)), none, none)
    spent = []
    for name in measured.campaign:
        known = measured[measured.campaign == name].assign(campaign=simulated.CAMPAIGN)
        learned = uplift.update_lifts(offer(), known)
        table = pd.DataFrame(
            [
                people
                | {"order_margin": order_margin, "order_value": order_margin / MARGIN, "lift": learned.lift.iloc[0]}
            ]
        )
        options = unit_economics.price_options(table, learned)
        spent.append(plan_waves(YearProblem(options, learned, flow, WaveTerms(1, 91), 50_000)).spend)
    return spent


def main(shops: int = 200) -> None:
    """Measure the campaigns of many simulated shops, and print how often the intervals contain the simulated lift."""
    started = time.perf_counter()
    planted, none = (measured(outcomes(shops, lift)) for lift in (SimulatedShop().lift, 0.0))
    held = planted.lift_low.le(SimulatedShop().lift) & planted.lift_high.ge(SimulatedShop().lift)
    spent = [money > 0 for money in spend(none)]
    print(
        f"{shops} campaigns: {held.mean():.1%} of the 90 % intervals hold the planted {SimulatedShop().lift:.0%}; "
        f"mean measured {planted.lift.mean():.2%}; {(planted.status == 'measured').mean():.1%} accepted as random"
    )
    print(f"without a lift: {1 - sum(spent) / shops:.1%} of the plans do not spend on the campaign")
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
