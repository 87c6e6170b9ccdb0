"""Columns of money that no parameter names: discounts, amounts refunded, shipping, taxes, tips, other amounts.

Their names are looked at first. Only if one is found, the engine adds its values up.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.config.report import Columns, Source
from crm_utils.sources import casting, preparation, validation
from crm_utils.sources.column_names import find_named_column
from crm_utils.sources.raw_table import RawTable

WORDS = {
    "refund": "refund refunds refunded erstattet erstattung rembourse remboursement reembolso reembolsado iade",
    "discount": "discount discounts promotion coupon voucher rabatt nachlass remise descuento desconto indirim",
    "shipping": "shipping freight postage handling versand versandkosten porto livraison envio frete kargo",
    "tax": "tax taxes vat gst mwst ust steuer tva iva kdv",
    "tip": "tip tips gratuity trinkgeld pourboire propina gorjeta bahsis",
    "gift card": "giftcard giftcards geschenkkarte geschenkgutschein hediyekarti",
}
# Two words that mean a gift card only together
GIFT_CARDS = (
    {"gift", "card"},
    {"gift", "cards"},
    {"carte", "cadeau"},
    {"cheque", "cadeau"},
    {"tarjeta", "regalo"},
    {"cartao", "presente"},
    {"hediye", "karti"},
    {"hediye", "ceki"},
)
OTHER_WORDS = (
    "address city class code count country currency date email id included method name no number option phone postcode "
    "provider quantity reason region service state status street time title tracking type zip"
)
MONEY_WORDS = {"amount", "value", "total", "betrag", "montant", "importe", "tutar"}  # of what is no rate
RATE_WORDS = {"rate", "percent", "percentage", "pct", "prozent"}
# An amount of this name is what was paid in the end: only a refund can still change it.
FINAL_WORDS = {"total", "paid", "gross", "grand", "gesamt", "gesamtpreis", "gesamtbetrag", "summe", "montant"}
LINE_WORDS = {"line", "item"}
TAKEN_OFF = ("refund", "discount", "gift card")
RETURNED = "pieces sent back"  # the kind of a column that counts them
RETURN_WORDS = {"returned", "returns", "return", "refunded", "cancelled", "canceled", "zuruck", "retour", "retoure"}
QUANTITY_WORDS = {"quantity", "qty", "units", "pieces", "items", "menge", "anzahl", "quantite", "cantidad"}
OTHER_AMOUNT = "other amount"  # the kind of a column that may be the amount in place of the one that is
# Words in names of totals and values that are no sales
NO_SALES = "cost costs profit margin balance commission points weight stock target budget items orders lifetime ltv"
MIN_NUMBERS = 0.9  # share of the values that must be numbers


@dataclass(frozen=True)
class UnassignedMoney:
    """A column of money that no parameter names.

    Parameters
    ----------
    column : str
        The source's own name of it.
    kind : str
        A key of `WORDS`, `RETURNED` or `OTHER_AMOUNT`.
    rows : int
        The sales in which it is not 0.
    total : float
        What it is worth in these sales, in the source's currency: positive, unless it is another amount.
    sign : int
        1 if it adds to the amount as it stands, -1 if it must be taken off.
    once_per_order : bool
        Whether it is an amount of the whole order that stands on several rows.
    rate : bool
        Whether it holds rates between 0 and 1 instead of money.
    percent : bool
        Whether these are written as 10 instead of 0.1.
    counted : float
        What the sales are worth by the parameters.
    """

    column: str
    kind: str
    rows: int
    total: float
    sign: int
    once_per_order: bool = False
    rate: bool = False
    percent: bool = False
    counted: float = 0.0

    @property
    def at_stake(self) -> float:
        """By how much it can change the revenue."""
        return abs(self.total - self.counted) if self.kind == OTHER_AMOUNT else self.total


def sum_unassigned_money(parts: list[RawTable], source: Source, columns: Columns, root: Path) -> list[UnassignedMoney]:
    """Find the columns of money that no parameter names, and add them up.

    Parameters
    ----------
    parts : list of RawTable
        The files or sheets.
    source : Source
        Its rules say which rows are sales.
    columns : Columns
        The source's column for each standard name.
    root : Path
        The project's folder.

    Returns
    -------
    list of UnassignedMoney
        In the order of the columns.
    """
    kinds = {name: kind for name in parts[0].table.columns if (kind := _kind(name, source, columns))}
    if not kinds:
        return []
    sums = [_sum_columns(part, source, columns, root, list(kinds)) for part in parts]
    found = [
        _describe(name, kind, pd.DataFrame([each[name] for each in sums if name in each]), "order_id" in columns.named)
        for name, kind in kinds.items()
    ]
    return [column for column in found if column is not None]


def _kind(name: str, source: Source, columns: Columns) -> str | None:
    """What a column holds by its name, if no parameter names it and the amount may not contain it already."""
    status = source.status.column if source.status else None
    if name in columns.named.values() or name == status or name in (source.filter or ""):
        return None
    words = _words(name)
    if words & RETURN_WORDS and words & QUANTITY_WORDS and columns.amount is None:
        return RETURNED
    if words & set(OTHER_WORDS.split()):
        return None
    kind = next((kind for kind, known in WORDS.items() if words & set(known.split())), None)
    if any(pair <= words for pair in GIFT_CARDS):
        kind = "gift card"
    if kind is None:
        return OTHER_AMOUNT if find_named_column([name], "amount") and not words & set(NO_SALES.split()) else None
    if words & RATE_WORDS and kind != "discount":
        return None
    amount = _words(columns.amount) if isinstance(columns.amount, str) else set()
    is_final = bool(amount & FINAL_WORDS) and not amount & LINE_WORDS
    return kind if kind == "refund" or not is_final else None


def _words(name: str) -> set[str]:
    plain = str.maketrans("äöüéèáãóíñşıçğ", "aoueeaaoinsicg")
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold().translate(plain)
    return set(re.findall(r"[^\W\d_]+", spaced))


def _sum_columns(
    part: RawTable, source: Source, columns: Columns, root: Path, names: list[str]
) -> dict[str, pd.Series]:
    """Add up each column, by order if there are order ids: an amount of the whole order may stand on each row."""
    sales = preparation.sales_of(preparation.prepare(part, source, columns, root)).table
    order = columns.named.get("order_id")
    found = {}
    for name in (name for name in names if name in sales.columns):
        number = casting.as_factor(sales[name], part.format)
        filled = sales[name].cast("string").strip().nullif("").notnull()
        table = sales.select(
            key=casting.cast(sales[order], "order_id", part.format) if order else sales[name].cast("string"),
            number=number.fill_null(0),
            amount=_amount(sales, columns, part).fill_null(0),
            price=_price(sales, columns, part).fill_null(0),
            unread=(filled & number.isnull()).ifelse(1, 0),
        )
        found[name] = _sum_by_order(table, part)
    return found


def _amount(sales: ir.Table, columns: Columns, part: RawTable) -> ir.NumericValue:
    """What a row is worth, approximately."""
    if isinstance(columns.amount, str):
        return casting.as_factor(sales[columns.amount], part.format)
    quantity, price = (sales[columns.named[name]] for name in ("quantity", "unit_price"))
    return casting.as_factor(quantity, part.format) * casting.as_factor(price, part.format)


def _price(sales: ir.Table, columns: Columns, part: RawTable) -> ir.NumericValue:
    """What a piece is worth."""
    own = columns.unit_price
    return ibis.literal(0.0) if own is None else casting.as_factor(sales[own], part.format)


def _sum_by_order(table: ir.Table, part: RawTable) -> pd.Series:
    orders = table.group_by("key").agg(
        used=(table.number != 0).ifelse(1, 0).sum(),
        total=table.number.sum(),
        low=table.number.min(),
        high=table.number.max(),
        off=(table.number * table.amount).sum(),
        cheapest=table.amount.min(),
        dearest=table.amount.max(),
        unread=table.unread.sum(),
        counted=table.amount.sum(),
        back=(table.number * table.price).sum(),
    )
    # rows of different amounts: equal ones may be one row that stands there twice
    several = (orders.cheapest < orders.dearest) & (orders.used > 0)
    sums = orders.aggregate(
        rows=orders.used.sum(),
        total=orders.total.sum(),
        once=orders.high.sum(),
        low=orders.low.min(),
        high=orders.high.max(),
        off=orders.off.sum(),
        unread=orders.unread.sum(),
        counted=orders.counted.sum(),
        back=orders.back.sum(),
        several=several.ifelse(1, 0).sum(),
        differing=(several & (orders.low != orders.high)).ifelse(1, 0).sum(),
    )
    return validation.execute(sums, part).iloc[0].fillna(0)


def _describe(name: str, kind: str, sums: pd.DataFrame, has_order_ids: bool) -> UnassignedMoney | None:
    """What a column of all parts holds; None if it holds no money."""
    rows, unread = sums.rows.sum(), sums.unread.sum()
    if not rows or rows < MIN_NUMBERS * (rows + unread):
        return None
    if kind == RETURNED:
        return UnassignedMoney(name, kind, int(rows), float(sums.back.sum()), -1)
    is_percent = bool(_words(name) & RATE_WORDS) and sums.high.max() > 1
    is_rate = sums.high.max() <= 1 and not _words(name) & MONEY_WORDS
    if kind == "discount" and sums.low.min() >= 0 and (is_rate or is_percent):
        off = abs(float(sums.off.sum())) / (100 if is_percent else 1)
        return UnassignedMoney(name, kind, int(rows), off, -1, rate=True, percent=is_percent)
    once = has_order_ids and bool(sums.several.sum() and not sums.differing.sum())
    total = float((sums.once if once else sums.total).sum())
    if kind == OTHER_AMOUNT:
        return UnassignedMoney(name, kind, int(rows), total, 1, once, counted=float(sums.counted.sum()))
    sign = -1 if kind in TAKEN_OFF and total > 0 else 1
    return UnassignedMoney(name, kind, int(rows), abs(total), sign, once)
