"""cfp finds the fastest way to shard a JAX train step over the devices you have.

A step flows through the passes, and each pass turns one frozen value into the next. Those marked
with * exist today; the others are what the package is being built for.

    your step ─▶ trace_step* ─▶ TracedStep ─▶ analyze_hlo* ─▶ Analysis     blocks; knows no mesh yet
    Analysis + a mesh ──▶ enumerate_strategies ──▶ every way to shard each block
                      ──▶ profile_segments ──────▶ what each way costs, and how we know
                      ──▶ search_plan ───────────▶ Plan, the best one that fits in memory
    Analysis + a cluster ─▶ place_stages ────────▶ Placement, a plan for each pipeline stage
    your step + Placement ▶ shard_step ──────────▶ a step that you call as before
                          ▶ verify_step ─────────▶ what was predicted beside what happened

Importing `cfp` or `cfp.ir` imports neither JAX nor the compiled core: reading and printing results
works on a machine that has neither.
"""
