"""The networks mean what their docstrings say: masks, routing, rotation, grouping, fusing.

Each test changes something that must not matter (a later token, padding, how a weight is stored)
and looks at the outputs that must not change, or compares with a slow and obvious computation.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from cfp_test.bert.configs import CONFIGS as GPT_CONFIGS
from cfp_test.bert.model import Bert
from cfp_test.gpt.model import GPT
from cfp_test.llama2.configs import CONFIGS as LLAMA_CONFIGS
from cfp_test.llama2.model import Attention, Llama
from cfp_test.llama2.rotary import rotate
from cfp_test.moe.router import route_top2
from cfp_test.t5.configs import CONFIGS as T5_CONFIGS
from cfp_test.t5.model import T5
from cfp_test.t5.relative_bias import RelativeBias
from cfp_test.training import (
    LayerPolicy,
    choose_config,
    one_hot_cross_entropy,
    token_cross_entropy,
)
from cfp_test.zoo import ssm

FLOAT = jnp.dtype("float32")
PLAIN = LayerPolicy()
KEY = jax.random.key(0)
CUT = 20  # tokens before it must not notice what comes after it


def words(count, vocab=512, key=KEY):
    return jax.random.randint(key, (2, count), 1, vocab)


def tiny_gpt(fused_qkv=False):
    config = choose_config(GPT_CONFIGS, "tiny", layers=1)
    return GPT(config, FLOAT, PLAIN, dropout=0.0, tied=True, fused_qkv=fused_qkv)


def assert_only_later_logits_change(logits, text):
    before, after = logits(text), logits(text.at[:, CUT:].set(7))
    assert_close(after[:, :CUT], before[:, :CUT])
    assert not np.allclose(after[:, CUT:], before[:, CUT:])


def test_gpt_does_not_see_later_tokens():
    model, text = tiny_gpt(), words(32)
    params = model.init(KEY, text)
    changed = text.at[:, CUT:].set(7)
    assert_close(model.apply(params, changed)[:, :CUT], model.apply(params, text)[:, :CUT])
    assert not np.allclose(
        model.apply(params, changed)[:, CUT:], model.apply(params, text)[:, CUT:]
    )


def test_llama2_does_not_see_later_tokens():
    config = choose_config(LLAMA_CONFIGS, "tiny", layers=1)
    structure, params = nnx.split(Llama(config, FLOAT, PLAIN, nnx.Rngs(0)))

    def logits(params, text):
        return nnx.merge(structure, params)(text)

    assert_only_later_logits_change(partial(jax.jit(logits), params), words(32))


def test_bert_does_not_see_padding_but_sees_both_sides():
    config = choose_config(GPT_CONFIGS, "tiny", layers=1)
    model, text = Bert(config, FLOAT, PLAIN, dropout=0.0), words(32)
    present, sentences = jnp.broadcast_to(jnp.arange(32) < CUT, text.shape), jnp.zeros_like(text)
    params = jax.jit(model.init)(KEY, text, sentences, present)
    logits = jax.jit(lambda text: model.apply(params, text, sentences, present))
    assert_close(logits(text.at[:, CUT:].set(7))[:, :CUT], logits(text)[:, :CUT])
    assert not np.allclose(logits(text.at[:, CUT - 1].set(7))[:, 0], logits(text)[:, 0])


def test_t5_sees_the_source_without_padding_and_earlier_targets_only():
    model = T5(choose_config(T5_CONFIGS, "tiny", layers=1), FLOAT, PLAIN, dropout=0.0)
    source, target = words(32), words(24)
    logits = jax.jit(partial(model.apply, jax.jit(model.init)(KEY, source, target)))
    assert_close(logits(jnp.pad(source, ((0, 0), (0, 8))), target), logits(source, target))
    assert_only_later_logits_change(partial(logits, source), target)
    assert not np.allclose(logits(source.at[:, 3].set(7), target), logits(source, target))


def test_fused_projection_is_three_projections_side_by_side():
    text = words(32)
    separate = jax.jit(tiny_gpt().init)(KEY, text)["params"]
    fused = jax.tree.map(lambda leaf: leaf, separate)
    parts = [fused["layer_0"].pop(name) for name in ("query", "key", "value")]
    fused["layer_0"]["qkv"] = {
        "kernel": jnp.concatenate([part["kernel"].reshape(64, 64) for part in parts], axis=1),
        "bias": jnp.concatenate([part["bias"].reshape(64) for part in parts]),
    }
    logits = jax.jit(tiny_gpt(fused_qkv=True).apply)({"params": fused}, text)
    assert_close(logits, jax.jit(tiny_gpt().apply)({"params": separate}, text))


@pytest.mark.parametrize("num_kv_heads", [1, 4])
def test_grouped_queries_are_full_attention_with_repeated_keys_and_values(num_kv_heads):
    grouped = choose_config(LLAMA_CONFIGS, "tiny", num_kv_heads=num_kv_heads)
    full = choose_config(LLAMA_CONFIGS, "tiny", num_kv_heads=grouped.heads)
    few, many = (Attention(config, FLOAT, nnx.Rngs(0)) for config in (grouped, full))
    many.query, many.output = few.query, few.output
    for name in ("key", "value"):
        kernel = getattr(few, name).kernel[...].reshape(-1, num_kv_heads, grouped.head_dim)
        repeated = jnp.repeat(kernel, grouped.heads // num_kv_heads, axis=1)
        getattr(many, name).kernel[...] = repeated.reshape(grouped.hidden, grouped.hidden)
    x = jax.random.normal(KEY, (2, 32, grouped.hidden))
    assert_close(few(x), many(x))


def test_rotation_makes_products_depend_on_distance_only():
    query, key = jax.random.normal(KEY, (2, 1, 1, 1, 16))
    query, key = (rotate(jnp.broadcast_to(x, (1, 32, 1, 16)))[0, :, 0] for x in (query, key))
    products = query @ key.T
    for distance in (-5, 0, 11):
        diagonal = jnp.diagonal(products, distance)
        assert_close(diagonal, jnp.full_like(diagonal, diagonal[0]))
    assert not np.allclose(jnp.diagonal(products, 0)[0], jnp.diagonal(products, 11)[0])


def test_relative_bias_has_the_buckets_of_its_docstring():
    expected = {0: 0, -1: 1, -2: 2, -3: 3, -10: 3, -11: 4, -36: 4, -37: 5, 1: 7, 2: 8, 3: 9, 10: 9}
    bias = RelativeBias(heads=1, buckets=12, bidirectional=True)
    table = {"params": {"table": {"embedding": jnp.arange(12.0)[:, None]}}}
    buckets = bias.apply(table, 64, 64)[0, 0]
    row = 40
    assert {far: int(buckets[row, row + far]) for far in expected} == expected


def test_decoder_bias_spends_all_buckets_on_the_past():
    bias = RelativeBias(heads=1, buckets=12, bidirectional=False)
    table = {"params": {"table": {"embedding": jnp.arange(12.0)[:, None]}}}
    buckets = bias.apply(table, 64, 64)[0, 0].astype(int)
    assert [int(buckets[40, 40 - far]) for far in range(7)] == [0, 1, 2, 3, 4, 5, 6]
    assert not buckets[40, 40:].any()


def seats_one_by_one(logits, capacity):
    """The router as its paper tells it: all first choices in order, then all second ones."""
    gates = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    combine, taken = np.zeros((*logits.shape, capacity)), np.zeros(logits.shape[1], int)
    best = np.argsort(-gates, axis=-1)[:, :2]
    for choice in (0, 1):
        for token, experts in enumerate(best):
            expert = experts[choice]
            if taken[expert] < capacity:
                share = gates[token, expert] / gates[token, experts].sum()
                combine[token, expert, taken[expert]] = share
            taken[expert] += 1
    return combine


@pytest.mark.parametrize("capacity", [2, 6, 24])
def test_router_gives_the_seats_that_a_loop_gives(capacity):
    logits = np.asarray(jax.random.normal(KEY, (3, 24, 4))) * 2
    combine = jax.jit(route_top2, static_argnums=1)(logits, capacity).combine
    for group, found in zip(logits, combine, strict=True):
        np.testing.assert_allclose(found, seats_one_by_one(group, capacity), atol=1e-6)


def test_balance_is_one_when_even_and_grows_when_not():
    even = jnp.tile(10.0 * jnp.eye(4), (1, 6, 1))
    assert_close(route_top2(even, 12).balance, 1.0)
    assert route_top2(even.at[..., 0].add(20.0), 12).balance > 3.0


def test_both_cross_entropies_are_the_same_number():
    logits, targets = jax.random.normal(KEY, (2, 24, 512)) * 3, words(24)
    weights = (targets % 3 > 0).astype(jnp.float32)
    assert_close(
        one_hot_cross_entropy(logits, targets, weights),
        token_cross_entropy(logits, targets, weights),
    )


def test_recurrence_in_time_is_the_associative_one():
    in_time, associative = (
        jax.jit(ssm.recipe(associative=choice, num_layer=1).loss) for choice in (False, True)
    )
    recipe = ssm.recipe(num_layer=1)
    (params, statistics), batch = jax.jit(recipe.init)(KEY), recipe.sample(KEY)
    assert_close(
        in_time(params, statistics, batch, None).total,
        associative(params, statistics, batch, None).total,
    )


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
