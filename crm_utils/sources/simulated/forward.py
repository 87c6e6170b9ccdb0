"""Run the simulated shop forward under a plan. Customers respond to contacts as `config.SimulatedResponse` says.

What customers order by themselves is drawn once. Contacts only add orders, so what a plan earns is known exactly: it is
not compared with another random history. Plans that are run on the same `Future` meet the same chance.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from crm_utils.config import SimulatedResponse, SimulatedShop
from crm_utils.sources.simulated import draw

# Contact levels 0, 1, 2 and more: in how many of the last waves a customer was contacted
HIGHEST_LEVEL = 2
YEAR_DAYS = 365
# Of the money of an order: Gamma-Gamma with this p and q (Fader, Hardie & Lee 2005)
ORDERS_ALIKE, CUSTOMERS_ALIKE = 6.0, 4.0


@dataclass(frozen=True)
class Future:
    """What will happen in a shop without contacts, and how customers would respond to them.

    Parameters
    ----------
    shop, response
        The shop and how its customers respond.
    starts_on : datetime.date
        The last day before the first wave.
    wave_days, waves : int
        Length and number of the waves.
    clock : numpy.ndarray
        The shop's own time at the start of each day.
    customers : pandas.DataFrame
        One row per customer: customer_id, rate, repeats (repeat orders until they leave), first_day (from 0),
        responsiveness, wave (in which they can be won; −1 for those who come by themselves), place (in which they are
        won).
    orders : pandas.DataFrame
        What they order by themselves: customer (row), day (from 0), revenue.
    """

    shop: SimulatedShop
    response: SimulatedResponse
    starts_on: date
    wave_days: int
    waves: int
    clock: np.ndarray
    customers: pd.DataFrame
    orders: pd.DataFrame


@dataclass(frozen=True)
class Position:
    """How far a shop was run forward under a plan.

    Parameters
    ----------
    wave : int
        The next wave.
    level : numpy.ndarray
        Contact level of each customer.
    present : numpy.ndarray
        Whether each customer comes by themselves or was won.
    added : pandas.DataFrame
        Orders that contacts added: customer (row), day, revenue.
    """

    wave: int
    level: np.ndarray
    present: np.ndarray
    added: pd.DataFrame


def draw_future(
    shop: SimulatedShop, response: SimulatedResponse, starts_on: date, wave_days: int, waves: int
) -> Future:
    """Draw the customers of a shop and all that they order by themselves until its last day.

    Customers who can be won arrive evenly within each wave and then behave like all others.
    """
    rng, clock = np.random.default_rng([shop.seed, response.seed]), draw.own_time(shop)
    parts = [draw.customers(shop, rng, np.arange(shop.customers)).assign(wave=-1)]
    most = max(round(response.most_won * shop.customers), 1)
    for wave in range(waves):
        first = (starts_on - shop.start).days + 1 + wave * wave_days
        won = draw.customers(shop, rng, shop.customers + wave * most + np.arange(most))
        arrival = rng.uniform(clock[first], clock[first + wave_days], most)
        parts.append(won.assign(wave=wave, arrival=arrival))
    customers = pd.concat(parts, ignore_index=True)
    orders = draw.orders(shop, rng, customers)
    orders = pd.DataFrame({"customer": orders.customer, "day": orders.minute // 1440})
    alike = rng.gamma(
        CUSTOMERS_ALIKE, 1 / (response.order_value * (CUSTOMERS_ALIKE - 1) / ORDERS_ALIKE), len(customers)
    )
    shape = response.responsiveness_shape
    customers = customers[["customer_id", "rate", "repeats", "wave"]].assign(
        first_day=np.searchsorted(clock, customers.arrival.to_numpy(), "right") - 1,
        alike=alike,
        responsiveness=rng.gamma(shape, 1 / shape, len(customers)),
        place=customers.groupby("wave").cumcount(),
    )
    orders["revenue"] = _order_values(rng, alike[orders.customer.to_numpy()])
    return Future(shop, response, starts_on, wave_days, waves, clock, customers, orders)


def start(future: Future) -> Position:
    """Return the position before the first wave: nobody was contacted or won."""
    present = (future.customers.wave < 0).to_numpy()
    return Position(0, np.zeros(len(present), int), present, future.orders.iloc[:0])


def today(future: Future, position: Position) -> date:
    """Return the last day that is over."""
    return future.starts_on + timedelta(days=position.wave * future.wave_days)


def orders_by(future: Future, position: Position) -> pd.DataFrame:
    """Return the orders until today: customer_id, order_id, ordered_at, units, lines, revenue."""
    placed = pd.concat([future.orders[position.present[future.orders.customer]], position.added])
    placed = placed[placed.day <= (today(future, position) - future.shop.start).days]
    day = pd.Timestamp(future.shop.start) + pd.to_timedelta(placed.day, unit="D") + pd.Timedelta(hours=12)
    ids = future.customers.customer_id.to_numpy()[placed.customer]
    number = pd.RangeIndex(len(placed)).astype(str)
    return pd.DataFrame(
        {"customer_id": ids, "order_id": number, "ordered_at": day.to_numpy(), "units": 1.0, "lines": 1,
         "revenue": placed.revenue.to_numpy()}
    )  # fmt: skip


def probability_anyway(future: Future, position: Position, first_wave: int, days: int) -> np.ndarray:
    """Return the true probability that each customer orders without a contact within the first days of a wave.

    It is known of each customer who has not left by the end of the waves that are over.
    """
    over = (today(future, position) - future.shop.start).days
    begins = (future.starts_on - future.shop.start).days + 1 + first_wave * future.wave_days
    customers = future.customers
    repeats = np.bincount(future.orders.customer[future.orders.day <= over], minlength=len(customers)) - 1
    here = position.present & (customers.first_day <= over) & (repeats < customers.repeats)
    passing = future.clock[begins + days] - future.clock[begins]
    return np.where(here, 1 - np.exp(-customers.rate * passing), 0.0)


def lifts(future: Future, level: np.ndarray, campaign: pd.Series, messages: np.ndarray) -> np.ndarray:
    """Return by how much messages raise the probability of an average customer: u f^h (1 − m^k) / (1 − m)."""
    response = future.response
    keeps = response.repeat_response
    several = messages if keeps == 1 else (1 - keeps**messages) / (1 - keeps)
    return campaign.map(response.lifts).to_numpy(float) * response.fatigue**level * several


def customers_won(future: Future, wave: int, spend: float) -> int:
    """Return how many customers a spend in a wave wins: n customers cost c0 (n + n² / (2 n0)) on average.

    n0 is the number of customers who come by themselves in the days of a wave.
    """
    response = future.response
    if spend <= 0 or response.acquisition_cost is None:
        return 0
    years = (future.shop.end - future.shop.start).days / future.wave_days
    by_themselves = future.shop.customers / years
    mean = by_themselves * (np.sqrt(1 + 2 * spend / (response.acquisition_cost * by_themselves)) - 1)
    rng = np.random.default_rng([future.shop.seed, response.seed, 1, wave])
    luck = rng.lognormal(-(response.acquisition_noise**2) / 2, response.acquisition_noise)
    return int(min(rng.poisson(mean * luck), (future.customers.wave == wave).sum()))


def run_wave(
    future: Future, position: Position, contacts: pd.DataFrame, acquisition_spend: float = 0.0
) -> tuple[Position, pd.DataFrame]:
    """Run a wave.

    A customer who would not order within the window is won with probability lift × responsiveness / (1 − p0), so that
    the share of buyers among those contacted rises by the lift, whatever they would have done.

    Parameters
    ----------
    future, position
        The shop, and how far it was run.
    contacts : pandas.DataFrame
        Whom the plan contacts: customer_id, campaign, messages, window_days, delivery_rate.
    acquisition_spend : float
        Money spent on new customers.

    Returns
    -------
    Position
        After the wave.
    pandas.DataFrame
        The contacts with delivered, bought (any order within the window), order_value (of the first of these),
        added_revenue.
    """
    customers, wave = future.customers, position.wave
    chance = np.random.default_rng([future.shop.seed, future.response.seed, 2, wave]).random((3, len(customers)))
    values = _order_values(
        np.random.default_rng([future.shop.seed, future.response.seed, 3, wave]), customers.alike.to_numpy()
    )
    row = pd.Series(customers.index, customers.customer_id)[contacts.customer_id].to_numpy()
    days = contacts.window_days.to_numpy()
    begins = (today(future, position) - future.shop.start).days
    first = _first_order(future, begins, row, days)
    anyway = np.zeros(len(row))
    for number in np.unique(days):
        own = days == number
        anyway[own] = probability_anyway(future, position, wave, number)[row[own]]
    lift = lifts(future, position.level[row], contacts.campaign, contacts.messages.to_numpy(float))
    lift = lift * customers.responsiveness.to_numpy()[row]
    delivered = chance[0][row] < contacts.delivery_rate.to_numpy()
    won = delivered & np.isnan(first) & (chance[1][row] * (1 - anyway) < lift)
    outcome = contacts.assign(
        delivered=delivered,
        bought=won | ~np.isnan(first),
        order_value=np.where(won, values[row], np.nan_to_num(first)),
        added_revenue=np.where(won, values[row], 0.0),
    )
    day = begins + 1 + np.floor(chance[2][row] * days).astype(int)
    added = pd.DataFrame({"customer": row[won], "day": day[won], "revenue": values[row][won]})
    contacted = np.isin(np.arange(len(customers)), row)
    level = np.where(contacted, np.minimum(position.level + 1, HIGHEST_LEVEL), np.maximum(position.level - 1, 0))
    number = customers_won(future, wave, acquisition_spend)
    present = position.present | ((customers.wave == wave) & (customers.place < number)).to_numpy()
    moved = replace(position, wave=wave + 1, level=level, present=present, added=pd.concat([position.added, added]))
    return moved, outcome


def first_year_revenue(future: Future, position: Position) -> float:
    """Return what the customers won order by themselves within a year of their first order."""
    won = position.present & (future.customers.wave >= 0).to_numpy()
    own = future.orders[won[future.orders.customer]]
    age = own.day.to_numpy() - future.customers.first_day.to_numpy()[own.customer]
    return float(own.revenue[age < YEAR_DAYS].sum())


def _order_values(rng: np.random.Generator, alike: np.ndarray) -> np.ndarray:
    """Draw the money of orders: Gamma distributed, with a rate of each customer."""
    return np.maximum((rng.gamma(ORDERS_ALIKE, 1.0, len(alike)) / alike), 0.01).round(2)


def _first_order(future: Future, begins: int, row: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return the money of the first order that each customer places anyway within the window; null if there is none."""
    own = future.orders[(future.orders.day > begins) & (future.orders.day <= begins + days.max(initial=0))]
    first = own.sort_values("day", kind="stable").drop_duplicates("customer").set_index("customer")
    found = first.reindex(row)
    return np.where(found.day.to_numpy() <= begins + days, found.revenue.to_numpy(), np.nan)
