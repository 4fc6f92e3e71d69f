# Two commands to know: `make demo` shows the SDK at work, `make test` tests it.
# `make check` is what CI runs on every change. CONTRIBUTING.md says what each part holds.

GO ?= go

# Linters run at a pinned version and stay out of go.mod, which users get to see.
STATICCHECK = $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
ACTIONLINT = $(GO) run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

# Modules of their own, so that what they need reaches no user.
MODULES = bench examples/tracing

# How long each fuzz target runs in a check.
FUZZTIME ?= 5s

.PHONY: demo
demo: ## Run all six operations on a fake of the API.
	$(GO) run ./examples/quickstart

.PHONY: test
test: ## Run the tests. TESTFLAGS=-race as in a check, TESTFLAGS=-short for the quick ones.
	$(GO) test $(TESTFLAGS) ./...

.PHONY: check
check: lint tidy drift ## What CI runs on every change.
	$(MAKE) test TESTFLAGS=-race
	for m in $(MODULES); do (cd $$m && $(GO) test ./...) || exit 1; done
	$(MAKE) fuzz demo bench-smoke

.PHONY: generate
generate: ## Make gen/ and docs/reference/ from the contract.
	$(GO) generate ./...

.PHONY: drift
drift: ## Fail where what is committed is not what would be generated.
	@before=$$(mktemp -d) && trap 'rm -rf "$$before"' EXIT && \
	cp -R gen docs/reference "$$before" && $(GO) generate ./... && \
	diff -ru "$$before/gen" gen && diff -ru "$$before/reference" docs/reference && \
	echo "generated files are up to date"

.PHONY: lint
lint: ## Formatting, go vet, staticcheck, and actionlint for the workflows.
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }
	$(GO) vet ./...
	$(STATICCHECK) ./...
	for m in $(MODULES); do (cd $$m && $(GO) vet ./... && $(STATICCHECK) ./...) || exit 1; done
	$(ACTIONLINT) -shellcheck=

.PHONY: tidy
tidy: ## Fail where a go.mod is not tidy.
	$(GO) mod tidy -diff
	for m in $(MODULES); do (cd $$m && $(GO) mod tidy -diff) || exit 1; done

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME.
	@set -e; for package in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$package | tail -1; \
		done; \
	done

.PHONY: sync
sync: ## Carry the vendor's document over: make sync SPEC=path-or-URL
	@test -n "$(SPEC)" || { echo "usage: make sync SPEC=path-or-URL"; exit 2; }
	$(GO) run ./internal/contract/cmd/sync "$(SPEC)"

.PHONY: sync-check
sync-check: ## Report what a sync would change, and fail where it would: SPEC=path-or-URL
	@test -n "$(SPEC)" || { echo "usage: make sync-check SPEC=path-or-URL"; exit 2; }
	$(GO) run ./internal/contract/cmd/sync -check "$(SPEC)"

.PHONY: bench
bench: ## Measure everything and write bench/RESULTS.md and its plot; takes a quarter of an hour.
	cd bench && $(GO) run ./cmd/report

.PHONY: bench-smoke
bench-smoke: ## Run each benchmark once, so that none of them rots.
	cd bench && $(GO) test -short -run '^$$' -bench . -benchtime 1x ./...
