"""Traits of customers, and how they differ between segments."""

from enum import StrEnum
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats.contingency import association, expected_freq

from crm_utils.core.constants import PRICE_FOCUSED_BELOW
from crm_utils.core.errors import ProfilingError

# A share of fewer customers is marked as small.
SMALL_GROUP_CUSTOMERS = 30
# The most frequent values of a trait are kept; all others count as `other`.
MAX_TRAIT_VALUES = 12
# A numeric trait with more different values than this is cut into thirds.
MAX_NUMBERS_AS_VALUES = 6
# A customer is a premium buyer if the median ratio of price paid to the product's usual price is this or more.
PREMIUM_FROM = 1.05
# A customer who returned at least this share of gross revenue has many returns.
MANY_RETURNS_FROM = 0.2


class Price(StrEnum):
    """The values of column `price`."""

    PRICE_FOCUSED = "price_focused"
    AVERAGE = "average"
    PREMIUM = "premium"


class Returns(StrEnum):
    """The values of column `returns`."""

    FEW = "few_returns"
    MANY = "many_returns"


class Breadth(StrEnum):
    """The values of column `breadth`."""

    FEW_PRODUCTS = "few_products"
    MANY_PRODUCTS = "many_products"


def behaviour_labels(features: pd.DataFrame) -> pd.DataFrame:
    """Label how customers buy.

    Parameters
    ----------
    features : pandas.DataFrame
        Table `customer_features`: customer_id and, if the source knows them, price_ratio, return_share,
        distinct_products, favourite_product, main_country.

    Returns
    -------
    pandas.DataFrame
        customer_id and the labels that can be derived: price (a `Price`: below 0.95 or from 1.05 times each product's
        median price), returns (a `Returns`: many from 20 % of gross revenue), breadth (a `Breadth`: distinct products
        compared with the median customer), favourite_product, main_country.
    """
    table = features[["customer_id"]].copy()
    if "price_ratio" in features:
        table["price"] = _digitize(features.price_ratio, [PRICE_FOCUSED_BELOW, PREMIUM_FROM], list(Price))
    if "return_share" in features:
        table["returns"] = _digitize(features.return_share, [MANY_RETURNS_FROM], list(Returns))
    if "distinct_products" in features:
        table["breadth"] = _digitize(features.distinct_products, [features.distinct_products.median()], list(Breadth))
    for column in ("favourite_product", "main_country"):
        if column in features:
            table[column] = features[column]
    return table


def _digitize(values: pd.Series, edges: list[float], codes: list[str]) -> pd.Series:
    """Return the code of each value's class; missing values stay missing."""
    classes = np.searchsorted(edges, values.to_numpy(float), side="right")
    names = np.array([str(code) for code in codes], dtype=object)
    return pd.Series(names[classes], index=values.index).where(values.notna())


def align_to_customers(customers: pd.DataFrame, attributes: pd.DataFrame, name: str = "attributes") -> pd.DataFrame:
    """Align attributes to the customers, in the order of the customers.

    Parameters
    ----------
    customers : pandas.DataFrame
        Everybody with an order that counts.
    attributes : pandas.DataFrame
        One row per person: customer_id and anything else. People without an order are left out.
    name : str
        The name of the table, for messages.

    Returns
    -------
    pandas.DataFrame
        One row per customer, missing if nothing is known.

    Raises
    ------
    ProfilingError
        If the table has no customer_id, has a customer twice, or has none of the customers.
    """
    if "customer_id" not in attributes:
        columns = ", ".join(map(str, attributes.columns))
        raise ProfilingError(f"table {name} has no column customer_id; it has: {columns}")
    table = attributes.assign(customer_id=attributes.customer_id.astype("str"))
    if table.customer_id.equals(customers.customer_id):
        # The usual case for the project's own tables. A merge of millions of customers would be slow.
        return table
    _check_ids(table, customers, name)
    return customers[["customer_id"]].merge(table, on="customer_id", how="left", validate="one_to_one")


def _check_ids(table: pd.DataFrame, customers: pd.DataFrame, name: str) -> None:
    repeated = table.customer_id[table.customer_id.duplicated(keep=False)]
    if len(repeated):
        examples = ", ".join(sorted(repeated.unique())[:3])
        raise ProfilingError(
            f"table {name}: {repeated.nunique():,} customers have more than one row, for example {examples}; keep one "
            "row each"
        )
    if not table.customer_id.isin(customers.customer_id).any():
        example = table.customer_id.iloc[0] if len(table) else "nothing"
        raise ProfilingError(
            f"table {name}: none of its {len(table):,} customers has ordered. Its ids look like {example!r}, those of "
            f"the orders like {customers.customer_id.iloc[0]!r}"
        )


def merge_traits(customers: pd.DataFrame, *tables: pd.DataFrame | None) -> pd.DataFrame:
    """Put all traits of the customers side by side.

    Parameters
    ----------
    customers : pandas.DataFrame
        Everybody with an order that counts.
    *tables : pandas.DataFrame or None
        Tables with customer_id. None and empty tables are left out. If several tables have the same column, the first
        one counts.

    Returns
    -------
    pandas.DataFrame
        customer_id and the columns of the tables, in the order of the customers.

    Raises
    ------
    ProfilingError
        See `align_to_customers`.
    """
    traits = customers[["customer_id"]]
    for table in tables:
        if table is not None and len(table):
            known = [column for column in table if column in traits and column != "customer_id"]
            aligned = align_to_customers(customers, table.drop(columns=known)).drop(columns="customer_id")
            traits = traits.assign(**{column: aligned[column].set_axis(traits.index) for column in aligned})
    return traits


