"""Configurations of published models, as their `config.json` has them, without keys that decide nothing here."""

import json


def _llama(hidden, layers, heads, kv, inter, vocab, **more):
    return {
        "model_type": "llama",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv,
        "intermediate_size": inter,
        "vocab_size": vocab,
        "max_position_embeddings": 131_072,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        **more,
    }


SMOLLM2_135M = _llama(576, 30, 9, 3, 1536, 49_152, tie_word_embeddings=True, max_position_embeddings=8_192)
LLAMA_8B = _llama(4096, 32, 32, 8, 14_336, 128_256)
LLAMA_70B = _llama(8192, 80, 64, 8, 28_672, 128_256)
TINYLLAMA = _llama(2048, 22, 32, 4, 5632, 32_000)
MISTRAL_7B = _llama(4096, 32, 32, 8, 14_336, 32_000, model_type="mistral", sliding_window=4096)
QWEN2_05B = _llama(
    896,
    24,
    14,
    2,
    4864,
    151_936,
    model_type="qwen2",
    tie_word_embeddings=True,
    sliding_window=32_768,
    use_sliding_window=False,
    max_window_layers=21,
)
QWEN2_7B = _llama(3584, 28, 28, 4, 18_944, 152_064, model_type="qwen2")
QWEN3_06B = _llama(1024, 28, 16, 8, 3072, 151_936, model_type="qwen3", head_dim=128, tie_word_embeddings=True)
QWEN3_8B = _llama(4096, 36, 32, 8, 12_288, 151_936, model_type="qwen3", head_dim=128, attention_bias=False)
QWEN3_30B_A3B = _llama(
    2048,
    48,
    32,
    4,
    6144,
    151_936,
    model_type="qwen3_moe",
    head_dim=128,
    num_experts=128,
    num_experts_per_tok=8,
    moe_intermediate_size=768,
    decoder_sparse_step=1,
    mlp_only_layers=[],
)
QWEN15_MOE = _llama(
    2048,
    24,
    16,
    16,
    5632,
    151_936,
    model_type="qwen2_moe",
    num_experts=60,
    num_experts_per_tok=4,
    moe_intermediate_size=1408,
    shared_expert_intermediate_size=5632,
)
MIXTRAL = _llama(4096, 32, 32, 8, 14_336, 32_000, model_type="mixtral", num_local_experts=8, num_experts_per_tok=2)
GEMMA_2B = _llama(2048, 18, 8, 1, 16_384, 256_000, model_type="gemma", head_dim=256)
GEMMA2_9B = _llama(3584, 42, 16, 8, 14_336, 256_000, model_type="gemma2", head_dim=256, sliding_window=4096)
GEMMA3_1B = _llama(
    1152, 26, 4, 1, 6912, 262_144, model_type="gemma3_text", head_dim=256, sliding_window=512, sliding_window_pattern=6
)
for _config in (GEMMA_2B, GEMMA2_9B, GEMMA3_1B):
    del _config["tie_word_embeddings"]
DEEPSEEK_V2_LITE = _llama(
    2048,
    27,
    16,
    16,
    10_944,
    102_400,
    model_type="deepseek_v2",
    kv_lora_rank=512,
    q_lora_rank=None,
    qk_nope_head_dim=128,
    qk_rope_head_dim=64,
    v_head_dim=128,
    n_routed_experts=64,
    n_shared_experts=2,
    num_experts_per_tok=6,
    moe_intermediate_size=1408,
    first_k_dense_replace=1,
    moe_layer_freq=1,
    topk_method="greedy",
)
DEEPSEEK_V3 = DEEPSEEK_V2_LITE | {
    "model_type": "deepseek_v3",
    "hidden_size": 7168,
    "num_hidden_layers": 61,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "intermediate_size": 18_432,
    "vocab_size": 129_280,
    "q_lora_rank": 1536,
    "n_routed_experts": 256,
    "n_shared_experts": 1,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 2048,
    "first_k_dense_replace": 3,
    "topk_method": "noaux_tc",
    "max_position_embeddings": 163_840,
}


def written(folder, config, **more):
    """Write a configuration into a folder and return its path; a value of None removes a key."""
    path = folder / "config.json"
    document = {key: value for key, value in {**config, **more}.items() if value is not None}
    path.write_text(json.dumps(document))
    return path
