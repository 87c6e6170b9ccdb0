"""Segment maps as data: `params/segments/*.yaml`."""

import itertools
import math
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from crm_utils.config.safe_query import check_query, evaluate
from crm_utils.config.yaml_models import Model


def _span(value: Any) -> tuple[int, int]:
    low, _, high = str(value).partition("-")
    try:
        span = int(low), int(high or low)
    except ValueError:
        span = (0, 0)
    if not 1 <= span[0] <= span[1]:
        raise ValueError(f"a score such as 4 or a range such as 4-5 is needed, not {value!r}")
    return span


def _write_span(span: tuple[int, int]) -> str:
    return f"{span[0]}-{span[1]}"


Span = Annotated[tuple[int, int], BeforeValidator(_span), PlainSerializer(_write_span, when_used="json")]


class CellBlock(Model):
    """A block of RFM cells: each score or range of scores, any score where it is left out."""

    recency: Span | None = None
    frequency: Span | None = None
    monetary: Span | None = None

    def names(self, n_bins: int) -> list[str]:
        """The names of the cells in the block, given the number of bins."""
        spans = [span or (1, n_bins) for span in (self.recency, self.frequency, self.monetary)]
        return [cell_name(*scores) for scores in itertools.product(*(range(low, high + 1) for low, high in spans))]


class SegmentRole(StrEnum):
    """The part that a segment plays, whatever its name; sentences about such customers rest on it."""

    # bought recently, often and for much money
    BEST = "best"
    # buy often
    LOYAL = "loyal"
    # ordered for the first time not long ago
    NEW = "new"
    # bought recently, and may become loyal
    PROMISING = "promising"
    # have not bought very recently
    FADING = "fading"
    # used to buy often or for much money, and have stopped
    SLIPPING = "slipping"
    # bought little, and long ago
    LOST = "lost"


class Segment(Model):
    """A name for a set of cells, what it means and what to do.

    The set is named as `cells`, or by `where`: a pandas query on the customers' columns. If a segment is for new
    customers, those of its set whose first order is not new go to the segment `fallback`. `role` says which part the
    segment plays; without one, no sentence rests on it. New customers are never in a segment of the role `slipping` or
    `lost`: they go to the first segment of the role `new`, or else `promising`.
    """

    name: str
    meaning: str
    advice: str
    cells: list[CellBlock] = []
    where: str | None = None
    fallback: str | None = None
    role: SegmentRole | None = None

    @model_validator(mode="after")
    def _one_set(self) -> "Segment":
        if (self.where is None) == (not self.cells):
            raise ValueError(f"segment {self.name}: name exactly one of cells, where")
        if self.where is not None:
            check_query(self.where, f"segment {self.name}")
        return self

    def names(self, n_bins: int) -> list[str] | None:
        """The cells of the segment; None for a query that asks for more than the scores."""
        if self.where is None:
            return list(itertools.chain.from_iterable(block.names(n_bins) for block in self.cells))
        return _cells_of_query(self.where, n_bins, f"segment {self.name}")


