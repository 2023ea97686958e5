# The menu. Anything longer than a few lines belongs in a tool, not here.

# list what there is
default:
    @just --list

# the whole stack in one process, with the invented vendors
dev *args:
    cargo dev {{args}}

# build and deploy template.yaml to a stand-in for AWS, and use it end to end
deployed *args:
    cargo deployed {{args}}

# every test of the workspace
test *args:
    cargo test --workspace {{args}}

# formatting, lints, licences, spelling
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo deny check licenses bans sources
    typos

# validation and lint of template.yaml, checkov and SAM's own additions; installs the tools below .millrace/ first
template:
    infra/template-gates

# measures against Node and Python, which are installed below target/ first; root gives quiet times
deep *args:
    mkdir -p "${CARGO_TARGET_DIR:-target}/baselines"
    cp -R tests/benches/baselines/. "${CARGO_TARGET_DIR:-target}/baselines/"
    -npm ci --silent --prefix "${CARGO_TARGET_DIR:-target}/baselines/node"
    -npm run --silent --prefix "${CARGO_TARGET_DIR:-target}/baselines/node" bundle
    -cd "${CARGO_TARGET_DIR:-target}/baselines/python" && python3 -m pip install --quiet --upgrade --target . --requirement requirements.txt
    cargo bench -p tests -- --only c {{args}}

# the stack killed under load again and again, and what must hold after; a seed repeats a run
kill kills="50" seed="":
    KILLS={{kills}} SEED={{seed}} cargo test -p local --test kill

# what must be green before a merge
ci: lint test template

# tools that `lint` needs, once a machine
once:
    cargo install --locked cargo-deny
    cargo install --locked typos-cli
