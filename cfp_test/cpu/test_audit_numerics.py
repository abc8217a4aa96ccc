"""Numbers of a sharded step beside the unsharded one's: sound ones pass, wrong ones do not."""

import jax
import jax.numpy as jnp
import pytest
from jax.extend.core import jaxpr_as_fun

from cfp.audit.numerics import Pair, compare_numerics
from cfp.audit.rounding import Rounding, rounding_of
from cfp.passes.analyze_hlo import analyze_hlo
from cfp.passes.trace_step import trace_step
from cfp_test.zoo import mlp

STEP, ARGS = mlp.train_step()
ROUNDING = Rounding("float32", 256)


@pytest.fixture(scope="module")
def traced():
    return trace_step(STEP, ARGS, donate_argnums=0)


@pytest.fixture(scope="module")
def unsharded(traced):
    return jax.jit(jaxpr_as_fun(traced.jaxpr))


@pytest.fixture(scope="module")
def arrays():
    state, batch = mlp.init_state()(jax.random.key(0)), mlp.sample_batch()(jax.random.key(1))
    return jax.tree.leaves((state, batch))


def wrong(found):
    """The results that differ by more than is allowed."""
    return {one.result for one in found.differences if not one.ratio <= 1}


def test_rounding_of_the_longest_sum(traced):
    assert rounding_of(analyze_hlo(traced)) == ROUNDING


def test_another_order_of_summing_is_right(traced, unsharded, arrays):
    """The hidden units in another order: the same step, but for rounding."""
    order = jax.random.permutation(jax.random.key(2), 128)
    back = jnp.argsort(order)

    def shuffled(flat, order):
        dims = [one.shape.index(128) if 128 in one.shape else None for one in traced.arguments]
        pairs = zip(flat, dims, strict=False)
        return [one if dim is None else jnp.take(one, order, axis=dim) for one, dim in pairs]

    def permuted(*flat):
        *state, loss = unsharded(*shuffled(flat, order))
        return (*shuffled(state, back), loss)

    found = compare_numerics(traced, ROUNDING, Pair(permuted, unsharded), arrays, 4)
    assert any(one.largest > 0 for one in found.differences)
    assert wrong(found) == set()


@pytest.mark.parametrize(
    ("number", "change"),
    [
        (0, lambda one: one * (1 + 1e-4)),
        (0, lambda one: one.at[3, 5].set(jnp.nan)),
        (0, lambda one: one.at[3, 5].add(1.0)),
        (2, lambda one: one + 1),
        (7, lambda one: one + 1e-3),
    ],
    ids=["weights", "no number", "one weight", "counter", "loss"],
)
def test_wrong_results_are_found(traced, unsharded, arrays, number, change):
    def changed(*flat):
        results = list(unsharded(*flat))
        results[number] = change(results[number])
        return results

    found = compare_numerics(traced, ROUNDING, Pair(changed, unsharded), arrays, 1)
    assert wrong(found) == {traced.results[number].name}


def test_a_gradient_of_a_part_of_the_batch_is_found(traced, unsharded, arrays):
    """The devices forget to add up: each half of the batch goes its own way."""

    def halved(*flat):
        *state, x, y = flat
        return unsharded(*state, x.at[4:].set(x[:4]), y.at[4:].set(y[:4]))

    found = compare_numerics(traced, ROUNDING, Pair(halved, unsharded), arrays, 2)
    floats = {one.name for one in traced.results if one.dtype == "float32"}
    assert wrong(found) == floats


def test_a_state_that_is_not_carried_on_is_found_at_the_second_step(traced, unsharded, arrays):
    def forgetful(*flat):
        _, *rest = unsharded(*flat)
        return (arrays[0], *rest)

    found = compare_numerics(traced, ROUNDING, Pair(forgetful, unsharded), arrays, 3)
    first = found.differences[0]
    assert (first.result, first.step) == ("result[0].params['first']", 3)
    assert first.ratio > 1


def test_a_gradient_that_is_nothing_but_rounding_may_take_any_sign():
    """A bias before a softmax has no gradient: Adam makes a whole update of its rounding."""

    def step(w, bias, x):
        def loss(w, bias):
            return jnp.square(jax.nn.softmax(x @ w + bias.sum())).sum()

        w_grad, bias_grad = jax.grad(loss, (0, 1))(w, bias)
        return w - w_grad, bias - 1e-3 * bias_grad / (jnp.abs(bias_grad) + 1e-12)

    arrays = [
        jax.random.normal(jax.random.key(0), (64, 32)),
        jnp.zeros(16),
        jax.random.normal(jax.random.key(1), (8, 64)),
    ]
    traced = trace_step(step, arrays)
    unsharded = jax.jit(jaxpr_as_fun(traced.jaxpr))

    def reordered(w, bias, x):
        new_w, new_bias = unsharded(w[::-1], bias, x[:, ::-1])
        return new_w[::-1], new_bias

    found = compare_numerics(
        traced, rounding_of(analyze_hlo(traced)), Pair(reordered, unsharded), arrays, 1
    )
    assert wrong(found) == set()
