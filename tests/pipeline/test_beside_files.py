"""Data files beside the notebooks."""

import pytest

from crm_utils.pipeline.beside_files import files_beside, named_files


@pytest.fixture
def notebooks(tmp_path):
    folder = tmp_path / "notebooks"
    (folder / "plans").mkdir(parents=True)
    for name in ("targets.csv", "plans/a.csv", "plans/b.csv", "logo.png", "shop_rules.py", "01_own.ipynb", "other.csv"):
        (folder / name).write_text(name)
    (tmp_path / "secret.csv").write_text("outside")
    return folder


@pytest.mark.parametrize(
    ("code", "texts", "found"),
    [
        (["pd.read_csv('targets.csv')"], [], ["targets.csv"]),
        (["%matplotlib inline\npd.read_csv(f'plans/{name}.csv')"], [], ["plans/a.csv", "plans/b.csv"]),
        ([], ["![Our logo](logo.png) and <img src='other.csv'>"], ["logo.png", "other.csv"]),
        (
            ["open('../secret.csv'); open('.'); open('01_own.ipynb'); print('x' * 9, 'a\\0b')"],
            ["[x](01_own.ipynb)"],
            [],
        ),
        (["not python at all ("], [], []),
    ],
)
def test_the_files_that_code_and_text_name(notebooks, code, texts, found):
    assert [path.relative_to(notebooks).as_posix() for path in named_files(notebooks, code, texts)] == found


def test_data_files_are_found_while_a_notebook_runs_and_leave_nothing(notebooks, tmp_path):
    run = tmp_path / "run"
    with files_beside(notebooks, run):
        assert sorted(path.name for path in run.iterdir()) == ["logo.png", "other.csv", "plans", "targets.csv"]
        assert (run / "plans" / "a.csv").read_text() == "plans/a.csv"
        (run / "01_own.ipynb").write_text("executed")
    assert [path.name for path in run.iterdir()] == ["01_own.ipynb"]
    assert (notebooks / "targets.csv").exists()
