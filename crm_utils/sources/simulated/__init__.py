"""A simulated shop: line items with known truth. The same settings give the same bytes.

Customers arrive over time, buy at random at individual rates (Gamma distributed), and leave after a repeat order with
an individual probability (Beta distributed), as BG/NBD assumes (Fader, Hardie & Lee 2005). Seasonality makes time run
faster or slower. Every other behaviour is a field of `config.SimulatedShop`. Customers are drawn and written in parts.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from crm_utils.config import SimulatedShop, Source
from crm_utils.core.files import atomic_write
from crm_utils.sources.simulated import draw

PART_SIZE = 50_000  # customers per part
CAMPAIGN = "Limited-time offer"  # one of params/campaigns.yaml, so that its uplift can be measured
OFFER = 0.8  # share of the price
TRUTH = ("customer_id", "first_day", "rate", "dropout", "stays", "bargain", "channel", "age_band", "country", "group")
LINE_ITEMS = pa.schema(
    {"order_id": pa.string(), "ordered_at": pa.timestamp("us"), "customer_id": pa.string(), "product_id": pa.string(),
     "description": pa.string(), "quantity": pa.int64(), "unit_price": pa.float64(), "unit_cost": pa.float64(),
     "country": pa.string()}
)  # fmt: skip
Lines = dict[str, np.ndarray]  # order, product, pieces, price and minute of each line item


@dataclass(frozen=True)
class _Part:
    """Some of the customers, drawn together, with their orders."""

    rng: np.random.Generator
    catalogue: pd.DataFrame
    customers: pd.DataFrame
    orders: pd.DataFrame


def write_files(source: Source, root: Path) -> Source:
    """Return the source unchanged, or for `simulate` a file of line items in `.cache/simulated/`, made once."""
    if source.simulate is None:
        return source
    shop = source.simulate
    code = Path(__file__).read_bytes() + Path(draw.__file__).read_bytes()
    identity = hashlib.sha256(shop.model_dump_json().encode() + code).hexdigest()[:16]
    path = Path(root) / ".cache" / "simulated" / f"{identity}.parquet"
    if not path.exists():
        write(shop, path)
    return Source(file=str(path.resolve()))


def write(shop: SimulatedShop, path: Path) -> int:
    """Write the line items of a shop to a parquet file part by part, and return their number. Columns: `LINE_ITEMS`."""
    rows = 0
    with atomic_write(path) as unfinished, pq.ParquetWriter(unfinished, LINE_ITEMS) as writer:
        for part in _draw_parts(shop):
            lines = _line_items(shop, part)
            writer.write_table(lines)
            rows += len(lines)
    return rows


def truth(shop: SimulatedShop) -> pd.DataFrame:
    """Return the true behaviour of each customer with an id, one row per customer.

    Columns: customer_id, first_day (date of the first order), rate (orders per day in an average season), dropout
    (probability to leave after a repeat order), stays (has not left by the end), bargain, channel, age_band, country,
    group (treatment, control, or null for customers outside the campaign). Rates that all customers share are fields of
    `shop`.
    """
    parts = [part.customers.loc[~part.customers.guest, list(TRUTH)] for part in _draw_parts(shop)]
    return pd.concat(parts, ignore_index=True)


def customer_table(shop: SimulatedShop, name: str, day: pd.Timestamp) -> pd.DataFrame:
    """Return `attributes`, `contacts` or `past_campaigns` of the customers who had ordered by a day."""
    known = truth(shop).query("first_day <= @day")
    if name == "attributes":
        return known[["customer_id", "age_band", "channel"]]
    if name == "contacts":
        return _contacts(shop, known, day)
    started = shop.campaign_on is not None and pd.Timestamp(shop.campaign_on) <= day
    drawn = known[known.group.notna()] if started else known.iloc[:0]
    campaign = drawn[["customer_id", "group"]].assign(campaign=CAMPAIGN, contacted_on=pd.Timestamp(shop.campaign_on))
    return campaign[["campaign", "customer_id", "contacted_on", "group"]]


def _draw_parts(shop: SimulatedShop) -> Iterator[_Part]:
    """Draw customers and orders part by part, each part with its own random numbers."""
    catalogue, next_order = draw.catalogue(shop), 500_000
    for first in range(0, shop.customers, PART_SIZE):
        rng = np.random.default_rng([shop.seed, first // PART_SIZE + 1])
        customers = draw.customers(shop, rng, np.arange(first, min(first + PART_SIZE, shop.customers)))
        orders = draw.orders(shop, rng, customers)
        orders["number"] = next_order + np.arange(len(orders))
        next_order += len(orders)
        yield _Part(rng, catalogue, customers, orders)


def _line_items(shop: SimulatedShop, part: _Part) -> pa.Table:
    """Return the lines of a part's orders, then of its cancellations and returns."""
    rng, catalogue, customers, orders = part.rng, part.catalogue, part.customers, part.orders
    drawn = 1 + rng.poisson(shop.lines_per_order - 1, len(orders))
    abroad = customers.country.to_numpy()[orders.customer] != draw.COUNTRIES[0]
    order = np.concatenate([np.repeat(np.arange(len(orders)), drawn), np.flatnonzero(abroad)])
    bought = np.searchsorted(catalogue.reached.to_numpy()[:-1], rng.random(drawn.sum()), "right")
    product = np.concatenate([bought, np.full(abroad.sum(), len(catalogue) - 1)])
    pieces = np.concatenate([rng.geometric(0.6, len(bought)), np.ones(abroad.sum(), int)])
    bargain = customers.bargain.to_numpy()[orders.customer.to_numpy()[order]]
    on_offer = (rng.random(len(order)) < np.where(bargain, 0.7, 0.1)) & (product < len(catalogue) - 1)
    price = np.where(
        on_offer, (catalogue.price * OFFER).round(2).to_numpy()[product], catalogue.price.to_numpy()[product]
    )
    minute = orders.minute.to_numpy()[order]
    sold = {"order": order, "product": product, "pieces": pieces, "price": price, "minute": minute}
    by_order = np.argsort(order, kind="stable")
    sold = {name: values[by_order] for name, values in sold.items()}
    returned = _returns(shop, rng, catalogue, orders, sold)
    return pa.concat_tables([_to_table(shop, part, sold, ""), _to_table(shop, part, returned, "C")])


