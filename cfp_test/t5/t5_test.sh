#!/bin/sh
# Runs cfp's passes on T5: sh cfp_test/t5/t5_test.sh --help
exec sh "$(dirname "$0")/../scripts/model_test.sh" t5 "$@"