def with_traits(segments: pd.DataFrame, *tables: pd.DataFrame | None) -> pd.DataFrame:
    """Add further columns to the segments.

    Parameters
    ----------
    segments : pandas.DataFrame
        customer_id, segment.
    *tables : pandas.DataFrame or None
        See `merge_traits`.

    Returns
    -------
    pandas.DataFrame
        customer_id, segment and the columns of the tables as text; missing if nothing is known.
    """
    traits = merge_traits(segments, *tables).drop(columns="customer_id")
    as_text = {column: traits[column].astype("str").where(traits[column].notna()) for column in traits}
    return segments.assign(**as_text)


def crosstab(segments: pd.DataFrame, traits: pd.DataFrame, column: str) -> pd.DataFrame:
    """Count customers by segment and value of one trait.

    Parameters
    ----------
    segments : pandas.DataFrame
        customer_id, segment.
    traits : pandas.DataFrame
        customer_id and `column`.
    column : str
        The trait.

    Returns
    -------
    pandas.DataFrame
        segment, value, customers, share (of the segment's customers with a known value).
    """
    both = segments[["customer_id", "segment"]].merge(traits[["customer_id", column]], on="customer_id")
    counts = both.dropna(subset=column).groupby(["segment", column]).size().rename("customers").reset_index()
    counts["share"] = counts.customers / counts.groupby("segment").customers.transform("sum")
    return counts.rename(columns={column: "value"})


class TraitAssociation(NamedTuple):
    """One row of `trait_associations`."""

    trait: str
    strength: float
    segment: str
    value: str
    share: float
    share_of_all: float
    customers: int
    small: bool


def trait_associations(segments: pd.DataFrame, traits: pd.DataFrame) -> pd.DataFrame:
    """Find the value of each trait that stands out, and the segment in which it does.

    Numbers are cut into thirds, and rare values count as `other`. A trait with a single value is left out.

    Parameters
    ----------
    segments : pandas.DataFrame
        customer_id, segment.
    traits : pandas.DataFrame
        customer_id and one column per trait.

    Returns
    -------
    pandas.DataFrame
        One row per trait, strongest first: trait, strength (Cramér's V, 0 to 1), segment, value, share (of the
        segment), share_of_all, customers (of the segment with the value), small (whether these are fewer than 30).
    """
    rows = []
    for trait in traits.columns.drop("customer_id"):
        values = pd.DataFrame({"customer_id": traits.customer_id, "value": _categories(traits[trait])}).dropna()
        both = segments[["customer_id", "segment"]].merge(values, on="customer_id")
        if both.value.nunique() > 1:
            rows.append(_largest_residual(trait, both))
    table = pd.DataFrame(rows, columns=TraitAssociation._fields)
    return table.sort_values(["strength", "trait"], ascending=[False, True], ignore_index=True)


def _categories(values: pd.Series) -> pd.Series:
    is_number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if is_number and values.nunique() > MAX_NUMBERS_AS_VALUES:
        thirds = values.quantile([1 / 3, 2 / 3]).tolist()
        return _digitize(values, thirds, ["low", "middle", "high"])
    text = values.astype("str").where(values.notna())
    sizes = text.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    return text.where(text.isin(sizes.index[:MAX_TRAIT_VALUES]) | text.isna(), "other")


def _largest_residual(trait: str, both: pd.DataFrame) -> TraitAssociation:
    """Compute Cramér's V, and find the cell with the largest standardized residual above independence."""
    counts = pd.crosstab(both.segment, both.value)
    total = counts.to_numpy().sum()
    expected = expected_freq(counts.to_numpy())
    residual = (counts.to_numpy() - expected) / np.sqrt(expected)
    row, column = np.unravel_index(residual.argmax(), counts.shape)
    customers = int(counts.iloc[row, column])
    return TraitAssociation(
        trait=trait,
        strength=_cramers_v(counts),
        segment=counts.index[row],
        value=counts.columns[column],
        share=float(customers / counts.iloc[row].sum()),
        share_of_all=float(counts.iloc[:, column].sum() / total),
        customers=customers,
        small=customers < SMALL_GROUP_CUSTOMERS,
    )


def _cramers_v(counts: pd.DataFrame) -> float:
    """Compute Cramér's V; 0 if all customers are in one segment."""
    return float(association(counts.to_numpy(), method="cramer")) if len(counts) > 1 else 0.0


def segment_features(segments: pd.DataFrame, features: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """Summarize how each segment buys.

    Parameters
    ----------
    segments : pandas.DataFrame
        customer_id, segment.
    features : pandas.DataFrame
        Table `customer_features`.
    order : list of str
        The segments in the order of the report.

    Returns
    -------
    pandas.DataFrame
        One row per segment that has customers: segment, customers and, as far as known, price_focused and premium
        (shares of customers), distinct_products (median), return_share (mean), favourite_product, main_country and
        main_country_share (of its customers).
    """
    both = segments[["customer_id", "segment"]].merge(features, on="customer_id")
    grouped = both.groupby("segment")
    table = grouped.size().rename("customers").to_frame()
    if "price_ratio" in both:
        price = behaviour_labels(both).price
        table["price_focused"] = (price == Price.PRICE_FOCUSED).groupby(both.segment).mean()
        table["premium"] = (price == Price.PREMIUM).groupby(both.segment).mean()
    for column, aggregate in {"distinct_products": "median", "return_share": "mean"}.items():
        if column in both:
            table[column] = grouped[column].agg(aggregate)
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
