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

# all that takes long: baselines, 1,000 seeds, the model's larger worlds, fifty kills, every mutant
deep *args: (baselines args) simulator model kill mutants

# measures against Node and Python, which are installed below target/ first; root gives quiet times
baselines *args:
    mkdir -p "${CARGO_TARGET_DIR:-target}/baselines"
    cp -R tests/benches/baselines/. "${CARGO_TARGET_DIR:-target}/baselines/"
    -npm ci --silent --prefix "${CARGO_TARGET_DIR:-target}/baselines/node"
    -npm run --silent --prefix "${CARGO_TARGET_DIR:-target}/baselines/node" bundle
    -cd "${CARGO_TARGET_DIR:-target}/baselines/python" && python3 -m pip install --quiet --upgrade --target . --requirement requirements.txt
    cargo bench -p tests -- --only b,c {{args}}

# the stack killed under load again and again, and what must hold after; a seed repeats load and kills, not timing
kill kills="50" seed="":
    KILLS={{kills}} SEED={{seed}} cargo test -p local --test kill

# signups in virtual time with everything going wrong at once; seeds from SIM_SEED_START on
simulator seeds="1000":
    SIM_SEEDS={{seeds}} cargo test --release -p tests --test simulator -- --nocapture

# the chain's states, exhausted, the larger worlds too
model:
    cargo test --release -p tests --test model -- --nocapture --include-ignored --test-threads 1

# breaks the ledger, claims and the hand-over in every way it can think of; each must fail a test
mutants *args:
    cargo mutants --package domain --package pipeline --package platform --output "${CARGO_TARGET_DIR:-target}" {{args}}

# what must be green before a merge
ci: lint test template

# tools that `lint` needs, once a machine
once:
    cargo install --locked cargo-deny
    cargo install --locked typos-cli
    cargo install --locked cargo-mutants
