"""Change the analysis code at random, one small change at a time, and count which changes the tests notice.

    python tools/mutants.py [PACKAGE ...] [--count 300] [--seed 0]

A *mutant* is the code with one change by an operator of mutmut: a comparison, an arithmetic or logical operator, a
number, True or False, a forced condition, or a keyword argument that is left out. Each of the five stages gets the same
number of mutants. A mutant runs against the unit tests of its stage that reach the changed line, fastest first, until
one fails. A run that takes much longer than without the change also counts as noticed.

Not mutated, because no figure depends on it: wording (`narrative.py`, `findings.py`, texts, error messages),
annotations, checks that only a mistake can fail (`strict` of zip, `validate` of a merge), and in `charts.py` numbers
and what is passed to matplotlib, which are sizes, colours and positions. `equivalent_mutants.yaml` lists changes that
cannot change a result, each with the reason.
"""

import argparse
import difflib
import importlib
import itertools
import multiprocessing
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.machinery import SourceFileLoader
from pathlib import Path

import coverage
import hypothesis
import libcst as cst
import libcst.matchers as m
import pytest
import yaml
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation import mutators

ROOT = Path(__file__).parents[1]
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.yaml")
STAGES = ("cleaning", "rfm", "segmentation", "cltv", "budget")
SLOW_IMPORTS = ("duckdb", "ibis.backends.duckdb", "matplotlib.pyplot", "pandas", "pyarrow.parquet", "scipy.optimize",
                "scipy.stats", "seaborn", "sklearn.cluster", "lifetimes", "openpyxl", "pandera.pandas", "pydantic",
                "bs4", "IPython.display", "nbformat", "papermill", "python_calamine", "sqlglot")  # fmt: skip
NO_FIGURE_DEPENDS_ON = (cst.Annotation, cst.Decorator, cst.Raise, cst.Import, cst.ImportFrom)
SAFETY_CHECK = m.Arg(keyword=m.Name("strict") | m.Name("validate"))
DRAWING = m.Call(func=m.Name("new_axes") | m.Attribute(value=m.Name("ax") | m.Name("plt") | m.Subscript()))
TIME_LIMIT = 30  # seconds, in addition to three times what the tests take without the change


def leave_out_keyword(call: cst.Call) -> Iterator[cst.Call]:
    """Yield the call without each of its keyword arguments."""
    for argument in call.args:
        if argument.keyword and not m.matches(argument, SAFETY_CHECK):
            yield call.with_changes(args=[other for other in call.args if other is not argument])


IN_CHARTS = [
    (cst.CSTNode, mutators.operator_swap_op),
    (cst.CSTNode, mutators.operator_keywords),
    (cst.UnaryOperation, mutators.operator_remove_unary_ops),
    (cst.IfExp, mutators.operator_if_exp),
]
ELSEWHERE = [
    *IN_CHARTS,
    (cst.BaseNumber, mutators.operator_number),
    (cst.Name, mutators.operator_name),
    (cst.Call, leave_out_keyword),
]


@dataclass(frozen=True)
class Mutant:
    """A module with one change: its file, the new text, and the lines of the changed statement."""

    path: Path
    text: str
    lines: range

    @property
    def stage(self) -> str:
        """Its package."""
        return self.path.relative_to(ROOT / "crm_utils").parts[0]

    @property
    def changed(self) -> tuple[str, str, str]:
        """The file, its first changed line, and the new text of that line."""
        before, after = self.path.read_text(encoding="utf-8").splitlines(), self.text.splitlines()
        old_line, new_line = next(pair for pair in zip(before, after, strict=False) if pair[0] != pair[1])
        return str(self.path.relative_to(ROOT)), old_line.strip(), new_line.strip()

    def diff(self) -> str:
        """Return the change as a diff."""
        before, after = self.path.read_text(encoding="utf-8").splitlines(), self.text.splitlines()
        name = str(self.path.relative_to(ROOT))
        return "\n".join(difflib.unified_diff(before, after, name, name, n=2, lineterm=""))


