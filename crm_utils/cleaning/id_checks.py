"""Checks of customer ids and order numbers, on all orders. Nothing here changes a figure."""

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.cleaning.data_quality import ORDER_MAX_DAYS, Check, CheckResult, is_large_account

# Ids, in lower case and without blanks and punctuation, that systems give to buyers whom they do not know
# fmt: off
NOBODY = (
    "guest", "guests", "guestuser", "guestcheckout", "guestcustomer", "gast", "gastkunde", "invite", "invitado",
    "convidado", "misafir", "visitor", "visitante", "walkin", "walkincustomer", "laufkunde", "laufkundschaft",
    "barverkauf", "cash", "cashcustomer", "cashsale", "anonymous", "anonymousbuyer", "anonym", "anonymus", "anonyme",
    "anonimo", "anon", "unknown", "unknowncustomer", "unbekannt", "inconnu", "desconocido", "na", "none", "null",
    "undefined", "notavailable", "nocustomer", "nobody", "default", "defaultcustomer", "dummy", "dummycustomer",
    "testcustomer", "noreply", "donotreply", "consumidorfinal", "onlinecustomer", "retailcustomer",
)
# fmt: on
PUNCTUATION = r"[\s\-_./()*#?']"
ZERO, NEGATIVE = r"^0+(\.0+)?$", r"^-\d+$"
# The name before the @ of an address that nobody reads
NOBODY_MAIL = r"^(guest|no-?reply|do-?not-?reply|anonymous|walk-?in|pos|unknown)@"
# How a spreadsheet writes a long number: 4.91520E+11
SHORTENED = r"^\d([.,]\d+)?[eE]\+?\d{2,3}$"
# Someone with fewer orders is no cause for doubt.
MIN_ORDERS = 50
# No person places this share of all orders, or so many orders on each day with an order.
PERSON_MAX_SHARE, PERSON_MAX_A_DAY = 0.1, 3
# Order numbers used twice are a warning from this share of all order numbers.
MIN_REUSED_SHARE = 0.001
# Ids changed on a day if hardly anyone bought both before and after it: at most this share of what is usual,
# among at least so many repeat buyers, of whom this share started before it, and this share ended after it.
CHANGED_SHARE, CHANGED_MIN_CUSTOMERS, CHANGED_MIN_PART = 0.1, 20, 0.2
# How many ids a sentence names
NAMED = 3


def run_id_checks(sums: ir.Table, has_order_ids: bool) -> list[CheckResult]:
    """Check whether each id is one customer, and each order number one order.

    Parameters
    ----------
    sums : ibis.Table
        Line items summed by customer, order and rule (see `aggregate_lines`).
    has_order_ids : bool
        Whether the source has order numbers; without them they are not checked.

    Returns
    -------
    list of CheckResult
        One result for each `Check` of ids, in its order.
    """
    orders = sums.filter(sums.removed_by.isnull())
    each = _summarize_customers(orders, has_order_ids).cache()
    of_all = each.aggregate(customers=each.count(), orders=each.orders.sum(), revenue=each.revenue.sum())
    found = of_all.execute().iloc[0]
    return [
        _check_nobody(each),
        _check_heavy_id(each, found.orders),
        _check_shortened(each),
        _check_leading_zeros(each),
        _check_order_ids(orders) if has_order_ids else CheckResult(Check.ORDER_IDS, True),
        _check_ids_changed(each),
        _check_large_account(each, found.revenue, found.customers),
    ]


def _summarize_customers(orders: ir.Table, has_order_ids: bool) -> ir.Table:
    """Return one row per customer: customer_id, orders, days with an order, revenue, first and last day.

    Without order numbers, orders are the days with an order.
    """
    day = orders.ordered_at.date()
    return orders.group_by("customer_id").agg(
        orders=orders.count() if has_order_ids else day.nunique(),
        days=day.nunique(),
        revenue=orders.revenue.sum().cast("float64"),
        first=day.min(),
        last=day.max(),
    )


def _check_nobody(each: ir.Table) -> CheckResult:
    """Look for ids that a system gives to all buyers it does not know.

    An id of zeros is one, unless customers are numbered from 0 and it has no more orders than others.
    """
    bare = each.customer_id.lower().re_replace(PUNCTUATION, "")
    named = bare.isin(NOBODY) | each.customer_id.lower().re_search(NOBODY_MAIL) | each.customer_id.re_search(NEGATIVE)
    zero = each.customer_id.re_search(ZERO)
    found = each.filter(named | zero | (bare == "")).order_by(ibis.desc("orders"), "customer_id").execute()
    is_zero = found.customer_id.str.fullmatch(ZERO[1:-1])
    if is_zero.any():
        others = each.filter(~zero)
        usual = others.aggregate(most=others.orders.max(), ones=(others.customer_id == "1").sum()).execute().iloc[0]
        if usual.ones:
            found = found[~is_zero | (found.orders > 2 * usual.most)]
    return _of_ids(Check.NOBODY_IDS, found)


