"""Names of reports are names of files, folders and addresses on every system."""

import pytest

from crm_utils.config.report_names import check_report_name, nearest_report_name
from crm_utils.core.errors import ParamsError


@pytest.mark.parametrize("name", ["cdnow", "online_retail_II", "2024-shop", "shop.eu", "A", "x" * 100, "console"])
def test_usual_names_are_left_alone(name):
    assert nearest_report_name(name) == name
    check_report_name(name, "params/x.yaml", "rename the file")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("my shop", "my_shop"),
        ("100% x #1", "100_x_1"),
        ("../evil", "evil"),
        ("a/b", "a_b"),
        ("Müller & Söhne", "Muller_Sohne"),
        ("Straße", "Strasse"),
        ("店", "report"),
        ("", "report"),
        ("_draft", "draft"),
        (".hidden", "hidden"),
        ("index.html", "index"),
        ("shop.", "shop"),
        ("NUL", "report_NUL"),
        ("com1.shop", "report_com1.shop"),
        ("campaigns", "report_campaigns"),
        ("x" * 240, "x" * 100),
        ("a;touch b", "a_touch_b"),
        ("a\nb", "a_b"),
        ("'$(id)'", "id_"),
    ],
)
def test_another_name_is_refused_with_the_nearest_one(name, nearest):
    with pytest.raises(ParamsError) as refused:
        check_report_name(name, "REPORT", "choose another")
    assert str(refused.value).endswith(f"choose another, for example {nearest}")
    assert nearest_report_name(nearest) == nearest
