"""What else is known of customers: status, habits and attributes, and which of it goes with which segment."""

from datetime import date

import numpy as np
import pandas as pd

from crm_utils.core.errors import ProfilingError

SMALL_GROUP_CUSTOMERS = 30  # customers; below it a share is an anecdote
MAX_TRAIT_VALUES = 12  # of an attribute that are looked at one by one
PRICES = ["price-focused", "average", "premium"]


def lifecycle_status(
    customers: pd.DataFrame,
    analysis_date: date,
    new_within_days: int,
    at_risk_after_days: int,
    churned_after_days: int,
    loyal_from_orders: int,
) -> pd.DataFrame:
    """Each customer's status by stated rules, the first that holds: customer_id, lifecycle.

    churned: silent for more than `churned_after_days`; at risk: for more than `at_risk_after_days`; new: first order
    within `new_within_days`; loyal: at least `loyal_from_orders` orders; occasional: all others.
    """
    age = (pd.Timestamp(analysis_date) - customers.first_order).dt.days
    silent = customers.recency_days
    rules = {
        "churned": silent > churned_after_days,
        "at risk": silent > at_risk_after_days,
        "new": age <= new_within_days,
        "loyal": customers.orders >= loyal_from_orders,
    }
    status = np.select(list(rules.values()), list(rules), default="occasional")
    return pd.DataFrame({"customer_id": customers.customer_id, "lifecycle": pd.array(status, dtype="str")})


def count_prospects(customers: pd.DataFrame, contacts: pd.DataFrame | None) -> int:
    """How many people in `contacts` have no order that counts; 0 if the source has no contacts."""
    if contacts is None:
        return 0
    return int((~contacts.customer_id.astype("str").drop_duplicates().isin(customers.customer_id)).sum())


def behaviour_labels(habits: pd.DataFrame) -> pd.DataFrame:
    """How customers buy, in words, as far as `customer_features` knows: customer_id, price, returns, breadth, favourite_product, main_country.

    price: the customer's median price is below 0.95 (price-focused) or above 1.05 (premium) of each product's own median;
    returns: 20 % or more of gross revenue came back; breadth: distinct products against the median customer.
    """
    table = habits[["customer_id"]].copy()
    if "price_ratio" in habits:
        table["price"] = _named(habits.price_ratio, [0.95, 1.05], PRICES)
    if "return_share" in habits:
        table["returns"] = _named(habits.return_share, [0.2], ["keeps what they buy", "returns much"])
    if "distinct_products" in habits:
        middle = habits.distinct_products.median()
        table["breadth"] = _named(habits.distinct_products, [middle], ["few products", "many products"])
    for column in ("favourite_product", "main_country"):
        if column in habits:
            table[column] = habits[column]
    return table


def _named(values: pd.Series, limits: list[float], names: list[str]) -> pd.Series:
    """The name of each value's class; missing values stay missing."""
    classes = np.searchsorted(limits, values.to_numpy(float), side="right")
    return pd.Series(np.array(names, dtype=object)[classes], index=values.index).where(values.notna())


def align_to_customers(customers: pd.DataFrame, attributes: pd.DataFrame, name: str = "attributes") -> pd.DataFrame:
    """The attributes of the customers: one row per customer, missing where nothing is known.

    People in the table without an order are left out. Raises `TraitError` where the table has no customer_id, has
    customers twice, or knows none of ours.
    """
    if "customer_id" not in attributes:
        raise ProfilingError(
            f"table {name} has no column customer_id; it has: {', '.join(map(str, attributes.columns))}"
        )
    table = attributes.assign(customer_id=attributes.customer_id.astype("str"))
    if table.customer_id.equals(customers.customer_id):  # our own tables: to look millions up takes long
        return table
    twice = table.customer_id[table.customer_id.duplicated(keep=False)]
    if len(twice):
        raise ProfilingError(
            f"table {name}: {twice.nunique():,} customers have more than one row, for example {', '.join(sorted(twice.unique())[:3])}; keep one row each"
        )
    if not table.customer_id.isin(customers.customer_id).any():
        raise ProfilingError(
            f"table {name}: none of its {len(table):,} customers has ordered; its ids look like {table.customer_id.iloc[0] if len(table) else 'nothing'!r}, ours like {customers.customer_id.iloc[0]!r}"
        )
    return customers[["customer_id"]].merge(table, on="customer_id", how="left", validate="one_to_one")


def merge_traits(customers: pd.DataFrame, *tables: pd.DataFrame | None) -> pd.DataFrame:
    """All traits of the customers side by side: customer_id and the columns of each table that has rows, the first of a name."""
    whole = customers[["customer_id"]]
    for table in tables:
        if table is not None and len(table):
            fresh = (
                table[["customer_id", *(name for name in table if name not in whole)]]
                if "customer_id" in table
                else table
            )
            beside = align_to_customers(customers, fresh).drop(columns="customer_id")  # in the order of the customers
            whole = whole.assign(**{column: beside[column].set_axis(whole.index) for column in beside})
    return whole


