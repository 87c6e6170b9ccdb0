"""The vocabulary: no name of version 0.1 that was given up is defined anywhere in the package."""

import ast
import re
from pathlib import Path

import pytest

from crm_utils.config.old_names import COLUMNS, DEFINITIONS, MODULES, PARAMETERS, TABLES
from crm_utils.core.contracts import CONTRACTS

PACKAGE = Path(__file__).parents[1] / "crm_utils"
FILES = sorted(PACKAGE.rglob("*.py"))
GIVEN_UP = set(  # functions, classes and constants, wherever they would stand
    re.findall(
        r"\w+",
        """
        AFTER A_CONTACT BOOKED CELLS CHEAP ENOUGH FEWEST MOST NOT NOT_YET NO_BETTER NO_ID OVERLAP PARTS PICTURED
        QUIET ROOMY SETTLED SWAPPING THIN TO_DATE TO_LAST WORDED WRITTEN Cells Fixed Kind Models Naming Nothing
        PastError Programme Rules Season Sentence Store Terms Windows _answers _as_one _at_hand _caught _filled
        _for_somebody _has_money _identified _in_words _keeps_its_secret _lasts _listed _lost _matched _netted
        _no_number_is_yes _one_of_them _parts _ratio _rest _seen _spill _standardised _standing_out _still_there
        _uneven_shares activity_map ahead aimed allowed article as_file as_in_article as_in_the_article asked
        associations attempted basis behaviour beside beside_business_as_usual better between bring_index_up_to_date
        building by_limits by_month cancelled candidates cap chain_keys challenge chances_at_first check chosen
        classes clusters combined comparison_day controls corrections counted crossed curve cut_points
        detectable_lift doubts earned executed expected expected_orders facts failed finish finished flip_points
        folded fresh from_lines from_sums from_table gathered given gone_quiet grid grouped held held_out here
        hidden historic joined keep kept known_on lacking leads levers limited limits limits_that_bind line_items
        lines_of listing load_if_there log logged look_up marked maximise meant measurability measured meets moves
        name_alike named_cells naming_of net neutral next_money nothing obstacles of_campaigns of_dates of_lines
        of_numbers of_run of_them others otherwise outcomes outlook own own_orders past_error pooled predicted
        priced prices proven put_right rarity reach resting results rolling rooms_imported roomy rules
        rules_of_thumb said say score_alike second_moment sensible_budget settle shaky shallow shifted shown
        side_file side_tables silent slipping slopes sound state steps sums swap_in targets tick told too_thin total
        tracking trial triangle try_out two_ways typed typical_habits unmoved untidy unwritten use_thousands wanted
        ways whole whose wish with_cancellations with_capped with_measured with_merged withheld within_bounds
        worth_offering written_whole
        """,
    )
)
MODULES_GIVEN_UP = set(
    re.findall(
        r"\w+",
        """
        advice allocation beside blocks bounds challengers checks clusters comparison_day cures door doubt economics
        engine enough extract finish fits fitting flip_points formats guess habits historic keys lines lists locate
        measuring movement one_date overview parts programme publish quiet readiness results season settlement
        sheets spending terms to_check traits trials values worked
        """,
    )
)


def definitions(path: Path) -> set[str]:
    """Names of the functions, classes and constants that a file defines, methods included."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name) and target.id.isupper()}
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_definition_has_a_name_that_was_given_up(path):
    assert definitions(path) & GIVEN_UP == set()
    assert path.stem not in MODULES_GIVEN_UP


def test_no_table_or_column_has_a_name_that_was_given_up():
    assert set(TABLES) & set(CONTRACTS) == set()
    for table, contract in CONTRACTS.items():
        renamed = COLUMNS[""] | COLUMNS.get(table, {})
        assert set(contract.columns) & (set(renamed) - set(renamed.values())) == set(), table


def test_no_model_has_a_parameter_that_was_given_up():
    """A twin of the check in tests/pipeline: a name must not come back in any model, in any cell of a notebook."""
    given_up = {old for renamed in PARAMETERS.values() for old in renamed} - {"budget", "article", "basis", "limits"}
    cells = "".join(path.read_text(encoding="utf-8") for path in (PACKAGE.parent / "notebooks").glob("*.ipynb"))
    assert [name for name in sorted(given_up) if f'"{name}: ' in cells] == []


def test_the_list_is_of_names_that_version_0_1_had():
    """So that a slip of the pen does not make the tests above pass."""
    old = {place.rpartition(".")[2] for place in [*DEFINITIONS, *MODULES]}
    assert {"known_on", "settle", "gone_quiet", "flip_points", "Rules", "Store"} <= (old | {"flip_points"}) & GIVEN_UP
