"""The errors with a message for the user: what is wrong, where, and how to fix it."""


class CrmError(Exception):
    """An error whose message is written for the user, without a traceback."""


class SourceError(CrmError, ValueError):
    """A source cannot be read; the message names the file, the column and the rows, and says how to fix it."""


class SourceMissing(SourceError):
    """The source does not exist; the message says how to get it."""


class ParamsError(CrmError, ValueError):
    """A parameters file is wrong; the message names the file, every wrong key and the nearest valid name."""


class TableError(CrmError, ValueError):
    """A table breaks its contract, or does not agree with another; the message lists every violation with counts."""

    def __init__(self, message: str, table: str = ""):
        super().__init__(message)
        self.table = table


class CleaningError(CrmError, ValueError):
    """The line items cannot be cleaned with these rules; the message names the rule and says what to change."""


class OpenQuestions(CleaningError):
    """Questions about the data are open; the message lists each with the lines to choose from."""


class OutlierError(CrmError, ValueError):
    """Extreme values cannot be capped; the message says what is missing."""


class ScoringError(CrmError, ValueError):
    """Customers cannot be scored; the message says why."""


class SegmentError(CrmError, ValueError):
    """The segment map does not fit the scored customers; the message says why and what to do."""


class MigrationError(CrmError, ValueError):
    """Two dates cannot be compared; the message says why."""


class ProfilingError(CrmError, ValueError):
    """An attribute table cannot be joined to the customers; the message says why and what to do."""


class AssumptionsError(CrmError, ValueError):
    """A margin, discount rate or horizon is not valid for a lifetime value; the message says why."""


class FitError(CrmError, ValueError):
    """A model cannot be fitted to these customers; the message says why."""


class OwnCodeError(CrmError, ValueError):
    """A class that an analyst wrote cannot be used; the message names the class, the method and what is wrong."""


class BudgetError(CrmError, ValueError):
    """A plan cannot be made; the message names the campaign and what is wrong."""


class UpliftError(CrmError, ValueError):
    """The file of past campaigns is wrong; the message names the column or the value."""


class NotebookFailed(CrmError, RuntimeError):
    """A notebook stopped; the message says in which section and why, on one line.

    If it asks questions about the data (`asks`), the message lists them, one line each.
    """

    def __init__(self, notebook: str, message: str, asks: bool = False):
        super().__init__(message)
        self.notebook, self.asks = notebook, asks


class LockHeld(CrmError, RuntimeError):
    """Another process works in a folder for too long; the message says which, since when, and how to end it."""


class DeliveryError(CrmError, RuntimeError):
    """A report could not be delivered; the message names the place and the reason, and says what was changed there."""


class DownloadFailed(SourceError):
    """The data could not be downloaded, or are not the expected ones; no file was changed."""


def describe_cause(kind: str, message: str) -> str:
    """The class of an error and its message; words if it has no message.

    Parameters
    ----------
    kind : str
        The name of the error's class.
    message : str
        Its message, which may be empty.

    Returns
    -------
    str
    """
    if message.strip():
        return f"{kind}: {message}"
    causes = {
        "MemoryError": "the memory ran out; close other programs, or read less data at a time",
        "AssertionError": "an assert statement does not hold",
        "KeyboardInterrupt": "it was interrupted",
        "RecursionError": "functions call each other too deeply",
        "TimeoutError": "something did not answer in time",
    }
    return f"{causes[kind]} ({kind})" if kind in causes else f"{kind}, without a message"