def with_traits(segments: pd.DataFrame, *tables: pd.DataFrame) -> pd.DataFrame:
    """The segments with lifecycle and behaviour beside them, as text; empty where nothing is known."""
    whole = merge_traits(segments, *tables).drop(columns="customer_id")
    return segments.assign(**{column: whole[column].astype("str").where(whole[column].notna()) for column in whole})


def crosstab(segments: pd.DataFrame, traits: pd.DataFrame, column: str) -> pd.DataFrame:
    """Customers by segment and value of one trait: segment, value, customers, share (of the segment's known customers)."""
    both = segments[["customer_id", "segment"]].merge(traits[["customer_id", column]], on="customer_id")
    counts = both.dropna(subset=column).groupby(["segment", column]).size().rename("customers").reset_index()
    counts["share"] = counts.customers / counts.groupby("segment").customers.transform("sum")
    return counts.rename(columns={column: "value"})


def trait_associations(segments: pd.DataFrame, traits: pd.DataFrame) -> pd.DataFrame:
    """Which value of each trait stands out in which segment, the strongest trait first.

    Returns trait, strength (Cramér's V, 0 to 1), segment, value, share (of the segment), share_of_all, customers (of
    the segment with the value), small (fewer than 30 such customers). Numbers are cut into thirds, rare values
    counted as `other`; a trait with one value is left out.
    """
    rows = []
    for trait in traits.columns.drop("customer_id"):
        values = _categories(traits[trait])
        both = segments[["customer_id", "segment"]].merge(
            pd.DataFrame({"customer_id": traits.customer_id, "value": values}).dropna(), on="customer_id"
        )
        if both.value.nunique() > 1:
            rows.append((trait, *_largest_residual(both)))
    columns = ["trait", "strength", "segment", "value", "share", "share_of_all", "customers", "small"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values(["strength", "trait"], ascending=[False, True], ignore_index=True)


def _categories(values: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values) and values.nunique() > 6:
        limits = values.quantile([1 / 3, 2 / 3]).tolist()
        return _named(values, limits, ["low", "middle", "high"])
    text = values.astype("str").where(values.notna())
    common = text.value_counts().sort_index().sort_values(ascending=False, kind="stable").index[:MAX_TRAIT_VALUES]
    return text.where(text.isin(common) | text.isna(), "other")


def _largest_residual(both: pd.DataFrame) -> tuple:
    """Cramér's V, and the cell that lies furthest above what independence expects, in standard deviations."""
    counts = pd.crosstab(both.segment, both.value)
    total = counts.to_numpy().sum()
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / total
    residual = (counts - expected) / np.sqrt(expected)
    strength = float(np.sqrt((residual**2).to_numpy().sum() / total / max(min(counts.shape) - 1, 1)))
    row, column = np.unravel_index(residual.to_numpy().argmax(), counts.shape)
    found = int(counts.iloc[row, column])
    shares = found / counts.iloc[row].sum(), counts.iloc[:, column].sum() / total
    return (
        strength,
        counts.index[row],
        counts.columns[column],
        *map(float, shares),
        found,
        found < SMALL_GROUP_CUSTOMERS,
    )


def segment_features(segments: pd.DataFrame, habits: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """How each segment buys: segment, customers and, as far as known, price_focused and premium (shares of customers), median distinct_products, mean return_share, favourite_product, main_country, its share."""
    both = segments[["customer_id", "segment"]].merge(habits, on="customer_id")
    grouped = both.groupby("segment")
    table = grouped.size().rename("customers").to_frame()
    if "price_ratio" in both:
        paid = behaviour_labels(both).price.groupby(both.segment)
        table["price_focused"] = paid.agg(lambda values: (values == PRICES[0]).mean())
        table["premium"] = paid.agg(lambda values: (values == PRICES[2]).mean())
    for column, how in {"distinct_products": "median", "return_share": "mean"}.items():
        if column in both:
            table[column] = grouped[column].agg(how)
    for column in ("favourite_product", "main_country"):
        if column in both:
            table[column] = grouped[column].agg(_most_frequent)
    if "main_country" in both:
        main = both.segment.map(table.main_country)
        table["main_country_share"] = (both.main_country == main).groupby(both.segment).mean()
    return table.reindex([name for name in order if name in table.index]).reset_index()


def _most_frequent(values: pd.Series) -> str | None:
    counts = values.dropna().value_counts().sort_index()
    return None if counts.empty else counts.idxmax()
