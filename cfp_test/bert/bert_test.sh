#!/bin/sh
# Runs cfp's passes on BERT: sh cfp_test/bert/bert_test.sh --help
exec sh "$(dirname "$0")/../scripts/model_test.sh" bert "$@"
