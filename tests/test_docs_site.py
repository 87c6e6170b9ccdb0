"""The documentation site: generated pages, the architecture picture, what it may publish and request."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from crm_utils.config import Campaigns, read_yaml

ROOT = Path(__file__).parents[1]


def tool(name: str) -> ModuleType:
    """A script of `tools/` as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site() -> ModuleType:
    return tool("docs_site")


def test_the_picture_of_the_architecture_shows_the_imports_of_today():
    architecture = tool("architecture")
    drawn = architecture.draw(architecture.package_imports())
    assert architecture.PICTURE.read_text() == drawn, "run `make docs` and commit docs/architecture.svg"


def test_the_picture_has_one_arrow_per_import_between_packages(tmp_path):
    architecture = tool("architecture")
    (tmp_path / "cltv").mkdir()
    (tmp_path / "cltv" / "forecast.py").write_text(
        "from crm_utils.rfm import measures\nfrom crm_utils.core import files\n"
    )
    (tmp_path / "cltv" / "charts.py").write_text("import crm_utils.rfm.measures\nfrom crm_utils import store\n")
    edges = architecture.package_imports(tmp_path, "crm_utils")
    assert edges == {("cltv", "rfm"), ("cltv", "core"), ("cltv", "store")}
    assert architecture.draw(edges).count("marker-end") == 2  # imports of core are not drawn


def test_a_package_without_a_place_in_the_picture_is_named():
    architecture = tool("architecture")
    with pytest.raises(ValueError, match="add weather to ROWS"):
        architecture.draw({("cltv", "weather")})


def test_every_module_is_on_a_generated_page(site):
    text = "\n".join(body for _, body in site.reference_pages().values())
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "crm_utils").rglob("*.py")
        if not path.stem.startswith("__")
    }
    assert modules - set(re.findall(r"^::: (\S+)$", text, flags=re.M)) == set()


def test_parameters_tables_and_targets_are_on_generated_pages(site):
    pages = {name: body for name, (_, body) in site.reference_pages().items()}
    assert "| `segment_map` |" in pages["reference/parameters.md"]
    assert "| `target_roi` |" in pages["reference/parameters.md"]
    assert "| `analysis_dates` | list of string or `DateRule` | required |" in pages["reference/parameters.md"]
    assert "## customers\n" in pages["reference/tables.md"]
    assert "| `make report` |" in pages["reference/make.md"]


def test_requests_to_other_servers_are_found(site, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        '<link rel="stylesheet" href="https://fonts.example/a.css"><script src="//cdn.example/b.js"></script>'
        '<img src="own.png"><a href="https://example.org">a link is not a request</a>'
    )
    assert site.outside_requests(page) == ["//cdn.example/b.js", "https://fonts.example/a.css"]


def test_no_other_report_is_published(site, tmp_path):
    for report in ("demo", "shop"):
        (tmp_path / "reports" / report / "2024-01-01").mkdir(parents=True)
        (tmp_path / "reports" / report / "2024-01-01" / "page.html").write_text(report)
    site.publish_report(tmp_path, tmp_path / "site")
    published = [path.name for path in (tmp_path / "site" / "reports").iterdir()]
    assert "demo" in published
    assert "shop" not in published


def test_a_missing_report_is_said(site, tmp_path):
    with pytest.raises(site.PluginError, match="make docs"):
        site.publish_report(tmp_path, tmp_path / "site")


def test_the_guide_to_a_cleaning_rule_uses_the_names_of_the_notebook():
    guide = (ROOT / "docs" / "how-to" / "add-a-cleaning-rule.md").read_text()
    rules = re.search(r"^ +(\w+)\[\"", guide, flags=re.M)[1]
    notebook = (ROOT / "notebooks" / "01_cleaning.ipynb").read_text()
    assert f'"{rules} = ' in notebook


def test_the_guide_to_a_lift_shows_the_line_of_the_notebook_and_it_works():
    guide = (ROOT / "docs" / "how-to" / "change-a-lift.md").read_text()
    what_if = re.search(r'# (campaigns\.loc\[campaigns\.name == ".+?", "lift"\] = [\d.]+)$', guide, flags=re.M)[1]
    cells = json.loads((ROOT / "notebooks" / "05_budget.ipynb").read_text())["cells"]
    assert f"# {what_if}\n" in [line for cell in cells for line in cell["source"]]
    listed = read_yaml(ROOT / "params" / "campaigns.yaml", Campaigns).campaigns
    campaigns = pd.DataFrame([campaign.model_dump() for campaign in listed])
    before = campaigns.lift.tolist()
    exec(what_if, {"campaigns": campaigns})
    assert (campaigns.lift != before).sum() == 1
    assert campaigns.lift.between(campaigns.lift_low, campaigns.lift_high).all()