class SegmentMap(Model):
    """Names for all cells of `n_bins` score classes, proven complete and disjoint.

    Queries on more than the scores cannot be proven here: they are proven on the customers, in each run.
    """

    title: str
    n_bins: int = Field(ge=2, le=10)
    segments: list[Segment]

    @cached_property
    def _sets(self) -> dict[str, list[str] | None]:
        return {segment.name: segment.names(self.n_bins) for segment in self.segments}

    @model_validator(mode="after")
    def _names_are_known(self) -> "SegmentMap":
        names = [segment.name for segment in self.segments]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"list each segment once, not {', '.join(twice)} twice")
        for segment in self.segments:
            if segment.fallback is not None and segment.fallback not in set(names) - {segment.name}:
                raise ValueError(
                    f"segment {segment.name}: fallback {segment.fallback!r} is no other segment of this map"
                )
            if segment.fallback in {other.name for other in self.segments if other.fallback}:
                raise ValueError(
                    f"segment {segment.name}: fallback {segment.fallback!r} is for new customers too; "
                    "name one without fallback"
                )
        return self

    @model_validator(mode="after")
    def _each_segment_has_cells(self) -> "SegmentMap":
        every = set(CellBlock().names(self.n_bins))
        for name, cells in self._sets.items():
            beyond = sorted(set(cells or []) - every)
            if beyond or cells == []:
                fault = f"cell {beyond[0]} is none" if beyond else "no cell is in it"
                raise ValueError(f"segment {name}: {fault}: scores go from 1 to {self.n_bins}")
        return self

    @model_validator(mode="after")
    def _each_cell_once(self) -> "SegmentMap":
        named: dict[str, list[str]] = {cell: [] for cell in CellBlock().names(self.n_bins)}
        for name, cells in self._sets.items():
            for cell in cells or []:
                named[cell].append(name)
        problems = [
            f"cell {cell} is in {' and '.join(names) or 'no segment'}"
            for cell, names in named.items()
            if len(names) > 1 or (not names and not self.queries())
        ]
        if problems:
            more = f"; and {len(problems) - 10} more" if len(problems) > 10 else ""
            raise ValueError(f"every cell must be in exactly one segment: {'; '.join(problems[:10])}{more}")
        return self

    def advice(self) -> dict[str, str]:
        """What to do for each segment, in the map's order.

        Returns
        -------
        dict of str to str
            The advice of each segment.
        """
        return {segment.name: segment.advice for segment in self.segments}

    def meaning(self) -> dict[str, str]:
        """What each segment's name says about its customers.

        Returns
        -------
        dict of str to str
            The meaning of each segment.
        """
        return {segment.name: segment.meaning for segment in self.segments}

    def roles(self) -> dict[str, SegmentRole | None]:
        """The part that each segment plays, in the map's order.

        Returns
        -------
        dict of str to SegmentRole or None
            The role of each segment; None if it plays none.
        """
        return {segment.name: segment.role for segment in self.segments}

    def cells(self) -> dict[str, str]:
        """Segment of each cell name."""
        return {cell: name for name, cells in self._sets.items() for cell in cells or []}

    def queries(self) -> dict[str, str]:
        """The query of each segment that asks for more than the scores."""
        return {
            segment.name: segment.where
            for segment in self.segments
            if segment.where is not None and self._sets[segment.name] is None
        }

    def assigns_like(self, other: "SegmentMap") -> bool:
        """Whether both maps put every customer into the same segment."""
        return self.n_bins == other.n_bins and all(
            mine == theirs
            for mine, theirs in (
                (self.cells(), other.cells()),
                (self.queries(), other.queries()),
                (self.fallback(), other.fallback()),
                (self.fallback_if_new(), other.fallback_if_new()),
            )
        )

    def fallback(self) -> dict[str, str]:
        """Where the customers of a segment for new customers go who are not new."""
        return {segment.name: segment.fallback for segment in self.segments if segment.fallback}

    def fallback_if_new(self) -> dict[str, str]:
        """Where the customers of segments for those who stopped buying go who are new.

        Returns
        -------
        dict of str to str
            For each segment of the role slipping or lost, the first segment of the role new, or else promising.
            Empty if the map has neither.
        """
        names = {role: name for name, role in reversed(self.roles().items())}
        target = names.get(SegmentRole.NEW, names.get(SegmentRole.PROMISING))
        stopped = {SegmentRole.SLIPPING, SegmentRole.LOST}
        return {name: target for name, role in self.roles().items() if target and role in stopped}


def cell_name(recency: int, frequency: int, monetary: int) -> str:
    """A cell as it is written: '514', or '5-10-4' where a score has two digits."""
    scores = [str(recency), str(frequency), str(monetary)]
    return ("-" if max(map(len, scores)) > 1 else "").join(scores)


def _cells_of_query(query: str, n_bins: int, whose: str) -> list[str] | None:
    import pandas as pd  # here only: a run that finds nothing to do starts in a quarter of the time without it
    from pandas.errors import UndefinedVariableError

    scores = list(itertools.product(range(1, n_bins + 1), repeat=3))
    cells = pd.DataFrame(scores, columns=["recency_score", "frequency_score", "monetary_score"])
    try:
        return [cell_name(*scores[place]) for place in evaluate(cells, query).nonzero()[0]]
    except UndefinedVariableError:
        return None
    except Exception as error:  # pandas raises many kinds for what is no query
        raise ValueError(f"{whose}: where {query!r} is no pandas query: {error}") from None


def check_bin_edges(measure: str, limits: list[float], n_bins: int) -> None:
    """Raises `ValueError` unless the limits are finite, ascending, and one fewer than the classes."""
    if len(limits) != n_bins - 1:
        raise ValueError(f"bin_edges.{measure} has {len(limits)} limits; {n_bins} classes take {n_bins - 1}")
    if not all(map(math.isfinite, limits)):
        raise ValueError(f"bin_edges.{measure} has a limit that is no finite number: {limits}")
    if any(low >= high for low, high in itertools.pairwise(limits)):
        raise ValueError(f"bin_edges.{measure} must increase from one to the next: {limits}")
