"""Points that the owner of a guessed parameters file should check, one line each."""

from collections.abc import Mapping

import pandas as pd

from crm_utils.commands.new_report.inference import AROUND, FEW_IDS, MIN_SHARE, agrees
from crm_utils.config.report import Status
from crm_utils.core.duckdb_engine import concatenate
from crm_utils.core.formatting import MESSAGES, join_names, percent
from crm_utils.sources.column_names import find_named_column
from crm_utils.sources.email_ids import EMAIL, count_spellings
from crm_utils.sources.raw_table import RawTable

NOT_A_SALE = (
    "cancelled canceled refunded refund failed voided void pending unpaid declined returned rejected expired "
    "chargeback storniert noshow"
)
FEW_STATES, CENTS = 15, 1000
ALIKE_EMAILS = (
    "customers: {addresses} of {name!r} differ from another only in +tags or in the dots of Gmail; if they are the "
    "same people, add ignore_in_emails: [plus_tags, gmail_dots] to source"
)
NO_ORDER_ID = "columns.order_id: no such column was found, so {counted}"
ROWS_OF_A_DAY, EACH_ROW = "all rows of a customer and day count as one order", "each row counts as one order"


def list_warnings(sample: pd.DataFrame, columns: dict[str, str], written: dict[str, str]) -> list[str]:
    """Return the points to check about the columns found. `written` comes from `inference.number_format`."""
    free = [name for name in sample.columns if name not in columns.values()]
    lines = []
    if "order_id" not in columns:
        has_products = "product_id" in columns or "description" in columns
        lines.append(NO_ORDER_ID.format(counted=ROWS_OF_A_DAY if has_products else EACH_ROW))
    return lines + _check_amounts(sample, columns, written, free)


def _check_amounts(
    sample: pd.DataFrame, columns: dict[str, str], written: dict[str, str], free: list[str]
) -> list[str]:
    lines = []
    totals = [name for name in free if agrees(sample[name], "amount") and find_named_column([name], "amount")]
    amount = columns.get("amount")
    if {"quantity", "unit_price"} <= set(columns):
        counted = _numbers(sample[columns["quantity"]], written) * _numbers(sample[columns["unit_price"]], written)
        for name in totals:
            off = ((_numbers(sample[name], written) - counted).abs() > 0.01 * counted.abs().clip(lower=1)).mean()
            if off > 0.02 and not _is_order_total(sample, columns, name):
                lines.append(
                    f"amounts: quantity × price is used; {name!r} differs from it in {percent(off)} of rows. "
                    f"Write columns.amount: {name} instead if that is the amount paid"
                )
    elif amount is None and (prices := [name for name in free if find_named_column([name], "unit_price")]):
        lines.append(f"columns.quantity: no such column was found; with one, {prices[0]!r} would be columns.unit_price")
    elif amount:
        lines += [f"columns.amount: {name!r} is possible as well as {amount!r}" for name in totals]
        if _is_order_total(sample, columns, amount):
            lines.append(
                f"columns.amount: {amount!r} is the same in all rows of an order; if it is the order's total, "
                "it is counted several times, once per row"
            )
        if find_named_column([amount], "unit_price") and not find_named_column([amount], "amount"):
            lines.append(
                f"columns.amount: {amount!r} is used as the amount of the whole row; if it is the price of one unit, "
                "a quantity is needed too"
            )
    return lines + _check_cents(sample, columns, written)


def _check_cents(sample: pd.DataFrame, columns: dict[str, str], written: dict[str, str]) -> list[str]:
    name = columns.get("amount") or columns.get("unit_price")
    values = _numbers(sample[name], written).dropna() if name else pd.Series(dtype=float)
    if len(values) < FEW_IDS or (values % 1 != 0).any() or values.median() < CENTS or (values % 10 == 0).mean() > 0.5:
        return []
    return [
        f"amounts: {name!r} contains whole numbers such as {values.iloc[0]:.0f}; "
        f"if these are cents, export them as {values.iloc[0] / 100:.2f}"
    ]


def check_states(counted: Mapping[str, pd.DataFrame], status: Status | None) -> list[str]:
    """Find rows that may not be sales. `counted` comes from `statuses.count_texts`, so all rows are judged."""
    lines = []
    for name, values in counted.items():
        plain = values.value.str.casefold().str.replace(r"[^a-z]", "", regex=True)
        off = plain.isin(NOT_A_SALE.split())
        if (status and name == status.column) or len(values) > FEW_STATES or not off.any() or off.all():
            continue
        states = join_names([repr(text) for text in sorted(values.value[off])])
        share = percent(values.rows[off].sum() / values.rows.sum())
        lines.append(
            f"rows: column {name!r} contains {states} in {share} of rows, which are "
            "counted as sales; leave them out with source.filter if they are not"
        )
    return lines


def check_ids(parts: list[RawTable], name: str) -> list[str]:
    """Find ids that differ only in case, and e-mail addresses that differ only in what is often ignored.

    The engine compares the ids of all rows.
    """
    texts = [part.table[name] for part in parts if part.table[name].type().is_string()]
    if not texts:
        return []  # numbers have one spelling
    written = concatenate([text.strip().nullif("").name("spelling").as_table().distinct() for text in texts])
    lines = []
    if alike := count_spellings([written], []).alike:
        lines.append(ALIKE_EMAILS.format(addresses=MESSAGES.plural(alike, "address", "addresses"), name=name))
    ids = written.filter(~written.spelling.contains(EMAIL)).distinct()
    groups = ids.group_by(lower=ids.spelling.lower()).agg(
        ids=ids.count(), first=ids.spelling.min(), last=ids.spelling.max()
    )
    groups = groups.filter(groups.ids > 1)
    found = groups.mutate(all_ids=groups.ids.sum().over()).order_by("lower").limit(1).execute()
    if len(found):
        lines.append(
            f"customers: {MESSAGES.count(found.all_ids[0])} ids of {name!r} differ from another id only in case, "
            f"such as {found['first'][0]!r} and {found['last'][0]!r}; they count as different customers; "
            "write them the same way in the file if they are one customer"
        )
    return lines


def _numbers(texts: pd.Series, written: dict[str, str]) -> pd.Series:
    bare = texts.str.replace(AROUND, "", regex=True).str.replace(written.get("thousands", "'"), "", regex=False)
    return pd.to_numeric(bare.str.replace(written.get("decimal", "."), ".", regex=False), errors="coerce")


def _is_order_total(sample: pd.DataFrame, columns: dict[str, str], name: str) -> bool:
    """Whether a column has one value per order, although orders have several rows and their values differ."""
    if "order_id" not in columns:
        return False
    orders = sample.groupby(columns["order_id"])[name]
    several = orders.nunique()[orders.size() > 1]
    return len(several) >= FEW_IDS and (several == 1).mean() > MIN_SHARE and sample[name].nunique() > FEW_IDS
