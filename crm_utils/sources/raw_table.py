"""What every kind of source is turned into before its columns are named and typed."""

from dataclasses import dataclass, fields

import ibis.expr.types as ir

from crm_utils.config import Source


@dataclass(frozen=True)
class TextFormat:
    """How a text file writes what it holds. The defaults are the international ones; nothing is guessed while reading.

    `date_format` is a strptime pattern, or `excel` for serial numbers; without it dates are ISO (2024-12-31 or
    20241231).
    """

    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    currency_sign: str | None = None
    date_format: str | None = None
    timezone: str | None = None

    @classmethod
    def of(cls, source: Source) -> "TextFormat":
        """The format that a source's parameters describe."""
        return cls(**{field.name: getattr(source, field.name) for field in fields(cls)})


@dataclass(frozen=True)
class RawTable:
    """A part of a source: what to call it in a message, its table with its own column names, how it writes values.

    `format` is None where the engine that holds the data has types of its own, which are taken as they are.
    `columnar`: parquet, whose columns can be asked one by one at little cost.
    """

    label: str
    table: ir.Table
    format: TextFormat | None
    columnar: bool = False
