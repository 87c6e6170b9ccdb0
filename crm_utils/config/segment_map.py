"""Models of `params/segments/*.yaml`."""

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
        raise ValueError(f"expected a score such as 4 or a range such as 4-5, got {value!r}")
    return span


def _write_span(span: tuple[int, int]) -> str:
    return f"{span[0]}-{span[1]}"


Span = Annotated[
    tuple[int, int],
    BeforeValidator(_span, json_schema_input_type=int | str),
    PlainSerializer(_write_span, when_used="json"),
]


class CellBlock(Model):
    """A block of RFM cells: a score or range of scores per measure; all scores if it is omitted."""

    recency: Span | None = None
    frequency: Span | None = None
    monetary: Span | None = None

    def names(self, n_bins: int) -> list[str]:
        """Return the names of the cells in the block."""
        spans = [span or (1, n_bins) for span in (self.recency, self.frequency, self.monetary)]
        return [cell_name(*scores) for scores in itertools.product(*(range(low, high + 1) for low, high in spans))]


class SegmentRole(StrEnum):
    """The role of a segment, independent of its name. Sentences about segments depend on it."""

    # bought recently and often, and spent much
    BEST = "best"
    # buy often
    LOYAL = "loyal"
    # ordered for the first time recently
    NEW = "new"
    # bought recently, and may become loyal
    PROMISING = "promising"
    # have not bought very recently
    FADING = "fading"
    # used to buy often or spend much, and have stopped
    SLIPPING = "slipping"
    # bought little, a long time ago
    LOST = "lost"


class Segment(Model):
    """A segment: its name, its cells, what it means, and what to do.

    A segment is defined by `cells`, or by `where`: a pandas query on the columns of the customers. `fallback` marks a
    segment for new customers: a customer whose first order is too old goes to that segment instead. A segment without
    a `role` appears in no sentence about roles. New customers are never in a segment of the role `slipping` or `lost`:
    they go to the first segment of the role `new`, or else `promising`.
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
            raise ValueError(f"segment {self.name}: set exactly one of cells, where")
        if self.where is not None:
            check_query(self.where, f"segment {self.name}")
        return self

    def names(self, n_bins: int) -> list[str] | None:
        """Return the cells of the segment; None if its query uses more than the scores."""
        if self.where is None:
            return list(itertools.chain.from_iterable(block.names(n_bins) for block in self.cells))
        return _cells_of_query(self.where, n_bins, f"segment {self.name}")


class SegmentMap(Model):
    """A map from RFM cells to segments, in which each cell has exactly one segment.

    Queries on more than the scores cannot be checked here. Each run checks them on its customers.
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
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"segments listed more than once: {', '.join(repeated)}; list each segment once")
        for segment in self.segments:
            if segment.fallback is not None and segment.fallback not in set(names) - {segment.name}:
                raise ValueError(
                    f"segment {segment.name}: fallback {segment.fallback!r} is not another segment of this map"
                )
            if segment.fallback in {other.name for other in self.segments if other.fallback}:
                raise ValueError(
                    f"segment {segment.name}: fallback {segment.fallback!r} has a fallback itself; "
                    "choose a segment without one"
                )
        return self

    @model_validator(mode="after")
    def _each_segment_has_cells(self) -> "SegmentMap":
        all_cells = set(CellBlock().names(self.n_bins))
        for name, cells in self._sets.items():
            invalid = sorted(set(cells or []) - all_cells)
            if invalid or cells == []:
                problem = f"cell {invalid[0]} does not exist" if invalid else "it has no cells"
                raise ValueError(f"segment {name}: {problem}; scores go from 1 to {self.n_bins}")
        return self

    @model_validator(mode="after")
    def _each_cell_once(self) -> "SegmentMap":
        segments_by_cell: dict[str, list[str]] = {cell: [] for cell in CellBlock().names(self.n_bins)}
        for name, cells in self._sets.items():
            for cell in cells or []:
                segments_by_cell[cell].append(name)
        problems = [
            f"cell {cell} is in {' and '.join(names) or 'no segment'}"
            for cell, names in segments_by_cell.items()
            if len(names) > 1 or (not names and not self.queries())
        ]
        if problems:
            more = f"; and {len(problems) - 10} more" if len(problems) > 10 else ""
            raise ValueError(f"every cell must be in exactly one segment: {'; '.join(problems[:10])}{more}")
        return self

    def advice(self) -> dict[str, str]:
        """Return what to do for each segment, in the map's order.

        Returns
        -------
        dict of str to str
            The advice of each segment.
        """
        return {segment.name: segment.advice for segment in self.segments}

    def meaning(self) -> dict[str, str]:
        """Return the meaning of each segment.

        Returns
        -------
        dict of str to str
            The meaning of each segment.
        """
        return {segment.name: segment.meaning for segment in self.segments}

    def roles(self) -> dict[str, SegmentRole | None]:
        """Return the role of each segment, in the map's order.

        Returns
        -------
        dict of str to SegmentRole or None
            The role of each segment; None if it has no role.
        """
        return {segment.name: segment.role for segment in self.segments}

    def cells(self) -> dict[str, str]:
        """Return the segment of each cell."""
        return {cell: name for name, cells in self._sets.items() for cell in cells or []}

    def queries(self) -> dict[str, str]:
        """Return the query of each segment that uses more than the scores."""
        return {
            segment.name: segment.where
            for segment in self.segments
            if segment.where is not None and self._sets[segment.name] is None
        }

    def assigns_like(self, other: "SegmentMap") -> bool:
        """Whether both maps assign every customer to the same segment."""
        return self.n_bins == other.n_bins and all(
            own == others
            for own, others in (
                (self.cells(), other.cells()),
                (self.queries(), other.queries()),
                (self.fallback(), other.fallback()),
                (self.fallback_if_new(), other.fallback_if_new()),
            )
        )

    def fallback(self) -> dict[str, str]:
        """Return the segment for customers who are not new, for each segment for new customers."""
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
    """Return the name of a cell: '514', or '5-10-4' if a score has two digits."""
    scores = [str(recency), str(frequency), str(monetary)]
    return ("-" if max(map(len, scores)) > 1 else "").join(scores)


def _cells_of_query(query: str, n_bins: int, label: str) -> list[str] | None:
    import pandas as pd  # imported late: a run that has nothing to build starts four times as fast
    from pandas.errors import UndefinedVariableError

    scores = list(itertools.product(range(1, n_bins + 1), repeat=3))
    cells = pd.DataFrame(scores, columns=["recency_score", "frequency_score", "monetary_score"])
    try:
        return [cell_name(*scores[index]) for index in evaluate(cells, query).nonzero()[0]]
    except UndefinedVariableError:
        return None
    except Exception as error:  # pandas raises many kinds of errors for invalid queries
        raise ValueError(f"{label}: where {query!r} is not a valid pandas query: {error}") from None


def check_bin_edges(measure: str, edges: list[float], n_bins: int) -> None:
    """Raise `ValueError` unless the edges are finite, ascending, and one fewer than the score classes."""
    if len(edges) != n_bins - 1:
        raise ValueError(
            f"bin_edges.{measure} has {len(edges)} values, but {n_bins} score classes need {n_bins - 1}: {edges}"
        )
    if not all(map(math.isfinite, edges)):
        raise ValueError(f"bin_edges.{measure} must be finite numbers: {edges}")
    if any(low >= high for low, high in itertools.pairwise(edges)):
        raise ValueError(f"bin_edges.{measure} must be in ascending order: {edges}")
