"""The money of a plan by wave."""

import pandas as pd

from crm_utils.budget.drawings import draw_money_by_wave
from crm_utils.core.formatting import NumberFormat

FMT = NumberFormat("GBP")
WON = pd.DataFrame({"wave": [1, 2], "starts_on": pd.to_datetime(["2024-07-01", "2024-09-30"]), "spend": [50.0, 0.0]})
CALENDAR = pd.DataFrame({"wave": [1, 1], "spend": [100.0, 50.0]})


def test_every_wave_has_its_money_and_a_wave_without_any_says_so():
    drawn = draw_money_by_wave(CALENDAR, WON, FMT)._repr_html_()
    assert "Money by wave: wave 1 £200; wave 2 £0." in drawn
    assert "<title>Wave 1, from 1 Jul: £150 on campaigns</title>" in drawn
    assert "<title>Wave 1, from 1 Jul: £50.00 on new customers</title>" in drawn
    assert drawn.count("<title>") == 2
    assert ">30 Sep<" in drawn


def test_one_kind_of_money_needs_no_legend_and_no_money_no_figure():
    assert ">campaigns<" not in draw_money_by_wave(CALENDAR, WON.assign(spend=0.0), FMT)._repr_html_()
    assert draw_money_by_wave(CALENDAR.head(0), WON.assign(spend=0.0), FMT) is None
