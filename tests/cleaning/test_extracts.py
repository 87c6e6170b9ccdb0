"""Several extracts of the same data: which lines repeat, and which orders a later extract changed."""

import ibis
import pandas as pd
import pytest

from crm_utils.cleaning import rules
from crm_utils.core.errors import CleaningError


def lines(*rows: tuple[int, str, int, float]) -> ibis.Table:
    """Lines of (extract, order, day of January, amount)."""
    frame = pd.DataFrame(rows, columns=["extract", "order_id", "day", "amount"]).assign(customer_id="a")
    frame["ordered_at"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(frame.day - 1, unit="D")
    return ibis.memtable(frame.drop(columns="day")).cast({"extract": "int64", "ordered_at": "timestamp"})


def flags(table: ibis.Table, flag: str) -> list[tuple[str, float]]:
    """The order and amount of the flagged lines."""
    found = rules.flag_repeated_lines(table).execute()
    return sorted(found.loc[found[flag], ["order_id", "amount"]].itertuples(index=False, name=None))


# Days 2 to 9 and 5 to 12: both files have days 5 to 9.
TWO_FILES = (
    (0, "before", 2, 1.0),
    *((file, "same", 5, 2.0) for file in (0, 1)),
    *((file, "also", 5, 2.5) for file in (0, 1)),
    *((0, "twice", 6, 3.0),) * 2, (1, "twice", 6, 3.0),
    (0, "changed", 7, 4.0), (1, "changed", 7, 5.0),
    (0, "fewer", 8, 6.0), (0, "fewer", 8, 7.0), (1, "fewer", 8, 6.0),
    (0, "more", 9, 8.0), (1, "more", 9, 8.0), (1, "more", 9, 9.0),
    (1, "after", 12, 10.0),
)  # fmt: skip
SAME = [(file, f"s{number}", 6, 1.0) for number in range(3) for file in (0, 1)]


def test_lines_of_two_files_worked_by_hand():
    """Equal lines of a file count as one. An order of which the later file has other lines is replaced."""
    table = lines(*TWO_FILES, *SAME)
    repeated = [("also", 2.5), *((f"s{number}", 1.0) for number in range(3)), ("same", 2.0), ("twice", 3.0)]
    assert flags(table, "repeated") == repeated
    assert flags(table, "restated") == [("changed", 4.0), ("fewer", 6.0), ("fewer", 7.0), ("more", 8.0)]
    found = rules.flag_repeated_lines(table)
    assert set(found.columns) == {"order_id", "amount", "customer_id", "ordered_at", "repeated", "restated"}
    assert found.count().execute() == len(TWO_FILES) + len(SAME)


def test_the_latest_of_three_files_counts():
    """The second file changed the order back, the third again. Its equal line of the first file is replaced too."""
    rows = [(0, "x", 6, 1.0), (1, "x", 6, 2.0), (2, "x", 6, 3.0)]
    same = [(file, f"s{number}", day, 1.0) for number, day in enumerate((5, 6, 7)) for file in (0, 1, 2)]
    assert flags(lines(*rows, *same), "restated") == [("x", 1.0), ("x", 2.0)]
    assert len(flags(lines(*rows, *same), "repeated")) == 6


def test_files_of_other_days_repeat_nothing():
    table = lines((0, "x", 1, 1.0), (0, "y", 4, 1.0), (1, "x", 5, 1.0))
    assert flags(table, "repeated") == flags(table, "restated") == []
    touching = lines((0, "x", 1, 1.0), (0, "y", 5, 1.0), (1, "y", 5, 1.0), (1, "z", 9, 1.0))
    assert flags(touching, "repeated") == [("y", 1.0)], "one common day is searched"


def test_without_order_ids_equal_lines_repeat():
    table = lines(*TWO_FILES).drop("order_id")
    found = rules.flag_repeated_lines(table)
    assert "restated" not in found.columns
    assert sorted(found.filter(found.repeated).amount.execute()) == [2.0, 2.5, 3.0, 6.0, 8.0]
    alone = table.drop("extract")
    assert rules.flag_repeated_lines(alone) is alone


@pytest.mark.parametrize(
    ("common", "restated", "of_others", "refused"),
    [
        (20, 11, 0, True),
        (20, 10, 10, False),
        (22, 11, 11, False),
        (18, 10, 5, False),
        (18, 10, 6, True),
        (3, 2, 2, True),
    ],
)
def test_orders_of_two_systems_are_refused(common, restated, of_others, refused):
    """More than half of the common orders differ: more than ten of them, or most of them of another customer."""
    ids = ibis.memtable(pd.DataFrame({"order_id": [f"o{number:02}" for number in range(common)]}))
    frame = pd.DataFrame({"order_id": [f"o{number:02}" for number in range(restated)], "customer": "a"})
    frame["customer_latest"] = ["b" if place < of_others else "a" for place in frame.index]
    if not refused:
        rules._check_restated_share(ids, ibis.memtable(frame))
        return
    message = f"{restated} of {common} order ids .* {of_others} of them of another customer, for example 'o00'"
    with pytest.raises(CleaningError, match=message):
        rules._check_restated_share(ids, ibis.memtable(frame))
