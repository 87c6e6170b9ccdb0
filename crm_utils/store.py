"""Read and write a run folder: its settings, its tables, and the business rules it uses."""

import csv
import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Literal, overload

import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from crm_utils.config import (
    Campaigns,
    Columns,
    Evidence,
    Scoring,
    SegmentMap,
    SegmentRules,
    Settings,
    Source,
    read_yaml,
)
from crm_utils.config.campaigns import ASSUMED, check_evidence
from crm_utils.config.old_names import TABLES
from crm_utils.config.paths import rules_path
from crm_utils.core import duckdb_engine
from crm_utils.core.contracts import CONTRACTS, check_contract
from crm_utils.core.contracts.agreement import SavedTables, check_agreement, check_listed, check_lists_of_plan
from crm_utils.core.errors import TableError
from crm_utils.core.files import atomic_write
from crm_utils.core.formatting import NumberFormat
from crm_utils.core.formula_injection import escape_formulas
from crm_utils.core.orders import orders_as_of
from crm_utils.core.project import VARIABLE, current_project

DRAFT = "../reports/_draft"  # seen from notebooks/


class Run:
    """The folder of one report and date.

    `load` and `save` read and write pandas tables. `scan` returns an Ibis table, for work that stays in the engine.

    Parameters
    ----------
    run_dir : str or Path, optional
        The folder. By default it is the run that contains the notebook, or `reports/_draft` for a notebook in
        `notebooks/`. A relative path is relative to the working folder or to the project's `notebooks/`, so that the
        working folder does not matter.
    """

    def __init__(self, run_dir: str | Path | None = None):
        default_dir = ".." if Path("../settings.json").exists() else DRAFT
        self.run_dir = _find_run(Path(run_dir or default_dir))

    @cached_property
    def settings(self) -> Settings:
        """Title, currency, analysis date, source and number format of this run."""
        path = self.run_dir / "settings.json"
        if not path.exists():
            raise FileNotFoundError(_cause_of_no_run(self.run_dir))
        return read_yaml(path, Settings)

    @property
    def number_format(self) -> NumberFormat:
        """How this report writes numbers and money."""
        return NumberFormat(self.settings.unit, self.settings.thousands_separator)

    @property
    def source(self) -> Source:
        """Where the line items are."""
        return self.settings.source

    @property
    def columns(self) -> Columns:
        """The source's own column names for the standard names."""
        return self.settings.columns

    @property
    def customer_tables(self) -> dict[str, str]:
        """The file of each customer table that the parameters file lists, or `simulated`."""
        return self.settings.customer_tables

    @property
    def root(self) -> Path:
        """The project's folder. Paths in parameters are relative to it."""
        if VARIABLE in os.environ:
            return Path(os.environ[VARIABLE])
        # not resolved, because `reports` may be a link to another disk
        return Path(os.path.normpath(self.run_dir.absolute() / self.settings.root))

    def path(self, name: str) -> Path:
        """The file of a table of this run."""
        return self.run_dir / "data" / f"{name}.parquet"

    @overload
    def load(self, name: str, required: Literal[True] = True) -> pd.DataFrame: ...

    @overload
    def load(self, name: str, required: bool) -> pd.DataFrame | None: ...

    def load(self, name: str, required: bool = True) -> pd.DataFrame | None:
        """Load a table of this run and check its contract.

        Parameters
        ----------
        name : str
            Name of the table, for example "customers".
        required : bool
            If False, return None for a table that does not exist because the source has no such data.

        Returns
        -------
        DataFrame or None
            The table, sorted by its key. Dates and times are `datetime64[us]`, ids are text.

        Raises
        ------
        TableError
            If the table is missing although it is required, or breaks its contract.
        """
        if not required and not self.path(name).exists():
            return None
        return check_contract(pd.read_parquet(self._existing_path(name)), name)

    def scan(self, name: str) -> ir.Table:
        """Return a table as an Ibis table. Rows are read only when an expression is executed.

        Parameters
        ----------
        name : str
            Name of the table, for example "customers".

        Returns
        -------
        ibis.Table
            The table on DuckDB.

        Raises
        ------
        TableError
            If the table is missing.
        """
        return duckdb_engine.duckdb().read_parquet(self._existing_path(name))

    def save(self, table: pd.DataFrame | ir.Table, name: str) -> None:
        """Write a table, sorted by its key, after checking its contract.

        An Ibis table is streamed, so it never has to fit in memory.

        Parameters
        ----------
        table : pandas.DataFrame or ibis.Table
            The table, with the columns of its contract.
        name : str
            Name of the table, for example "customers".

        Raises
        ------
        TableError
            If the table breaks its contract, or does not agree with a table of an earlier step (see
            `core.contracts.agreement`). The message lists every violation, and no file is written.
        """
        with atomic_write(self.path(name)) as unfinished:
            if isinstance(table, pd.DataFrame):
                checked = _sorted(check_contract(table, name), name)
                check_agreement(self._saved_tables({name: checked}), name)
                checked.to_parquet(unfinished, index=False)
            else:
                _stream(table, name, unfinished)

    def _saved_tables(self, replaced: Mapping[str, pd.DataFrame]) -> SavedTables:
        def known_orders() -> ir.Table:
            return orders_as_of(self.scan("orders"), self.scan("order_adjustments"), self.settings.analysis_date)

        return SavedTables(self.run_dir / "data", known_orders, replaced)

    def save_all(self, tables: dict[str, pd.DataFrame]) -> None:
        """Write each table under its name.

        Parameters
        ----------
        tables : dict of str to pandas.DataFrame
            See `save`.
        """
        for name, table in tables.items():
            self.save(table, name)

    def save_lists(self, table: pd.DataFrame, by: str, folder: str = "") -> None:
        """Write one list for each value of a column. The previous lists are deleted.

        Lists of customers say who may be contacted and who is held out (`permissions.mark_permissions`).

        Parameters
        ----------
        table : pandas.DataFrame
            The rows of all lists, in order.
        by : str
            The column whose values name the lists: `lists/<value>.csv`.
        folder : str
            A folder of `lists`, for example "moved". By default the lists are in `lists` itself.

        Raises
        ------
        TableError
            If two values give the same file name, or if a customer is not in the table `customers`.
        """
        lists, table = self.run_dir / "lists" / folder, self._with_permissions(table)
        for old in lists.glob("*.csv"):
            old.unlink()
        lists.mkdir(parents=True, exist_ok=True)
        for name, rows in table.groupby(by, sort=True):
            path = lists / f"{slug(str(name))}.csv"
            if path.exists():
                raise TableError(f"two lists would have the file name {path.name}: rename {by} {name}")
            write_csv(rows, path)

    def save_list(self, table: pd.DataFrame, name: str) -> None:
        """Write `lists/<name>.csv`. Cells that a spreadsheet would run as formulas are escaped.

        A list of customers says who may be contacted and who is held out (`permissions.mark_permissions`).

        Parameters
        ----------
        table : pandas.DataFrame
            The rows of the list.
        name : str
            The name of the file.

        Raises
        ------
        TableError
            If a customer is not in the table `customers`.
        """
        folder = self.run_dir / "lists"
        folder.mkdir(exist_ok=True)
        write_csv(self._with_permissions(table), folder / f"{name}.csv")

    def _with_permissions(self, table: pd.DataFrame) -> pd.DataFrame:
        """Add to a list of customers who may be contacted, and who is held out."""
        # imported here, because sources start threads, which a forked kernel would miss
        from crm_utils.sources.permissions import mark_permissions

        if "customer_id" not in table:
            return table
        check_listed(self._saved_tables({}), table.customer_id, "the list")
        return mark_permissions(table, self._usable_contacts, self.settings.contacting)

    @cached_property
    def _usable_contacts(self) -> pd.DataFrame | None:
        # imported here, because sources start threads, which a forked kernel would miss
        from crm_utils.sources.contact_addresses import GENERIC, usable_contacts

        contacting = self.settings.contacting
        return usable_contacts(self.load("contacts", required=False), contacting.send_format if contacting else GENERIC)

    def save_send_lists(
        self,
        plan: pd.DataFrame,
        send: Mapping[tuple[str, str], pd.DataFrame],
        hold_back: Mapping[tuple[str, str], pd.DataFrame],
        do_not_contact: pd.DataFrame,
    ) -> None:
        """Write `send/` and `hold_back/<campaign>__<segment>.csv`, and `do_not_contact.csv`. Old ones are deleted.

        The plan is saved as table `contact_plan`.

        Parameters
        ----------
        plan, send, hold_back, do_not_contact
            See `send_lists.SendLists`.

        Raises
        ------
        TableError
            If two campaigns give the same file name, or if lists and plan have different customers.
        """
        self.save(plan, "contact_plan")
        for kind, group, by_line in (("send", "treatment", send), ("hold_back", "control", hold_back)):
            listed = [rows.customer_id for rows in by_line.values()]
            check_lists_of_plan(plan.customer_id[plan.group == group], listed, kind)
        check_listed(self._saved_tables({}), do_not_contact.customer_id, "do_not_contact.csv")
        for name, lists in (("send", send), ("hold_back", hold_back)):
            folder = self.run_dir / name
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for (campaign, segment), rows in lists.items():
                path = folder / f"{slug(campaign)}__{slug(segment)}.csv"
                if path.exists():
                    raise TableError(f"two lists would have the file name {path.name}: rename campaign {campaign}")
                write_csv(rows, path)
        write_csv(do_not_contact, self.run_dir / "do_not_contact.csv")

    def save_workbook(self, content: bytes) -> None:
        """Write the plan as a spreadsheet: `workbook.xlsx`.

        Parameters
        ----------
        content : bytes
            The content of the file, see `workbook.build_workbook`.
        """
        (self.run_dir / "workbook.xlsx").write_bytes(content)

    def save_scoring(self, scoring: Scoring) -> None:
        """Write how the customers of this run were scored: `data/scoring.json`.

        Parameters
        ----------
        scoring : Scoring
            See `compute_bin_edges`.
        """
        self._save_rules(scoring, "scoring")

    def load_scoring(self) -> Scoring:
        """Load how the customers of this run were scored.

        Returns
        -------
        Scoring
            The configuration and the bin edges.

        Raises
        ------
        TableError
            If 02_rfm has not run.
        """
        return Scoring.model_validate_json(self._rules_text("scoring", "02_rfm"))

    def save_segment_rules(self, rules: SegmentRules) -> None:
        """Write how the customers of this run were assigned to segments: `data/segment_rules.json`.

        Parameters
        ----------
        rules : SegmentRules
            The scoring, the segment map and the definition of a new customer.
        """
        self._save_rules(rules, "segment_rules")

    def load_segment_rules(self) -> SegmentRules:
        """Load how the customers of this run were assigned to segments.

        Returns
        -------
        SegmentRules
            The scoring, the segment map and the definition of a new customer.

        Raises
        ------
        TableError
            If 03_segmentation has not run.
        """
        return SegmentRules.model_validate_json(self._rules_text("segment_rules", "03_segmentation"))

    def _save_rules(self, rules: Scoring | SegmentRules, name: str) -> None:
        with atomic_write(self.path(name).with_suffix(".json")) as unfinished:
            unfinished.write_text(rules.model_dump_json(indent=1) + "\n", encoding="utf-8")

    def _rules_text(self, name: str, notebook: str) -> str:
        path = self.path(name).with_suffix(".json")
        if not path.exists():
            raise TableError(f"{path.name} is not in {path.parent}: run {notebook} first, because it writes this file")
        return path.read_text(encoding="utf-8")

    def read_segment_map(self, name: str) -> SegmentMap:
        """Read a segment map and check that it is complete and without overlaps.

        Parameters
        ----------
        name : str
            A map of `params/segments/`, or the path of a YAML file.

        Returns
        -------
        SegmentMap
            Which segment each cell belongs to, with meaning and advice.

        Raises
        ------
        ParamsError
            If the map is wrong.
        """
        return read_yaml(rules_path(self.root, "segment_map", name), SegmentMap)

    def campaigns(self, name: str, evidence_file: str = "evidence") -> pd.DataFrame:
        """Read the campaigns that a report may plan.

        Parameters
        ----------
        name, evidence_file : str
            The campaigns and the experiments that they name as evidence: files of `params/`, or paths of YAML files.

        Returns
        -------
        pandas.DataFrame
            One row per campaign with the fields of `Campaign`. capacity and max_spend are null if there is no limit,
            offer and offer_days if they are not set. evidence is assumed or published; evidence_source names the
            experiment, its groups and its source.

        Raises
        ------
        ParamsError
            If a campaign or its evidence is wrong.
        """
        campaigns = read_yaml(rules_path(self.root, "campaigns_file", name), Campaigns)
        frame = pd.DataFrame([campaign.model_dump() for campaign in campaigns.campaigns])
        frame = frame.astype({"capacity": float, "max_spend": float, "offer_days": float})  # null if there is no limit
        published = frame.evidence != ASSUMED
        if not published.any():
            return frame.assign(evidence_source="")
        evidence = read_yaml(rules_path(self.root, "evidence_file", evidence_file), Evidence)
        check_evidence(campaigns, evidence, name)
        sources = {key: experiment.description for key, experiment in evidence.experiments.items()}
        source = frame.evidence.map(sources).fillna("")
        return frame.assign(evidence_source=source, evidence=frame.evidence.where(~published, "published"))

    def _existing_path(self, name: str) -> Path:
        path = self.path(name)
        if not path.exists() and name in TABLES:
            raise TableError(f"table {name} is called {TABLES[name]} since version 0.2")
        if not path.exists():
            written = ", ".join(sorted(other.stem for other in path.parent.glob("*.parquet"))) or "none"
            raise TableError(
                f"table {name} is not in {path.parent}: run the notebook that writes it first (tables there: {written})"
            )
        return path


