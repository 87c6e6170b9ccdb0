"""The analysts' guide, carried out step by step with the very texts that stand in it."""

import json
import re
import shutil
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from crm_utils.pipeline.cache_keys import fingerprint_job
from crm_utils.pipeline.jobs import plan_jobs
from crm_utils.pipeline.staleness import stale_notebooks
from tests.support.in_process import prepared
from tests.support.projects import ROOT, run

WITH_CUSTOMERS = ("customer_features", "customers", "segments", "cltv")
DAY = Path("reports/small/1997-12-31")
GUIDE = (ROOT / "docs" / "analysts-guide.md").read_text()


def steps(heading: str, language: str) -> list[str]:
    """The pieces of code under a heading of the guide."""
    section = GUIDE.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [textwrap.dedent(code) for code in re.findall(rf"```{language}\n(.*?)```", section, flags=re.S)]


def cell(kind: str, source: str, number: int) -> dict:
    code = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "id": f"mine-{number}", "metadata": {}, "source": source} | code


def change_a_segment_rule(project: Path) -> None:
    gone, widened, setting = steps("Change a segment rule", "yaml")
    ours = shutil.copy(project / "params/segments/dma11.yaml", project / "params/segments/ours.yaml")
    text, narrow = ours.read_text(), widened.replace("4-5", "4")
    assert text.count(gone) == text.count(narrow) == 1
    ours.write_text(text.replace(" " * 6 + gone, "").replace(narrow, widened))
    with (project / "params" / "small.yaml").open("a") as file:
        file.write(setting)


def add_a_section(project: Path) -> None:
    path = project / "notebooks" / "02_rfm.ipynb"
    book = json.loads(path.read_text())
    mine = [
        cell("markdown", "## Who are our largest customers?", 1),
        *(cell("code", code, number) for number, code in enumerate(steps("Add a section", "python"), start=2)),
    ]
    path.write_text(json.dumps(book | {"cells": [*book["cells"], *mine]}))


def add_a_notebook(project: Path) -> None:
    book = json.loads((project / "notebooks" / "02_rfm.ipynb").read_text())
    first, *others = steps("Add a notebook", "python")
    mine = [
        cell("markdown", "# How large are baskets?", 1),
        cell("code", first, 2),
        cell("markdown", "## Who is on target?", 3),
        *(cell("code", code, number) for number, code in enumerate(others, start=4)),
    ]
    (project / "notebooks" / "targets.csv").write_text(steps("Add a notebook", "text")[0])
    (project / "notebooks" / "06_baskets.ipynb").write_text(json.dumps(book | {"cells": mine}))


def add_a_campaign(project: Path) -> None:
    with (project / "params" / "campaigns.yaml").open("a") as file:
        file.write(textwrap.indent(steps("Add a campaign", "yaml")[0], "  "))


@pytest.fixture(scope="module")
def followed(built, tmp_path_factory) -> Path:
    """A project in which every recipe was followed, and built."""
    project = shutil.copytree(built, tmp_path_factory.mktemp("guide") / "project")
    for recipe in (change_a_segment_rule, add_a_section, add_a_notebook, add_a_campaign):
        recipe(project)
    done = run(project, "report")
    assert done.returncode == 0, done.stdout + done.stderr
    (project / "said.txt").write_text(done.stdout)
    return project


def test_the_changed_rule_moves_its_customers(built, followed):
    data = [project / DAY / "data" for project in (built, followed)]
    cells = pd.read_parquet(data[0] / "customers.parquet").set_index("customer_id").rfm_cell
    before, after = (pd.read_parquet(folder / "segments.parquet").set_index("customer_id").segment for folder in data)
    moved = before[before != after]
    assert set(moved) == {"Champions"}
    assert set(after[moved.index]) == {"Loyal Customers"}
    assert set(cells[moved.index]) == {"445"}
    assert len(moved) == (cells == "445").sum()


def test_the_new_section_is_on_its_page_and_in_its_contents(followed):
    page = (followed / DAY / "02_rfm.html").read_text()
    assert page.count("Who are our largest customers?") >= 2
    assert "The five largest customers have spent $" in page
    assert "<caption>The five largest customers</caption>" in page
    assert "Revenue so far of each of the five largest customers." in page


def test_the_new_notebook_has_its_page_card_and_place(followed):
    assert "Half of all baskets are worth" in (followed / DAY / "06_baskets.html").read_text()
    assert "How large are baskets?" in (followed / DAY / "index.html").read_text()
    assert 'href="06_baskets.html"' in (followed / DAY / "05_budget.html").read_text()


def test_a_file_beside_the_notebook_is_read_and_shown_in_our_style(followed):
    page = BeautifulSoup((followed / DAY / "06_baskets.html").read_text(), "html.parser")
    drawn = page.select_one("figure.crm-figure.own svg.wide")
    assert drawn["aria-label"].startswith("Revenue of the segments with a target.")
    assert "Loyal Customers" in drawn.get_text()
    assert [cell.get_text() for cell in page.select("table.crm th[scope=row]")][:2] == ["Champions", "Loyal Customers"]
    assert "120,000" in page.get_text()
    assert "Axes" not in page.main.get_text()
    said = (followed / "said.txt").read_text()
    assert "notebooks/06_baskets.ipynb: readers who cannot see this figure" in said
    assert not (followed / DAY / "notebooks" / "targets.csv").exists()


