"""Raw tables: the parts of a source before their columns get standard names and types."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import ibis.expr.types as ir

from crm_utils.config import Source


@dataclass(frozen=True)
class TextFormat:
    """How values are written in a text file. Nothing is guessed while reading.

    `date_format` is a strptime pattern, a list of them, or `excel` for serial numbers. By default dates are ISO
    (2024-12-31 or 20241231).
    """

    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    currency_sign: str | None = None
    date_format: str | list[str] | None = None
    timezone: str | None = None

    @classmethod
    def of(cls, source: Source) -> "TextFormat":
        """Return the format that a source's parameters describe."""
        return cls(**{field.name: getattr(source, field.name) for field in fields(cls)})


@dataclass(frozen=True)
class RawTable:
    """A part of a source, with its own column names.

    Parameters
    ----------
    label : str
        Its name in messages.
    table : ibis.Table
        Its rows.
    format : TextFormat or None
        How its values are written. None for a database, whose types are used unchanged.
    columnar : bool
        Whether it is a parquet file or has a parquet copy, in which reading a single column is cheap.
    computed : mapping of str to str
        The columns that the parameters ask for, by standard name. They have their final type (see `preparation`).
    numbers : mapping of str to str
        The columns that these are computed from, each with the parameter that names it.
    factors : frozenset of str
        Those of them that are part of arithmetic: they may be written as 10%.
    without_name : str or None
        The columns that were left out because they have no name, in words.
    file : str or None
        Its name in source.files if it is one of several.
    """

    label: str
    table: ir.Table
    format: TextFormat | None
    columnar: bool = False
    computed: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, str] = field(default_factory=dict)
    factors: frozenset[str] = frozenset()
    without_name: str | None = None
    file: str | None = None
