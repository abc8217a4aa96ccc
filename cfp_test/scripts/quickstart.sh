#!/bin/sh
# Sets up, then shows what cfp finds in two train steps of cfp_test, a GPT and a mixture of experts,
# and trains the GPT for 20 steps under three plans on eight devices of this host.
#
#   sh cfp_test/scripts/quickstart.sh                   four layers each
#   sh cfp_test/scripts/quickstart.sh --num_layer 12    so many layers, in all of it
#
# Everything runs on the CPU; no accelerator is looked for.
set -eu
cd "$(dirname "$0")/../.."
sh cfp_test/scripts/setup_env.sh
[ $# -gt 0 ] || set -- --num_layer 4
dumps=build/quickstart

for model in gpt moe; do
  echo "== python -m cfp analyze cfp_test.$model:train_step $*"
  CFP_DUMP_DIR="$dumps/$model" JAX_PLATFORMS=cpu \
    .venv/bin/python -m cfp analyze "cfp_test.$model:train_step" "$@"
  echo
done
echo "what each pass saw and made is written in $dumps/gpt and $dumps/moe"

echo
echo "== python -m cfp_test.scripts.compare_plans gpt $*"
JAX_PLATFORMS=cpu .venv/bin/python -m cfp_test.scripts.compare_plans gpt "$@"
