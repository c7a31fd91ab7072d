"""Small GGUF files with the tensors of an architecture, written by the package gguf."""

import gguf
import numpy as np


def llama_gguf(path, *, hidden=64, layers=2, heads=4, kv=2, inter=96, vocab=100, is_tied=True, experts=0, **more):
    """Write the tensors of a Llama, or of a mixture of `experts` two of which are used, and return the path."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("Small Llama")
    writer.add_license("apache-2.0")
    writer.add_block_count(layers)
    writer.add_context_length(2048)
    writer.add_embedding_length(hidden)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv)
    if experts:
        writer.add_expert_count(experts)
        writer.add_expert_used_count(2)
    writer.add_token_list([f"token {number}" for number in range(vocab)])
    writer.add_chat_template("{{ messages }}")
    for add, value in more.items():
        getattr(writer, add)(value)
    width = hidden // heads * kv
    tensors = {"token_embd.weight": (vocab, hidden), "output_norm.weight": (hidden,)}
    tensors |= {} if is_tied else {"output.weight": (vocab, hidden)}
    for layer in range(layers):
        shapes = {"attn_norm": (hidden,), "ffn_norm": (hidden,), "attn_q": (hidden, hidden), "attn_k": (width, hidden)}
        shapes |= {"attn_v": (width, hidden), "attn_output": (hidden, hidden)}
        if experts:
            shapes |= {"ffn_gate_inp": (experts, hidden), "ffn_gate_exps": (experts, inter, hidden)}
            shapes |= {"ffn_up_exps": (experts, inter, hidden), "ffn_down_exps": (experts, hidden, inter)}
        else:
            shapes |= {"ffn_gate": (inter, hidden), "ffn_up": (inter, hidden), "ffn_down": (hidden, inter)}
        tensors |= {f"blk.{layer}.{name}.weight": shape for name, shape in shapes.items()}
    for name, shape in tensors.items():
        writer.add_tensor(name, np.zeros(shape, np.float16 if len(shape) > 1 else np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def header_gguf(path, architecture="llama", *, tensors=(), **numbers):
    """Write a GGUF file with these numbers under the name of the architecture; `_` in a name stands for a dot."""
    writer = gguf.GGUFWriter(path, architecture)
    for name, value in numbers.items():
        key = name if name.startswith("split.") else f"{architecture}.{name}"
        if isinstance(value, list):
            writer.add_array(key, value)
        elif isinstance(value, str):
            writer.add_string(key, value)
        else:
            writer.add_uint32(key, value)
    for name in tensors or ("token_embd.weight",):
        writer.add_tensor(name, np.zeros((8, 8), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
