#!/bin/sh
# Runs cfp's passes on MoE: sh cfp_test/moe/moe_test.sh --help
exec sh "$(dirname "$0")/../scripts/model_test.sh" moe "$@"
