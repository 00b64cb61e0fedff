# make demo and make test work on a bare Debian or Ubuntu machine with git, make and rustup's toolchain: what else
# they need, scripts/setup installs.

# rustup puts cargo where a login shell finds it, and make does not; Debian keeps mkfs.ext4 in sbin.
export PATH := $(PATH):$(HOME)/.cargo/bin:/usr/sbin:/sbin

# As .cargo/config.toml names it: the binary is static, and the flag for that is the target's.
TARGET := x86_64-unknown-linux-gnu
DEBUG := target/$(TARGET)/debug/creel
RELEASE := target/$(TARGET)/release/creel

# Integration tests start containers and wait for them: more of them than cores gain little, and blur each other's time.
TEST_THREADS ?= 2

PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: help demo test check bench bench-peers test-hosts generate install

help:
	@echo 'make demo         an example agent at work in a sandbox, and its audit log'
	@echo 'make test         every check and every test, on a real Docker Engine'
	@echo 'make test-hosts   the tests that a second kind of host must pass, in a virtual machine'
	@echo 'make bench        what supervision costs, as ratios'
	@echo 'make bench-peers  the same for tools that do part of this (installs them below target/)'
	@echo 'make generate     completions/ and man/ anew'
	@echo 'make install      into PREFIX=$(PREFIX)'

demo:
	@scripts/setup demo
	cargo build --release --locked
	@scripts/with-docker scripts/demo $(RELEASE)

test: check
	scripts/with-docker cargo test --locked -- --test-threads=$(TEST_THREADS)

# What needs no engine. The binary's own build comes first: the tests use the same.
check:
	@scripts/setup test
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	scripts/check-dependencies
	cargo build --locked
	$(DEBUG) generate --check

test-hosts:
	@scripts/setup test
	scripts/test-hosts

bench:
	@scripts/setup demo
	cargo build --release --locked
	@scripts/with-docker scripts/bench $(RELEASE)

bench-peers:
	@scripts/setup peers
	cargo build --release --locked
	@scripts/bench-peers $(RELEASE)

generate:
	cargo build --locked
	$(DEBUG) generate

install:
	cargo build --release --locked
	install -D -m 0755 $(RELEASE) $(DESTDIR)$(PREFIX)/bin/creel
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man1 man/*.1
	install -D -m 0644 completions/creel.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/creel
	install -D -m 0644 completions/_creel $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_creel
	install -D -m 0644 completions/creel.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/creel.fish

