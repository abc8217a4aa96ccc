#!/bin/sh
# Runs cfp's passes on Wide-ResNet: sh cfp_test/wresnet/wresnet_test.sh --help
exec sh "$(dirname "$0")/../scripts/model_test.sh" wresnet "$@"
