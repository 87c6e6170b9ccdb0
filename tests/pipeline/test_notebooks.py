"""Notebooks before they run."""

import pytest

from crm_utils.core.errors import ParamsError
from crm_utils.pipeline.notebooks import Notebook


def test_one_of_our_notebooks_needs_its_parameters_cell_and_an_own_one_does_not(tmp_path):
    for name in ("02_rfm.ipynb", "06_mine.ipynb"):
        (tmp_path / name).write_text('{"cells": []}')
    with pytest.raises(ParamsError, match="notebooks/02_rfm.ipynb: no cell has the tag `parameters`"):
        _ = Notebook(tmp_path / "02_rfm.ipynb").declared
    assert Notebook(tmp_path / "06_mine.ipynb").declared == {}
