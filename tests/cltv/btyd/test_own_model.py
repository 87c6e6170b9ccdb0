"""A purchase model that an analyst wrote: judged and used like the built-in ones, and told in words what is wrong."""

import numpy as np
import pandas as pd
import pytest

from crm_utils.cltv import btyd
from crm_utils.cltv.backtest.candidates import OWN_MODEL, forecast_candidates, index_of
from crm_utils.cltv.forecast import SUMMARY_COLUMNS
from crm_utils.cltv.purchase_log import Purchases
from crm_utils.config import SECTIONS
from crm_utils.config.yaml_models import parse_model
from crm_utils.core.contracts import check_contract
from crm_utils.core.errors import OwnCodeError, ParamsError

HISTORIES = [np.array(values, float) for values in ([0, 2, 5], [0, 40, 90], [100, 100, 100])]
SAME = """
from crm_utils.cltv import btyd

class Same:
    def fit(self, x, t_x, T):
        self.model = btyd.fit_quickly("bg_nbd", x, t_x, T)
    def expected_purchases(self, x, t_x, T, days):
        return self.model.expected_purchases(x, t_x, T, days)
    def purchase_probability(self, x, t_x, T, days):
        return self.model.purchase_probability(x, t_x, T, days)
"""


class Steady:
    """Everybody buys once in 100 days."""

    def fit(self, x, t_x, T):
        self.rate = 0.01

    def expected_purchases(self, x, t_x, T, days):
        return np.full(len(x), self.rate * days)

    def purchase_probability(self, x, t_x, T, days):
        return 1 - np.exp(-self.rate * days * np.ones(len(x)))


def fitted(**methods: object):
    """The model above with other methods, fitted."""
    return btyd.OwnModelSpec("mine:Own", type("Own", (Steady,), methods)).fit(*HISTORIES)


def customers(count: int = 300) -> pd.DataFrame:
    draw = np.random.default_rng(1)
    x = draw.poisson(1.5, count)
    ages = draw.integers(100, 400, count)
    frame = pd.DataFrame({"customer_id": [f"{number:04}" for number in range(count)], "repeat_purchase_days": x})
    frame["last_purchase_age_days"] = np.where(x > 0, (ages * draw.random(count)).astype(int) + 1, 0).clip(max=ages)
    return frame.assign(customer_age_days=ages, mean_purchase_value=draw.gamma(4, 5, count))


@pytest.fixture
def same(tmp_path) -> "btyd.OwnModelSpec":
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "same_model.py").write_text(SAME)
    return btyd.load_model("same_model:Same", tmp_path)


def test_it_has_the_interface_of_the_others():
    model = fitted()
    assert model.expected_purchases(*HISTORIES, 30.0) == pytest.approx([0.3] * 3)
    assert model.expected_purchases(*HISTORIES, np.array([30.0, 90])).tolist() == [[0.3, 0.9]] * 3
    assert model.purchase_probability(*HISTORIES, 30) == pytest.approx(1 - np.exp(-0.3))
    assert np.isnan(model.probability_alive(*HISTORIES)).all()
    assert model.expected_squared_purchases(*HISTORIES, 30) == pytest.approx(0.3 + 0.09), "as of a Poisson variable"


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        ({"fit": lambda self, x, t_x, T: 1 / 0}, "mine:Own.fit failed with ZeroDivisionError: division by zero"),
        ({"fit": lambda self, x: None}, r"mine:Own.fit failed with TypeError"),
        ({"expected_purchases": lambda self, *_: np.ones(2)}, r"expected_purchases returned an array of shape \(2,\)"),
        ({"expected_purchases": lambda self, *_: 1.0}, r"of shape \(\); one number for each of 3 customers"),
        ({"expected_purchases": lambda self, *_: "many"}, "expected_purchases returned str, not numbers"),
        ({"expected_purchases": lambda self, *_: None}, "returned no finite number for|of shape"),
        ({"expected_purchases": lambda self, *_: [1, -1, 2]}, "a negative number for 1 of 3 customers"),
        ({"expected_purchases": lambda self, *_: [1, np.nan, np.inf]}, "no finite number for 2 of 3 customers"),
        ({"expected_purchases": lambda self, x, t_x, T, days: 9 / days * (x + 1)}, "falls for some .* 30 to 90 days"),
        ({"purchase_probability": lambda self, *_: [0.5, 1.2, 0]}, "returned 1.2 for 1 customers; .* at most 1"),
        ({"purchase_probability": lambda self, *_: [0.5, np.nan, 0]}, "purchase_probability returned no finite number"),
    ],
)
def test_what_is_wrong_is_told_with_class_and_method(methods, said):
    with pytest.raises(OwnCodeError, match=said):
        model = fitted(**methods)
        model.expected_purchases(*HISTORIES, np.array([30.0, 90.0]))
        model.purchase_probability(*HISTORIES, 30.0)


