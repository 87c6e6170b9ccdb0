"""Small tables the budget tests share: campaigns, groups of customers, and a shop with planted lift."""

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from crm_utils.budget import audiences, unit_economics
from crm_utils.budget.unit_economics import price_options
from crm_utils.budget.waves import LEVELS, CustomerFlow
from crm_utils.config.campaigns import Campaign
from crm_utils.sources.permissions import universal_holdout

TERMS = {"group": "other customers", "action": "Write.", "segments": ["A"], "contact_cost": 1.0, "lift": 0.1}
# Customers in cells that the strategy names, and which of them are on lists
CUSTOMERS_IN_CELLS = pd.DataFrame(
    {
        "customer_id": list("abcde"),
        "rfm_cell": ["514", "111", "111", "444", "111"],
        "segment": ["Recent", "Lost", "Lost", "Loyal", "Asleep"],
    }
)
LISTED_IN_CELLS = pd.DataFrame(
    {
        "customer_id": ["b", "c", "d"],
        "campaign": ["Mail", "Mail", "Post"],
        "group": ["treatment", "control", "treatment"],
    }
)


def campaigns(*changes: dict) -> pd.DataFrame:
    """One row a campaign, called a, b, c, … where no name is given."""
    models = [
        Campaign(**({"name": "abcdefgh"[place], "window_days": 91} | TERMS | change))
        for place, change in enumerate(changes)
    ]
    frame = pd.DataFrame([model.model_dump() for model in models])
    return frame.astype({"capacity": float, "max_spend": float, "offer_days": float}).assign(
        evidence_source="", lift_from=frame.evidence
    )


def options(offers: pd.DataFrame, *rows: tuple[str, int, str, int, float, float]) -> pd.DataFrame:
    """Priced options from (campaign, group, segment, customers, p0, order_margin)."""
    columns = ["campaign", "group", "segment", "customers", "p0", "order_margin"]
    table = pd.DataFrame(rows, columns=columns).assign(order_value=lambda table: table.order_margin / 0.3)
    lift = table.campaign.map(offers.set_index("name").lift)
    return price_options(table.assign(free=table.customers, lift=lift), offers)


def resting_flow(customers: list[float], waves: int = 1, held_out: float = 0.0, **changes) -> CustomerFlow:
    """Customers by group, none of whom was contacted lately; they stay in their groups. `held_out` is a share."""
    count = len(customers)
    start = np.zeros((count, LEVELS))
    start[:, 0] = customers
    terms = {
        "start": start,
        "free": np.floor(start * (1 - held_out) + 1e-9),
        "baseline": np.full((waves, count), 0.1),
        "if_bought": csr_array(np.eye(count)),
        "if_silent": csr_array(np.eye(count)),
        "arrivals": np.zeros((waves, count)),
        "newcomers": np.zeros(count),
        "order_margin": np.full(count, 30.0),
    }
    return CustomerFlow(**terms | changes)


def audience_of(
    allowed: pd.DataFrame, held_out: float | pd.Series = 0.0, seed: int = 1, **changes: pd.Series
) -> audiences.Audience:
    """Everybody agreed to be contacted, and nobody rests, unless `changes` say so."""
    ids = pd.Series(allowed.index)
    if not isinstance(held_out, pd.Series):
        held_out = universal_holdout(ids, held_out, seed)
    same = {"consent": pd.Series("any", allowed.index), "resting": pd.Series(False, allowed.index)}
    return audiences.Audience(allowed, allowed, **same | changes, held_out=held_out)


def groups_of(customers: pd.DataFrame, allowed: pd.DataFrame, held_out: float = 0.0, seed: int = 1) -> pd.DataFrame:
    """Planning groups of customers who all agreed to be contacted and do not rest."""
    rested = pd.Series(0, index=allowed.index)
    return unit_economics.planning_groups(customers, audience_of(allowed, held_out, seed), rested)


def small_problem(seed: int, groups: int = 3) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Two campaigns, a few groups of at most three customers, and a budget that binds about half of the time."""
    random = np.random.default_rng(seed)
    offers = campaigns(
        *(
            {
                "contact_cost": round(random.uniform(0.2, 2), 2),
                "incentive": int(random.choice([0, 2])),
                "redemption_rate": 0.5,
                "fixed_cost": int(random.choice([0, 1, 3])),
                "lift": round(random.uniform(0.05, 0.3), 3),
                "capacity": int(random.integers(2, 7)) if random.random() < 0.3 else None,
                "max_spend": round(random.uniform(2, 8), 2) if random.random() < 0.3 else None,
            }
            for _ in range(2)
        )
    )
    rows = [
        (name, group, "AB"[group % 2], size, chance, value)
        for group, (size, chance, value) in enumerate(
            zip(
                random.integers(1, 4, groups),
                random.uniform(0, 0.5, groups),
                random.uniform(2, 40, groups),
                strict=True,
            )
        )
        for name in offers.name
        if random.random() < 0.9
    ]
    return options(offers, *rows) if rows else options(offers, ("a", 0, "A", 1, 0.1, 9)), offers, random.uniform(0, 12)


def people(count: int, seed: int = 0) -> pd.DataFrame:
    """Customers with scores, segment, order value and margin, as `customer_economics` returns them."""
    random = np.random.default_rng(seed)
    value = random.lognormal(3, 0.8, count)
    return pd.DataFrame(
        {
            "customer_id": [f"{number:06}" for number in range(count)],
            "segment": random.choice(["A", "B", "C"], count, p=[0.5, 0.3, 0.2]),
            "recency_days": random.integers(0, 400, count),
            "orders": random.integers(1, 9, count),
            "revenue": value * 3,
            "order_value": value,
            "order_margin": 0.3 * value,
        }
    )
