"""Names of version 0.1 in parameters files, notebooks and calls are refused with the new names."""

import importlib
from pathlib import Path

import nbformat
import pytest

from crm_utils.config import SECTIONS, Report, SegmentMap, SimulatedShop
from crm_utils.config.campaigns import Campaign
from crm_utils.config.old_names import DEFINITIONS, METHODS, MODULES, PARAMETERS, TABLES
from crm_utils.config.segment_map import Segment
from crm_utils.core.contracts import CONTRACTS
from crm_utils.core.errors import ParamsError, TableError
from crm_utils.pipeline.jobs import plan_jobs
from crm_utils.pipeline.notebooks import Notebook
from crm_utils.pipeline.old_names import check_names
from crm_utils.store import Run
from tests.support.projects import ROOT, new_project, run

MODELS = {model.__name__: model for model in (*SECTIONS.values(), Report, SimulatedShop, Segment, SegmentMap, Campaign)}
OWN_NOTEBOOK = """
from crm_utils.headlines import say
from crm_utils.orders import known_on
from crm_utils.plots import rfm as plots
from crm_utils import rfm, traits
from crm_utils.store import Store

store = Store()
baskets = known_on(store.scan("orders"), store.scan("adjustments"), store.settings.analysis_date)
features = store.load_if_there("habits")
scores = rfm.measures(baskets, "model")
text = "adjustments".find("a")
say(f"Half of all baskets are worth {baskets.median():.2f} or more.")
"""


def notebook(folder: Path, code: str, name: str = "06_baskets.ipynb", tag: str | None = None) -> Notebook:
    """A notebook of one code cell below its title."""
    cell = nbformat.v4.new_code_cell(code, metadata={"tags": [tag]} if tag else {})
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# How large are baskets?"), cell])
    nbformat.write(book, folder / name)
    return Notebook(folder / name)


def test_a_notebook_is_told_every_old_name_once_with_the_new_one(tmp_path):
    with pytest.raises(ParamsError) as refused:
        check_names(notebook(tmp_path, OWN_NOTEBOOK))
    first, *lines = str(refused.value).splitlines()
    assert first == "notebooks/06_baskets.ipynb: these names are of version 0.1. Use the new names:"
    assert sorted(line.strip() for line in lines) == [
        "crm_utils.headlines.say is now crm_utils.core.display.paragraphs.paragraph",
        "crm_utils.orders.known_on is now crm_utils.core.orders.orders_as_of",
        "crm_utils.plots.rfm is now crm_utils.rfm.charts",
        "crm_utils.rfm.measures is now crm_utils.rfm.measures.compute_rfm",
        "crm_utils.store.Store is now crm_utils.store.Run",
        "crm_utils.traits is now crm_utils.segmentation.profiling",
        "store.load_if_there is now run.load(…, required=False)",
        "table adjustments is now order_adjustments",
        "table habits is now customer_features",
    ]


def test_old_parameters_of_a_kept_notebook_are_told(tmp_path):
    old = notebook(tmp_path, "bins: int = 5\nwindow: str = 'all'", "02_rfm.ipynb", "parameters")
    with pytest.raises(ParamsError, match=r"notebooks/02_rfm\.ipynb: .*\n  parameter bins is now n_bins$"):
        check_names(old)


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_our_own_notebooks_have_none(path):
    check_names(Notebook(path))


def test_a_parameters_file_is_told_all_old_names_and_nothing_published_is_touched(tmp_path):
    root = new_project(tmp_path)
    published = root / "reports" / "small" / "1997-12-31" / "index.html"
    published.parent.mkdir(parents=True)
    published.write_text("as it was")
    params = root / "params" / "small.yaml"
    params.write_text(params.read_text() + "thousands: ' '\nrfm: {bins: 4, limit: 3}\nbudget: {budget: 100}\n")
    notebook(root / "notebooks", OWN_NOTEBOOK)
    done = run(root, "report")
    assert done.returncode == 1
    assert (
        "error: params/small.yaml: these names are of version 0.1. Use the new names:\n"
        "  rfm.bins is now n_bins\n  budget.budget is now total_budget\n  thousands is now thousands_separator\n"
    ) in done.stderr
    assert done.stderr.count("error: notebooks/06_baskets.ipynb:") == 1
    assert published.read_text() == "as it was"


def test_a_campaigns_file_and_a_segment_map_are_told(tmp_path):
    root = new_project(tmp_path)
    campaigns, segments = root / "params" / "campaigns.yaml", root / "params" / "segments" / "dma11.yaml"
    text = campaigns.read_text()
    campaigns.write_text(text.replace("    delivery_rate:", "    delivered:", 1))
    before = text[: text.index("    delivery_rate:")].count("  - name:") - 1
    assert plan_jobs(root)[1] == [
        "params/campaigns.yaml: these names are of version 0.1. Use the new names:\n"
        f"  campaigns.{before}.delivered is now delivery_rate"
    ]
    segments.write_text(segments.read_text().replace("n_bins:", "bins:", 1))
    assert (
        "segments/dma11.yaml: these names are of version 0.1. Use the new names:\n  bins is now n_bins"
        in plan_jobs(root)[1][0]
    )


@pytest.mark.parametrize(("old", "new"), TABLES.items())
def test_an_old_table_is_told_its_new_name(tmp_path, old, new):
    with pytest.raises(TableError, match=f"^table {old} is called {new} since version 0.2$"):
        Run(tmp_path).load(old)


@pytest.mark.parametrize(("model", "renamed"), PARAMETERS.items())
def test_new_parameters_exist_and_old_ones_do_not(model, renamed):
    fields = set(MODELS[model].model_fields)
    assert set(renamed.values()) <= fields
    assert not set(renamed) & fields


def test_new_tables_methods_modules_and_definitions_exist_and_old_ones_do_not():
    assert set(TABLES.values()) <= set(CONTRACTS) and not set(TABLES) & set(CONTRACTS)
    for old, new in METHODS.items():
        assert hasattr(Run, new.partition("(")[0]) and not hasattr(Run, old)
    for old, new in (MODULES | DEFINITIONS).items():
        assert exists(new), f"{old} is said to be {new}"
        assert old.count(".") == 0 or not exists(old) or is_module(old), f"{old} still exists"


def exists(place: str) -> bool:
    """Whether `place` is a module, a name in one, or a name in a class of one."""
    parts = place.split(".")
    for number in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(["crm_utils", *parts[:number]]))
        except ImportError:
            continue
        for part in parts[number:]:
            found = getattr(found, part, None)
        return found is not None
    return False


def is_module(place: str) -> bool:
    """Whether a module stands where a function of version 0.1 stood; only calls of it are old then."""
    return (ROOT / "crm_utils" / Path(*place.split("."))).with_suffix(".py").exists()
