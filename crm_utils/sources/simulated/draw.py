"""Draw the products, customers and orders of the simulated shop."""

import numpy as np
import pandas as pd

from crm_utils.config import SimulatedShop

MONTHS = np.array([0.85, 0.85, 0.95, 0.95, 1.0, 0.95, 0.85, 0.85, 1.0, 1.1, 1.5, 1.6])
WEEKDAYS = np.array([1.1, 1.05, 1.05, 1.05, 1.1, 0.85, 0.8])
COUNTRIES = np.array(["United Kingdom", "Germany", "France", "Ireland", "Netherlands", "Spain"])
COUNTRY_SHARES = np.array([0.72, 0.09, 0.07, 0.05, 0.04, 0.03])
KINDS = np.array(["Candle", "Mug", "Clothing", "Notebook", "Lamp", "Toy", "Bag", "Card"])
AGES = np.array(["under 30", "30 to 49", "50 and over"])
POSTAGE, POSTAGE_PRICE = "POST", 4.95


def catalogue(shop: SimulatedShop) -> pd.DataFrame:
    """Draw the products: product_id, description, price, cost, clothing, reached (cumulative popularity).

    The last product is postage.
    """
    rng = np.random.default_rng([shop.seed, 0])
    kind = rng.integers(len(KINDS), size=shop.products)
    price = np.maximum(rng.lognormal(2.2, 0.7, shop.products), 0.5).round(2)
    popular = 1 / (10 + rng.permutation(shop.products))
    names = [f"{KINDS[k]} {number:04d}" for number, k in enumerate(kind)] + ["Postage"]
    ids = [f"P{number:05d}" for number in range(shop.products)] + [POSTAGE]
    cost = (price * rng.uniform(0.4, 0.7, shop.products)).round(2)
    return pd.DataFrame({"product_id": ids, "description": names, "price": [*price, POSTAGE_PRICE],
                         "cost": [*cost, POSTAGE_PRICE], "clothing": [*(KINDS[kind] == "Clothing"), False],
                         "reached": [*np.cumsum(popular) / popular.sum(), 2.0]})  # fmt: skip


def own_time(shop: SimulatedShop) -> np.ndarray:
    """Return the shop's own time at the start of each day. It runs faster in busy seasons."""
    days = pd.date_range(shop.start, shop.end)
    pace = MONTHS[days.month - 1] * WEEKDAYS[days.day_of_week] if shop.season else np.ones(len(days))
    return np.concatenate([[0.0], np.cumsum(pace)])


def customers(shop: SimulatedShop, rng: np.random.Generator, index: np.ndarray) -> pd.DataFrame:
    """Draw the customers numbered `index`: columns of `simulated.truth`, when they arrive, when they leave."""
    size, clock = len(index), own_time(shop)
    channel = np.where(rng.random(size) < 0.3, "app", "web")
    rate = rng.gamma(shop.rate_shape, 1 / shop.rate_scale, size) * np.where(channel == "app", shop.app_factor, 1)
    arrival = rng.uniform(0, clock[-1], size)  # in the shop's own time
    day = np.searchsorted(clock, arrival, "right") - 1
    dropout = rng.beta(shop.dropout_a, shop.dropout_b, size)
    drawn = pd.DataFrame({
        "customer_id": (10_001 + index).astype(str), "arrival": arrival, "rate": rate, "dropout": dropout,
        "first_day": pd.Timestamp(shop.start) + pd.to_timedelta(day, unit="D"), "channel": channel,
        "repeats": rng.geometric(np.clip(dropout, 1e-9, 1)), "bargain": rng.random(size) < shop.bargain_share,
        "guest": rng.random(size) < shop.guest_share, "age_band": AGES[rng.integers(3, size=size)],
        "country": COUNTRIES[np.searchsorted(np.cumsum(COUNTRY_SHARES)[:-1], rng.random(size), "right")],
    })  # fmt: skip
    group = pd.Series(np.where(rng.random(size) < shop.holdout_share, "control", "treatment"), dtype=object)
    old = drawn.first_day < pd.Timestamp(shop.campaign_on or shop.start) - pd.Timedelta(days=30)
    return drawn.assign(group=group.where(old & ~drawn.guest & bool(shop.campaign_on)))


def orders(shop: SimulatedShop, rng: np.random.Generator, customers: pd.DataFrame) -> pd.DataFrame:
    """Draw orders by time: customer (its row), minute (since the start). Adds to `customers` who stays."""
    clock, arrival = own_time(shop), customers.arrival.to_numpy()
    drawn = rng.poisson(customers.rate * (clock[-1] - arrival))
    owner = np.repeat(np.arange(len(customers)), drawn)
    share = np.sort(owner + rng.random(len(owner)))  # sorted within each customer, as owners ascend
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(drawn) - drawn, drawn)
    kept = rank < customers.repeats.to_numpy()[owner]
    customers["stays"] = drawn < customers.repeats
    owner, share = owner[kept], (share - owner)[kept]
    at = arrival[owner] + share * (clock[-1] - arrival[owner])
    owner = np.concatenate([np.arange(len(customers)), owner])
    day = np.searchsorted(clock, np.concatenate([arrival, at]), "right") - 1
    won_customers, won_day = _campaign_orders(shop, rng, customers, owner, day)
    owner, day = np.concatenate([owner, won_customers]), np.concatenate([day, won_day]).clip(max=len(clock) - 2)
    minute = day * 1440 + rng.integers(8 * 60, 22 * 60, len(owner))
    order = np.lexsort((owner, minute))
    return pd.DataFrame({"customer": owner[order], "minute": minute[order]})


def _campaign_orders(
    shop: SimulatedShop, rng: np.random.Generator, customers: pd.DataFrame, owner: np.ndarray, day: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the orders that the campaign adds: their customers and days.

    Only customers who would not have bought within the window can be won. Their probability is chosen so that the share
    of buyers among all contacted customers rises by the lift, which is what a randomised experiment estimates.
    """
    since = (shop.campaign_on - shop.start).days if shop.campaign_on else 0
    anyway = np.zeros(len(customers), bool)
    anyway[owner[(day >= since) & (day <= since + shop.campaign_window)]] = True
    remaining = 1 - anyway[customers.group.notna()].mean() if customers.group.notna().any() else 1.0
    won = (customers.group == "treatment").to_numpy() & ~anyway & (rng.random(len(customers)) * remaining < shop.lift)
    buyers = np.flatnonzero(won)
    return buyers, since + rng.integers(1, shop.campaign_window + 1, len(buyers))
