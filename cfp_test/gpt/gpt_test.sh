#!/bin/sh
# Runs cfp's passes on GPT: sh cfp_test/gpt/gpt_test.sh --help
exec sh "$(dirname "$0")/../scripts/model_test.sh" gpt "$@"
