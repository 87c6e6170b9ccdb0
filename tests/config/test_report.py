"""Parameters: all problems at once, the most similar valid name, and notebooks that agree with the models."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from crm_utils.config import SECTIONS, Campaigns, Evidence, Report, SegmentMap, parse_model, read_yaml
from crm_utils.config.safe_query import check_query, evaluate
from crm_utils.config.yaml_models import Model
from crm_utils.core.errors import ParamsError
from crm_utils.pipeline.notebooks import Notebook

ROOT = Path(__file__).parents[2]
GOOD = yaml.safe_load((ROOT / "params" / "cdnow.yaml").read_text())


@pytest.mark.parametrize("path", sorted((ROOT / "params").glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_files_are_valid(path):
    read_yaml(path, {"campaigns": Campaigns, "evidence": Evidence}.get(path.stem, Report))


@pytest.mark.parametrize("path", sorted((ROOT / "params" / "segments").glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_maps_are_valid(path):
    read_yaml(path, SegmentMap)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rfm": {"bin": 4}}, "unknown parameter rfm.bin; did you mean 'n_bins'?"),
        ({"tilte": "x"}, "unknown parameter tilte; did you mean 'title'?"),
        ({"rfm": {"n_bins": "five"}}, "rfm.n_bins: Input should be a valid integer, not 'five'"),
        ({"rfm": {"n_bins": 1}}, "rfm.n_bins: Input should be greater than or equal to 2, not 1"),
        ({"cltv": {"margin_rate": 30}}, "cltv.margin_rate: Input should be less than or equal to 1, not 30"),
        ({"cltv": {"margin_rate": True}}, "cltv.margin_rate: expected a number or text, got the boolean `yes`"),
        ({"budget": {"target_roi": False}}, "budget.target_roi: expected a number or text, got the boolean `no`"),
        ({"analysis_dates": [0]}, "analysis_dates.0: 0 is not a date; write it as 1998-06-30"),
        ({"analysis_dates": ["9999-12-31"]}, "9999-12-31 is out of range; years go from 1900 to 2100"),
        (
            {"segmentation": {"compare_with": "2030-01-01"}},
            "compare_with: 2030-01-01 is not before the last analysis date",
        ),
        ({"budget": {"total_budget": -1}}, "budget.total_budget: Input should be greater than or equal to 0, not -1"),
        ({"analysis_dates": ["1997-13-01"]}, "analysis_dates.0: '1997-13-01' is not a date; write it as 1998-06-30"),
        ({"analysis_dates": []}, "analysis_dates: "),
        ({"analysis_dates": ["1998-01-01", "1997-01-01"]}, "list each date once, oldest first"),
        ({"source": {}}, "source: set exactly one of"),
        (
            {"columns": {"customer_id": "c", "ordered_at": "d", "quantity": "q"}},
            "columns: set amount, or both quantity and unit_price",
        ),
        ({"currency": "dollars"}, "currency: String should match pattern"),
    ],
)
def test_each_mistake_has_its_message(change, message):
    with pytest.raises(ParamsError) as error:
        parse_model(GOOD | change, Report, "params/x.yaml")
    assert str(error.value).startswith("params/x.yaml: ")
    assert message in str(error.value)


def test_all_problems_are_reported_at_once():
    with pytest.raises(ParamsError) as error:
        parse_model(GOOD | {"rfm": {"bin": 4}, "cltv": {"discount_rate": 9}, "currency": 1}, Report, "params/x.yaml")
    assert str(error.value).count("\n") == 3


def test_invalid_yaml_is_reported_with_the_file(tmp_path):
    (tmp_path / "x.yaml").write_text("title: [")
    with pytest.raises(ParamsError, match="x.yaml: not valid YAML"):
        read_yaml(tmp_path / "x.yaml", Report, "params/x.yaml")


@pytest.mark.parametrize("section", SECTIONS)
def test_notebooks_declare_what_the_models_check(section):
    path = next((ROOT / "notebooks").glob(f"*_{section}.ipynb"))
    declared = Notebook(path).declared
    model = SECTIONS[section]()
    defaults = {key: declaration.default for key, declaration in declared.items() if key != "run_dir"}
    assert set(defaults) == set(type(model).model_fields)
    assert type(model)(**defaults) == model
    assert all(declaration.meaning for declaration in declared.values()), "each parameter has a description"


def test_the_command_line_does_not_import_pandas():
    code = "import crm_utils.__main__, sys; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("text", "expected"), [("40", 40), ("-3", -3), ("50_000", 50_000), ("0", 0), ("2.5", 2.5), ("1e-3", "1e-3")]
)
def test_numbers_are_read_as_in_standard_yaml(tmp_path, text, expected):
    (tmp_path / "n.yaml").write_text(f"value: {text}")

    class Number(Model):
        value: Any

    assert read_yaml(tmp_path / "n.yaml", Number).value == expected


@pytest.mark.parametrize("written", ["012346", "12:30", "0x1F", "0b11"])
def test_ids_are_not_read_as_octal_hexadecimal_or_sexagesimal_numbers(tmp_path, written):
    (tmp_path / "n.yaml").write_text(f"exclude_customers: [{written}]")
    assert read_yaml(tmp_path / "n.yaml", SECTIONS["cleaning"]).exclude_customers == [written]


def test_the_message_asks_for_quotes_around_ids():
    with pytest.raises(ParamsError, match="exclude_customers.0: expected text, got 12346; put it in quotes"):
        parse_model({"exclude_customers": [12346]}, SECTIONS["cleaning"], "f")


def test_a_query_may_use_column_names_with_blanks():
    check_query("`mean order value` >= 150 and segment == 'Lost'", "segment a")
    frame = pd.DataFrame({"mean order value": [100, 200]})
    assert evaluate(frame, "`mean order value` >= 150").tolist() == [False, True]
