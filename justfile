# The menu. Anything longer than a few lines belongs in a tool, not here.

# list what there is
default:
    @just --list

# the whole stack in one process, with the invented vendors
dev *args:
    cargo dev {{args}}

# every test of the workspace
test *args:
    cargo test --workspace {{args}}

# formatting, lints, licences, spelling
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo deny check licenses bans sources
    typos

# what must be green before a merge
ci: lint test

# tools that `lint` needs, once a machine
once:
    cargo install --locked cargo-deny
    cargo install --locked typos-cli