def test_a_changed_file_beside_a_notebook_is_noticed(followed):
    job = plan_jobs(followed, "small").jobs[0]
    assert stale_notebooks(fingerprint_job(job)) == []
    targets = followed / "notebooks" / "targets.csv"
    targets.write_text(targets.read_text() + "Lost,10\n")
    assert stale_notebooks(fingerprint_job(plan_jobs(followed, "small").jobs[0])) == ["06_baskets"]


def test_the_new_campaign_is_weighed(followed):
    weighed = pd.read_parquet(followed / DAY / "data" / "budget.parquet")
    assert set(weighed[weighed.campaign == "Birthday card"].segment) <= {"Champions", "Loyal Customers"}
    assert "Birthday card" in (followed / DAY / "05_budget.html").read_text()


def leave_customers_out(project: Path) -> None:
    with (project / "params" / "small.yaml").open("a") as file:
        file.write(steps("Leave customers out", "yaml")[0])


def use_an_own_model(project: Path) -> None:
    (project / "notebooks" / "my_models.py").write_text(steps("Use a model of your own", "python")[0])
    with (project / "params" / "small.yaml").open("a") as file:
        file.write(steps("Use a model of your own", "yaml")[0])


@pytest.fixture(scope="module")
def adapted(built, tmp_path_factory) -> Path:
    """A project that leaves customers out and has a model of its own, built in this process."""
    project = shutil.copytree(built, tmp_path_factory.mktemp("adapted") / "project")
    leave_customers_out(project)
    use_an_own_model(project)
    with pytest.MonkeyPatch.context() as patch:
        driver = prepared(project, patch, None)
        driver.drawn = {"01_cleaning", "04_cltv"}
        status, said = driver.to_file("report")
    assert status == 0, said
    return project


def test_an_own_model_is_judged_combined_ranged_and_planned_with(adapted):
    tables = {path.stem: pd.read_parquet(path) for path in (adapted / DAY / "data").glob("*.parquet")}
    tests, cltv, fitted = tables["backtest"], tables["cltv"], tables["fitted_parameters"]
    own = tests[tests.model == "own_model"]
    assert len(own) == (tests.model == "bg_nbd").sum() and (own.weight > 0).any()
    assert "my_models:SteadyBuyers" in set(fitted.model) and "BG/NBD" not in set(fitted.model)
    assert cltv.p_alive.isna().all() and (cltv.clv_low <= cltv.clv).all() and cltv.clv.sum() > 0
    rate = (cltv.repeat_purchase_days.sum() + 1) / (cltv.customer_age_days.sum() + 365)
    expected = (cltv.repeat_purchase_days + 1) / (cltv.customer_age_days + 1 / rate)
    silent = cltv.customer_age_days - cltv.last_purchase_age_days
    ratio = cltv.expected_purchase_days_1m / (np.exp(-silent * expected / 5) * expected)
    assert np.ptp(ratio) < 1e-9 * ratio.mean(), "the forecast is divided as the model says"
    assert len(tables["budget"]) and "Your own model" in (adapted / DAY / "04_cltv.html").read_text()
    assert "notebooks/my_models.py" in json.loads((adapted / DAY / "manifest.json").read_text())["files"]


def test_a_changed_own_model_runs_again_from_where_it_is_used(adapted):
    def made() -> list[str]:
        return list(fingerprint_job(plan_jobs(adapted, "small")[0][0]).notebook_keys.values())

    path, before = adapted / "notebooks" / "my_models.py", made()
    text = path.read_text()
    path.write_text(text.replace("/ 5", "/ 6"))
    assert [old == new for old, new in zip(before, made(), strict=True)] == [True, True, True, False, False]
    path.write_text(text)


def test_customers_left_out_are_nowhere(built, adapted):
    before, ledger, *after = (
        pd.read_parquet(folder / DAY / "data" / f"{name}.parquet")
        for folder, name in [(built, "customers"), *((adapted, name) for name in ("cleaning_ledger", *WITH_CUSTOMERS))]
    )
    gone = before[(before.mean_order_value > 60) & (before.orders > 1)]
    assert len(gone) > 3
    row = ledger[ledger.rule.str.startswith("exclude_where: ")].iloc[0]
    assert (row.rows_removed, row.revenue_removed) == (gone.orders.sum(), pytest.approx(gone.revenue.sum()))
    kept = sorted(set(before.customer_id) - set(gone.customer_id))
    assert [name for name, table in zip(WITH_CUSTOMERS, after, strict=True) if sorted(table.customer_id) != kept] == []
    lists = [pd.read_csv(path, dtype=str) for path in (adapted / DAY / "lists").glob("*.csv")]
    assert not any(set(table.get("customer_id", [])) & set(gone.customer_id) for table in lists)
    page = (adapted / DAY / "01_cleaning.html").read_text()
    assert "Customer left out by “mean_order_value &gt; 60 and orders &gt; 1”" in page


def test_a_new_source_gets_a_report_that_can_be_planned(project):
    done = run(project, "new", "--report", "shop", "--file", "small.csv")
    assert done.returncode == 0, done.stderr
    planned, problems, _ = plan_jobs(project, "shop")
    assert (problems, [job.name for job in planned][:1]) == ([], ["shop"])


def test_its_pictures_are_there_and_small():
    for name in re.findall(r"!\[[^\]]{15,}\]\((\w+\.png)\)", GUIDE):
        assert (ROOT / "docs" / name).stat().st_size < 150_000, name
    assert len(re.findall(r"^!\[", GUIDE, flags=re.M)) == 4
