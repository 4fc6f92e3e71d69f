# `make help` lists the targets. CONTRIBUTING.md says what each of them checks.

GO ?= go

# The newest Go release. `make check` tests the SDK with it too, downloaded as a toolchain if
# another one is installed. If NEWEST is empty, that part is skipped.
NEWEST ?= go1.27.4

# Linters run at pinned versions. They are not in go.mod, which users download.
GOLANGCI_LINT = $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
ACTIONLINT = $(GO) run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

# Separate modules, so that their dependencies are not dependencies of the SDK.
MODULES = bench examples/tracing

# What users import.
SDK = ./api ./apitype ./gen/... ./internal/strictjson ./orgkeystest ./speccheck ./wrapper/...

# The packages with tests that -short leaves out. Except for the soaks, these run without the race
# detector: they build and test copies of the repository, or simulate hours of rate limits.
LONG = ./examples/revoke ./gen ./internal/contract ./internal/doctest ./wrapper

# How many inputs each fuzz target gets in a check. A duration, such as 10m, works too; when it ends,
# go test sometimes fails with "context deadline exceeded".
FUZZTIME ?= 5000x

.PHONY: help
help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: demo
demo: ## Run every operation against a fake of the API.
	$(GO) run ./examples/quickstart

.PHONY: test
test: ## Run the quick tests. TESTFLAGS=-race adds the race detector.
	$(GO) test -short -timeout 10m $(TESTFLAGS) ./...
	@echo "make check also runs: the long tests, the race detector, $(NEWEST), $(MODULES), fuzzing, linters, other platforms"

.PHONY: check
check: lint tidy drift platforms ## Run everything that CI runs on a change.
	$(MAKE) test TESTFLAGS=-race
	$(GO) test -race -timeout 15m -run 'Soak$$' ./wrapper
	$(GO) test -timeout 15m -skip 'Soak$$' $(LONG)
	for m in $(MODULES); do (cd $$m && $(GO) test -timeout 15m ./...) || exit 1; done
	$(MAKE) $(if $(NEWEST),newest) fuzz demo bench-smoke

.PHONY: newest
newest: ## Run the quick tests of what users import with the newest Go release.
	GOTOOLCHAIN=$(NEWEST) $(GO) test -short -timeout 5m $(SDK)

.PHONY: platforms
platforms: ## Compile for 32-bit, Windows and macOS.
	GOARCH=386 $(GO) vet ./...
	GOOS=windows $(GO) build ./...
	GOOS=darwin $(GO) build ./...

.PHONY: generate
generate: ## Generate gen/ and docs/reference/ from the contract, and bench/vanilla.
	$(GO) generate ./...
	cd bench && $(GO) generate ./...

.PHONY: drift
drift: ## Fail if a generated file is not what would be generated.
	@before=$$(mktemp -d) && trap 'rm -rf "$$before"' EXIT && \
	cp -R gen docs/reference bench/vanilla wrapper/types.gen.go "$$before" && $(MAKE) --no-print-directory generate && \
	for d in gen docs/reference bench/vanilla wrapper/types.gen.go; do diff -ru "$$before/$${d##*/}" $$d || exit 1; done && \
	echo "generated files are up to date"

.PHONY: lint
lint: ## Run golangci-lint and actionlint, and look for files that nothing refers to.
	$(GOLANGCI_LINT) run ./...
	for m in $(MODULES); do (cd $$m && $(GOLANGCI_LINT) run ./...) || exit 1; done
	$(ACTIONLINT) -shellcheck=
	.ci/unreferenced.sh

.PHONY: tidy
tidy: ## Fail if a go.mod is not tidy.
	$(GO) mod tidy -diff
	for m in $(MODULES); do (cd $$m && $(GO) mod tidy -diff) || exit 1; done

.PHONY: fuzz
fuzz: ## Run each fuzz target with FUZZTIME inputs.
	@set -e; for package in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			out=$$($(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x -timeout 30m $$package) || \
				{ echo "$$out"; exit 1; }; \
		done; \
	done

.PHONY: sync
sync: ## Update the contract from the vendor's document: make sync SPEC=path-or-URL [ADD="POST /path"]
	@test -n "$(SPEC)" || { echo 'usage: make sync SPEC=path-or-URL [ADD="POST /path"]'; exit 2; }
	$(GO) run ./internal/contract/cmd/sync $(if $(ADD),-add "$(ADD)") "$(SPEC)"

.PHONY: sync-check
sync-check: ## Report what a sync would change, and fail if it would: SPEC=path-or-URL
	@test -n "$(SPEC)" || { echo "usage: make sync-check SPEC=path-or-URL"; exit 2; }
	$(GO) run ./internal/contract/cmd/sync -check "$(SPEC)"

.PHONY: bench
bench: ## Measure everything and write bench/RESULTS.md and its plot; takes ten minutes.
	cd bench && $(GO) run ./cmd/report -newest "$(NEWEST)"

.PHONY: bench-smoke
bench-smoke: ## Run each benchmark once, to check that it works.
	cd bench && $(GO) test -short -run '^$$' -bench . -benchtime 1x -timeout 5m ./...
