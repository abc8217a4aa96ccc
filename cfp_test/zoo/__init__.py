"""Small train steps whose structure the six models do not have; each file is one of them.

    gru               recurrence: a contraction inside a scan over time
    ssm               a selective state space: a recurrence without a contraction
    linear_attention  keys x values first: no [seq, seq] scores
    clip              two towers that meet in one contraction
    unet              convolutions with strided, upsampled and concatenated skips
    lora              light contractions beside frozen heavy ones
    mlp               the smallest: two matrices
    no_contraction    no matrix at all

All have the models' contract: `step, args = cfp_test.zoo.gru.train_step(batch_size=16)`, and
`init_state`, `sample_batch` with the same flags. Sizes are flags; the defaults are tiny. Those in
plain JAX keep their parameters in a flat dict; `clip` and `unet` are flax linen.
"""
