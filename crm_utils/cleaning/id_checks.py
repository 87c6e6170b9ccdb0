"""Checks of customer ids and order numbers, on all orders. Nothing here changes a figure."""

from collections.abc import Callable

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.cleaning.data_quality import ORDER_MAX_DAYS, Check, CheckResult, is_large_account
from crm_utils.sources.email_ids import EMAIL, EmailSpellings, SharedEmails
from crm_utils.sources.guests import PREFIX

# Ids, in lower case and without blanks and punctuation, that systems give to buyers whom they do not know
# fmt: off
NOBODY = (
    "guest", "guests", "guestuser", "guestcheckout", "guestcustomer", "guestorder", "visitor", "walkin", "walkins",
    "walkincustomer", "walkinclient", "cash", "cashcustomer", "cashsale", "cashsales", "counter", "countersale",
    "anonymous", "anonymousbuyer", "anon", "unknown", "unknowncustomer", "unregistered", "na", "none", "null", "nil",
    "undefined", "notavailable", "notapplicable", "nocustomer", "nobody", "noone", "noname", "default",
    "defaultcustomer", "dummy", "dummycustomer", "testcustomer", "noreply", "donotreply", "onlinecustomer",
    "retailcustomer", "misc", "various", "generic", "onetimecustomer", "consumer",
    "gast", "gaste", "gastkunde", "gastbestellung", "gastkonto", "laufkunde", "laufkundschaft", "barverkauf",
    "barkunde", "barzahler", "thekenkunde", "thekenverkauf", "einmalkunde", "anonym", "anonymus", "anonymerkunde",
    "unbekannt", "unbekannterkunde", "diverse", "diversekunden", "diverser", "cpd", "keinkunde", "ohnekunde",
    "invite", "clientinvite", "visiteur", "anonyme", "clientanonyme", "inconnu", "clientinconnu", "clientdepassage",
    "passage", "clientcomptoir", "comptoir", "ventecomptoir", "clientdivers", "divers", "clientoccasionnel", "aucun",
    "invitado", "clienteinvitado", "visitante", "anonimo", "clienteanonimo", "desconocido", "clientedesconocido",
    "clienteocasional", "clientegenerico", "clientecontado", "clientemostrador", "mostrador", "ventamostrador",
    "publicogeneral", "publicoengeneral", "consumidorfinal", "clientefinal", "clientevarios", "varios", "ninguno",
    "convidado", "clienteconvidado", "desconhecido", "clientedesconhecido", "clientebalcao", "balcao", "vendabalcao",
    "clienteavulso", "avulso", "clientepadrao", "naoidentificado", "clientenaoidentificado", "semcadastro", "nenhum",
    "misafir", "misafirmusteri", "ziyaretci", "anonimmusteri", "anonim", "bilinmeyen", "bilinmiyor", "perakende",
    "perakendemusteri", "perakendesatis", "muhtelif", "muhtelifmusteri", "gecicimusteri", "nihaituketici", "pesinsatis",
)
# fmt: on
ACCENTS, PLAIN = "äöüéèêáàâãíóõúçñşığ", "aoueeeaaaaiooucnsig"
PUNCTUATION = r"[\s\-_./()*#?']"
ZERO, NEGATIVE = r"^0+(\.0+)?$", r"^-\d+$"
# The name before the @ of an address that nobody reads
NOBODY_MAIL = r"^(guest|no-?reply|do-?not-?reply|anonymous|walk-?in|pos|unknown)@"
# More negative ids than this are customers; a system uses one or two of them for nobody.
MAX_NEGATIVE = 3
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
# Addresses that differ in tags and dots only are a warning from this share of customers.
MIN_SPELLINGS_SHARE = 0.01
# More customers than this share have the e-mail address of another: a warning.
MIN_SHARED_SHARE = 0.01


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
    each = summarize_customers(orders, has_order_ids).cache()
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


def check_email_ids(sums: ir.Table, spellings: Callable[[], EmailSpellings]) -> list[CheckResult]:
    """Check whether e-mail addresses as customer ids are written in several ways.

    The source is only read again if customer ids are e-mail addresses.

    Parameters
    ----------
    sums : ibis.Table
        Line items summed by customer, order and rule (see `aggregate_lines`).
    spellings : callable
        Counts how the source writes them (`sources.count_email_spellings`).

    Returns
    -------
    list of CheckResult
        `Check.EMAIL_IDS`: the spellings that were merged, and those that differ in +tags or dots only; empty if ids
        are no e-mail addresses.
    """
    if not sums.customer_id.contains(EMAIL).any().execute():
        return []
    found = spellings()
    passed = found.alike <= MIN_SPELLINGS_SHARE * found.customers
    return [CheckResult(Check.EMAIL_IDS, passed, float(found.merged), float(found.alike))]


