"""Purchase models that an analyst wrote: what they must be able to do, and the checks of what they return."""

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from typing import ClassVar, Protocol, TypeVar

import numpy as np

from crm_utils.core.errors import OwnCodeError
from crm_utils.core.own_modules import load_class

# Sums of floats differ in their last digits.
TOLERANCE = 1e-9
Returned = TypeVar("Returned")


class OwnModel(Protocol):
    """A purchase model of your own. Name it in the parameters file: `cltv: {model: my_models:MyModel}`.

    It is made without arguments, and fitted anew on each past date and for each large customer left out. `x` is the
    number of purchase days after the first, `t_x` the days from the first purchase day to the last, `T` the days from
    the first purchase day to today: one number per customer, in the same order.
    """

    def fit(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> object:
        """Fit the model to the customers. What it returns is not used."""

    def expected_purchases(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, days: float) -> np.ndarray:
        """Return the expected purchase days of each customer in the next `days`: 0 or more, not falling with `days`."""

    def purchase_probability(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, days: float) -> np.ndarray:
        """Return the chance that each customer buys in the next `days`: from 0 to 1."""


METHODS = ("fit", "expected_purchases", "purchase_probability")


@dataclass(frozen=True)
class OwnModelSpec:
    """The class of an own model, by the name that the parameters give it."""

    name: str
    model: type[OwnModel]

    def fit(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> "FittedOwnModel":
        """Make the model and fit it. Raises `OwnCodeError` if it fails."""
        made: OwnModel = _call(self.name, "__init__", self.model)
        _call(self.name, "fit", made.fit, x, t_x, T)
        return FittedOwnModel(self, made)


@dataclass(frozen=True)
class FittedOwnModel:
    """An own model with the interface of the built-in ones; all it returns is checked.

    It has no parameters that we know, so ranges of single customers only say how uncertain the value of a purchase is.
    """

    spec: OwnModelSpec
    fitted: OwnModel
    log_likelihood: float = float("nan")
    note: str = ""
    at_bound: tuple[str, ...] = ()

    parameters: ClassVar[tuple[str, ...]] = ()

    @property
    def name(self) -> str:
        """The name that the parameters give it."""
        return self.spec.name

    def probability_alive(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """Return nulls: an own model says how likely a customer buys, not whether one has stopped."""
        return np.full(len(np.asarray(x)), np.nan)

    def expected_purchases(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float | np.ndarray) -> np.ndarray:
        """Return E[purchase days in (T, T + t]]; several t give one column each."""
        days = np.atleast_1d(np.asarray(t, float))
        columns = [self._checked("expected_purchases", x, t_x, T, float(length)) for length in days]
        order = np.argsort(days, kind="stable")
        for before, after in zip(order, order[1:], strict=False):
            if (columns[after] < columns[before] * (1 - TOLERANCE) - TOLERANCE).any():
                raise OwnCodeError(
                    f"{self.name}.expected_purchases falls for some customers from {days[before]:g} to "
                    f"{days[after]:g} days; more days cannot bring fewer purchases"
                )
        expected = np.column_stack(columns)
        return expected if np.ndim(t) else expected[:, 0]

    def expected_squared_purchases(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Return E[Y²] of the purchase days Y in (T, T + t], as if each customer bought at a steady rate."""
        expected = self.expected_purchases(x, t_x, T, t)
        return expected + expected**2

    def purchase_probability(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Return P(at least one purchase in (T, T + t])."""
        chances = self._checked("purchase_probability", x, t_x, T, float(t))
        if (chances > 1 + TOLERANCE).any():
            raise OwnCodeError(
                f"{self.name}.purchase_probability returned {chances.max():g} for {(chances > 1).sum():,} customers; "
                "a probability is at most 1"
            )
        return np.minimum(chances, 1)

    def _checked(self, method: str, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, days: float) -> np.ndarray:
        histories = [np.asarray(values, float) for values in (x, t_x, T)]
        returned = _call(self.name, method, getattr(self.fitted, method), *histories, days)
        try:
            values = np.asarray(returned, float)
        except (TypeError, ValueError):
            raise OwnCodeError(f"{self.name}.{method} returned {type(returned).__name__}, not numbers") from None
        if values.shape != histories[0].shape:
            raise OwnCodeError(
                f"{self.name}.{method} returned an array of shape {values.shape}; one number for each of "
                f"{len(histories[0]):,} customers is needed: {histories[0].shape}"
            )
        for wrong, what in ((~np.isfinite(values), "no finite number"), (values < 0, "a negative number")):
            if wrong.any():
                raise OwnCodeError(
                    f"{self.name}.{method} returned {what} for {wrong.sum():,} of {len(values):,} customers"
                )
        return values


def load_model(model: str | None, root: PathLike[str]) -> "str | OwnModelSpec | None":
    """Load the purchase model that the parameters name.

    Parameters
    ----------
    model : str or None
        bg_nbd, mbg_nbd or pareto_nbd; None to choose by past errors; or a class of your own: `my_models:MyModel`.
    root : path-like
        The project's folder. The module is beside the notebooks or in that folder.

    Returns
    -------
    str, OwnModelSpec or None
        The class of your own, or `model` itself.

    Raises
    ------
    OwnCodeError
        If the module or class does not exist, or the class lacks a method of `OwnModel`.
    """
    if model is None or ":" not in model:
        return model
    found = load_class(model, root)
    missing = [method for method in METHODS if not callable(getattr(found, method, None))]
    if missing:
        raise OwnCodeError(f"{model}: the class has no method {' and no method '.join(missing)}; see OwnModel")
    return OwnModelSpec(model, found)


def _call(name: str, method: str, function: Callable[..., Returned], *arguments: object) -> Returned:
    try:
        return function(*arguments)
    except Exception as error:  # an analyst's code may fail in any way
        reason = " ".join(str(error).split())
        raise OwnCodeError(f"{name}.{method} failed with {type(error).__name__}: {reason}") from error