def _find_run(run_dir: Path) -> Path:
    """A folder as given, or seen from the project's `notebooks/` if no run is there."""
    project = current_project()
    if (run_dir / "settings.json").exists() or project is None:
        return run_dir
    return Path(os.path.normpath(project / "notebooks" / run_dir))


def _cause_of_no_run(run_dir: Path) -> str:
    project = current_project()
    if project is None:
        return (
            f"{run_dir} does not contain a run, and no folder at or above {Path.cwd()} is a project (it has notebooks/ "
            "and params/): open the notebook in its project"
        )
    if run_dir == Path(os.path.normpath(project / "notebooks" / DRAFT)):
        return f"there is no draft yet: run `make draft` in {project}, then run this notebook again"
    return f"{run_dir} does not contain a run: run `make report` in {project}, or name another run_dir"


def slug(name: str) -> str:
    """A name as a file name: "Can't Lose Them" -> 'cant-lose-them'.

    Letters of every script are kept, and long names are cut. A name that was cut, or that has no letters, gets a hash
    at its end, so that two such names differ.
    """
    words = re.sub(r"[\W_]+", "-", name.lower().replace("'", "").replace("’", "")).strip("-")
    short = words.encode()[:80].decode(errors="ignore")
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return short if short and short == words else f"{short or 'unnamed'}-{digest}"


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a list. Text is quoted, so that a spreadsheet that reads quoted cells as text keeps an id such as 00003."""
    harmless = escape_formulas(table)
    harmless.to_csv(path, index=False, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n", encoding="utf-8")


def _sorted(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    contract = CONTRACTS.get(name)
    if contract is None or not contract.key:
        return frame
    return frame.sort_values(list(contract.key), ignore_index=True)


def _stream(table: ir.Table, name: str, path: Path) -> None:
    """Write a table in batches and check each one.

    The engine sorts the rows and makes the keys unique, so dictionary encoding would not save space.
    """
    contract = CONTRACTS[name]
    columns = [*contract.columns, *(column for column in table.columns if column not in contract.columns)]
    batches = (
        duckdb_engine.to_duckdb(table.select(columns))  # each engine sorts text differently
        .order_by(*(contract.key or contract.columns))
        .to_pyarrow_batches(chunk_size=duckdb_engine.BATCH_ROWS)
    )
    writer: pq.ParquetWriter | None = None
    writing: Future[None] | None = None
    with batches, ThreadPoolExecutor(1) as writer_thread:
        for batch in batches:
            frame = pa.Table.from_pandas(check_contract(batch.to_pandas(), name), preserve_index=False)
            writer = writer or pq.ParquetWriter(path, frame.schema, use_dictionary=False)
            if writing:
                writing.result()
            writing = writer_thread.submit(writer.write_table, frame)
    if writer is None or writing is None:
        empty = check_contract(batches.schema.empty_table().to_pandas(), name)
        empty.to_parquet(path, index=False)
    else:
        writing.result()
        writer.close()
