# Every target sets up what it needs. The work itself is `python -m crm_utils`.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/ready
named = $(if $(REPORT),--report $(call quoted,REPORT)) $(if $(DATE),--date $(call quoted,DATE))
today = $(if $(TODAY),--today $(call quoted,TODAY))

# A variable as it was typed, so that ${SHOP_PASSWORD} stays a name
quoted = '$(subst ','\'',$(value $(1)))'

.PHONY: help report draft new compare export deliver diff data engines lab test mutants bench lint lock schemas picture docs clean

help:  ## show these lines
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## */  make \1\t/' | expand -t 16

report: $(READY)  ## build all reports, or REPORT=cdnow, or REPORT=cdnow DATE=1998-06-30 [TODAY=2024-07-01]
	@$(PY) -m crm_utils report $(named) $(today)

draft: $(READY)  ## fill reports/_draft for notebooks opened in Jupyter [REPORT=cdnow] [DATE=last]
	@$(PY) -m crm_utils draft $(named) $(today)

new: $(READY)  ## start a report on your own data: REPORT=shop FILE=orders.csv [LIKE=shopify], or URL=sqlite://shop.db TABLE=orders
	@$(PY) -m crm_utils new $(named) $(if $(FILE),--file $(call quoted,FILE)) $(if $(URL),--url $(call quoted,URL)) \
	  $(if $(TABLE),--table $(call quoted,TABLE)) $(if $(QUERY),--query $(call quoted,QUERY)) $(if $(LIKE),--like $(call quoted,LIKE))

compare: $(READY)  ## put two published dates beside each other: REPORT=cdnow FROM=1997-12-31 TO=1998-06-30
	@$(PY) -m crm_utils compare $(named) $(if $(FROM),--from $(call quoted,FROM)) $(if $(TO),--to $(call quoted,TO))

export: $(READY)  ## write a report's results to a database: REPORT=shop [DATE=last] TO=postgresql://…
	@$(PY) -m crm_utils export $(named) $(today) $(if $(TO),--to $(call quoted,TO))

deliver: $(READY)  ## copy a report's newest date to where people read it, and tell them by e-mail: REPORT=shop
	@$(PY) -m crm_utils deliver $(if $(REPORT),--report $(call quoted,REPORT))

diff: $(READY)  ## show what you changed in the notebooks and parameters files of this version [FROM=v0.1.0]
	@$(PY) -m crm_utils diff $(if $(FROM),--from $(call quoted,FROM))

data: $(READY)  ## download Online Retail II (UCI, 45 MB) into data/
	@$(PY) -m crm_utils data

engines: $(READY)  ## add what reads PostgreSQL, MySQL and Spark, and delivers by SFTP, to .venv (Debian: gcc, libmariadb-dev, a Java for Spark)
	@if $(PY) -m pip --version >/dev/null 2>&1; then \
	  $(PY) -m pip install --quiet --require-hashes -r requirements-engines.lock; \
	else \
	  uv pip install --quiet --no-cache --compile-bytecode --python $(PY) --require-hashes -r requirements-engines.lock; \
	fi

lab: $(READY)  ## open the notebooks in Jupyter
	@$(VENV)/bin/jupyter lab notebooks

bench: $(READY)  ## measure speed and memory against named baselines (ARGS="1.4 14 140": million simulated line items)
	@$(PY) benchmarks/speed.py $(or $(ARGS),1.4 14) && for name in new_report sheets rfm cltv budget campaigns year chance report kill size; do echo "== $$name" && $(PY) benchmarks/$$name.py || exit 1; done

test: $(READY)  ## run all tests and print the branch coverage (CI=true: without coverage, a fifth faster)
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -W "ignore:Unable to activate pytest branch:RuntimeWarning" $(if $(CI),,-m slipcover) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

mutants: $(READY)  ## change the analysis code at random and count what the tests notice (ARGS="cltv --count 60 --seed 1")
	@$(PY) tools/mutants.py $(ARGS)

lint: $(READY)  ## check style, types and spelling, and that notebooks carry no outputs
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy && $(VENV)/bin/codespell && $(VENV)/bin/nbstripout --keep-id --verify notebooks/*.ipynb

docs: $(READY)  ## build the documentation site with the demo report into docs-site/ [DATE=last: one date of it]
	@$(PY) tools/architecture.py
	@$(PY) -m crm_utils report --report demo $(if $(DATE),--date $(DATE))
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet
	@echo "docs-site/index.html is written"

lock:  ## renew requirements.lock and environment.yml from pyproject.toml (needs uv)
	@uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --group dev pyproject.toml -o requirements.lock --upgrade
	@uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --group dev --extra postgres --extra mysql --extra spark --extra sftp -c requirements.lock pyproject.toml -o requirements-engines.lock --upgrade
	@$(MAKE) --no-print-directory $(READY)
	@$(PY) tools/environment.py

schemas: $(READY)  ## renew docs/schema/ (what editors complete in params/, and templates with every key) from the models
	@$(PY) tools/schemas.py

picture: $(READY)  ## renew the picture in the README from the last CDNOW report (needs chromium)
	@$(PY) tools/picture.py

clean:  ## remove everything generated, the reports included
	@rm -rf $(VENV) .cache .pytest_cache .ruff_cache .hypothesis docs-site reports/*

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "Python 3.11 to 3.13 is needed, $$($(PYTHON) --version) was found: make PYTHON=python3.12 …"; exit 1; }
	@echo "setting up $(VENV) …"
	@rm -rf $(VENV)
	@if command -v uv >/dev/null; then \
	  uv venv --quiet --python $(PYTHON) $(VENV) && uv pip sync --quiet --compile-bytecode --python $(PY) requirements.lock; \
	else \
	  $(PYTHON) -m venv $(VENV) && $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; \
	fi
	@printf '%s\n' '$(CURDIR)' '$(CURDIR)/notebooks' > "$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/crm_report.pth"
	@touch $@