class _Mutations(cst.CSTVisitor):
    """Collects the changes of a module: the node, what replaces it, and the lines of its statement."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, of_charts: bool) -> None:
        super().__init__()
        self.of_charts = of_charts
        self.operators = IN_CHARTS if of_charts else ELSEWHERE
        self.statements: list[cst.CSTNode] = []
        self.found: list[tuple[cst.CSTNode, cst.CSTNode, range]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, NO_FIGURE_DEPENDS_ON) or m.matches(node, SAFETY_CHECK):
            return False
        if self.of_charts and m.matches(node, DRAWING):
            return False
        if isinstance(node, cst.SimpleStatementLine):
            self.statements.append(node)
        span = self.get_metadata(PositionProvider, self.statements[-1] if self.statements else node)
        for kind, operator in self.operators:
            if isinstance(node, kind):
                lines = range(span.start.line, span.end.line + 1)
                self.found += [(node, changed, lines) for changed in operator(node)]
        return True

    def on_leave(self, node: cst.CSTNode) -> None:
        if isinstance(node, cst.SimpleStatementLine) and self.statements:
            self.statements.pop()


def find_changes(path: Path) -> list[Callable[[], Mutant]]:
    """Return all changes of a module, each to be made when it is drawn: writing a module takes a while."""
    wrapper = MetadataWrapper(cst.parse_module(path.read_text(encoding="utf-8")))
    mutations = _Mutations(of_charts=path.name == "charts.py")
    wrapper.visit(mutations)

    def change(old: cst.CSTNode, new: cst.CSTNode, lines: range) -> Mutant:
        return Mutant(path, wrapper.module.deep_replace(old, new).code, lines)

    return [partial(change, *found) for found in mutations.found]


def read_equivalent_mutants() -> set[tuple[str, str, str]]:
    """Return file, line before and line after of the mutants that are known to be equivalent."""
    listed = yaml.safe_load(EQUIVALENT.read_text(encoding="utf-8")) or []
    for entry in listed:
        if entry["before"] not in map(str.strip, (ROOT / entry["file"]).read_text(encoding="utf-8").splitlines()):
            raise SystemExit(f"{EQUIVALENT.name}: {entry['file']} has no line {entry['before']!r} any more")
    return {(entry["file"], entry["before"], entry["after"]) for entry in listed}


def sample_mutants(stage: str, count: int, seed: int) -> list[Mutant]:
    """Draw mutants of a stage, without those that are known to be equivalent."""
    modules = sorted((ROOT / "crm_utils" / stage).rglob("*.py"))
    modules = [path for path in modules if not path.name.endswith(("narrative.py", "findings.py"))]
    changes = [change for path in modules for change in find_changes(path)]
    known = read_equivalent_mutants()
    drawn = random.Random(f"{seed} {stage}").sample(changes, len(changes))
    mutants = (change() for change in reversed(drawn))
    return list(itertools.islice((mutant for mutant in mutants if mutant.changed not in known), count))


@dataclass
class UnitTests:
    """The tests of a stage: the seconds each takes, and which tests reach each line ('' if it runs on import)."""

    seconds: dict[str, float] = field(default_factory=dict)
    reaching: dict[tuple[str, int], set[str]] = field(default_factory=dict)

    def of(self, mutant: Mutant) -> list[str]:
        """Return the tests that reach a mutant: single tests, or all of a file if a shared fixture reaches it."""
        found = set().union(*(self.reaching.get((str(mutant.path), line), ()) for line in mutant.lines))
        if "" in found:
            return list(self.seconds)
        return [test for test in self.seconds if {test, test.split("::")[0]} & found]


class _Recorder:
    """A pytest plugin that notes the time of each test and tells coverage which one runs."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self.measured = measured
        self.seconds: dict[str, float] = {}

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self.measured.switch_context(item.nodeid.split("::")[0])

    def pytest_runtest_call(self, item: pytest.Item) -> None:
        self.measured.switch_context(item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration


class _Selection:
    """A pytest plugin that keeps the chosen tests, file by file, fastest first."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if item.nodeid in self.seconds]
        of_file: dict[Path, float] = {}
        for item in chosen:
            of_file[item.path] = of_file.get(item.path, 0.0) + self.seconds[item.nodeid]
        items[:] = sorted(chosen, key=lambda item: (of_file[item.path], str(item.path), self.seconds[item.nodeid]))


def _run_pytest(arguments: list[str], plugin: object) -> int:
    always = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", "--hypothesis-profile=mutants"]
    return int(pytest.main([*always, *arguments], plugins=[plugin]))


def _detach() -> None:
    """Make this process silent, and put it in its own group so that it can be killed with its children."""
    os.setpgrp()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _measure(stage: str, answers: multiprocessing.Queue) -> None:
    """Run the tests of a stage on the unchanged code. It runs in a separate process."""
    _detach()
    measured = coverage.Coverage(data_file=None, source=[str(ROOT / "crm_utils" / stage)], config_file=False)
    recorder = _Recorder(measured)
    measured.start()
    failed = _run_pytest([f"tests/{stage}"], recorder)
    measured.stop()
    data = measured.get_data()
    reaching = {
        (path, line): set(contexts)
        for path in data.measured_files()
        for line, contexts in data.contexts_by_lineno(path).items()
    }
    answers.put(None if failed else UnitTests(recorder.seconds, reaching))


def measure_tests(stage: str) -> UnitTests:
    """Run the tests of a stage on the unchanged code. Exit if they fail."""
    answers: multiprocessing.Queue = multiprocessing.get_context("fork").Queue()
    process = multiprocessing.get_context("fork").Process(target=_measure, args=(stage, answers))
    process.start()
    tests = answers.get()
    process.join()
    if tests is None:
        raise SystemExit(f"the tests of {stage} fail without any change: make test ARGS=tests/{stage}")
    return tests


def _test_mutant(mutant: Mutant, seconds: dict[str, float]) -> None:
    """Run the tests with the mutant in place of its module. It runs in a separate process."""
    _detach()
    get_code = SourceFileLoader.get_code

    def get_mutated_code(loader: SourceFileLoader, name: str):
        return compile(mutant.text, loader.path, "exec") if loader.path == str(mutant.path) else get_code(loader, name)

    SourceFileLoader.get_code = get_mutated_code
    os._exit(_run_pytest(sorted({test.split("::")[0] for test in seconds}), _Selection(seconds)))


def run_mutant(mutant: Mutant, tests: UnitTests) -> str:
    """Return `noticed` if a test fails, `too slow` if the tests do not end in time, `survived` otherwise."""
    seconds = {test: tests.seconds[test] for test in tests.of(mutant)}
    if not seconds:
        return "survived"
    process = multiprocessing.get_context("fork").Process(target=_test_mutant, args=(mutant, seconds))
    process.start()
    process.join(TIME_LIMIT + 3 * sum(seconds.values()))
    if process.is_alive():
        os.killpg(process.pid, signal.SIGKILL)
        process.join()
        return "too slow"
    if process.exitcode == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise RuntimeError(f"none of {list(seconds)} ran")
    return "noticed" if process.exitcode else "survived"


def _print_progress(text: str) -> None:
    print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def main() -> None:
    """Run the mutants and print what survived, and a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("packages", nargs="*", metavar="PACKAGE", help="stages to mutate (default: all five)")
    options.add_argument("--count", type=int, default=300, help="number of mutants (default: 300)")
    options.add_argument("--seed", type=int, default=0, help="which mutants are drawn (default: 0)")
    chosen = options.parse_args()
    stages = chosen.packages or STAGES
    if unknown := set(stages) - set(STAGES):
        options.error(f"unknown package {', '.join(sorted(unknown))}: choose from {', '.join(STAGES)}")
    os.chdir(ROOT)
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    sys.path.insert(0, str(ROOT))
    for name in SLOW_IMPORTS:
        importlib.import_module(name)
    phases = [phase for phase in hypothesis.Phase if phase not in (hypothesis.Phase.shrink, hypothesis.Phase.explain)]
    hypothesis.settings.register_profile("mutants", phases=phases, derandomize=True, database=None, deadline=None)
    results = {stage: _run_stage(stage, chosen.count // len(stages), chosen.seed) for stage in stages}
    _print_progress("")
    print(f"{'package':14}{'mutants':>9}{'noticed':>9}{'too slow':>10}{'survived':>10}{'noticed or too slow':>21}")
    for stage, found in [*results.items(), ("all", sum(results.values(), Counter()))]:
        share = 1 - found["survived"] / found.total()
        print(
            f"{stage:14}{found.total():9}{found['noticed']:9}{found['too slow']:10}{found['survived']:10}{share:21.1%}"
        )


def _run_stage(stage: str, count: int, seed: int) -> Counter[str]:
    """Run the mutants of a stage, print each survivor, and return how many came to which end."""
    mutants = sample_mutants(stage, count, seed)
    tests = measure_tests(stage)
    found: Counter[str] = Counter()
    for mutant in mutants:
        outcome = run_mutant(mutant, tests)
        found[outcome] += 1
        if outcome == "survived":
            _print_progress("")
            print(f"survived {len(tests.of(mutant))} tests\n{mutant.diff()}\n", flush=True)
        _print_progress(f"{stage}: {found.total()} of {len(mutants)} mutants, {found['survived']} survived")
    return found


if __name__ == "__main__":
    main()
