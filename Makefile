.PHONY: check test sandbox format docs recordings audit site build

check: ## format, lint, strict types, borders, tests
	python3 dev.py check

test: ## tests only
	python3 dev.py test

sandbox: ## the main job on an emulated account
	python3 dev.py sandbox

format: ## rewrite the sources in the project's format
	.venv/bin/ruff format . && .venv/bin/ruff check --fix .

docs: ## write the generated pages of docs/ anew
	.venv/bin/python docs/generate.py

audit: ## known weaknesses, in an environment of its own
	python3 dev.py audit

site: ## the documentation as a site, in build/site
	python3 dev.py site

build: ## wheel, sources and bill of materials
	python3 dev.py build

recordings: ## record the sessions that docs/ shows, and its pictures (takes minutes)
	.venv/bin/python docs/record.py && .venv/bin/python -m docs.pictures && .venv/bin/python docs/generate.py