def _returns(
    shop: SimulatedShop, rng: np.random.Generator, catalogue: pd.DataFrame, orders: pd.DataFrame, sold: Lines
) -> Lines:
    """Draw cancellations of whole orders within days, and returns of single lines later, until the shop's last day.

    Some returns are refunded at 10% more than the catalogue price, so that they match no sale.
    """
    cancelled = rng.random(len(orders)) < shop.cancelled
    soon = rng.integers(5, 3 * 1440, len(orders))
    chance = np.where(catalogue.clothing, 3, 1)[sold["product"]] * shop.returned
    sent_back = (rng.random(len(chance)) < chance) & (sold["product"] < len(catalogue) - 1)
    later = rng.integers(3 * 1440, 30 * 1440, len(chance))
    part = np.ceil(sold["pieces"] * rng.random(len(chance))).astype(int)
    whole_order = cancelled[sold["order"]]
    chosen = whole_order | sent_back
    returned = {name: values[chosen] for name, values in sold.items()}
    returned["minute"] = returned["minute"] + np.where(whole_order, soon[sold["order"]], later)[chosen]
    returned["pieces"] = -np.where(whole_order, sold["pieces"], part)[chosen]
    mispriced = (rng.random(chosen.sum()) < shop.mispriced) & ~whole_order[chosen]
    refund = (1.1 * catalogue.price + 0.01).round(2).to_numpy()[returned["product"]]
    returned["price"] = np.where(mispriced, refund, returned["price"])
    before_end = returned["minute"] < ((shop.end - shop.start).days + 1) * 1440
    return {name: values[before_end] for name, values in returned.items()}


def _to_table(shop: SimulatedShop, part: _Part, lines: Lines, prefix: str) -> pa.Table:
    catalogue, customers, orders = part.catalogue, part.customers, part.orders
    owner = orders.customer.to_numpy()[lines["order"]]
    number = pc.cast(pa.array(orders.number.to_numpy()[lines["order"]]), pa.string())
    if prefix:  # number of a return: the order's number and the minute of the return
        number = pc.binary_join_element_wise(
            pa.scalar(prefix), number, pc.cast(pa.array(lines["minute"]), pa.string()), ""
        )
    ids = pa.array(customers.customer_id.where(~customers.guest, None), pa.string())
    start = np.datetime64(shop.start, "m").astype("datetime64[us]")
    product = pa.array(lines["product"])
    columns = {
        "order_id": number,
        "ordered_at": pa.array(start + lines["minute"].astype("timedelta64[m]").astype("timedelta64[us]")),
        "customer_id": ids.take(pa.array(owner)),
        "product_id": pa.array(catalogue.product_id, pa.string()).take(product),
        "description": pa.array(catalogue.description, pa.string()).take(product),
        "quantity": pa.array(lines["pieces"], pa.int64()),
        "unit_price": pa.array(lines["price"]),
        "unit_cost": pa.array(catalogue.cost.to_numpy()).take(product),
        "country": pa.array(customers.country, pa.string()).take(pa.array(owner)),
    }
    return pa.table(columns, schema=LINE_ITEMS)


def _contacts(shop: SimulatedShop, known: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    rng = np.random.default_rng([shop.seed, 2**32])
    number = known.customer_id.astype(int).to_numpy() - 10_001
    has, consents = rng.random((shop.customers, 2)), rng.random((shop.customers, 2))
    campaign_day = pd.Timestamp(shop.campaign_on) if shop.campaign_on else pd.NaT
    contacted = known.group.eq("treatment").to_numpy() & (campaign_day <= day)
    tables = []
    for index, (channel, share, consent) in enumerate((("email", 0.85, 0.75), ("sms", 0.5, 0.5))):
        rows = pd.DataFrame({"customer_id": known.customer_id, "channel": channel})
        rows["consent"] = consents[number, index] < consent
        rows["last_contacted"] = pd.Series(campaign_day, known.index).where(contacted & (channel == "email"))
        rows["external_id"] = "crm-" + known.customer_id
        # Addresses that belong to nobody: a domain for examples, and a country code that is not in use
        rows["email"] = "customer-" + known.customer_id + "@example.com"
        rows["phone"] = "+999" + known.customer_id.str.zfill(8)
        tables.append(rows[has[number, index] < share])
    return pd.concat(tables, ignore_index=True)
