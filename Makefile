# Everything runs in .venv, made on first use; nothing else on the machine is touched.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# What `make package` writes, and which of the stages of .chalice/config.json it is for.
STAGES  := dev prod
STAGE   ?= prod
PACKAGE := build/package

.PHONY: install demo test lint types contracts unit fuzz thorough browser bench catalogue package clean

install: $(STAMP)

$(STAMP): pyproject.toml requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.txt --editable '.[dev]'
	@touch $@

demo: install
	@$(BIN)/mfawatch demo $(if $(SERVE),--serve)

test: lint types contracts unit

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: install
	$(BIN)/mypy

contracts: install
	$(BIN)/lint-imports

unit: install
	$(BIN)/pytest

# Some hundred requests for each route of the API: minutes.
fuzz: install
	MFAWATCH_FUZZ=$(or $(EXAMPLES),300) $(BIN)/pytest -n 0 tests/api/test_schemathesis.py

# A thousand accounts for what must hold of every plan, an executor killed at every call, each read with each fault, events
# ten times in any order, every hostile name, and a demo that is the same each time; some twenty minutes.
thorough: install
	MFAWATCH_THOROUGH=1 $(BIN)/pytest tests/remediation/test_safety.py tests/functions/test_executors.py \
	  tests/cli/test_demo.py tests/functions/test_faults.py \
	  tests/functions/test_realtime.py tests/report/test_hostile_pages.py

# The report page in a browser. Chromium is Debian's: it is installed where this may be done, and missed otherwise.
browser: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.txt --editable '.[dev,browser]'
	command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get install --yes --quiet chromium; } || true
	env --unset=CI $(BIN)/pytest -n 0 -ra tests/browser

bench: install
	$(BIN)/python -m benchmarks

catalogue: install
	$(BIN)/python -m chalicelib.local.build_catalogue

# Chalice takes what it packed before where requirements.txt and the code are the same, however that was packed; it takes
# compiled modules along; and it asks for a region, which the template does not depend on.
package: install
	$(if $(filter $(STAGES),$(STAGE)),,$(error no stage "$(STAGE)": there are $(STAGES)))
	rm -rf $(PACKAGE) .chalice/deployments
	find chalicelib -type d -name __pycache__ -prune -exec rm -r {} +
	AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-us-east-1} PIP_NO_DEPS=1 PYTHONDONTWRITEBYTECODE=1 \
	  $(BIN)/chalice package --stage $(STAGE) --merge-template .chalice/resources.json $(PACKAGE)
	$(BIN)/python -m chalicelib.local.check_bundle $(PACKAGE)/deployment.zip requirements.txt
	$(BIN)/cfn-lint --template $(PACKAGE)/sam.json .chalice/*.yaml

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
