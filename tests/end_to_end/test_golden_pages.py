"""One golden page per stage, and the first page of the date: the exact wording.

After a change of wording that is meant, write them anew with `python -m tests.support.golden`, and read the diff.
"""

import pytest

from tests.support.golden import GOLDEN, PAGES, wording
from tests.support.projects import DAY


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_its_golden_file_says(built, name):
    expected = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert wording(built / DAY / f"{name}.html").splitlines() == expected.splitlines()
