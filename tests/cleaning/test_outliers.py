"""Caps of extreme values, worked by hand."""

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils.cleaning import outliers
from crm_utils.core.errors import OutlierError


def lines(quantity: list[float], unit_price: list[float]) -> ibis.Table:
    frame = pd.DataFrame({"quantity": quantity, "unit_price": unit_price})
    table = ibis.memtable(frame).cast({"quantity": "decimal(18, 4)", "unit_price": "decimal(18, 4)"})
    return table.mutate(amount=(table.quantity * table.unit_price).cast("decimal(18, 4)"))


def test_caps_are_made_of_interpolated_quantiles():
    """As numpy: q99 + 1.5 (q99 − q01), here with repeated values, and of a hundred, two and one."""
    draw = np.random.default_rng(3)
    for values in (draw.integers(1, 30, 1234), np.arange(100), np.array([1.0, 5.0]), np.array([7.0])):
        q01, q99 = np.quantile(values, [0.01, 0.99])
        caps = outliers.fit_caps(lines(values.astype(float).tolist(), [2.0] * len(values)))
        assert caps == {"quantity": pytest.approx(q99 + 1.5 * (q99 - q01)), "unit_price": 2.0}


def test_values_beyond_a_cap_are_set_to_it_on_both_sides():
    table = lines([5.0, -9.0, 3.0], [10.0, 1.0, 2.0])
    capped = outliers.apply_caps(table, {"quantity": 4.0, "unit_price": 2.00006}).execute().astype(float)
    assert capped[["quantity", "unit_price", "amount"]].to_numpy().tolist() == [
        [4, 2.0001, 8.0004],
        [-4, 1, -4],
        [3, 2, 6],
    ]
    assert outliers.apply_caps(table, {}) is table


def test_caps_are_estimated_only_if_a_report_wants_them():
    table = lines([1.0], [1.0])
    assert outliers.fit_caps(table, wanted=False) == {}
    assert outliers.fit_caps(table.drop("unit_price"), wanted=False) == {}
    with pytest.raises(OutlierError, match="needs quantity and unit_price"):
        outliers.fit_caps(table.drop("unit_price"))
    totals = outliers.totals_after_capping(table, table, {})
    assert totals is table