def check_shared_emails(shared: Callable[[], SharedEmails | None], customers: int) -> list[CheckResult]:
    """Check whether an e-mail address stands beside several customer ids.

    Parameters
    ----------
    shared : callable
        Counts them (`sources.find_shared_emails`).
    customers : int
        The customers who count.

    Returns
    -------
    list of CheckResult
        `Check.SHARED_EMAILS`: the ids that share an address, and the addresses; empty if the source has no column of
        addresses beside the customer id.
    """
    found = shared()
    if found is None:
        return []
    passed = found.ids - found.addresses <= MIN_SHARED_SHARE * customers
    return [CheckResult(Check.SHARED_EMAILS, passed, float(found.ids), float(found.addresses), names=(found.example,))]


def summarize_customers(orders: ir.Table, has_order_ids: bool) -> ir.Table:
    """Count the orders of each customer.

    Parameters
    ----------
    orders : ibis.Table
        Line items that count, summed by customer and order (see `aggregate_lines`).
    has_order_ids : bool
        Whether the source has order numbers; without them, orders are the days with an order.

    Returns
    -------
    ibis.Table
        One row per customer: customer_id, orders, days (with an order), revenue, first and last (day).
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
    """Look for ids that stand for nobody; if there is none, count the guest orders that are customers."""
    found = find_nobody(each)
    if len(found):
        return _of_ids(Check.NOBODY_IDS, found)
    guests = each.customer_id.startswith(PREFIX).sum().execute()
    return CheckResult(Check.NOBODY_IDS, True, float(guests or 0), 0.0)


def find_nobody(each: ir.Table) -> pd.DataFrame:
    """Find the ids that a system gives to all buyers it does not know.

    An id of zeros is one, unless customers are numbered from 0 and it has no more orders than others. A negative id is
    one, unless there are more than `MAX_NEGATIVE`.

    Parameters
    ----------
    each : ibis.Table
        See `summarize_customers`.

    Returns
    -------
    pandas.DataFrame
        The rows of these ids, those with most orders first.
    """
    ids = each.customer_id
    # most ids have a number, and the patterns take twenty times as long as this condition
    possible = each.filter(~ids.re_search("[1-9]") | ids.startswith("-") | ids.contains(EMAIL)).cache()
    ids = possible.customer_id
    plain = ids.lower().translate(ACCENTS, PLAIN)
    bare = plain.re_replace(PUNCTUATION, "")
    zero = ids.re_search(ZERO)
    named = bare.isin(NOBODY) | plain.re_search(NOBODY_MAIL) | ids.re_search(NEGATIVE)
    found = possible.filter(named | zero | (bare == "")).order_by(ibis.desc("orders"), "customer_id").execute()
    is_negative = found.customer_id.str.fullmatch(NEGATIVE[1:-1])
    if is_negative.sum() > MAX_NEGATIVE:
        found = found[~is_negative]
    is_zero = found.customer_id.str.fullmatch(ZERO[1:-1])
    if is_zero.any():
        others = each.filter(~each.customer_id.re_search(ZERO))
        usual = others.aggregate(most=others.orders.max(), ones=(others.customer_id == "1").sum()).execute().iloc[0]
        if usual.ones:
            found = found[~is_zero | (found.orders > 2 * usual.most)]
    return found


def _check_heavy_id(each: ir.Table, all_orders: int) -> CheckResult:
    return _of_ids(Check.HEAVY_IDS, find_heavy_ids(each, all_orders))


def find_heavy_ids(each: ir.Table, all_orders: int) -> pd.DataFrame:
    """Find the ids with more orders than a person places.

    Parameters
    ----------
    each : ibis.Table
        See `summarize_customers`.
    all_orders : int
        The orders of all customers.

    Returns
    -------
    pandas.DataFrame
        The rows of these ids, those with most orders first.
    """
    many = (each.orders >= PERSON_MAX_SHARE * all_orders) | (each.orders >= PERSON_MAX_A_DAY * each.days)
    return each.filter((each.orders >= MIN_ORDERS) & many).order_by(ibis.desc("orders"), "customer_id").execute()


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
