#!/bin/sh
# Runs cfp's passes on LLaMA-2: sh cfp_test/llama2/llama2_test.sh --help
exec sh "$(dirname "$0")/../scripts/model_test.sh" llama2 "$@"
