"""Customer ids that are someone else in each store: other columns with names or e-mail addresses show it."""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.core.duckdb_engine import sample_groups
from crm_utils.sources.raw_table import RawTable

# Words in the names of columns
MAIL_WORDS = {"email", "mail", "courriel", "correo", "eposta", "emailaddress"}
STORE_WORDS = {"store", "shop", "branch", "outlet", "marketplace", "location", "filiale", "filialnummer", "laden"}
STORE_WORDS |= {"markt", "magasin", "boutique", "agence", "tienda", "sucursal", "loja", "filial", "magaza", "sube"}
PERSON_WORDS = {"name", "firstname", "lastname", "surname", "vorname", "nachname", "nom", "prenom", "nombre", "nome"}
PERSON_WORDS |= {"apellido", "ad", "soyad"}
OTHER_WORDS = {"product", "item", "sku", "article", "artikel", "store", "shop", "status", "method", "file", "company"}
OTHER_WORDS |= {"country", "city"}
STORE, PERSON = "store: ", "person: "  # before the names of columns, in the table that is compared
MAX_STORES = 500
# Of the ids in several stores, the share that must be of several people; of all ids in a store, the share that may be.
MIN_DIFFERENT, MAX_DIFFERENT_INSIDE = 0.5, 0.05


@dataclass(frozen=True)
class Candidates:
    """The columns that may name stores, e-mail addresses and people."""

    stores: list[str]
    mails: list[str]
    people: list[str]

    @property
    def names(self) -> dict[str, str]:
        """The columns to compare: their names in the table that is compared, and in the source."""
        people = dict.fromkeys([*self.mails, *self.people])
        return {STORE + name: name for name in self.stores} | {PERSON + name: name for name in people}

    @property
    def pairs(self) -> bool:
        """Whether stores can be compared."""
        return bool(self.stores and (self.mails or self.people))


@dataclass(frozen=True)
class SharedIds:
    """Ids that are someone else in each store.

    Parameters
    ----------
    store, person : str
        The columns that show it.
    ids : int
        All ids.
    differing : int
        Those that belong to several people.
    joined : int
        Pairs of store and id.
    """

    store: str
    person: str
    ids: int
    differing: int
    joined: int


def candidate_columns(parts: list[RawTable], columns: Mapping[str, object]) -> Candidates:
    """Select the columns of all parts that may name stores, e-mail addresses or people.

    Parameters
    ----------
    parts : list of RawTable
        The parts of the source.
    columns : mapping
        The source's column for each standard name; those of ids, dates and amounts are taken.

    Returns
    -------
    Candidates
        The columns.
    """
    taken = {str(columns.get(name)) for name in ("customer_id", "ordered_at", "order_id", "amount")}
    shared = set.intersection(*(set(part.table.columns) for part in parts)) - taken
    words = {name: words_of(name) for name in parts[0].table.columns if name in shared}
    return Candidates(
        stores=[name for name in words if words[name] & STORE_WORDS],
        mails=[name for name in words if words[name] & MAIL_WORDS],
        people=[name for name in words if words[name] & PERSON_WORDS and not words[name] & OTHER_WORDS],
    )


def compare_stores(rows: ir.Table) -> SharedIds | None:
    """Find a store column in whose stores the same ids are of different people.

    Parameters
    ----------
    rows : ibis.Table
        customer_id, and the columns of `Candidates.names` as text.

    Returns
    -------
    SharedIds or None
        None if there is no such column.
    """
    stores, people = ([name for name in rows.columns if name.startswith(prefix)] for prefix in (STORE, PERSON))
    for store, person in itertools.product(stores, people):
        table = rows.select(id=rows.customer_id, store=rows[store], person=rows[person].lower()).drop_null()
        # most ids are sound, which one in so many of them tells
        if not _differ(_compare(sample_groups(table, "id")), 2):
            continue
        found = _compare(table)
        if _differ(found):
            return SharedIds(
                store.removeprefix(STORE),
                person.removeprefix(PERSON),
                int(found.ids),
                int(found.differing),
                int(found.pairs),
            )
    return None


def _differ(found: pd.Series, tolerance: float = 1) -> bool:
    """Whether ids are someone else in each store."""
    if not 2 <= found.stores <= MAX_STORES * tolerance or not found.shared:
        return False
    different = found.differing >= MIN_DIFFERENT / tolerance * found.shared
    return bool(different and found.mixed <= MAX_DIFFERENT_INSIDE * tolerance)


def _compare(table: ir.Table) -> pd.Series:
    """Count ids, those in several stores, those of these with several people, and ids with several in one store."""
    inside = table.group_by("id", "store").agg(several=table.person.nunique() > 1)
    ids = table.group_by("id").agg(stores=table.store.nunique(), people=table.person.nunique())
    shared = ids.stores > 1
    counts = ibis.cross_join(
        inside.aggregate(pairs=inside.count(), mixed=inside.several.mean()),
        ids.aggregate(ids=ids.count(), shared=shared.sum(), differing=(shared & (ids.people > 1)).sum()),
        table.aggregate(stores=table.store.nunique()),
    )
    return counts.execute().iloc[0].fillna(0)


def words_of(name: str) -> set[str]:
    """Return the words in the name of a column, without accents and capitals, and all of them joined."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold()
    words = re.findall(r"[a-z]+", spaced.translate(str.maketrans("äöüéèáóíñşğı", "aoueeaoinsgi")))
    return {*words, "".join(words)} - {"e"}
