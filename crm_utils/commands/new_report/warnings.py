"""What the owner of a guessed parameters file should check, since the values cannot tell: one line each."""

import pandas as pd

from crm_utils.commands.new_report.inference import AROUND, CODES, FEW_IDS, MOST, agrees, best
from crm_utils.core.formatting import join_names, percent

NO_SALE = (
    "cancelled canceled refunded refund failed voided void pending unpaid declined returned rejected expired "
    "chargeback storniert noshow"
)
FEW_STATES, CENTS = 15, 1000


def list_warnings(sample: pd.DataFrame, columns: dict[str, str], written: dict[str, str]) -> list[str]:
    """What to check about the columns that were found. `written` is from `guess.number_format`."""
    free = [name for name in sample.columns if name not in columns.values()]
    said = []
    if "order_id" not in columns:
        said.append("columns.order_id: no column looks like it, so each row counts as an order of its own")
    said += _of_amounts(sample, columns, written, free)
    said += [line for name in free for line in _of_states(sample[name], name)]
    if "customer_id" in columns:
        said += _of_ids(sample[columns["customer_id"]], columns["customer_id"])
    return said


def _of_amounts(sample: pd.DataFrame, columns: dict[str, str], written: dict[str, str], free: list[str]) -> list[str]:
    said = []
    totals = [name for name in free if agrees(sample[name], "amount") and best([name], "amount")]
    amount = columns.get("amount")
    if {"quantity", "unit_price"} <= set(columns):
        counted = _numbers(sample[columns["quantity"]], written) * _numbers(sample[columns["unit_price"]], written)
        for name in totals:
            off = ((_numbers(sample[name], written) - counted).abs() > 0.01 * counted.abs().clip(lower=1)).mean()
            if off > 0.02 and not _of_whole_orders(sample, columns, name):
                said.append(
                    f"amounts: quantity × price is counted, from which {name!r} differs in {percent(off)} of rows: "
                    f"write columns.amount: {name} in their place if that is what was paid"
                )
    elif amount is None and (prices := [name for name in free if best([name], "unit_price")]):
        said.append(f"columns.quantity: no column looks like it; with it, {prices[0]!r} would be columns.unit_price")
    elif amount:
        said += [f"columns.amount: {name!r} would do as well as {amount!r}" for name in totals]
        if _of_whole_orders(sample, columns, amount):
            said.append(
                f"columns.amount: {amount!r} is the same on all rows of an order: if it is the order's total, "
                "it counts once a row"
            )
        if best([amount], "unit_price") and not best([amount], "amount"):
            said.append(
                f"columns.amount: {amount!r} is counted as what a row costs; a price of one piece needs a quantity"
            )
    return said + _of_cents(sample, columns, written)


def _of_cents(sample: pd.DataFrame, columns: dict[str, str], written: dict[str, str]) -> list[str]:
    name = columns.get("amount") or columns.get("unit_price")
    values = _numbers(sample[name], written).dropna() if name else pd.Series(dtype=float)
    if len(values) < FEW_IDS or (values % 1 != 0).any() or values.median() < CENTS or (values % 10 == 0).mean() > 0.5:
        return []
    return [
        f"amounts: {name!r} holds whole numbers such as {values.iloc[0]:.0f}: if these are cents, export them in full"
    ]


def _of_states(values: pd.Series, name: str) -> list[str]:
    """Rows that may be no sales, and currencies that are added up."""
    texts = values.dropna().str.strip()
    codes = sorted(set(texts))
    if len(codes) > 1 and set(codes) <= set(CODES):
        return [f"currency: column {name!r} holds {join_names(codes)}, whose amounts are added up as they stand"]
    plain = texts.str.casefold().str.replace(r"[^a-z]", "", regex=True)
    off = plain.isin(NO_SALE.split())
    if len(codes) > FEW_STATES or not off.any() or off.all():
        return []
    shown = join_names([repr(text) for text in sorted(set(texts[off]))])
    return [
        f"rows: column {name!r} holds {shown} in {percent(off.mean())} of rows, which count like all others: "
        "leave them out of the file if they are no sales"
    ]


def _of_ids(values: pd.Series, name: str) -> list[str]:
    """Ids that differ in nothing but case."""
    ids = values.dropna().str.strip().drop_duplicates()
    alike = ids[ids.str.casefold().duplicated(keep=False)].sort_values(key=lambda ids: ids.str.casefold())
    if alike.empty:
        return []
    return [
        f"customers: {len(alike)} ids of {name!r} differ from another only in case, "
        f"such as {alike.iloc[0]!r} and {alike.iloc[1]!r}: they count as customers of their own; "
        "write them alike in the file if they are one"
    ]


def _numbers(texts: pd.Series, written: dict[str, str]) -> pd.Series:
    bare = texts.str.replace(AROUND, "", regex=True).str.replace(written.get("thousands", "'"), "", regex=False)
    return pd.to_numeric(bare.str.replace(written.get("decimal", "."), ".", regex=False), errors="coerce")


def _of_whole_orders(sample: pd.DataFrame, columns: dict[str, str], name: str) -> bool:
    """Whether a column tells one thing of each order, though orders have several rows and orders differ."""
    if "order_id" not in columns:
        return False
    orders = sample.groupby(columns["order_id"])[name]
    several = orders.nunique()[orders.size() > 1]
    return len(several) >= FEW_IDS and (several == 1).mean() > MOST and sample[name].nunique() > FEW_IDS