def _check_heavy_id(each: ir.Table, all_orders: int) -> CheckResult:
    """Look for ids with more orders than a person places."""
    many = (each.orders >= PERSON_MAX_SHARE * all_orders) | (each.orders >= PERSON_MAX_A_DAY * each.days)
    found = each.filter((each.orders >= MIN_ORDERS) & many).order_by(ibis.desc("orders"), "customer_id").execute()
    return _of_ids(Check.HEAVY_IDS, found)


def _check_shortened(each: ir.Table) -> CheckResult:
    found = each.filter(each.customer_id.re_search(SHORTENED)).order_by(ibis.desc("orders"), "customer_id").execute()
    return _of_ids(Check.SHORTENED_IDS, found)


def _check_leading_zeros(each: ir.Table) -> CheckResult:
    """Look for numbers that differ from another id in leading zeros only."""
    longer = each.filter(each.customer_id.re_search(r"^0+[1-9]\d*$"))
    longer = longer.mutate(number=longer.customer_id.re_replace("^0+", ""))
    shorter = each.select(number="customer_id")
    found = longer.inner_join(shorter, "number").order_by(ibis.desc("orders"), "customer_id").execute()
    result = _of_ids(Check.LEADING_ZEROS, found)
    pairs = tuple(f"{row.customer_id} and {row.number}" for row in found.head(1).itertuples())
    return CheckResult(result.check, result.passed, result.value, result.reference, names=pairs)


def _of_ids(check: Check, found: pd.DataFrame) -> CheckResult:
    """Return a warning if any id was found: how many, with how many orders, and the first of them by name."""
    names = tuple(found.customer_id.head(NAMED))
    return CheckResult(check, found.empty, float(len(found)), float(found.orders.sum()), names=names)


def _check_order_ids(orders: ir.Table) -> CheckResult:
    """Look for order numbers of several customers, or with lines on days far apart."""
    numbers = orders.group_by("order_id").agg(
        customers=orders.customer_id.nunique(), first=orders.first_at.min(), last=orders.ordered_at.max()
    )
    apart = numbers["last"].date().delta(numbers["first"].date(), unit="day") > ORDER_MAX_DAYS
    shared = numbers.customers > 1
    found = numbers.aggregate(
        numbers=numbers.count(),
        shared=shared.sum(),
        apart=(apart & ~shared).sum(),
        example=numbers.order_id.min(where=shared | apart),
    )
    row = found.execute().iloc[0].fillna(0)
    passed = row.shared + row.apart <= MIN_REUSED_SHARE * row.numbers
    names = () if passed else (str(row.example),)
    return CheckResult(Check.ORDER_IDS, bool(passed), float(row.shared), float(row.apart), names=names)


def _check_ids_changed(each: ir.Table) -> CheckResult:
    """Look for a day before and after which hardly any repeat buyer bought, though usually many do."""
    again = each.filter(each.days > 1)
    begun = again.group_by(day=again["first"]).agg(begun=again.count()).execute()
    ended = again.group_by(day=again["last"]).agg(ended=again.count()).execute()
    days = begun.merge(ended, on="day", how="outer").fillna(0).sort_values("day", ignore_index=True)
    days["day"] = pd.to_datetime(days.day)
    # Of the repeat buyers, those whose first day is before a day, those whose last day is not, and those of both
    before = days.begun.cumsum() - days.begun
    after = days.ended.sum() - (days.ended.cumsum() - days.ended)
    both = before - (days.ended.sum() - after)
    inside = pd.concat([before, after], axis=1).min(axis=1) >= CHANGED_MIN_PART * days.begun.sum()
    usual = both[inside].median()
    if not inside.any() or usual < CHANGED_MIN_CUSTOMERS or both[inside].min() > CHANGED_SHARE * usual:
        return CheckResult(Check.IDS_CHANGED, True)
    at = both[inside].idxmin()
    return CheckResult(Check.IDS_CHANGED, False, float(both[at]), float(before[at]), day=days.day[at])


def _check_large_account(each: ir.Table, revenue: float, customers: int) -> CheckResult:
    """Look at the customer who brought most."""
    if not customers:
        return CheckResult(Check.LARGE_ACCOUNT, True)
    largest = each.order_by(ibis.desc("revenue"), "customer_id").limit(1).execute().iloc[0]
    share = largest.revenue / revenue
    large = is_large_account(share, int(customers))
    return CheckResult(Check.LARGE_ACCOUNT, not large, float(share), names=(largest.customer_id,) if large else ())
