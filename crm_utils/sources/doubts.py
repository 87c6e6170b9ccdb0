"""What the columns of a source leave open: each is only looked at if a question asks for it."""

from collections.abc import Callable
from dataclasses import dataclass

from crm_utils.sources.email_ids import SharedEmails
from crm_utils.sources.price_basis import PriceBasis
from crm_utils.sources.shared_ids import SharedIds
from crm_utils.sources.unassigned_money import UnassignedMoney
from crm_utils.sources.unread_status import UnreadStatus


def no_doubt() -> None:
    """Return None: nothing is open."""


@dataclass(frozen=True)
class Doubts:
    """What may be read in another way than the parameters do.

    Parameters
    ----------
    unassigned_money : callable
        Returns the columns of money that no parameter names (see `sources.find_unassigned_money`).
    shared_ids : callable
        Returns the ids that are someone else in each store (see `sources.find_shared_ids`); None if there are none.
    price_basis : callable
        Returns what the price is the price of (see `sources.find_price_basis`); None if there is no doubt.
    shared_emails : callable
        Returns the ids that stand beside the same e-mail address (see `sources.find_shared_emails`); None if no other
        column holds addresses.
    unread_status : callable
        Returns a column of statuses that no parameter names (see `sources.find_unread_status`); None if there is none.
    """

    unassigned_money: Callable[[], list[UnassignedMoney]] = list
    shared_ids: Callable[[], SharedIds | None] = no_doubt
    price_basis: Callable[[], PriceBasis | None] = no_doubt
    shared_emails: Callable[[], SharedEmails | None] = no_doubt
    unread_status: Callable[[], UnreadStatus | None] = no_doubt
