# Every command of the project. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run demo test verify generate bench bench-client model redrive soak chaos test-browsers test-foreign test-sam-local test-consumers package test-simulation test-mutations build clean engine client demo-packages needs-go needs-node

help: ## this list
	@echo "PurposePath Realtime. Each command installs what it needs, but for Go 1.26, Node 20, make and git (verify: Python 3 too)."
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /	/' | awk -F'	' '{printf "  make %-15s %s\n", $$1, $$2}'

run: .build/rtlocal engine ## start everything on port 5055 (PORT=5056 for another, ARGS=-h for flags)
	@exec .build/rtlocal run $(ARGS)

demo: .build/rtlocal engine client demo-packages ## a goals board on the running stack, in the browser (PORT=… for the stack, DEMO_PORT=… for the page)
	@exec node client/demo/run.mjs $(ARGS)

test: needs-go engine client ## every test but the browsers'
	@.ci/test

verify: needs-go needs-node demo-packages ## lint, AWS's own tools, generated files unchanged
	@.ci/verify

generate: needs-go ## write everything that is made from the event catalogue
	@go run ./shared/event/generate

bench: .build/rtlocal engine ## figures of the whole stack (SCENARIO=… for some, about five minutes for all)
	@go run ./bench $(SCENARIO)

bench-client: client ## figures of the client package, its size beside others, in a minute
	@node client/bench/run.mjs

model: needs-go ## search the model of the protocol exhaustively, in some minutes and 2 GB (docs/model)
	@go run ./docs/model $(ARGS)

test-browsers: .build/rtlocal engine demo-packages ## the client in Chromium, Firefox, WebKit and as on a phone, against the running stack (installs them where apt-get can)
	@client/browser/run

test-foreign: needs-go engine ## the running stack through AWS CLI, boto3, the JavaScript SDK, wscat and Python's websockets
	@conformance/foreign/run

test-sam-local: needs-go engine ## every function under `sam local`, where a container engine can be started
	@conformance/samlocal/run

package: client ## the npm package as it is published, .build/client/purposepath-realtime.tgz
	@npm run --silent package --prefix client && echo packed .build/client/purposepath-realtime.tgz

test-consumers: client ## the packed client package, compiled, tested, bundled and run by applications old and new
	@npm run --silent consumers --prefix client

test-simulation: needs-go ## the whole system under every fault, 10,000 seeds (SEEDS=… for another number)
	@go test ./conformance/simulation -count=1 -run TestSimulation -v -timeout 3h -seeds $(or $(SEEDS),10000)

test-mutations: needs-go ## break each rule on purpose: some seed must show it (SEEDS=… of each, else 1,000)
	@go test ./conformance/simulation -count=1 -run TestMutations -v -timeout 3h -mutations $(or $(SEEDS),1000) -update

soak: needs-go engine ## mixed load with a fault every second (FOR=1h for another time than ten minutes)
	@go test ./conformance -count=1 -run TestSoak -v -timeout 3h -soak $(or $(FOR),10m) -soak-speed 1

redrive: .build/redrive ## show the dead letters, and send them again (ARGS=-h for how)
	@exec .build/redrive $(ARGS)

chaos: needs-go engine ## the same with functions and tables killed too, and clients in Python (FOR=30m for another time than one minute)
	@conformance/foreign/run --install
	@go test ./conformance -count=1 -run TestChaos -v -timeout 3h -chaos $(or $(FOR),1m) -chaos-python $(CURDIR)/.build/foreign/python/bin/python $(ARGS)

build: needs-go ## compile everything
	@go build ./...

clean: ## remove what was built and installed here
	@rm -rf .build .aws-sam .venv local/engine/node_modules client/node_modules client/bench/peers/node_modules client/demo/node_modules

.build/rtlocal: needs-go
	@go build -o $@ ./local

.build/redrive: needs-go
	@go build -o $@ ./shared/queue/redrive

# The embedded DynamoDB. Elsewhere than on linux-x64 the lock file installs nothing, and its package for this machine may not be served.
engine: needs-node
	@if ! ls local/engine/node_modules/@dynoxide/*/dynoxide >/dev/null 2>&1; then \
		npm ci --prefix local/engine --no-audit --no-fund --silent && \
		if ! ls local/engine/node_modules/@dynoxide/*/dynoxide >/dev/null 2>&1; then \
			npm install --no-save --prefix local/engine --no-audit --no-fund --silent "@dynoxide/$$(node -p 'process.platform + "-" + process.arch')@1.2.1" || true; \
		fi; \
	fi

client: needs-node
	@cd client && if ! cmp -s package-lock.json node_modules/.installed; then \
		npm ci --no-audit --no-fund --silent && cp package-lock.json node_modules/.installed; \
	fi

demo-packages: client
	@cd client/demo && if ! cmp -s package-lock.json node_modules/.installed; then \
		npm ci --no-audit --no-fund --silent && cp package-lock.json node_modules/.installed; \
	fi

needs-go:
	@command -v go >/dev/null || { echo "Go 1.26 is not installed: see https://go.dev/dl" >&2; exit 1; }

needs-node:
	@command -v npm >/dev/null || { echo "Node 20 with npm is not installed: see https://nodejs.org" >&2; exit 1; }

# The rules that `sam build` and the local stack call, one for each function of template.yaml. Where the functions run: on Lambda,
# unless the caller says otherwise. `sam build` passes only ARTIFACTS_DIR.
GOOS ?= linux
GOARCH ?= $(if $(filter x86_64,$(LAMBDA_ARCH)),amd64,arm64)

build-%Function:
	@CGO_ENABLED=0 GOOS=$(GOOS) GOARCH=$(GOARCH) go build -trimpath -tags lambda.norpc -ldflags '-s -w' \
		-o $(ARTIFACTS_DIR)/bootstrap ./functions/$(shell echo $* | tr A-Z a-z)
