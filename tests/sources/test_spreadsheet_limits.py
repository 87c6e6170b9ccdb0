"""Workbooks that would take gigabytes are refused with the cell, and ordinary ones are read as before."""

import pytest

from crm_utils.core import limited_process
from crm_utils.core.errors import SourceError
from crm_utils.sources import spreadsheets, validation
from tests.support.hostile_files import with_far_cell, with_sheet, workbook_bytes, write

HEADER = ("customer_id", "date", "amount")
ROWS = [HEADER, *((str(n % 7), "1997-01-01", 2.5) for n in range(40))]
LINUX = pytest.mark.skipif(not limited_process.FORKS, reason="only Linux limits memory")


@LINUX
@pytest.mark.parametrize("cell", ["XFD1048576", "CV1048576", "ZZ200000"])
def test_a_far_cell_is_named_and_nothing_breaks(cell, tmp_path, capfd):
    path = write(tmp_path / "far.xlsx", with_far_cell(ROWS, cell))
    for read in (lambda: spreadsheets.parquet_copies(path, None, tmp_path), lambda: spreadsheets.sheet_shapes(path)):
        with pytest.raises(SourceError) as refused:
            read()
        said = str(refused.value)
        assert f"far.xlsx, sheet 'Orders' has 124 filled cells, but reaches as far as cell {cell}" in said
        assert "Delete the rows and columns beyond the table, or export the sheet as csv" in said
        assert len(said) < 250
    assert capfd.readouterr() == ("", ""), "no backtrace of the library"


def test_a_full_sheet_that_is_too_large_names_no_cell(tmp_path, monkeypatch):
    path = write(tmp_path / "large.xlsx", workbook_bytes(ROWS))
    monkeypatch.setattr(spreadsheets, "run_limited", out_of_memory)
    with pytest.raises(SourceError, match="sheet 'Orders' needs more than 2 GB of memory to be read. Delete what is"):
        spreadsheets.parquet_copies(path, None, tmp_path)


def out_of_memory(function, *arguments):
    if function is spreadsheets._extent:
        return function(lambda step: None, *arguments)
    raise limited_process.LimitExceeded("Orders", "2 GB of memory")


def test_a_workbook_is_opened_once_also_if_no_sheet_is_named(tmp_path, monkeypatch):
    path = write(tmp_path / "shop.xlsx", workbook_bytes(ROWS))
    copies = spreadsheets.parquet_copies(path, None, tmp_path)
    assert [name for name, _ in copies] == ["Orders"]
    monkeypatch.setattr(spreadsheets, "run_limited", None)
    assert spreadsheets.parquet_copies(path, None, tmp_path) == copies
    assert spreadsheets.parquet_copies(path, ["Orders"], tmp_path) == copies


def test_hidden_rows_are_found_wherever_the_text_is_cut(tmp_path, monkeypatch):
    content = with_sheet(workbook_bytes(ROWS), b'<row r="3"', b'<row hidden="1" r="3"')
    path = write(tmp_path / "shop.xlsx", with_sheet(content, b'<row r="9"', b'<row hidden="true" r="9"'))
    for size in (7, 100, 1 << 20):
        monkeypatch.setattr(spreadsheets, "BYTES_AT_A_TIME", size)
        assert spreadsheets._read_marks(path, "Orders").hidden == {3, 9}
        extent = spreadsheets._extent(lambda step: None, path, "Orders")
        assert extent == (123, "C41", "C9")


def test_the_filled_cells_of_a_sheet_without_stray_ones_are_dense():
    assert spreadsheets._Extent(123, "C41", "C9").is_filled
    assert not spreadsheets._Extent(124, "XFD1048576", "XFD1048576").is_filled


def test_many_columns_without_a_name_are_counted_and_few_listed():
    said = validation.describe_unnamed(["a", *[""] * 700, "z"])
    assert said == "columns 2, 3, 4, 5, 6 and 695 more of 702 without a name"
    assert validation.describe_unnamed(["a", "", "c"]) == "column 2 of 3 without a name"
