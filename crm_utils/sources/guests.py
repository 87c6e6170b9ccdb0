"""Customer ids that stand for nobody: what happens to their orders."""

import ibis
import ibis.expr.types as ir

from crm_utils.config.report import Guests, fold
from crm_utils.core.errors import SourceError
from crm_utils.core.formatting import join_names
from crm_utils.sources.joined_ids import MARK
from crm_utils.sources.preparation import Exclusion

PREFIX = "guest order "  # of the ids that guest orders get


def treat_guests(lines: ir.Table, guests: Guests | None, are_joined: bool) -> ir.Table:
    """Leave out the rows of guests, or make each of their orders a customer.

    Parameters
    ----------
    lines : ibis.Table
        Line items.
    guests : Guests or None
        The ids that stand for nobody, and what to do with them.
    are_joined : bool
        Whether customer ids are made of several columns; the last of these is compared then.

    Returns
    -------
    ibis.Table
        The line items: with `excluded_by` (drop), or with the customer id `guest order <order id>` (each_order). A
        refund that names an order belongs to the guest of that order.

    Raises
    ------
    SourceError
        If no row has any of the ids.
    """
    if guests is None:
        return lines
    found = is_guest(lines.customer_id, guests.ids, are_joined)
    if not lines.aggregate(found=found.sum()).execute().found.fillna(0)[0]:
        shown = join_names([repr(name) for name in guests.ids])
        raise SourceError(
            f"source.guests: no row has the customer id {shown}; correct the ids, or remove the parameter"
        )
    if guests.treat == "each_order":
        order = lines.order_id
        if "refund_of" in lines.columns:
            order = ibis.coalesce(lines.refund_of, order)
        return lines.mutate(customer_id=ibis.ifelse(found, ibis.literal(PREFIX) + order, lines.customer_id))
    code = str(Exclusion.GUEST)
    if "excluded_by" not in lines.columns:
        return lines.mutate(excluded_by=ibis.ifelse(found, code, ibis.null("string")))
    return lines.mutate(excluded_by=ibis.ifelse(found & lines.excluded_by.isnull(), code, lines.excluded_by))


def is_guest(customer_id: ir.StringValue, ids: list[str], are_joined: bool = False) -> ir.BooleanValue:
    """Whether a customer id is one of these, without case and outer blanks. "" stands for a missing id."""
    folded = [fold(name) for name in ids]
    text = customer_id.fill_null("").lower()
    found = text.isin(folded)
    for name in folded if are_joined else []:
        found = found | text.endswith(f"{MARK}{name}")
    return found
