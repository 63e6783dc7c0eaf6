# Gatehouse: two commands do everything, "make run" and "make test".

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BUILD   := CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)'

.PHONY: run build test check soak race fuzz bench generate setup clean

run: build            ## build and start with a demo: gateway, control plane, sample backend
	./bin/gatehouse serve --demo

build:                ## build both programs into bin/
	@mkdir -p bin
	$(BUILD) -o bin/gatehouse ./cmd/gatehouse
	$(BUILD) -o bin/gatehouse-gateway ./cmd/gatehouse-gateway

test: setup check     ## every test: race detector, both databases, end-to-end scripts
	$(GO) test -race -timeout 20m ./...
	$(GO) test -run Alloc ./gateway/...  # counts that the race detector would spoil

check:                ## formatting and vet
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "not formatted: $$out"; exit 1; fi
	$(GO) vet ./...

setup:                ## what tests need beyond Go; installs it on Debian as root
	@./deploy/test-setup

soak:                 ## longer rounds: kill -9, disk faults, random models
	GATEHOUSE_SOAK=1 $(GO) test -timeout 60m -run 'Kill|Soak|Model|Chaos' ./...

race:                 ## the end-to-end scripts with programs that watch for data races
	GATEHOUSE_RACE=1 $(GO) test -timeout 60m ./e2e

FUZZTIME ?= 60s
fuzz:                 ## every fuzz target, FUZZTIME each
	@for p in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$p 2>/dev/null | grep '^Fuzz'); do \
		echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done

bench:                ## measure, and write bench/RESULTS.md
	$(GO) run ./bench

generate:             ## client, pages and schemas that come from the code
	$(GO) generate ./...

clean:
	rm -rf bin
