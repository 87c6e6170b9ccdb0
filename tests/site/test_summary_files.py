"""The summary of a date: what its first page shows, as text and as figures."""

import json

import pandas as pd
from bs4 import BeautifulSoup

from crm_utils.site.summary_files import summary_text
from tests.support.projects import DAY

PAGE = """
<body><a class="skip" href="#main">Skip</a><aside><strong>Simulated data.</strong></aside>
<header><nav>All reports</nav><h1>Shop on 1 May</h1><p class="lead">5 <b>customers</b>.</p></header>
<main><h2>What should we do?</h2><p>Send<a href="x">1</a>.</p><ul><li><p>One</p></li></ul>
<table><caption>Plan</caption><thead><tr><th>Campaign</th><th>Cost</th></tr></thead>
<tbody><tr><th>Win  back</th><td>$5</td></tr></tbody></table>
<details><summary>More</summary><p>Folded</p></details><p class="more">More: here</p>
<section class="downloads"><h2>Downloads</h2></section></main></body>
"""


def test_the_text_has_what_is_visible_a_line_each():
    assert summary_text(PAGE) == (
        "Simulated data.\n\nShop on 1 May\n-------------\n5 customers.\n\nWhat should we do?\n------------------\n"
        "Send1.\nOne\nCampaign | Cost\nWin back | $5\n"
    )


def test_the_summary_of_a_date_agrees_with_its_page_and_its_tables(built):
    folder = built / DAY
    text = (folder / "summary.txt").read_text("utf-8")
    page = BeautifulSoup((folder / "index.html").read_text("utf-8"), "html.parser")
    assert text.splitlines()[0] == page.h1.text
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    assert summary["analysis_date"] == folder.name
    assert summary["figures"]["customers"] == len(pd.read_parquet(folder / "data" / "customers.parquet"))
    for name in ("summary.txt", "summary.json", "index.html", "workbook.xlsx"):
        assert (built / "reports" / "small" / "latest" / name).read_bytes() == (folder / name).read_bytes(), name
