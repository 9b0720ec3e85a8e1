# Every command of the project. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help build test verify generate clean

# Where Lambda functions run, unless the caller says otherwise: `sam build` passes only ARTIFACTS_DIR.
GOOS ?= linux
GOARCH ?= $(if $(filter x86_64,$(LAMBDA_ARCH)),amd64,arm64)

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

# The rules that `sam build` and the local stack call, one for each function of template.yaml.
build-%Function:
	@CGO_ENABLED=0 GOOS=$(GOOS) GOARCH=$(GOARCH) go build -trimpath -tags lambda.norpc -ldflags '-s -w' \
		-o $(ARTIFACTS_DIR)/bootstrap ./functions/$(shell echo $* | tr A-Z a-z)

generate: ## write everything that is made from the event catalogue
	@go run ./shared/event/generate