def test_it_is_a_candidate_of_the_backtest_with_season_and_ranks_customers(same):
    """A model that is BG/NBD makes the forecasts of BG/NBD."""
    draw = np.random.default_rng(2)
    bought = pd.DataFrame({"customer": draw.integers(0, 200, 900), "day": draw.integers(0, 900, 900)})
    bought = bought.drop_duplicates().sort_values(["customer", "day"])
    known = Purchases(900, *bought.to_numpy().T, draw.gamma(4, 5, len(bought)))
    made, without = (forecast_candidates(known, [30, 91], own=own) for own in (same, None))
    for ending in ("", "_season"):
        ours, theirs = (made.totals[:, index_of(f"{name}{ending}")] for name in (OWN_MODEL, "bg_nbd"))
        assert ours == pytest.approx(theirs)
        assert np.isnan(without.totals[:, index_of(f"{OWN_MODEL}{ending}")]).all()
    assert made.expected == pytest.approx(without.expected)


def test_it_is_ranged_written_and_read_back(same, tmp_path):
    people = customers()
    models, theirs = (btyd.fit_customer_base(people, model) for model in (same, "bg_nbd"))
    assert models.expected_purchases(people, [30, 365]) == pytest.approx(
        theirs.expected_purchases(people, [30, 365]), rel=0.01
    )
    assert not models.identified and models.purchase_covariance is None
    totals = models.totals(people, [30, 365], pd.Series("all", index=people.index))
    assert (totals.relative_variance > 0).all()
    assumptions = pd.DataFrame(
        [("CLV", "margin_rate", 0.3, np.nan, "")], columns=["model", "parameter", "value", "standard_error", "note"]
    )
    table = check_contract(models.table(assumptions), "fitted_parameters")
    assert table.value[table.model == "same_model:Same"].tolist() == [300]
    purchase, _ = btyd.models_from_table(table, people, tmp_path)
    again = purchase.expected_purchases(*btyd.to_xtT(people[SUMMARY_COLUMNS]), 91.0)
    assert again == pytest.approx(models.expected_purchases(people, [91])[:, 0])
    assert btyd.spec_of(purchase).name == "same_model:Same"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no_such:Model", "there is no no_such.py beside the notebooks or in the project's folder"),
        ("broken:Model", "the module fails with ZeroDivisionError"),
        ("importing:Model", "it imports no_such_library, which is not installed"),
        ("half:Model", "has no method expected_purchases and no method purchase_probability"),
        ("half:Other", "half.py has no class Other"),
    ],
)
def test_a_class_that_cannot_be_loaded_is_told(tmp_path, name, said):
    (tmp_path / "broken.py").write_text("1 / 0")
    (tmp_path / "importing.py").write_text("import no_such_library")
    (tmp_path / "half.py").write_text("class Model:\n    def fit(self, x, t_x, T): ...\nOther = 5")
    with pytest.raises(OwnCodeError, match=said):
        btyd.load_model(name, tmp_path)


def test_an_edited_module_is_read_again(tmp_path):
    path = tmp_path / "half.py"
    path.write_text("class Model:\n    pass\n")
    with pytest.raises(OwnCodeError, match="has no method fit"):
        btyd.load_model("half:Model", tmp_path)
    path.write_text(SAME.replace("Same", "Model") + "# longer than before")
    assert btyd.load_model("half:Model", tmp_path).name == "half:Model"
    assert [btyd.load_model(name, tmp_path) for name in (None, "mbg_nbd")] == [None, "mbg_nbd"]


def test_the_parameter_takes_a_key_or_a_class():
    for model in (None, "bg_nbd", "my_models:MyModel", "shop.models:Own"):
        assert parse_model({"model": model}, SECTIONS["cltv"], "f").model == model
    for wrong, said in (("bgnbd", "did you mean 'bg_nbd'"), ("my models:X", "module:Class"), (":X", "module:Class")):
        with pytest.raises(ParamsError, match=said):
            parse_model({"model": wrong}, SECTIONS["cltv"], "f")
