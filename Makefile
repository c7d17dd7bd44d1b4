# What a contributor needs, each word of it: run, test, lint, bench, accuracy, fuzz.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# One static binary: no C library, no paths of the machine that built it.
export CGO_ENABLED := 0

FUZZTIME      ?= 60s
PRATIQUE_DATA ?= ../shared/data
EXAMPLE       := .cache/example
RUN_DATA      ?= .cache/run
LISTEN        ?= 127.0.0.1:8080
BENCHFLAGS    ?=

.PHONY: build web web-client console-test run example test deps lint bench bench-console accuracy fuzz clean

build: web ## bin/pratique, with its console
	$(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/pratique ./cmd/pratique

# The console is built anew when a source is newer than what was built of it.
web: web/dist/index.html ## web/dist, which becomes part of the binary
web/dist/index.html: web/node_modules/.package-lock.json $(shell git ls-files -co --exclude-standard web/src web/public web/scripts 'web/*.ts' 'web/*.html')
	cd web && npm run --silent build

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund --loglevel=error
	touch $@

# The program of tests is the same service with a clock that can be moved.
console-test: build ## the console in a browser, against the binary
	$(GO) test -c -o bin/pratique.test ./cmd/pratique
	cd web && node --test --test-reporter=spec --test-concurrency=1 e2e/*.test.mjs

web-client: web/node_modules/.package-lock.json ## the console's client, from what the service says of itself
	$(GO) test ./web -run TestDescription -update
	cd web && npm run --silent client

run: build ## the service with its console on http://127.0.0.1:8080; DEMO=1 has something to show, and keeps nothing
ifdef DEMO
	exec bin/pratique demo --listen $(LISTEN)
else
	exec bin/pratique serve --data $(RUN_DATA) --listen $(LISTEN)
endif

example: build ## scan an image on the command line; it is made here, offline, with something of everything in it
	@bin/pratique example $(EXAMPLE)
	@bin/pratique feed import $(EXAMPLE)/feeds --feeds $(EXAMPLE)/bundle
	@echo
	bin/pratique scan $(EXAMPLE)/image --feeds $(EXAMPLE)/bundle --cache $(EXAMPLE)/cache
	@echo
	@echo 'That was the example. What to do next:'
	@echo '  bin/pratique explain $(EXAMPLE)/image CVE-2021-44228 --feeds $(EXAMPLE)/bundle --cache $(EXAMPLE)/cache'
	@echo '                                        why a finding is believed'
	@echo '  bin/pratique feed update              fetch what is known about vulnerabilities (about 1 GB)'
	@echo '  bin/pratique scan debian:12           scan an image of a registry, a tar, a folder: see README.md'

# Tests compare with independent tools and scan images that they make of real
# packages. What is missing is installed; a machine that has it all is left alone.
TOOLS := mmdebstrap:mmdebstrap docker-registry:docker-registry skopeo:skopeo rpm:rpm zstd:zstd gzip:gzip \
         xz:xz-utils 7z:p7zip-full bzip2:bzip2 npm:npm chromium:chromium dpkg-query:dpkg openssl:openssl git:git objcopy:binutils yara:yara \
         dockerd:docker.io containerd:containerd podman:podman runc:runc tini:tini busybox:busybox-static
deps:
	@missing=(); \
	for t in $(TOOLS); do command -v "$${t%%:*}" >/dev/null || missing+=("$${t##*:}"); done; \
	command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql); \
	/usr/bin/python3 -c 'import openpyxl' 2>/dev/null || missing+=(python3 python3-openpyxl); \
	command -v clamd >/dev/null || test -x /usr/sbin/clamd || missing+=(clamav-daemon); \
	test -e /etc/ssl/certs/ca-certificates.crt || missing+=(ca-certificates); \
	compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql); \
	if (( $${#missing[@]} )); then \
	  command -v apt-get >/dev/null || { echo "please install: $${missing[*]}" >&2; exit 1; }; \
	  sudo=(); (( EUID == 0 )) || sudo=(sudo); \
	  echo "installing $${missing[*]}"; \
	  "$${sudo[@]}" apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive "$${sudo[@]}" apt-get install -qq -y --no-install-recommends "$${missing[@]}" >/dev/null; \
	fi

test: deps web ## everything that needs nothing from outside; a quarter of an hour on two cores
	@unformatted=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	  test -z "$$unformatted" || { echo "gofmt these: $$unformatted" >&2; exit 1; }
	$(GO) vet ./...
	cd web && npm run --silent check
	$(GO) test -timeout 20m ./...
	$(MAKE) console-test

lint: ## what a reviewer should not have to say
	@unformatted=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	  test -z "$$unformatted" || { echo "gofmt these: $$unformatted" >&2; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags accuracy ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.7.0 ./...

bench: build deps ## ratios to gzip; makes its images once, which takes half an hour and 10 GB
	$(GO) run ./bench $(BENCHFLAGS)

bench-console: build deps ## what the console's lists take with 100 000 images; makes its database once, which takes a minute and 400 MB
	cd web && node e2e/scale.mjs

accuracy: deps ## comparisons with real feeds and independent tools
	@test -d '$(PRATIQUE_DATA)' || { echo 'no folder $(PRATIQUE_DATA): name one with real feeds by PRATIQUE_DATA (see CONTRIBUTING.md)' >&2; exit 1; }
	@packages=$$(git grep -lE '^//go:build .*accuracy' -- '*.go' | xargs -n1 dirname | sort -u | sed 's|^|./|'); \
	  PRATIQUE_DATA=$$(realpath '$(PRATIQUE_DATA)') $(GO) test -tags accuracy -timeout 60m -v $$packages

fuzz: ## every fuzz target for FUZZTIME
	@git grep -oE '^func Fuzz[A-Za-z0-9_]+' -- '*_test.go' | sed 's/:func / /' | while read -r file name; do \
	  echo "$$name in $$(dirname "$$file")"; \
	  $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x "./$$(dirname "$$file")" </dev/null; \
	done

clean: ## what was built, and the images of run and bench
	rm -rf bin .cache web/node_modules web/dist/assets web/dist/index.html
