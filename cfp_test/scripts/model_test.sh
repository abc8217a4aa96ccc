#!/bin/sh
# Runs cfp's passes on one of the models of cfp_test; every <model>_test.sh calls this.
#
#   sh cfp_test/gpt/gpt_test.sh --num_layer 4 --batch_size 8 --config tiny --mode analysis
#   sh cfp_test/gpt/gpt_test.sh --help
#
# Words it does not know go on to the model (`--scan true`). Nothing is allocated: a model of any
# size can be analysed on a laptop, and no accelerator is looked for.
set -eu
model=$1
shift
script="cfp_test/$model/${model}_test.sh"
cd "$(dirname "$0")/../.."

print_help() {
  cat <<HELP
Runs the passes of cfp on the train step of $model.

  sh $script [--mode MODE] [--num_layer N] [--batch_size B] [--config C] [flags]

  --mode MODE      analysis: from the train step to its parallel blocks and segments (default)
  --num_layer N    how many layers; 0 for as many as the configuration has (default 4)
  --batch_size B   examples per step (default 8)
  --config C       sizes by name, as in cfp_test/$model/configs.py (default tiny)

All flags of the model with their types and defaults (give them as --flag value):
$(sed -n '/^    \*,$/,/^)/s/^    \([a-z].*\),$/    --\1/p' "cfp_test/$model/recipe.py")

CFP_DUMP_DIR=some/folder keeps what each pass saw and made.
HELP
}

mode=analysis num_layer=4 batch_size=8 config=tiny
remaining=$#
while [ "$remaining" -gt 0 ]; do
  word=$1
  shift
  remaining=$((remaining - 1))
  case $word in
    --help | -h) print_help && exit 0 ;;
    --mode | --num_layer | --batch_size | --config)
      [ "$remaining" -gt 0 ] || { echo "$script: $word needs a value; see --help" >&2 && exit 2; }
      eval "${word#--}=\$1" # one of the four names above, so nothing foreign is evaluated
      shift
      remaining=$((remaining - 1))
      ;;
    *) set -- "$@" "$word" ;; # goes on to the model, behind the words still to be read
  esac
done

if [ "$mode" != analysis ]; then
  echo "$script: there is no mode '$mode' yet; --mode analysis is the only one so far" >&2
  exit 2
fi

python=.venv/bin/python
[ -x "$python" ] || python=python3
export JAX_PLATFORMS="${JAX_PLATFORMS:-cpu}"
exec "$python" -m cfp analyze "cfp_test.$model:train_step" \
  --num_layer "$num_layer" --batch_size "$batch_size" --config "$config" "$@"
