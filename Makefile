# Makefile: the few commands that a person needs; each is a script that works without make too.

.PHONY: fuzz-api run test check bench bench-edge bench-start sim schemas

run: ## Set up, build, start the platform, apply the examples and show an answer.
	@bash .ci/demo

test: ## Set up and run every test.
	@bash .ci/test

check: ## Format and house rules, without building the product.
	@bash .ci/check

bench: ## Measure; see Benchmarks.md.
	@bash Benchmarks/run

bench-edge: ## Measure the edge beside other proxies; see Benchmarks.md.
	@bash Benchmarks/edge/run

bench-start: ## Time starts against bare programs, bubblewrap and crun (root); writes the table to Benchmarks.md.
	@bash Benchmarks/start

sim: ## Run the loop over fakes with many seeds.
	@swift run -c release meridian simulate

schemas: ## Write schemas/*.json from the Swift types.
	@swift run meridian schema --all schemas

fuzz-api: ## Send a hundred thousand mutated requests to the API (MERIDIAN_FUZZ_SEED for another run of them).
	@MERIDIAN_FUZZ_REQUESTS=100000 swift test --filter HostileRequestTests
