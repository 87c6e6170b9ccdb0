"""A shop that never was: line items with known truth, the same bytes for the same settings.

Customers come over time, buy at random at rates of their own (Gamma), leave after a repeat order with a chance of their
own (Beta), as BG/NBD assumes (Fader, Hardie & Lee 2005); a season stretches and shortens the days in between. Every
other behaviour is a field of `config.SimulatedShop`. Everything is drawn for many customers at once, and written part
by part.
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

PART = 50_000  # customers drawn at once
CAMPAIGN = "Limited-time offer"  # one of params/campaigns.yaml, so that what it earned can be told
OFFER = 0.8  # of the price
TRUTH = ("customer_id", "first_day", "rate", "dropout", "stays", "bargain", "channel", "age_band", "country", "group")
LINE_ITEMS = pa.schema(
    {"order_id": pa.string(), "ordered_at": pa.timestamp("us"), "customer_id": pa.string(), "product_id": pa.string(),
     "description": pa.string(), "quantity": pa.int64(), "unit_price": pa.float64(), "unit_cost": pa.float64(),
     "country": pa.string()}
)  # fmt: skip
Lines = dict[str, np.ndarray]  # order, product, pieces, price and minute of each line


@dataclass(frozen=True)
class _Part:
    """Customers that are drawn at once, with their orders."""

    rng: np.random.Generator
    catalogue: pd.DataFrame
    customers: pd.DataFrame
    orders: pd.DataFrame


def write_files(source: Source, root: Path) -> Source:
    """A source as it is, or for `simulate` the file in `.cache/simulated/` that holds the line items, made once."""
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
    """Write the line items of a shop to a parquet file, part by part; return how many. Columns: `LINE_ITEMS`."""
    rows = 0
    with atomic_write(path) as unfinished, pq.ParquetWriter(unfinished, LINE_ITEMS) as writer:
        for part in _draw_parts(shop):
            lines = _line_items(shop, part)
            writer.write_table(lines)
            rows += len(lines)
    return rows


def truth(shop: SimulatedShop) -> pd.DataFrame:
    """What was planted in each customer with an id, one row each.

    Columns: customer_id, first_day (date of the first order), rate (orders a day, of an average season), dropout
    (chance to leave after a repeat order), stays (has not left by the end), bargain, channel, age_band, country, group
    (treatment, control, or null: not in the campaign). Rates that hold for all are the fields of `shop`.
    """
    parts = [part.customers.loc[~part.customers.guest, list(TRUTH)] for part in _draw_parts(shop)]
    return pd.concat(parts, ignore_index=True)


def customer_table(shop: SimulatedShop, name: str, day: pd.Timestamp) -> pd.DataFrame:
    """`attributes`, `contacts` or `past_campaigns` of the customers who had ordered by a day."""
    known = truth(shop).query("first_day <= @day")
    if name == "attributes":
        return known[["customer_id", "age_band", "channel"]]
    if name == "contacts":
        return _contacts(shop, known, day)
    asked = known[known.group.notna()] if shop.campaign_on and pd.Timestamp(shop.campaign_on) <= day else known.iloc[:0]
    campaign = asked[["customer_id", "group"]].assign(campaign=CAMPAIGN, contacted_on=pd.Timestamp(shop.campaign_on))
    return campaign[["campaign", "customer_id", "contacted_on", "group"]]


def _draw_parts(shop: SimulatedShop) -> Iterator[_Part]:
    """Customers and orders, part by part; each part has random numbers of its own."""
    catalogue, next_order = draw.catalogue(shop), 500_000
    for first in range(0, shop.customers, PART):
        rng = np.random.default_rng([shop.seed, first // PART + 1])
        customers = draw.customers(shop, rng, np.arange(first, min(first + PART, shop.customers)))
        orders = draw.orders(shop, rng, customers)
        orders["number"] = next_order + np.arange(len(orders))
        next_order += len(orders)
        yield _Part(rng, catalogue, customers, orders)


def _line_items(shop: SimulatedShop, part: _Part) -> pa.Table:
    """The lines of a part's orders, then of its cancellations and returns."""
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
    place = np.argsort(order, kind="stable")
    sold = {name: values[place] for name, values in sold.items()}
    back = _taken_back(shop, rng, catalogue, orders, sold)
    return pa.concat_tables([_table(shop, part, sold, ""), _table(shop, part, back, "C")])


def _taken_back(
    shop: SimulatedShop, rng: np.random.Generator, catalogue: pd.DataFrame, orders: pd.DataFrame, sold: Lines
) -> Lines:
    """Whole orders cancelled soon after, and single lines sent back later, as long as the shop's books are open.

    Some of the latter are refunded at a tenth more than the price of the catalogue, so that no sale matches them.
    """
    cancelled = rng.random(len(orders)) < shop.cancelled
    soon = rng.integers(5, 3 * 1440, len(orders))
    chance = np.where(catalogue.clothing, 3, 1)[sold["product"]] * shop.returned
    sent_back = (rng.random(len(chance)) < chance) & (sold["product"] < len(catalogue) - 1)
    later = rng.integers(3 * 1440, 30 * 1440, len(chance))
    part = np.ceil(sold["pieces"] * rng.random(len(chance))).astype(int)
    whole = cancelled[sold["order"]]
    chosen = whole | sent_back
    back = {name: values[chosen] for name, values in sold.items()}
    back["minute"] = back["minute"] + np.where(whole, soon[sold["order"]], later)[chosen]
    back["pieces"] = -np.where(whole, sold["pieces"], part)[chosen]
    mispriced = (rng.random(chosen.sum()) < shop.mispriced) & ~whole[chosen]
    refund = (1.1 * catalogue.price + 0.01).round(2).to_numpy()[back["product"]]
    back["price"] = np.where(mispriced, refund, back["price"])
    open_ = back["minute"] < ((shop.end - shop.start).days + 1) * 1440
    return {name: values[open_] for name, values in back.items()}


def _table(shop: SimulatedShop, part: _Part, lines: Lines, mark: str) -> pa.Table:
    catalogue, customers, orders = part.catalogue, part.customers, part.orders
    owner = orders.customer.to_numpy()[lines["order"]]
    number = pc.cast(pa.array(orders.number.to_numpy()[lines["order"]]), pa.string())
    if mark:  # each return has a number of its own: the order's, and the minute it came
        number = pc.binary_join_element_wise(
            pa.scalar(mark), number, pc.cast(pa.array(lines["minute"]), pa.string()), ""
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
    asked = pd.Timestamp(shop.campaign_on) if shop.campaign_on else pd.NaT
    contacted = known.group.eq("treatment").to_numpy() & (asked <= day)
    tables = []
    for place, (channel, share, consent) in enumerate((("email", 0.85, 0.75), ("sms", 0.5, 0.5))):
        rows = pd.DataFrame({"customer_id": known.customer_id, "channel": channel})
        rows["consent"] = consents[number, place] < consent
        rows["last_contacted"] = pd.Series(asked, known.index).where(contacted & (channel == "email"))
        rows["external_id"] = "crm-" + known.customer_id
        tables.append(rows[has[number, place] < share])
    return pd.concat(tables, ignore_index=True)
